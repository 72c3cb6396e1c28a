"""The journal as files that never change: each round writes what is new into a file of its own.

A copy that nobody may overwrite is one that a thief with the door's login cannot overwrite either; so no file is ever
written twice. The database itself is no such thing, and half of a database is worth nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from doorbell import closed, durable
from doorbell.journal.book import Book
from doorbell.journal.entry import document

MOST_ENTRIES: Final = 1000
"""Entries of one segment."""
FOLDER: Final = "journal"
MARK: Final = "exported.json"
MOST_MARK: Final = 4096


def export(book: Book, out: Path) -> list[str]:
    """Write what *book* holds and *out* does not yet, durably; returns the names of all segments, below *out*.

    ``journal/<journal id>/door.json`` says whose journal it is. Raises OSError, sqlite3.Error.
    """
    folder = out / FOLDER / book.journal_id.hex()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder / "door.json"
    if not about.exists():
        facts = {"v": 1, "verify_key": closed.to_base64(book.verify_key), "journal": closed.to_base64(book.journal_id)}
        durable.replace(about, closed.dump(facts) + b"\n")
    head = book.head().index
    done = _exported(out, book)
    while done < head:
        lines = [document(entry) for entry in _some(book, done, head)]
        last = done + len(lines)
        durable.replace(folder / f"{done + 1:09}-{last:09}.jsonl", b"".join(line + b"\n" for line in lines))
        done = last
        durable.replace(out / MARK, closed.dump({"v": 1, "journal": book.journal_id.hex(), "last": done}) + b"\n")
    return sorted(str(path.relative_to(out)) for path in (out / FOLDER).glob("*/*"))


def _some(book: Book, after: int, head: int) -> Iterator:  # type: ignore[type-arg]
    for entry in book.entries(after):
        if entry.index > min(head, after + MOST_ENTRIES):
            return
        yield entry


def _exported(out: Path, book: Book) -> int:
    """The last entry that a segment holds; 0 for a journal that is new here."""
    try:
        found = json.loads(durable.read(out / MARK, MOST_MARK) or b"{}")
    except ValueError:
        return 0
    return int(found["last"]) if found.get("journal") == book.journal_id.hex() else 0
