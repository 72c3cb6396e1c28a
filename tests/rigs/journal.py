"""A door with keys, an owner, a card in tmp_path and a clock that the test moves."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from attrs import define, field

from doorbell.clips.seal import seal
from doorbell.doorkeys import DoorKeys
from doorbell.journal.entry import Entry, Stamp, body_text, entry_hash, first_prev
from doorbell.journal.opening import open_to_read
from doorbell.journal.requests import Line
from doorbell.journal.writer import Writer
from doorbell.owner.history import Told, read_history
from doorbell.owner.identity import Identity


def stamp(uptime: float = 1.0, at: str = "2026-03-01T07:30:00Z", clock: Any = "synced") -> Stamp:
    return Stamp(at, clock, uptime)


def clip_id(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(letters[(number >> (5 * place)) % 32] for place in range(26))


@define
class Door:
    """One door; ``writer`` is driven by ``turn``, as its thread would."""

    state: Path
    now: float = 1000.0
    keys: DoorKeys = field(factory=lambda: DoorKeys(os.urandom(32), os.urandom(32)))
    owner: Identity = field(factory=Identity.make)
    heard: list[Any] = field(factory=list)
    line: Line = field(factory=Line)
    files: Any = None
    writer: Writer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.line = Line()
        self.heard.clear()
        self.writer = Writer(
            self.state,
            verify_key=self.keys.verify_key,
            seal=self.seal,
            sign_entry=self.keys.sign_entry,
            put=self.heard.append,
            started=stamp(),
            clock=lambda: self.now,
            line=self.line,
            files=self.files,
        )

    def restart(self) -> None:
        self.writer.close()
        self.start()

    def seal(self, plain: bytes) -> bytes:
        return seal([self.owner.recipient], plain)

    def settle(self, turns: int = 20) -> None:
        """Let the time pass that everything waiting needs."""
        for _ in range(turns):
            self.writer.turn()
            self.now += 1.0

    def of(self, kind: type) -> list[Any]:
        return [value for value in self.heard if isinstance(value, kind)]

    def history(self) -> list[Told]:
        book = open_to_read(self.state)
        try:
            return list(read_history(book.entries(), [self.owner]))
        finally:
            book.close()

    def kinds(self) -> list[str]:
        return [told.body["kind"] if told.body else told.why for told in self.history()]

    def record(self, number: int, size: int = 300_000, at: str = "2026-03-01T07:30:00Z") -> str:
        """A whole clip, as recorder and doorman make it."""
        from doorbell.clips.store import Part

        clip = clip_id(number)
        self.line.put(self.request("ClipStarted", clip, {}, stamp(at=at)))
        self.settle(2)
        part = Part(self.state / "clips", clip, lambda: self.now)
        part.write(self.seal(bytes(size)))
        length, sha256 = part.keep()
        fields = {"bytes": length, "sha256": sha256, "seconds": 12.5, "trigger": "press", "poster_sha256": ""}
        self.line.put(self.request("ClipKept", clip, fields, stamp(at=at), length))
        self.settle(2)
        return clip

    @staticmethod
    def request(name: str, *fields: Any) -> Any:
        from doorbell.journal import requests

        return getattr(requests, name)(*fields)


def chain(keys: DoorKeys, count: int, journal_id: bytes = bytes(16)) -> list[Entry]:
    """*count* entries of a journal, signed by *keys*."""
    entries: list[Entry] = []
    prev = first_prev(journal_id, keys.verify_key)
    for index in range(1, count + 1):
        body = body_text("ring", {"visit": str(index)}, stamp(float(index)), 1)
        body_hash = hashlib.sha256(body).digest()
        digest = entry_hash(index, prev, body_hash)
        entries.append(Entry(index, prev, body, body_hash, keys.sign_entry(digest)))
        prev = digest
    return entries
