"""The journal's SQLite database: entries, and of each clip what retention needs.

In clear stands what docs/store.md allows: no time of day, no name, and of the kind only whether it is a press.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from attrs import frozen

from doorbell.clips.retention import Held
from doorbell.journal.entry import Entry, Head, first_prev

NAME: Final = "journal.sqlite3"
APPLICATION: Final = 0x444F4F52
"""``DOOR``: SQLite's mark of whose database this is."""

SCHEMA: Final = """
CREATE TABLE meta (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  journal    BLOB NOT NULL CHECK (length(journal) = 16),
  verify_key BLOB NOT NULL CHECK (length(verify_key) = 32),
  boot       INTEGER NOT NULL CHECK (boot >= 0)
) STRICT;
CREATE TABLE entry (
  idx        INTEGER PRIMARY KEY CHECK (idx >= 1),
  prev       BLOB NOT NULL CHECK (length(prev) = 32),
  body       BLOB CHECK (length(body) BETWEEN 1 AND 65536),
  body_hash  BLOB NOT NULL CHECK (length(body_hash) = 32),
  sig        BLOB NOT NULL CHECK (length(sig) = 64),
  due        INTEGER NOT NULL CHECK (due IN (0, 1)),
  press      INTEGER NOT NULL DEFAULT 0 CHECK (press IN (0, 1)),
  CHECK (due = 0 OR body IS NOT NULL)
) STRICT;
CREATE INDEX due ON entry (idx) WHERE due = 1;
CREATE INDEX body ON entry (press, idx, length(body)) WHERE body IS NOT NULL;
CREATE TABLE clip (
  id         TEXT PRIMARY KEY CHECK (length(id) = 26 AND id NOT GLOB '*[^a-z2-7]*'),
  started    INTEGER NOT NULL UNIQUE REFERENCES entry (idx),
  kept       INTEGER UNIQUE REFERENCES entry (idx),
  deleted    INTEGER UNIQUE REFERENCES entry (idx),
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),
  day        INTEGER NOT NULL CHECK (day BETWEEN 0 AND 100000),
  CHECK (kept > started),
  CHECK (deleted > kept),
  CHECK (deleted IS NULL OR kept IS NOT NULL),
  CHECK (kept IS NOT NULL OR bytes = 0)
) STRICT;
CREATE TABLE day (
  day        INTEGER PRIMARY KEY CHECK (day BETWEEN 1 AND 100000),
  first      INTEGER NOT NULL REFERENCES entry (idx),
  last       INTEGER REFERENCES entry (idx),
  CHECK (last >= first)
) STRICT;
"""


PAGE: Final = 500
"""Rows of clips that are read at a time."""
ENTRIES: Final = 64
"""The same of entries, whose bodies may have 64 KiB each."""
_HELD: Final = "kept IS NOT NULL AND deleted IS NULL"


@frozen
class Bodies:
    """How many entries still have their body, and the bytes of those."""

    count: int
    bytes: int


@frozen
class Fate:
    """What the table says of one clip."""

    bytes: int
    is_kept: bool
    is_deleted: bool

    @property
    def is_held(self) -> bool:
        return self.is_kept and not self.is_deleted


class Book:
    """One open database. Every method may raise sqlite3.Error; whoever holds it decides what that means."""

    def __init__(self, connection: sqlite3.Connection, journal_id: bytes, verify_key: bytes, boot: int) -> None:
        self._db = connection
        self.journal_id: Final = journal_id
        self.verify_key: Final = verify_key
        self.boot: Final = boot

    # ---- transactions

    def begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Returns when the card has said that all since ``begin`` is on it."""
        self._db.execute("COMMIT")

    def fold(self) -> None:
        """Write what the WAL holds into the database and sync that, whatever was synced before."""
        busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise sqlite3.OperationalError("the journal is being read just now")

    def close(self) -> None:
        self._db.close()

    # ---- entries

    def head(self) -> Head:
        row = self._db.execute("SELECT idx, prev, NULL, body_hash, sig FROM entry ORDER BY idx DESC LIMIT 1").fetchone()
        return Head(0, first_prev(self.journal_id, self.verify_key)) if row is None else _head(Entry(*row))

    def add(self, entry: Entry, day: int, *, press: bool = False) -> None:
        """Append an entry, due. ``day`` is the UTC day, 0 unknown; ``press``: its body is forgotten last.

        Of each day the first entry is remembered, and the last one where undated entries follow it.
        """
        self._db.execute(
            "INSERT INTO entry (idx, prev, body, body_hash, sig, due, press) VALUES (?, ?, ?, ?, ?, 1, ?)",
            (entry.index, entry.prev, entry.body, entry.body_hash, entry.sig, press),
        )
        if day:
            self._db.execute(
                "INSERT INTO day (day, first) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET last = NULL"
                " WHERE last IS NOT NULL",
                (day, entry.index),
            )
        else:
            self._db.execute(
                "UPDATE day SET last = ? WHERE last IS NULL AND first = (SELECT max(first) FROM day)",
                (entry.index - 1,),
            )

    def holds(self, head: Head) -> bool:
        row = self._db.execute(
            "SELECT idx, prev, NULL, body_hash, sig FROM entry WHERE idx = ?", (head.index,)
        ).fetchone()
        return row is not None and _head(Entry(*row)) == head

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Oldest first, as they are asked for; whoever takes long over them holds nothing open."""
        full = True
        while full:
            rows = self._db.execute(
                "SELECT idx, prev, body, body_hash, sig FROM entry WHERE idx > ? ORDER BY idx LIMIT ?", (after, ENTRIES)
            ).fetchall()
            yield from (Entry(*row) for row in rows)
            full = len(rows) == ENTRIES
            after = rows[-1][0] if full else 0

    def due(self, after: int, limit: int) -> list[Entry]:
        rows = self._db.execute(
            "SELECT idx, prev, body, body_hash, sig FROM entry WHERE due = 1 AND idx > ? ORDER BY idx LIMIT ?",
            (after, limit),
        )
        return [Entry(*row) for row in rows]

    def acknowledged(self, indices: Iterable[int]) -> None:
        self._db.executemany("UPDATE entry SET due = 0 WHERE idx = ?", [(index,) for index in indices])

    def bodies(self) -> Bodies:
        return Bodies(
            *self._db.execute(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM entry WHERE body IS NOT NULL"
            ).fetchone()
        )

    def newest_day(self) -> int:
        """The UTC day of the newest entry that has one, 0 where none has."""
        row = self._db.execute("SELECT day FROM day ORDER BY first DESC LIMIT 1").fetchone()
        return row[0] if row else 0

    def older_than(self, day: int, today: int) -> int:
        """Every entry below this index was written before the UTC day ``day``, whatever clocks did; 0: none is known.

        An undated entry is no newer than the next dated one, and only by that known to be old. A day behind an earlier
        entry's, or after ``today``, came from a wrong clock and says nothing.
        """
        before = 0
        rows = self._db.execute("SELECT day, first, last FROM day ORDER BY first").fetchall()
        following = [first for _, first, _ in rows[1:]] + [self.head().index + 1]
        for (of, _, last), then in zip(rows, following, strict=False):
            if day <= of <= today:
                break
            if of < day:
                before = last + 1 if last else then
        return before

    def lengths(self, newest: int) -> Iterator[tuple[int, int]]:
        """Index and length of the bodies, as they are asked for, in the order in which they go when room is short.

        Routine first and presses then, each oldest first; the newest so many entries, whatever they tell, behind both.
        """
        last = self.head().index - newest
        for press in (0, 1):
            yield from self._db.execute(
                "SELECT idx, length(body) FROM entry INDEXED BY body WHERE press = ? AND idx <= ? AND body IS NOT NULL"
                " ORDER BY idx",
                (press, last),
            )
        yield from self._db.execute(
            "SELECT idx, length(body) FROM entry INDEXED BY body WHERE press IN (0, 1) AND idx > ?"
            " AND body IS NOT NULL ORDER BY idx",
            (last,),
        )

    def forget_bodies(self, before: int) -> int:
        """Delete the bodies below index ``before``, due or not; returns how many. The chain stays."""
        done = self._db.execute(
            "UPDATE entry INDEXED BY body SET body = NULL, due = 0"
            " WHERE press IN (0, 1) AND idx < ? AND body IS NOT NULL",
            (before,),
        )
        self._db.execute("DELETE FROM day WHERE first < (SELECT max(first) FROM day WHERE first <= ?)", (before,))
        return done.rowcount

    def forget_these(self, indices: Iterable[int]) -> None:
        """Delete the bodies of these entries. What is known of days stays: by it the others below them will go."""
        self._db.executemany("UPDATE entry SET body = NULL, due = 0 WHERE idx = ?", [(index,) for index in indices])

    def due_without_body(self) -> int:
        """0, by the schema's own CHECK; a database that somebody wrote by hand may differ."""
        count: int = self._db.execute("SELECT count(*) FROM entry WHERE due = 1 AND body IS NULL").fetchone()[0]
        return count

    def integrity(self) -> str:
        """``ok``, or the first thing that SQLite finds wrong in its own structure."""
        verdict: str = self._db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        return verdict

    # ---- clips

    def clip_started(self, clip: str, index: int, day: int) -> None:
        self._db.execute("INSERT INTO clip (id, started, bytes, day) VALUES (?, ?, 0, ?)", (clip, index, day))

    def clip_kept(self, clip: str, index: int, size: int) -> None:
        self._db.execute("UPDATE clip SET kept = ?, bytes = ? WHERE id = ? AND kept IS NULL", (index, size, clip))

    def clip_deleted(self, clip: str, index: int) -> None:
        self._db.execute("UPDATE clip SET deleted = ? WHERE id = ?", (index, clip))

    def drop_clip(self, clip: str) -> None:
        """The row goes when nothing of the clip is left on the card."""
        self._db.execute("DELETE FROM clip WHERE id = ?", (clip,))

    def started(self) -> frozenset[str]:
        """Clips whose end no entry tells yet."""
        return self._ids("kept IS NULL")

    def deleted(self) -> frozenset[str]:
        """Clips of which an entry says that they are deleted; something of them may still lie on the card."""
        return self._ids("deleted > 0")  # as "IS NOT NULL", and by the index

    def held(self) -> Iterator[Held]:
        """The kept clips, oldest first, as they are asked for; whoever takes long over them holds nothing open.

        The plus keeps SQLite from collecting and sorting them all first.
        """
        after, full = 0, True
        while full:
            rows = self._db.execute(
                "SELECT id, started, bytes, day FROM clip WHERE kept IS NOT NULL AND +deleted IS NULL AND started > ?"
                " ORDER BY started LIMIT ?",
                (after, PAGE),
            ).fetchall()
            yield from (Held(*row) for row in rows)
            full = len(rows) == PAGE
            after = rows[-1][1] if full else 0

    def day_before_held(self, today: int) -> int:
        """The highest UTC day, up to ``today``, of an entry older than the oldest kept clip; 0 where none is known."""
        oldest = f"SELECT started FROM clip WHERE {_HELD} ORDER BY started LIMIT 1"  # noqa: S608
        found: int = self._db.execute(
            f"SELECT coalesce(max(day), 0) FROM day WHERE day <= ? AND first < ({oldest})",  # noqa: S608
            (today,),
        ).fetchone()[0]
        return found

    def held_ids(self) -> HeldIds:
        return HeldIds(self)

    def held_bytes(self) -> int:
        total: int = self._db.execute(f"SELECT coalesce(sum(bytes), 0) FROM clip WHERE {_HELD}").fetchone()[0]  # noqa: S608
        return total

    def fate(self, clip: str) -> Fate | None:
        """What the table says of one clip; None where it knows none of this name."""
        if not clip.isascii():
            return None  # a name on a damaged card may be no text at all, which SQLite does not take
        row = self._db.execute(
            "SELECT bytes, kept IS NOT NULL, deleted IS NOT NULL FROM clip WHERE id = ?", (clip,)
        ).fetchone()
        return None if row is None else Fate(row[0], bool(row[1]), bool(row[2]))

    def held_count(self) -> int:
        count: int = self._db.execute(f"SELECT count(*) FROM clip WHERE {_HELD}").fetchone()[0]  # noqa: S608
        return count

    def _ids(self, where: str) -> frozenset[str]:
        return frozenset(row[0] for row in self._db.execute(f"SELECT id FROM clip WHERE {where}"))  # noqa: S608


class HeldIds(Collection[str]):
    """The ids of the kept clips, asked of the database each time: a hundred thousand of them take no memory."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __contains__(self, clip: object) -> bool:
        fate = self._book.fate(str(clip))
        return fate is not None and fate.is_held

    def __iter__(self) -> Iterator[str]:
        return (held.clip for held in self._book.held())

    def __len__(self) -> int:
        return self._book.held_count()


def _head(entry: Entry) -> Head:
    return Head(entry.index, entry.hash)
