"""The entries of one batch, written into the open transaction one behind the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from doorbell.clips.leftovers import Cut
from doorbell.events import Kept
from doorbell.journal.book import Book
from doorbell.journal.entry import MOST_BODY, Entry, Field, Head, Stamp, body_text

MOST_BODIES: Final = 20_000
MOST_BODY_BYTES: Final = 32 * 1000 * 1000
NEWEST: Final = 2_000
"""Entries that routine shares with presses: else whoever leans on the button has all else forgotten at once."""
PRESS: Final = "ring"


class Pages:
    """The entries of one batch, each continuing the one before; nothing of it counts before the commit."""

    def __init__(self, book: Book, seal: Callable[[bytes], bytes], sign: Callable[[bytes], bytes]) -> None:
        self.book, self._seal, self._sign = book, seal, sign
        self.head = book.head()
        self.kept: list[Kept] = []
        self.unknown: list[str] = []
        """Clips that were to be deleted and are not held."""

    def add(self, kind: str, fields: Mapping[str, Field], stamp: Stamp, token: str = "") -> int:
        """Seal, sign and append one entry; returns its index. Raises Mistake where nobody could open it."""
        body = self._seal(body_text(kind, fields, stamp, self.book.boot))
        if len(body) > MOST_BODY:
            raise ValueError(f"a sealed entry has {len(body)} bytes, at most {MOST_BODY} are allowed")
        index, body_hash = self.head.index + 1, hashlib.sha256(body).digest()
        unsigned = Entry(index, self.head.hash, body, body_hash, bytes(64))
        entry = Entry(index, self.head.hash, body, body_hash, self._sign(unsigned.hash))
        self.book.add(entry, stamp.day, press=kind == PRESS)
        self.head = Head(index, entry.hash)
        self.kept.append(Kept(index, kind, token, self.head.hash))
        return index

    def cut(self, found: Cut, why: str, stamp: Stamp) -> None:
        fields: dict[str, Field] = {"id": found.clip, "bytes": found.bytes, "why": why}
        if found.bytes:
            fields |= {"sha256": found.sha256, "poster_sha256": found.poster_sha256}
        index = self.add("clip_cut", fields, stamp, found.clip)
        if found.bytes:
            self.book.clip_kept(found.clip, index, found.size)
        else:
            self.book.drop_clip(found.clip)

    def delete(self, clip: str, why: str, stamp: Stamp) -> None:
        if clip in self.book.held_ids():
            self.book.clip_deleted(clip, self.add("clip_deleted", {"id": clip, "why": why}, stamp, clip))
        else:
            self.unknown.append(clip)

    def forget_older(self, before: int, stamp: Stamp) -> None:
        if count := self.book.forget_bodies(before):
            self.add("forgotten", {"bodies": count, "before": before, "why": "age"}, stamp)

    def forget_for_room(self, stamp: Stamp) -> None:
        if going := beyond_bound(self.book):
            self.book.forget_these(going)
            self.add("forgotten", {"bodies": len(going), "before": max(going) + 1, "why": "room"}, stamp)


def beyond_bound(book: Book) -> list[int]:
    """Whose bodies have to go so that 20,000 bodies and 32 MB of them stay: the oldest routine, then the presses."""
    bodies = book.bodies()
    count, size = bodies.count - MOST_BODIES, bodies.bytes - MOST_BODY_BYTES
    going: list[int] = []
    lengths = book.lengths(NEWEST)
    while (count > 0 or size > 0) and (body := next(lengths, None)):
        going.append(body[0])
        count, size = count - 1, size - body[1]
    return going
