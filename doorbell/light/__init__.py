"""Pairing by light: a phone shows its QR to the camera of a door that was never paired (docs/pairing.md)."""
