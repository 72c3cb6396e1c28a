"""A video doorbell whose clips only its owner can open. The picture of the whole is docs/architecture.md."""

__version__ = "0.1.0"
