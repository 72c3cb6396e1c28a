"""The roster: who opens what happens at this door, and who may command it (docs/formats/roster.md).

A chain of signed revisions. The first comes with enrolment: the door signs it, because at that moment nobody else is
known to it but by a secret that only the owner's enrolment gave. Every later one is signed by an admin of the one
before, names that one's hash, and keeps the owner where it is: first, and admin. So a household can change everything
about itself but lock its owner out, and nobody can leave the door to nobody.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

from attrs import field, frozen
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import CryptoError

from doorbell import closed
from doorbell.clips.recipient import Recipient
from doorbell.errors import Mistake

MOST_MEMBERS: Final = 16
MOST_TEXT: Final = 6 * 1024
"""Bytes of a revision's JSON: inside a command, quoted once more, it stays below the 8 KiB of one."""
NAME: Final = r"[^\x00-\x1f\x7f-\x9f]{1,32}"
MEMBER_ID: Final = r"[a-z2-7]{26}"
DOOR: Final = "door"
"""The signer of revision 1. No member id has four letters."""
NO_PREV: Final = bytes(32)
_LABEL: Final = b"doorbell/v1/roster\x00"

Role = Literal["admin", "member"]
Sign = Callable[[Literal["roster"], bytes], bytes]


class RosterError(Mistake):
    """A roster the door does not follow; ``word`` names why, in replies and in the test vectors."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


@lru_cache(256)  # asked for at each look-up, by more keys than a household has
def member_id(verify_key: bytes) -> str:
    """The first 26 characters of the verify key's SHA-256 in lower-case base32: topic level and broker login."""
    return base64.b32encode(hashlib.sha256(verify_key).digest()).decode().lower()[:26]


@frozen
class Member:
    """One who opens what is sealed from now on; an admin may also change what the door does."""

    name: str = field(repr=False)
    role: Role
    recipient: Recipient
    verify_key: bytes

    @property
    def id(self) -> str:
        return member_id(self.verify_key)


@frozen
class Roster:
    """One revision, with the exact bytes that were signed. Whoever holds one has checked it: see ``accept``."""

    door: str
    revision: int
    prev: bytes
    members: tuple[Member, ...]
    signer: str
    text: bytes = field(repr=False)
    sig: bytes = field(repr=False)

    @property
    def hash(self) -> bytes:
        """What ``prev`` of the next revision holds: SHA-256 of the signed text."""
        return hashlib.sha256(self.text).digest()

    @property
    def owner(self) -> Member:
        return self.members[0]

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        return tuple(one.recipient for one in self.members)

    def find(self, member: str) -> Member | None:
        return next((one for one in self.members if one.id == member), None)

    def document(self) -> dict[str, str]:
        """As it travels inside JSON."""
        return {"json": self.text.decode(), "sig": closed.to_base64(self.sig)}


# ---- written


def text_of(door: str, revision: int, prev: bytes, members: Iterable[Member], signer: str) -> bytes:
    """The JSON of a revision, as its signer signs it."""
    rows = [
        {
            "name": one.name,
            "role": one.role,
            "recipient": str(one.recipient),
            "verify_key": closed.to_base64(one.verify_key),
        }
        for one in members
    ]
    return closed.dump(
        {"door": door, "revision": revision, "prev": closed.to_base64(prev), "members": rows, "signer": signer}
    )


def begin(door: str, members: Iterable[Member], sign: Sign) -> Roster:
    """Revision 1, made and signed by the door at enrolment; the owner first. Raises RosterError for no such roster."""
    text = text_of(door, 1, NO_PREV, members, DOOR)
    return _read_text(text, sign("roster", text))


# ---- read


def read(document: object) -> Roster:
    """What ``{"json", "sig"}`` says. Only its shape is checked here; raises RosterError (schema, nobody, owner)."""
    try:
        outer = closed.fields(document, {"json": closed.text, "sig": closed.base64_of(crypto_sign_BYTES)})
    except ValueError as error:
        raise RosterError("schema", f"This is no signed roster ({error}).") from None
    return _read_text(outer["json"].encode(), outer["sig"])


def read_member(value: object) -> Member:
    """A member's four keys; raises ValueError."""
    found = closed.fields(value, _MEMBER)
    try:
        recipient = Recipient.parse(found["recipient"])
    except Mistake as mistake:
        raise ValueError(str(mistake)) from None
    if str(recipient) != found["recipient"]:
        raise ValueError("a recipient has one spelling")
    return Member(found["name"], found["role"], recipient, found["verify_key"])


_MEMBER: Mapping[str, Any] = {
    "name": closed.matching(NAME),
    "role": closed.matching("admin|member"),
    "recipient": closed.text,
    "verify_key": closed.base64_of(32),
}

_ROSTER: Mapping[str, Any] = {
    "door": closed.matching("[a-z0-9-]{1,32}"),
    "revision": closed.count,
    "prev": closed.base64_of(32),
    "members": closed.list_of(read_member, 0, MOST_MEMBERS),
    "signer": closed.matching(f"{DOOR}|{MEMBER_ID}"),
}


def _read_text(text: bytes, sig: bytes) -> Roster:
    try:
        found = closed.fields(closed.load(text, MOST_TEXT), _ROSTER)
    except ValueError as error:
        raise RosterError("schema", f"This is no roster ({error}).") from None
    roster = Roster(**found, text=text, sig=sig)
    if not roster.members:
        raise RosterError("nobody", "A roster without members would leave the door to nobody: keep the owner in it.")
    if roster.owner.role != "admin":
        raise RosterError("owner", "The first member is the owner, who is always an admin.")
    for each in ("recipient", "verify_key"):
        if len({getattr(one, each) for one in roster.members}) != len(roster.members):
            raise RosterError("schema", f"Two members have the same {each}: each member has keys of their own.")
    return roster


# ---- believed


def accept_first(document: object, door: str, door_verify_key: bytes) -> Roster:
    """Revision 1, as enrolment made it and this door signed it. Raises RosterError."""
    roster = read(document)
    _ours(roster, door)
    if roster.revision != 1 or roster.prev != NO_PREV:
        raise RosterError("revision", "A household begins with revision 1, which follows nothing.")
    if roster.signer != DOOR:
        raise RosterError("signer", "Revision 1 is signed by the door itself.")
    _signed(roster, door_verify_key)
    return roster


def accept(document: object, present: Roster) -> Roster:
    """The revision behind *present*. Raises RosterError; its ``word`` says which rule it breaks.

    Checked in this order: schema (nobody, owner), door, revision, prev, owner, signer, signature.
    """
    roster = read(document)
    _ours(roster, present.door)
    if roster.revision != present.revision + 1:
        raise RosterError("revision", f"Revision {present.revision} is in force: only the next one can follow it.")
    if roster.prev != present.hash:
        raise RosterError("prev", "This roster continues another one than is in force: read that one first.")
    kept, owner = roster.owner, present.owner
    if (kept.recipient, kept.verify_key) != (owner.recipient, owner.verify_key):
        raise RosterError("owner", "The owner stays the first member, with the same keys.")
    signer = present.find(roster.signer)
    if signer is None or signer.role != "admin":
        raise RosterError("signer", "A roster is signed by an admin of the one before.")
    _signed(roster, signer.verify_key)
    return roster


def _ours(roster: Roster, door: str) -> None:
    if roster.door != door:
        raise RosterError("door", "This roster is another door's.")


def _signed(roster: Roster, verify_key: bytes) -> None:
    try:
        crypto_sign_open(roster.sig + _LABEL + roster.text, verify_key)
    except CryptoError:
        raise RosterError("signature", "The roster's signature is not its signer's.") from None
