"""How a phone joins: by a secret that it can only have from the owner, or from an admin (docs/formats/pairing.md).

The secret shows the phone that the door is the right one, and the door that the phone was invited. It is good once, for
a time, and for five tries: whoever guesses closes the door on everybody and gains nothing.

There are two invitations. Enrolment put its secret on the card beside the owner's public keys; who joins by it begins
the roster, signed by the door. An admin's invitation lives in memory; who joins by it waits until an admin has signed
the next roster, because nobody else may.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from attrs import define, frozen

from doorbell import closed
from doorbell.roster import Member, read_member

SECRET: Final = 16
OPEN_S: Final = 300.0
"""How long an admin's invitation is good."""
ENROLLED_HOURS: Final = 7 * 24
MOST_WRONG: Final = 5
MOST_JOIN: Final = 2048
"""Bytes of a sealed request to join."""
NAME: Final = "pairing.json"
MOST_FILE: Final = 4096
_DOOR: Final = b"doorbell/v1/pair-door\x00"
_PHONE: Final = b"doorbell/v1/pair-phone\x00"


def door_mac(secret: bytes, door: str, verify_key: bytes, box_key: bytes) -> bytes:
    """What ``hello`` shows while pairing is open: whoever says it knows the secret."""
    return hmac.digest(secret, _DOOR + door.encode() + verify_key + box_key, hashlib.sha256)


def phone_mac(secret: bytes, recipient: bytes, verify_key: bytes) -> bytes:
    """What a joining phone shows: *recipient* and *verify_key* are the 32 bytes of each."""
    return hmac.digest(secret, _PHONE + recipient + verify_key, hashlib.sha256)


@frozen
class Joining:
    """Who asks to join, and how they showed that they may."""

    member: Member
    mac: bytes


def read_join(text: bytes) -> Joining:
    """``{"member": {…}, "mac": "…"}``; raises ValueError."""
    found = closed.fields(
        closed.load(text, MOST_JOIN), {"member": read_member, "mac": closed.base64_of(hashlib.sha256().digest_size)}
    )
    return Joining(found["member"], found["mac"])


@define
class Invitation:
    """One secret, and what became of it. ``owner`` is there where the first phone joins: at enrolment and by light.
    ``closes`` is the door's uptime, for an admin's and by light."""

    secret: bytes
    owner: Member | None = None
    closes: float = 0.0
    until: int = 0
    """Enrolment: seconds since 1970, believed while the clock is set; the hours that the door ran count too."""
    hours: int = ENROLLED_HOURS
    wrong: int = 0
    joining: Joining | None = None
    """Who showed the secret; then it is spent."""
    phone: tuple[bytes, bytes] | None = None
    """By light: recipient and verify key of the phone that showed the QR; no other may join by its secret."""

    @property
    def is_open(self) -> bool:
        return self.joining is None and self.wrong < MOST_WRONG

    def hear(self, asked: Joining) -> bool:
        """Whether *asked* may join; a wrong MAC is counted."""
        if not self.is_open:
            return False
        wanted = phone_mac(self.secret, asked.member.recipient.key, asked.member.verify_key)
        known = self.phone in (None, (asked.member.recipient.key, asked.member.verify_key))
        if not hmac.compare_digest(wanted, asked.mac) or not known:
            self.wrong += 1
            return False
        self.joining = asked
        return True

    def is_over(self, at: float, wall: float | None) -> bool:
        """Whether its time has passed, at uptime *at*; *wall* is None while the clock is not set."""
        if self.owner is None or self.phone is not None:
            return at >= self.closes
        return self.hours <= 0 or (wall is not None and wall >= self.until)


def written(one: Invitation) -> bytes:
    """Enrolment's invitation as its file holds it."""
    assert one.owner is not None
    owner = {
        "name": one.owner.name,
        "role": one.owner.role,
        "recipient": str(one.owner.recipient),
        "verify_key": closed.to_base64(one.owner.verify_key),
    }
    what: dict[str, Any] = {
        "v": 1,
        "secret": closed.to_base64(one.secret),
        "owner": owner,
        "until": one.until,
        "hours": one.hours,
        "wrong": one.wrong,
    }
    if one.phone is not None:
        what["phone"] = [closed.to_base64(key) for key in one.phone]
    return closed.dump(what)


def read(text: bytes) -> Invitation:
    """The file of enrolment; raises ValueError."""
    shape: dict[str, Any] = {
        "secret": closed.base64_of(SECRET),
        "owner": read_member,
        "until": closed.count,
        "hours": closed.count,
        "wrong": closed.count,
    }
    found = closed.versioned(text, MOST_FILE, shape, also={"phone": closed.list_of(closed.base64_of(32), 2, 2)})
    if found["owner"].role != "admin":
        raise ValueError("the owner is an admin")
    return Invitation(**found)
