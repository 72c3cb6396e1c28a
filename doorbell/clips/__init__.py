"""The clip: packets before and during a visit, muxed, sealed, kept on the card, forgotten in time."""
