"""A recipient: the public half of an age identity, to which clips are sealed.

age is stricter than bech32 in three ways: lower case only, the human-readable part `age`, and 32 bytes exactly (the
known weakness of bech32, letters `q` slipped in before a final `p`, is one of length).
"""

from typing import Final

from attrs import Attribute, field, frozen
from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError

from doorbell.clips import bech32
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
        decoded = bech32.decode(text)
        if decoded is None:
            raise Mistake("The recipient has a typing error (its checksum is wrong): copy the whole age1… line again.")
        kind, key = decoded
        if kind != _HRP:
            raise Mistake(
                "Hardware and post-quantum recipients are not supported: make an identity with `doorbell keygen`."
            )
        return cls(key)

    def __str__(self) -> str:
        return bech32.encode(_HRP, self.key)


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
