"""A card as it is after years: signed and chained entries, the newest with their bodies, and a file for every clip."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Final

from doorbell.bench.rows import Say
from doorbell.clips import store
from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.doorkeys import FOLDER, DoorKeys, load_or_make
from doorbell.hkdf import hkdf
from doorbell.journal.book import Book
from doorbell.journal.entry import Entry, Field, Head, Stamp, body_text
from doorbell.journal.opening import open_to_write
from doorbell.journal.pages import MOST_BODIES

OWNER: Final = Recipient(hkdf(b"bench", info=b"any point that is not of low order"))
FIRST_DAY: Final = 20_000
CLIPS_A_DAY: Final = 91
"""100,000 clips in three years."""
_BATCH: Final = 2_000
_POSTER: Final = 200


def make(state: Path, clips: int, say: Say) -> None:
    """Fill *state* with *clips* clips, a poster each, and twice as many entries; small files, which nobody opens."""
    state.mkdir(mode=0o700, parents=True)
    folder, keys = store.prepare(state), load_or_make(state / FOLDER)
    book = open_to_write(state, keys.verify_key, new_boot=True).book
    clip = seal([OWNER], bytes(300))
    last, bodies_from = book.head(), 2 * clips - MOST_BODIES
    for number in range(clips):
        if number % _BATCH == 0:
            if number:
                book.commit()
                say(f"{number} of {clips} clips")
            book.begin()
        name, day = base64.b32encode(os.urandom(17)).decode().lower()[:26], FIRST_DAY + number // CLIPS_A_DAY
        for kind in ("clip_started", "clip"):
            whole = last.index >= bodies_from
            body = seal([OWNER], _text(kind, name)) if whole else b"-"  # what is forgotten in a moment is not sealed
            last = _entry(book, keys, last, body, day)
            if kind == "clip":
                book.clip_kept(name, last.index, len(clip) + _POSTER)
            else:
                book.clip_started(name, last.index, day)
        _file(folder / (name + store.CLIP), clip)
        _file(folder / (name + store.POSTER), bytes(_POSTER))
    book.acknowledged(range(1, last.index + 1))
    if bodies_from > 0:
        book.forget_bodies(bodies_from + 1)
    book.commit()
    book.close()


def _text(kind: str, clip: str) -> bytes:
    fields: dict[str, Field] = {"id": clip, "bytes": 1_000_000, "sha256": "0" * 64, "seconds": 12.5}
    return body_text(kind, fields, Stamp("2026-01-01T00:00:00Z", "synced", 1.0), 1)


def _entry(book: Book, keys: DoorKeys, last: Head, body: bytes, day: int) -> Head:
    index, body_hash = last.index + 1, hashlib.sha256(body).digest()
    unsigned = Entry(index, last.hash, body, body_hash, bytes(64))
    book.add(Entry(index, last.hash, body, body_hash, keys.sign_entry(unsigned.hash)), day)
    return Head(index, unsigned.hash)


def _file(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, data)
    os.close(descriptor)
