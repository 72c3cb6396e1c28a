"""What a pairing QR holds: who the owner is, the secret S, and where the broker is (docs/formats/pairing.md).

One layout serves three hands. A phone shows it to a door's camera: then it names that phone's keys, and the login is
the door's. The tool that wrote a card, or an admin's phone, shows it to a phone that joins: then it names no phone (32
zero bytes twice), because a phone makes its keys itself, and the login is the phone's, or empty.

It comes from a camera that anybody can stand in front of: every length is checked before it is believed, and what is
not exactly one ticket is ValueError. No message repeats any of it.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from attrs import field, frozen

from doorbell.link.topics import DOOR_ID

VERSION: Final = 1
MOST_BYTES: Final = 350
"""Before base45; 525 characters of it, which a QR code of version 12 holds."""
MOST_TEXT: Final = MOST_BYTES * 3 // 2
MOST_PART: Final = 255
KEY: Final = 32
SECRET: Final = 16
NONE: Final = bytes(KEY)
"""Stands for a key, or a certificate's pin, that is not given."""
_FIXED: Final = ("owner", "owner_verify_key", "phone", "phone_verify_key", "secret", "broker_pin")
_TEXTS: Final = ("door", "broker", "login", "password")
_BASE45: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_HOST: Final = r"(?:[A-Za-z0-9_.-]{1,200}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?"
_BROKER: Final = re.compile(rf"(?:mqtts?://{_HOST}|wss?://{_HOST}(?:/[!-~]{{0,100}})?)")


@frozen
class Ticket:
    """Keys are 32 bytes, the secret 16; ``owner`` and ``phone`` are X25519 recipients. Raises ValueError when made."""

    owner: bytes
    owner_verify_key: bytes
    secret: bytes = field(repr=False)
    door: str
    broker: str
    """mqtts:// or mqtt:// for a door; wss:// or ws:// for a phone, whose browser has nothing else."""
    broker_pin: bytes = NONE
    """SHA-256 of the broker's certificate; zeros: whoever the authorities vouch for."""
    login: str = ""
    password: str = field(default="", repr=False)
    phone: bytes = NONE
    phone_verify_key: bytes = NONE

    def __attrs_post_init__(self) -> None:
        if any(len(getattr(self, name)) != (SECRET if name == "secret" else KEY) for name in _FIXED):
            raise ValueError("a key of another length")
        if NONE in (self.owner, self.owner_verify_key) or (self.phone == NONE) != (self.phone_verify_key == NONE):
            raise ValueError("a key is missing")
        if not DOOR_ID.fullmatch(self.door):
            raise ValueError("no door id")
        found = _BROKER.fullmatch(self.broker)
        if found is None or not 1 <= int(found[1] or found[2] or 1) <= 65535:
            raise ValueError("no broker's address")
        if any(not _is_plain(text) for text in (self.login, self.password)) or (self.password and not self.login):
            raise ValueError("no login")

    @property
    def is_for_a_door(self) -> bool:
        """Whether a phone shows it to a door's camera; else it is for a phone that joins."""
        return self.phone != NONE


def _is_plain(text: str) -> bool:
    return not any(sign < " " or "\x7f" <= sign <= "\x9f" for sign in text)


def written(one: Ticket) -> bytes:
    """Its bytes. Raises ValueError when they are more than 350."""
    texts = [getattr(one, name).encode() for name in _TEXTS]
    if any(len(text) > MOST_PART for text in texts):
        raise ValueError("a text of more than 255 bytes")
    whole = b"".join(
        (bytes([VERSION]), *(getattr(one, name) for name in _FIXED), *(bytes([len(text)]) + text for text in texts))
    )
    if len(whole) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return whole


def read(whole: bytes) -> Ticket:
    """The ticket that *whole* is, all of it and nothing behind it; raises ValueError."""
    if len(whole) > MOST_BYTES or whole[:1] != bytes([VERSION]):
        raise ValueError("no ticket of this version")
    at = 1

    def take(length: int) -> bytes:
        nonlocal at
        at += length
        if at > len(whole):
            raise ValueError("cut short")
        return whole[at - length : at]

    keys = {name: take(SECRET if name == "secret" else KEY) for name in _FIXED}
    texts = {name: take(take(1)[0]).decode() for name in _TEXTS}
    if at != len(whole):
        raise ValueError("something behind it")
    return Ticket(**keys, **texts)  # type: ignore[arg-type]


def to_qr(one: Ticket) -> str:
    """As a QR code holds it, in its alphanumeric mode."""
    return base45(written(one))


def from_qr(text: str) -> Ticket:
    """Raises ValueError."""
    return read(unbase45(text))


def to_paste(one: Ticket) -> str:
    """The same bytes in base64url without padding: to be copied by hand, or behind ``#/join/`` of the app's address.

    Base45 has a space among its letters, which does not survive a mail or a terminal.
    """
    return base64.urlsafe_b64encode(written(one)).decode().rstrip("=")


# ---- RFC 9285


def base45(data: bytes) -> str:
    return "".join(_letters(data[at : at + 2]) for at in range(0, len(data), 2))


def _letters(pair: bytes) -> str:
    number, text = int.from_bytes(pair, "big"), ""
    for _ in range(len(pair) + 1):
        number, digit = divmod(number, 45)
        text += _BASE45[digit]
    return text


def unbase45(text: str) -> bytes:
    """Raises ValueError for what no bytes are written as, and for more than a ticket can be."""
    if len(text) > MOST_TEXT or len(text) % 3 == 1:
        raise ValueError("no base45")
    data = bytearray()
    for at in range(0, len(text), 3):
        digits = [_BASE45.index(sign) for sign in text[at : at + 3]]
        number = sum(digit * 45**place for place, digit in enumerate(digits))
        data += number.to_bytes(len(digits) - 1, "big") if number < 256 ** (len(digits) - 1) else _overflow()
    return bytes(data)


def _overflow() -> bytes:
    raise ValueError("no base45")
