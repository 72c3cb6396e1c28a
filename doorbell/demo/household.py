"""The owner's end of the wire: what can be opened with the owner's key, and whether it really came from the door.

The door's verify key is taken from the first ``hello`` and kept; everything later must be signed with it.
"""

from __future__ import annotations

import base64
import io
import json
from datetime import datetime
from typing import Any

from attrs import define, field, frozen
from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

from doorbell.doorkeys import SIGNATURE_BYTES, Kind, signed_bytes
from doorbell.errors import DamagedError
from doorbell.journal.entry import Entry, Fault, read_body, read_document, verify
from doorbell.link.topics import DOOR_ID
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import unseal

FRESH_S = 60.0
"""An alert older than this, in seconds, rings nowhere. The demo's two ends share one clock, a phone asks the door's."""
MOST_ENTRIES = 10_000
LARGEST = 256 * 1024
"""Bytes of one opened message; the door sends at most 96 KiB."""


@frozen
class Told:
    """One message as it reached the owner; ``at`` in monotonic seconds."""

    at: float
    topic: str
    payload: bytes


@frozen
class Ring:
    """A verified alert. ``pressed`` and ``heard`` in monotonic seconds, ``wall`` in seconds since 1970."""

    visit: str
    pressed: float
    wall: float
    heard: float


@frozen
class Poster:
    visit: str
    jpeg: bytes


@frozen
class Line:
    """A journal entry, opened; ``body`` is what the door wrote."""

    entry: Entry
    body: dict[str, Any]


@frozen
class Hello:
    verify_key: bytes


Opened = Ring | Poster | Line | Hello


@define
class Household:
    """Opens what is heard. Keeps the entries, to verify the chain, and the secrets, to look for them elsewhere."""

    identity: Identity
    door: str = field()
    verify_key: bytes = b""
    journal_id: bytes = b""
    epoch: str = ""
    entries: list[Entry] = field(factory=list)
    rings: list[Ring] = field(factory=list)

    @door.validator
    def _is_a_door(self, _: object, door: str) -> None:
        if not DOOR_ID.fullmatch(door):
            raise ValueError("not a door id")

    def take(self, message: Told) -> Opened | None:
        """What the owner learns from a message; None where there is nothing to open.

        Raises DamagedError for what does not open, or is not signed by the door that said hello.
        """
        kind = message.topic.removeprefix(f"doorbell/{self.door}/").split("/")[0]
        match kind:
            case "hello":
                return self._hello(message.payload)
            case "alert":
                return self._alert(message)
            case "poster":
                return Poster(message.topic.rsplit("/", 1)[-1], self._open(message.payload))
            case "journal":
                return self._entry(message.payload)
        return None

    def chain_fault(self) -> Fault | None:
        """The first fault of the journal as it was heard, or None."""
        return verify(sorted(self.entries, key=lambda one: one.index), self.journal_id, self.verify_key)

    def _open(self, sealed: bytes) -> bytes:
        opened = bytearray()
        for chunk in unseal([self.identity], io.BytesIO(sealed)):
            opened += chunk
            if len(opened) > LARGEST:
                raise DamagedError("A message is larger than any the door sends.")
        return bytes(opened)

    def _hello(self, payload: bytes) -> Hello:
        try:
            document = json.loads(payload)
            text = document["json"].encode()
            facts = json.loads(text)
            key = base64.b64decode(facts["verify_key"], validate=True)
            self._check("hello", base64.b64decode(document["sig"], validate=True), text, self.verify_key or key)
            self.journal_id = base64.b64decode(facts["journal"], validate=True)
            self.epoch = facts["epoch"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DamagedError("The door's hello is not one.") from None
        self.verify_key = key
        return Hello(key)

    def _alert(self, message: Told) -> Ring:
        opened = self._open(message.payload)
        signature, text = opened[:SIGNATURE_BYTES], opened[SIGNATURE_BYTES:]
        self._check("alert", signature, text, self.verify_key)
        try:
            said = json.loads(text)
            age = message.at - said["uptime"]
            fresh = said["door"] == self.door and said["epoch"] == self.epoch and -1 < age <= FRESH_S
            ring = Ring(said["visit"], said["uptime"], datetime.fromisoformat(said["at"]).timestamp(), message.at)
        except (ValueError, KeyError, TypeError):
            raise DamagedError("An alert is signed by the door, but it does not say what an alert says.") from None
        if not fresh:
            raise DamagedError("An alert is old, or another door's: nothing rings.")
        self.rings.append(ring)
        return ring

    def _entry(self, payload: bytes) -> Line:
        entry = read_document(payload)
        if entry.body is None:
            raise DamagedError(f"Entry {entry.index} was forgotten already.")
        body = read_body(self._open(entry.body))
        # One that comes twice was acknowledged too late, which is no fault.
        if entry.hash not in {one.hash for one in self.entries} and len(self.entries) < MOST_ENTRIES:
            self.entries.append(entry)
        return Line(entry, body)

    @staticmethod
    def _check(kind: Kind, signature: bytes, text: bytes, key: bytes) -> None:
        try:
            crypto_sign_open(signature + signed_bytes(kind, text), key)
        except (CryptoError, ValueError, TypeError):
            raise DamagedError(f"The signature under {kind} is not the door's.") from None
