"""A recipient: the public half of an age identity, to which clips are sealed.

Bech32 comes from the package `bech32`, which was written for bitcoin addresses and is laxer than age in three ways that
are closed here: it folds upper case to lower, it takes any human-readable part, and it has no opinion on the length
(the known weakness of bech32, letters `q` slipped in before a final `p`, is one of length). It has no upper length
limit.
"""

from typing import Final

from attrs import Attribute, field, frozen
from bech32 import bech32_decode, bech32_encode, convertbits
from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError

from doorbell.errors import Mistake

KEY_BYTES: Final = 32
_HRP: Final = "age"
# Any scalar shows a low-order point: X25519 clears the scalar's low three bits, so every such point becomes zero.
_PROBE: Final = bytes(KEY_BYTES)


def _usable(_: object, __: "Attribute[bytes]", key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise Mistake(f"A recipient has {KEY_BYTES} bytes, this one has {len(key)}: copy the whole age1… line again.")
    try:
        crypto_scalarmult(_PROBE, key)
    except CryptoError:
        raise Mistake(
            "This recipient is a weak point that anyone could open clips of: make a new one with `doorbell keygen`."
        ) from None


@frozen
class Recipient:
    """An X25519 public key (`key`, 32 bytes) that sealing can trust: of the right length and not of low order."""

    key: bytes = field(validator=_usable)

    @classmethod
    def parse(cls, text: str) -> "Recipient":
        """Read `age1…`; white space around it is forgiven. Raises Mistake, which never repeats the text."""
        text = text.strip()
        _refuse_other_kinds(text)
        decoded = from_bech32(text)
        if decoded is None:
            raise Mistake("The recipient has a typing error (its checksum is wrong): copy the whole age1… line again.")
        kind, key = decoded
        if kind != _HRP:
            raise Mistake(
                "Hardware and post-quantum recipients are not supported: make an identity with `doorbell keygen`."
            )
        return cls(key)

    def __str__(self) -> str:
        return to_bech32(_HRP, self.key)


def to_bech32(kind: str, data: bytes) -> str:
    """`data` as bech32 in lower case with `kind` as its human-readable part."""
    values = convertbits(data, 8, 5)
    assert values is not None  # only values above 255 have no answer
    return bech32_encode(kind, values)


def from_bech32(text: str) -> tuple[str, bytes] | None:
    """(human-readable part in lower case, data), or None if the checksum, a letter or the padding is wrong."""
    kind, values = bech32_decode(text)
    data = None if values is None else convertbits(values, 5, 8, False)
    return None if kind is None or data is None else (kind, bytes(data))


def _refuse_other_kinds(text: str) -> None:
    """Say plainly what was given instead, before the checksum hides it."""
    if text.upper().startswith("AGE-"):
        raise Mistake(
            "This is a private key: keep it off the door and give its recipient (age1…) "
            "as `doorbell recipient FILE` prints it."
        )
    if text.startswith(("ssh-", "ecdsa-", "sk-")):
        raise Mistake("SSH keys cannot open clips: make an age identity with `doorbell keygen` and give its recipient.")
    if text.startswith("AGE1"):
        raise Mistake("A recipient is written in lower case: give it as `doorbell recipient` prints it.")
    if not text.startswith("age1"):
        raise Mistake("A recipient starts with age1: copy the line that `doorbell recipient` prints.")
