"""The journal as files that never change: each round writes what is new into a file of its own.

A copy that nobody may overwrite is one that a thief with the door's login cannot overwrite either; so no file is ever
written twice. The database itself is no such thing, and half of a database is worth nothing.

A segment is named by its content too. Where the card forgot which segments it wrote, or bodies were forgotten since,
the same entries make another file, and not one that contradicts an older of the same name. What was copied is removed
here: else bodies that the journal has forgotten would lie on the card for ever.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from doorbell import closed, durable
from doorbell.journal.book import Book
from doorbell.journal.entry import document

MOST_ENTRIES: Final = 1000
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one segment."""
MOST_WAITING: Final = 32
"""Segments that lie here uncopied; beyond that the journal itself keeps what is new."""
FOLDER: Final = "journal"
ABOUT: Final = "door.json"
MARK: Final = "exported.json"
MOST_MARK: Final = 4096
_NAME: Final = re.compile(r"(\d{9,16})-(\d{9,16})(?:-[0-9a-f]{16})?\.jsonl")
"""First and last entry, and the first 64 bits of the SHA-256 of its bytes; the first versions wrote none."""


def export(book: Book, out: Path) -> list[str]:
    """Write what *book* holds and no segment did yet, durably, within bounds; returns the names below *out* of all that
    lies there, which is what was not copied yet, and of what says whose journal it is.

    Raises OSError, sqlite3.Error.
    """
    folder = out / FOLDER / book.journal_id.hex()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder / ABOUT
    if not about.exists():
        facts = {"v": 1, "verify_key": closed.to_base64(book.verify_key), "journal": closed.to_base64(book.journal_id)}
        durable.replace(about, closed.dump(facts) + b"\n")
    _forget_with(book, folder)
    head, done = book.head().index, _exported(out, book)
    room = MOST_WAITING - len(list((out / FOLDER).glob("*/*.jsonl")))
    while done < head and room > 0:
        done = _write(book, folder, done, head)
        durable.replace(out / MARK, closed.dump({"v": 1, "journal": book.journal_id.hex(), "last": done}) + b"\n")
        room -= 1
    return sorted(
        str(path.relative_to(out)) for path in (out / FOLDER).glob("*/*") if path.suffix in (".json", ".jsonl")
    )


def is_segment(name: str) -> bool:
    return name.endswith(".jsonl")


def copied(out: Path, name: str) -> None:
    """*name* lies elsewhere as it lies here: here it has done its work. Cut short before this, it is compared again."""
    (out / name).unlink(missing_ok=True)


def begin_anew(out: Path) -> None:
    """The next export begins at entry 1."""
    durable.remove(out / MARK)


def covers(name: str) -> range:
    """The entries that a segment of this name promises."""
    match = _NAME.fullmatch(name)
    return range(int(match[1]), int(match[2]) + 1) if match else range(0)


def _write(book: Book, folder: Path, after: int, last: int) -> int:
    """One segment of the entries behind *after*; returns its last, at most *last*."""
    lines = list(_lines(book, after, last))
    if not lines:  # a journal with a hole: what is behind it has its turn
        return last
    data, last = b"".join(line for _, line in lines), lines[-1][0]
    durable.replace(folder / f"{after + 1:09}-{last:09}-{hashlib.sha256(data).hexdigest()[:16]}.jsonl", data)
    return last


def _lines(book: Book, after: int, last: int) -> Iterator[tuple[int, bytes]]:
    size = 0
    for entry in book.entries(after):
        line = document(entry) + b"\n"
        size += len(line)
        if entry.index > min(last, after + MOST_ENTRIES) or (size > MOST_BYTES and size > len(line)):
            return
        yield entry.index, line


def _forget_with(book: Book, folder: Path) -> None:
    """Of a segment that waits and holds bodies that the journal has forgotten meanwhile, another takes the place."""
    head = book.head().index
    for path in folder.glob("*.jsonl"):
        entries = covers(path.name)
        if not entries or entries[-1] > head:
            continue
        if path.read_bytes() != b"".join(line for _, line in _lines(book, entries[0] - 1, entries[-1])):
            done = entries[0] - 1
            while done < entries[-1]:
                done = _write(book, folder, done, entries[-1])
            durable.remove(path)


def _exported(out: Path, book: Book) -> int:
    """The last entry that a segment held; 0 for a journal that is new here, and where the mark is no such thing: what
    is written again by that is named by its content, and already there or harmless."""
    shape = {"journal": closed.text, "last": closed.count}
    try:
        found = closed.versioned(durable.read(out / MARK, MOST_MARK) or b"", MOST_MARK, shape)
    except ValueError:
        return 0
    ours = found["journal"] == book.journal_id.hex() and found["last"] <= book.head().index
    return int(found["last"]) if ours else 0
