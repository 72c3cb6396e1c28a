"""A journal of an earlier version goes on; one of a later version is left alone. The old schema is written out here."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from doorbell.check import check
from doorbell.cli.journal import journal as journal_command
from doorbell.clips.store import Part, prepare
from doorbell.errors import DeviceError
from doorbell.events import JournalReady, JournalTrouble
from doorbell.journal.book import APPLICATION, NAME, SCHEMA
from doorbell.journal.entry import body_text, entry_hash, first_prev
from doorbell.journal.opening import NewerError, open_to_read, open_to_write
from doorbell.journal.requests import ForgetOld, Write
from doorbell.journal.versions import STEPS, VERSION, bring_forward
from tests.rigs.journal import Door, clip_id, stamp

VERSION_1 = """
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
  CHECK (due = 0 OR body IS NOT NULL)
) STRICT;
CREATE INDEX due ON entry (idx) WHERE due = 1;
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
  first      INTEGER NOT NULL REFERENCES entry (idx)
) STRICT;
"""
VERSION_2 = VERSION_1.replace(
    """  first      INTEGER NOT NULL REFERENCES entry (idx)
) STRICT;
""",
    """  first      INTEGER NOT NULL REFERENCES entry (idx),
  last       INTEGER REFERENCES entry (idx),
  CHECK (last >= first)
) STRICT;
CREATE INDEX body ON entry (idx, length(body)) WHERE body IS NOT NULL;
""",
)
assert VERSION_2 != VERSION_1
DAY = 20_500


def written_in(version: int, door: Door, entries: int = 6, *, with_column: bool = False) -> str:
    """The card of a door that ran an old version: signed entries over two days, one clip. Returns the clip."""
    door.state.mkdir(mode=0o700)
    folder = prepare(door.state)
    database = sqlite3.connect(door.state / NAME, isolation_level=None)
    tables = {1: VERSION_1, 2: VERSION_2}[version]
    database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA application_id = {APPLICATION}; {tables}")
    if with_column:
        database.execute("ALTER TABLE day ADD COLUMN last INTEGER REFERENCES entry (idx)")
    database.execute(f"PRAGMA user_version = {version}")
    database.execute("INSERT INTO meta VALUES (1, ?, ?, 4)", (b"j" * 16, door.keys.verify_key))
    prev = first_prev(b"j" * 16, door.keys.verify_key)
    for index in range(1, entries + 1):
        body = door.seal(body_text("ring", {"visit": f"v{index}"}, stamp(float(index)), 4))
        body_hash = hashlib.sha256(body).digest()
        link = entry_hash(index, prev, body_hash)
        database.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)",
            (index, prev, body, body_hash, door.keys.sign_entry(link), int(index == entries)),
        )
        prev = link
    database.execute("INSERT INTO day (day, first) VALUES (?, 1), (?, 4)", (DAY, DAY + 1))
    clip = clip_id(9)
    part = Part(folder, clip, lambda: 0.0)
    part.write(door.seal(bytes(1000)))
    size, _ = part.keep()
    database.execute("INSERT INTO clip VALUES (?, 2, 3, NULL, ?, ?)", (clip, size, DAY))
    database.close()
    (door.state / NAME).chmod(0o600)
    return clip


old = pytest.mark.parametrize("version", [1, 2])


def schema(state: Path) -> list[tuple[str, str]]:
    """Every object and its SQL, white space apart."""
    database = sqlite3.connect(state / NAME)
    rows = database.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()
    database.close()
    return [(name, " ".join(sql.split()).replace('"', "")) for name, sql in rows]


@pytest.fixture
def fresh(tmp_path: Path) -> list[tuple[str, str]]:
    database = sqlite3.connect(tmp_path / NAME)
    database.executescript(SCHEMA)
    database.close()
    return schema(tmp_path)


@pytest.mark.parametrize(("version", "with_column"), [(1, False), (1, True), (2, False)])
def test_a_journal_of_an_old_version_goes_on_where_it_was(door: Door, version: int, with_column: bool) -> None:
    clip = written_in(version, door, with_column=with_column)
    door.line.put(Write("ring", {"visit": "new"}, stamp()))
    door.settle(3)
    (ready,) = door.of(JournalReady)
    assert (ready.journal_id, ready.boot, ready.anew) == (b"j" * 16, 5, False)
    book = open_to_read(door.state)
    assert [held.clip for held in book.held()] == [clip]
    assert book.bodies().count == 7
    book.close()
    assert [told.body["visit"] for told in door.history() if told.body] == [*(f"v{n}" for n in range(1, 7)), "new"]
    assert check(door.state, thorough=True, identities=[door.owner]).findings == ()


@old
def test_the_journal_that_was_brought_forward_is_the_one_that_is_begun_today(
    door: Door, fresh: list[tuple[str, str]], version: int
) -> None:
    written_in(version, door)
    door.settle(2)
    assert schema(door.state) == fresh


def test_the_presses_of_an_old_version_count_as_routine_and_new_ones_do_not(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbell.journal.pages.MOST_BODIES", 4)
    monkeypatch.setattr("doorbell.journal.pages.NEWEST", 0)
    written_in(2, door)
    for number in range(3):
        door.line.put(Write("ring", {"visit": f"new{number}"}, stamp()))
        door.line.put(Write("quiet", {}, stamp()))
    door.settle(2)
    door.line.put(ForgetOld(stamp(), 0, 14, 10**12))
    door.settle(2)
    assert door.kinds() == [*["forgotten"] * 6, "ring", "forgotten", "ring", "forgotten", "ring", "quiet", "forgotten"]


def test_what_version_1_knew_of_days_forgets_nothing_too_early(door: Door) -> None:
    written_in(1, door)
    book = open_to_write(door.state, door.keys.verify_key, new_boot=True).book
    assert book.older_than(DAY, DAY + 9) == 0
    assert book.older_than(DAY + 1, DAY + 9) == 2  # entries 2 and 3 may be undated ones of the next day
    assert book.older_than(DAY + 2, DAY + 9) == 5
    book.close()


def cuts(state: Path) -> Iterator[sqlite3.Connection]:
    """Connections that SQLite interrupts one instruction later each time."""
    for instructions in range(1, 100_000):
        database = sqlite3.connect(state / NAME, isolation_level=None)
        database.execute("PRAGMA synchronous = FULL")
        left = iter(range(instructions))
        database.set_progress_handler(lambda left=left: next(left, None) is None, 1)
        yield database
        database.set_progress_handler(None, 1)
        database.close()


@old
def test_wherever_bringing_it_forward_ends_the_journal_is_the_old_one_or_the_new_one(
    door: Door, fresh: list[tuple[str, str]], version: int
) -> None:
    written_in(version, door)
    before, ends = schema(door.state), 0
    for database in cuts(door.state):
        try:
            bring_forward(database)
            break
        except sqlite3.OperationalError:
            ends += 1
        reader = sqlite3.connect(door.state / NAME)
        now = reader.execute("PRAGMA user_version").fetchone()[0]
        reader.close()
        assert schema(door.state) == (before if now == version else fresh)
    assert ends > 100
    door.settle(2)
    assert check(door.state, identities=[door.owner]).findings == ()


@old
def test_an_old_journal_is_read_without_being_changed(door: Door, version: int) -> None:
    written_in(version, door)
    before = (door.state / NAME).read_bytes()
    assert check(door.state, thorough=True).findings == ()
    shown = CliRunner().invoke(journal_command, ["--state", str(door.state)])
    assert (shown.exit_code, (door.state / NAME).read_bytes()) == (0, before)


def make_newer(state: Path) -> bytes:
    database = sqlite3.connect(state / NAME)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    return (state / NAME).read_bytes()


def test_a_downgrade_leaves_the_newer_journal_untouched_and_says_what_to_do(door: Door) -> None:
    clip = door.record(1)
    door.writer.close()
    before = make_newer(door.state)
    with pytest.raises(DeviceError, match=r"newer doorbell .*: install the newer doorbell again"):
        open_to_write(door.state, door.keys.verify_key, new_boot=True)
    door.start()
    door.settle(5)
    assert "newer doorbell" in door.of(JournalTrouble)[-1].why
    assert (door.state / NAME).read_bytes() == before
    assert (door.state / "clips" / f"{clip}.mp4.age").exists()
    with pytest.raises(NewerError):
        open_to_read(door.state)
    shown = CliRunner().invoke(journal_command, ["--state", str(door.state)])
    assert shown.exit_code == 2
    assert "newer doorbell" in shown.output


def test_every_version_has_its_step() -> None:
    assert len(STEPS) == VERSION - 1
