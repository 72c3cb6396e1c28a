"""The database: made, known again, moved aside, and what its schema refuses."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from doorbell.errors import DeviceError
from doorbell.journal.book import NAME, Book
from doorbell.journal.entry import Entry
from doorbell.journal.opening import MOST_ASIDE, NotOursError, open_to_read, open_to_write

KEY = bytes(32)


def opened(folder: Path, key: bytes = KEY, *, new_boot: bool = True) -> Book:
    return open_to_write(folder, key, new_boot=new_boot).book


def add(book: Book, count: int = 1) -> None:
    book.begin()
    for _ in range(count):
        head = book.head()
        body = os.urandom(300)
        book.add(Entry(head.index + 1, head.hash, body, hashlib.sha256(body).digest(), bytes(64)), 7)
    book.commit()


def test_a_journal_is_the_same_after_a_restart_and_counts_it(tmp_path: Path) -> None:
    first = opened(tmp_path)
    add(first, 3)
    head = first.head()
    first.close()
    again = opened(tmp_path)
    assert (again.journal_id, again.head(), again.boot) == (first.journal_id, head, 2)
    again.close()
    same = opened(tmp_path, new_boot=False)
    assert same.boot == 2
    same.close()


def test_a_commit_is_synced_in_full_into_a_wal_that_others_may_read(tmp_path: Path) -> None:
    book = opened(tmp_path)
    ask = book._db.execute
    settings = [ask(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode", "secure_delete")]
    assert settings == [2, "wal", 1]
    book.close()


def test_nobody_else_may_read_the_journal(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        book = opened(tmp_path / "state")
        add(book)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
        book.close()
    finally:
        os.umask(before)
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_reader_sees_what_is_committed_and_leaves_no_trace(tmp_path: Path) -> None:
    book = opened(tmp_path)
    add(book, 2)
    reader = open_to_read(tmp_path)
    assert [entry.index for entry in reader.entries()] == [1, 2]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.acknowledged([1])
    reader.close()
    book.close()
    before = list(tmp_path.iterdir())
    reader = open_to_read(tmp_path)
    assert reader.head().index == 2
    reader.close()
    assert list(tmp_path.iterdir()) == before == [tmp_path / NAME]


def test_another_doors_journal_is_moved_aside_whole(tmp_path: Path) -> None:
    book = opened(tmp_path)
    add(book, 5)
    book.close()
    found = open_to_write(tmp_path, b"n" * 32, new_boot=True)
    assert "another door's" in found.sentence
    assert found.aside == tmp_path / (NAME + ".aside-1")
    assert (found.book.head().index, found.book.boot) == (0, 1)
    assert found.book.journal_id != book.journal_id
    found.book.close()
    found.aside.rename(tmp_path / NAME)
    back = opened(tmp_path)
    assert back.head().index == 5
    back.close()


@pytest.mark.parametrize("kind", ["junk", "page", "empty table", "another program"])
def test_what_is_damaged_or_foreign_is_moved_aside_never_deleted(tmp_path: Path, kind: str) -> None:
    path = tmp_path / NAME
    book = opened(tmp_path)
    add(book, 60)
    book.close()
    if kind == "junk":
        path.write_bytes(b"junk" * 5000)
    elif kind == "page":
        data = bytearray(path.read_bytes())
        data[8192 : 8192 + 64] = b"\xff" * 64
        path.write_bytes(data)
    else:
        database = sqlite3.connect(path)
        database.executescript(
            {
                "empty table": "DELETE FROM meta",
                "another program": "PRAGMA application_id = 1",
            }[kind]
        )
        database.close()
    before = path.read_bytes()
    with pytest.raises(NotOursError):
        open_to_read(tmp_path).entries() if kind != "page" else _raise_damaged(tmp_path)
    found = open_to_write(tmp_path, KEY, new_boot=True)
    assert found.sentence
    assert found.aside is not None
    assert found.aside.read_bytes() == before
    assert found.book.head().index == 0
    found.book.close()


def _raise_damaged(folder: Path) -> None:
    book = open_to_read(folder)
    try:
        assert book.integrity() != "ok"
    except sqlite3.DatabaseError:
        pass
    finally:
        book.close()
    raise NotOursError("is damaged")


def test_an_empty_file_is_the_beginning_of_a_journal(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    found = open_to_write(tmp_path, KEY, new_boot=True)
    assert (found.aside, found.book.head().index) == (None, 0)
    found.book.close()


def test_side_files_without_their_database_are_moved_too(tmp_path: Path) -> None:
    (tmp_path / (NAME + "-wal")).write_bytes(b"old frames")
    opened(tmp_path).close()
    assert (tmp_path / (NAME + ".aside-1-wal")).read_bytes() == b"old frames"


def test_after_twenty_damaged_journals_a_person_has_to_look(tmp_path: Path) -> None:
    for number in range(1, MOST_ASIDE + 1):
        (tmp_path / f"{NAME}.aside-{number}").touch()
    (tmp_path / NAME).write_bytes(b"junk" * 500)
    with pytest.raises(DeviceError, match="20 damaged"):
        opened(tmp_path)
    assert (tmp_path / NAME).read_bytes() == b"junk" * 500


CLIP = "a" * 26


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entry VALUES (3, zeroblob(32), NULL, zeroblob(32), zeroblob(64), 1, 0)",
        "INSERT INTO entry VALUES (3, zeroblob(31), NULL, zeroblob(32), zeroblob(64), 0, 0)",
        "INSERT INTO entry VALUES (0, zeroblob(32), NULL, zeroblob(32), zeroblob(64), 0, 0)",
        "INSERT INTO entry VALUES (3, zeroblob(32), zeroblob(65537), zeroblob(32), zeroblob(64), 0, 0)",
        "INSERT INTO entry VALUES (3, zeroblob(32), NULL, zeroblob(32), zeroblob(64), 0, 2)",
        "INSERT INTO clip VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaa', 1, NULL, NULL, 0, 0)",
        "INSERT INTO clip VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaa1', 1, NULL, NULL, 0, 0)",
        f"INSERT INTO clip VALUES ('{CLIP}', 9, NULL, NULL, 0, 0)",
        f"INSERT INTO clip VALUES ('{CLIP}', 2, 1, NULL, 0, 0)",
        f"INSERT INTO clip VALUES ('{CLIP}', 1, NULL, 2, 0, 0)",
        f"INSERT INTO clip VALUES ('{CLIP}', 1, NULL, NULL, 5, 0)",
        "INSERT INTO meta VALUES (2, zeroblob(16), zeroblob(32), 0)",
    ],
)
def test_the_schema_itself_refuses_what_must_never_be(tmp_path: Path, statement: str) -> None:
    book = opened(tmp_path)
    add(book, 2)
    with pytest.raises(sqlite3.IntegrityError):
        book._db.execute(statement)
    book.close()


def test_a_forgotten_body_is_gone_from_the_file(tmp_path: Path) -> None:
    book = opened(tmp_path)
    book.begin()
    body = b"MARK" * 3000
    book.add(Entry(1, book.head().hash, body, hashlib.sha256(body).digest(), bytes(64)), 7)
    book.commit()
    book.begin()
    assert book.forget_bodies(2) == 1
    book.commit()
    book.fold()
    assert book.due(0, 10) == []
    book.close()
    assert b"MARK" not in (tmp_path / NAME).read_bytes()
