"""The journal's turns, with a clock that the test moves and real cards that are full, read-only or damaged."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell.check import check
from doorbell.clips import store
from doorbell.clips.files import Files
from doorbell.clips.retention import RESERVE
from doorbell.clips.store import Part
from doorbell.errors import Mistake
from doorbell.events import DueEntries, JournalPage, JournalReady, JournalTrouble, Kept
from doorbell.journal.book import NAME, Book
from doorbell.journal.entry import Entry, read_document, verify
from doorbell.journal.opening import open_to_read
from doorbell.journal.requests import AskDue, AskPage, ClipKept, ClipLost, ClipStarted, Delete, ForgetOld, Write
from tests.rigs.journal import Door, clip_id, stamp

DAY = stamp().day


def ring(number: int = 0) -> Write:
    return Write("ring", {"visit": f"v{number}"}, stamp(float(number)), f"t{number}")


def whole(door: Door) -> None:
    """Every invariant, hashes included."""
    door.settle()
    assert check(door.state, quota=10**12, thorough=True, identities=[door.owner]).findings == ()


def test_an_entry_is_told_only_after_it_is_on_the_card(door: Door) -> None:
    door.line.put(ring(1))
    assert door.of(Kept) == []
    door.settle(1)
    assert door.of(Kept) == [Kept(1, "ring", "t1")]
    assert door.history()[0].body == {
        "v": 1, "kind": "ring", "at": "2026-03-01T07:30:00Z", "clock": "synced", "boot": 1, "uptime": 1.0,
        "visit": "v1",
    }  # fmt: skip
    whole(door)


def test_the_first_request_is_written_at_once_and_the_next_within_a_second(door: Door) -> None:
    door.settle(1)
    door.now += 10
    door.line.put(ring(1))
    door.writer.turn()
    assert len(door.of(Kept)) == 1
    for number in range(50):
        door.now += 0.01
        door.line.put(ring(number))
        door.writer.turn()
    assert len(door.of(Kept)) == 1
    door.now += 1.0
    door.writer.turn()
    assert len(door.of(Kept)) == 51


def test_the_card_is_put_in_order_only_when_the_recorder_of_the_last_run_has_let_go(door: Door) -> None:
    door.record(1)
    door.settle()
    door.restart()
    part = door.state / "clips" / (clip_id(2) + ".part")
    part.write_bytes(b"still written")
    recorder = store.lock_recorder(door.state)
    assert recorder is not None
    assert door.writer.turn().refused
    assert door.heard == [JournalTrouble("The recorder of the last run still finishes its clip.")]
    assert part.exists()
    os.close(recorder)
    door.now += 1.0
    door.writer.turn()
    assert door.of(JournalReady)
    assert not part.exists()


def test_a_journal_that_opens_again_in_its_run_waits_for_no_recorder(door: Door) -> None:
    door.settle()
    recorder = store.lock_recorder(door.state)
    assert recorder is not None
    door.writer.close()
    door.line.put(ring())
    door.settle()
    assert door.of(Kept)
    os.close(recorder)


def test_there_is_at_most_one_commit_a_second(door: Door) -> None:
    door.settle(1)
    commits = 0
    for step in range(100):
        before = len(door.of(Kept))
        door.line.put(ring(step))
        door.writer.turn()
        commits += len(door.of(Kept)) > before
        door.now += 0.1
    assert commits == 10


def test_an_idle_door_writes_nothing(door: Door) -> None:
    door.line.put(ring())
    door.settle()
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in door.state.iterdir()}
    door.settle(200)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in door.state.iterdir()} == before


def test_what_is_due_is_asked_in_pages_and_stops_when_acknowledged(door: Door) -> None:
    for number in range(1, 31):
        door.line.put(ring(number))
    door.settle(2)
    door.line.ask(AskDue(0, 1))
    door.settle(1)
    (first,) = door.of(DueEntries)
    assert [index for index, _ in first.entries] == list(range(1, 17))
    assert [read_document(text).index for _, text in first.entries] == list(range(1, 17))
    for index in range(1, 30):
        door.line.acknowledge(index)
    door.line.ask(AskDue(0, 2))
    door.settle(1)
    assert [index for index, _ in door.of(DueEntries)[-1].entries] == [30]
    door.settle(40)
    door.restart()
    door.line.ask(AskDue(0, 2))
    door.settle(1)
    assert [index for index, _ in door.of(DueEntries)[-1].entries] == [30]


def refuses(*_: object, **__: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_acknowledgements_of_a_journal_that_was_put_aside_are_not_the_new_ones(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        door.line.put(ring(number))
    door.settle(2)
    for index in range(1, 9):
        door.line.acknowledge(index)  # the broker has them; it is written within half a minute
    for number in range(6):
        door.line.put(ring(number))

    with monkeypatch.context() as broken:
        broken.setattr(Book, "commit", refuses)
        door.settle(1)
    whole = (door.state / NAME).read_bytes()
    (door.state / NAME).write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    door.settle(30)
    assert [ready.anew for ready in door.of(JournalReady)] == [True, True]
    door.line.ask(AskDue(0, 9))
    door.settle(1)
    assert [index for index, _ in door.of(DueEntries)[-1].entries][:6] == [1, 2, 3, 4, 5, 6]


def test_pages_that_the_card_could_not_give_are_given_when_it_can(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.line.put(ring())
    door.settle(2)

    with monkeypatch.context() as broken:
        broken.setattr(Book, "entries", refuses)
        for token in "ab":
            door.line.ask_page(AskPage(0, 1000, token))
        door.settle(1)
    door.settle(5)
    assert [page.token for page in door.of(JournalPage)] == ["a", "b"]


def test_catching_up_reads_no_entry_twice(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        door.line.put(ring(number))
    door.settle(5)
    read = []
    due = Book.due

    def counted(book: Book, after: int, limit: int) -> list[Entry]:
        rows = due(book, after, limit)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(Book, "due", counted)
    after = 0
    for question in range(1, 20):
        door.line.ask(AskDue(after, question))
        door.writer.turn()
        for index, _ in door.of(DueEntries)[-1].entries:
            door.line.acknowledge(index)  # written half a minute later
            after = index
    assert (after, sum(read)) == (200, 200)


def test_a_question_that_the_card_could_not_answer_is_answered_when_it_can(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.line.put(ring())
    door.settle(2)

    with monkeypatch.context() as broken:
        broken.setattr(Book, "due", refuses)
        door.line.ask(AskDue(0, 7))
        door.settle(1)
        assert door.of(DueEntries) == []
    door.settle(5)
    (answer,) = door.of(DueEntries)
    assert (answer.question, [index for index, _ in answer.entries]) == (7, [1])


def test_a_visit_recorded_kept_and_deleted_leaves_its_story(door: Door) -> None:
    clip = door.record(1)
    whole(door)
    door.line.put(Delete(clip, "person", stamp()))
    door.settle(3)
    assert door.kinds() == ["clip_started", "clip", "clip_deleted"]
    assert list((door.state / "clips").iterdir()) == []
    whole(door)


def test_files_go_only_after_the_entry_that_says_so_is_durable(door: Door) -> None:
    clip = door.record(1)
    path = door.state / "clips" / f"{clip}.mp4.age"
    found: list[str] = []

    class Watching(Files):
        def unlink(self, path: Path) -> None:
            if not found:
                found.extend(door.kinds())
            super().unlink(path)

    door.writer._files = Watching()
    door.line.put(Delete(clip, "person", stamp()))
    door.settle(2)
    assert found[-1] == "clip_deleted"
    assert not path.exists()


def test_an_interrupted_delete_is_finished_at_the_next_start(door: Door) -> None:
    clip = door.record(1)

    class Stuck(Files):
        def unlink(self, path: Path) -> None:
            raise OSError(errno.EIO, "")

    door.writer._files = Stuck()
    door.line.put(Delete(clip, "person", stamp()))
    door.settle(2)
    assert (door.state / "clips" / f"{clip}.mp4.age").exists()
    assert [finding.invariant for finding in check(door.state).findings] == [8]
    assert door.of(JournalTrouble)[-1].why
    door.restart()
    whole(door)
    assert list((door.state / "clips").iterdir()) == []


def test_a_clip_the_recorder_gave_up_is_cut_and_told_at_once(door: Door) -> None:
    door.settle(1)
    clip = clip_id(1)
    door.line.put(ClipStarted(clip, {}, stamp()))
    door.settle(2)
    part = Part(door.state / "clips", clip, lambda: 0.0)
    part.write(door.seal(bytes(200_000))[:150_000])
    part.abandon()
    door.line.put(ClipLost(clip, "The card is full.", stamp()))
    door.settle(2)
    assert door.kinds() == ["clip_started", "clip_cut"]
    body = door.history()[1].body
    assert body is not None
    assert (body["why"], body["bytes"] > 131_000) == ("The card is full.", True)
    whole(door)


def test_a_clip_of_which_nothing_reached_the_card_is_told_too(door: Door) -> None:
    clip = clip_id(1)
    door.line.put(ClipStarted(clip, {}, stamp()))
    door.line.put(ClipLost(clip, "The card is read-only.", stamp()))
    door.settle(2)
    assert door.history()[1].body["bytes"] == 0  # type: ignore[index]
    whole(door)


def test_a_start_after_a_power_cut_tells_what_was_cut_and_what_vanished(door: Door) -> None:
    lost, cut, running = door.record(1), clip_id(2), clip_id(3)
    door.line.put(ClipStarted(cut, {}, stamp()))
    door.settle(2)
    part = Part(door.state / "clips", cut, lambda: 0.0)
    part.write(door.seal(bytes(200_000))[:150_000])
    part.abandon()
    (door.state / "clips" / f"{lost}.mp4.age").unlink()
    (door.state / "clips" / "strange").touch()
    door.restart()
    door.line.put(ClipStarted(running, {}, stamp()))
    Part(door.state / "clips", running, lambda: 0.0).abandon()
    door.settle(3)
    assert door.kinds()[3:] == ["clip_cut", "storage", "clip_started"]
    (ready,) = door.of(JournalReady)
    assert (ready.anew, len(ready.said), ready.boot) == (False, 2, 2)
    assert (door.state / "clips" / f"{running}.part").exists()
    whole(door)


def test_old_clips_and_bodies_go_with_their_day_and_the_chain_stays(door: Door) -> None:
    old = door.record(1, at="2026-02-01T00:00:00Z")
    new = door.record(2)
    door.line.put(ForgetOld(stamp(), DAY, 14, 10**12))
    door.settle(3)
    assert door.kinds() == ["forgotten", "forgotten", "clip_started", "clip", "clip_deleted", "forgotten"]
    assert [told.body["id"] for told in door.history() if told.body and told.body["kind"] == "clip_deleted"] == [old]
    assert [path.name for path in (door.state / "clips").iterdir()] == [f"{new}.mp4.age"]
    whole(door)


def test_undated_entries_are_kept_until_a_later_one_is_old(door: Door) -> None:
    for number in range(5):
        door.line.put(Write("ring", {"visit": f"v{number}"}, stamp(clock="unsynced")))
    door.line.put(ring(5))
    door.settle(2)
    door.line.put(ForgetOld(stamp(), DAY, 14, 10**12))
    door.settle(2)
    assert door.kinds() == ["ring"] * 6
    door.line.put(ForgetOld(stamp(at="2026-03-16T07:30:00Z"), DAY + 15, 14, 10**12))
    door.settle(2)
    assert door.kinds()[:6] == ["forgotten"] * 6


def test_a_clip_of_a_clock_that_fell_back_is_no_older_than_the_entries_before_it(door: Door) -> None:
    door.record(1, size=10_000)
    fallen = door.record(2, size=10_000, at="2026-02-01T00:00:00Z")
    door.line.put(ForgetOld(stamp(), DAY, 14, RESERVE + 15_000))
    door.settle(3)
    assert [path.name for path in (door.state / "clips").iterdir()] == [f"{fallen}.mp4.age"], "the older went for room"
    door.line.put(ForgetOld(stamp(), DAY, 14, 10**12))
    door.settle(2)
    assert [path.name for path in (door.state / "clips").iterdir()] == [f"{fallen}.mp4.age"]


def test_many_clips_go_a_few_at_a_time(door: Door) -> None:
    for number in range(40):
        door.record(number, size=100)
    door.line.put(ForgetOld(stamp(), 0, 14, RESERVE))
    door.settle(1)
    assert len(list((door.state / "clips").iterdir())) == 8
    door.settle(3)
    assert list((door.state / "clips").iterdir()) == []
    whole(door)


def test_the_journal_has_its_bound_and_says_how_many_bodies_went(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorbell.journal.pages.MOST_BODIES", 10)
    for number in range(25):
        door.line.put(ring(number))
    door.settle(2)
    door.line.put(ForgetOld(stamp(), 0, 14, 10**12))
    door.settle(2)
    assert door.kinds() == ["forgotten"] * 15 + ["ring"] * 10 + ["forgotten"]
    assert door.history()[-1].body["bodies"] == 15  # type: ignore[index]
    whole(door)


def routine(number: int) -> Write:
    return Write("quiet", {"n": number}, stamp(float(number)))


def forgotten_of(door: Door) -> list[int]:
    return [told.entry.index for told in door.history() if told.why == "forgotten"]


def test_when_the_bound_is_reached_the_oldest_routine_goes_first_and_presses_last(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbell.journal.pages.MOST_BODIES", 20)
    monkeypatch.setattr("doorbell.journal.pages.NEWEST", 6)
    for number in range(1, 31):
        door.line.put(ring(number) if number % 3 == 0 else routine(number))
    door.settle(2)
    door.line.put(ForgetOld(stamp(), 0, 14, 10**12))
    door.settle(2)
    assert forgotten_of(door) == [number for number in range(1, 15) if number % 3][:10]
    told = door.history()[-1].body
    assert told
    assert (told["kind"], told["bodies"], told["before"], told["why"]) == ("forgotten", 10, 15, "room")
    for number in range(32, 43):
        door.line.put(ring(number))
    door.settle(2)
    door.line.put(ForgetOld(stamp(), 0, 14, 10**12))
    door.settle(2)
    # Entry 31 tells of the first time and is routine like the rest; then no routine is left but in the newest six.
    assert forgotten_of(door) == sorted([*(number for number in range(1, 32) if number % 3), 3])
    whole(door)


def test_presses_are_forgotten_with_their_day_though_the_routine_around_them_went_before(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbell.journal.pages.MOST_BODIES", 3)
    monkeypatch.setattr("doorbell.journal.pages.NEWEST", 0)
    for day in ("2026-03-01", "2026-03-08", "2026-03-15"):
        for request in (routine(1), ring(2)):
            door.line.put(Write(request.kind, request.fields, stamp(at=f"{day}T07:30:00Z")))
    door.settle(2)
    door.line.put(ForgetOld(stamp(), 0, 14, 10**12))
    door.settle(2)
    assert forgotten_of(door) == [1, 3, 5]
    door.line.put(ForgetOld(stamp(at="2026-03-16T07:30:00Z"), DAY + 15, 14, 10**12))
    door.settle(2)
    assert forgotten_of(door) == [1, 2, 3, 5, 7]
    whole(door)


def test_what_nobody_could_open_is_not_written_and_said(door: Door) -> None:
    def refuse(_: bytes) -> bytes:
        raise Mistake("No recipient is in force: pair a phone.")

    door.writer._seal = refuse
    door.line.put(ring())
    door.settle(3)
    assert door.of(JournalTrouble) == [JournalTrouble("No recipient is in force: pair a phone.")]
    assert door.history() == []


def test_another_doors_journal_is_put_aside_with_its_clips(door: Door) -> None:
    clip = door.record(1)
    door.writer.close()
    other = Door(door.state, keys=type(door.keys)(os.urandom(32), os.urandom(32)))
    other.line.put(ring())
    other.settle(2)
    (ready,) = other.of(JournalReady)
    assert ready.anew
    assert "another door's" in ready.said[0]
    assert (door.state / (NAME + ".aside-1.clips") / f"{clip}.mp4.age").exists()
    whole(other)
    other.writer.close()


# ---- a card that refuses


def fill(file: Any) -> None:
    """To the last page."""
    while True:
        try:
            file.write(bytes(4096))
        except OSError:
            return


@pytest.fixture
def small_card(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MB."""
    place = tmp_path / "card"
    place.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small card")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let root mount")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_card_loses_nothing_that_was_told_and_heals(small_card: Path) -> None:
    door = Door(small_card / "state")
    door.line.put(ring(1))
    door.settle(1)
    filler = small_card / "filler"
    with filler.open("wb", buffering=0) as file:
        fill(file)
    for number in range(2, 300):
        door.line.put(Write("ring", {"visit": "x" * 3000}, stamp(), f"t{number}"))
    door.settle(5)
    troubles = door.of(JournalTrouble)
    assert len(troubles) == 1
    assert "full" in troubles[0].why
    told = len(door.of(Kept))
    filler.unlink()
    door.settle(200)
    assert door.of(JournalTrouble)[-1] == JournalTrouble("")
    kept = door.of(Kept)
    assert [each.index for each in kept] == list(range(1, 300))
    assert [each.token for each in kept] == [f"t{number}" for number in range(1, 300)]
    assert told < 299
    whole(door)
    door.writer.close()


def test_a_read_only_card_is_told_once_and_written_when_it_is_back(small_card: Path) -> None:
    door = Door(small_card / "state")
    door.record(1, size=10_000)
    subprocess.run(["mount", "-o", "remount,ro", small_card], check=False, capture_output=True)
    door.writer.close()
    subprocess.run(["mount", "-o", "remount,ro", small_card], check=True)
    door.start()
    door.line.put(ring(5))
    door.settle(100)
    assert len(door.of(JournalTrouble)) == 1
    assert door.of(Kept) == []
    subprocess.run(["mount", "-o", "remount,rw", small_card], check=True)
    door.settle(100)
    assert [each.token for each in door.of(Kept)] == ["t5"]
    assert door.of(JournalTrouble)[-1].why == ""
    whole(door)
    door.writer.close()


def test_the_card_is_tried_again_after_1_to_60_seconds(door: Door) -> None:
    (door.state).write_text("a file where the folder belongs")
    waits = []
    for _ in range(9):
        wait = door.writer.turn()
        waits.append(wait.seconds)
        door.now += wait.seconds
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    door.state.unlink()
    door.line.put(ring())
    door.settle(2)
    assert len(door.of(Kept)) == 1


class Failing:
    """The connection's own seam: the real one, whose commit fails ``after`` or before it was carried out."""

    def __init__(self, real: Any, *, after: bool) -> None:
        self.real, self.after = real, after

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == "COMMIT":
            if self.after:
                self.real.execute(statement)
            raise sqlite3.OperationalError("disk I/O error")
        return self.real.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def test_what_a_failed_sync_may_have_lost_is_written_once_more_before_it_is_told(door: Door) -> None:
    door.settle(1)
    sizes: list[int] = []
    hear = door.heard.append

    def put(value: Any) -> None:
        if isinstance(value, Kept):
            sizes.append((door.state / (NAME + "-wal")).stat().st_size)
        hear(value)

    door.writer._put = put
    assert door.writer._book is not None
    reader = open_to_read(door.state)  # keeps SQLite from folding the WAL by itself when the connection is closed
    door.writer._book._db = Failing(door.writer._book._db, after=True)  # type: ignore[assignment]
    door.line.put(ring(1))
    door.settle(3)
    assert sizes == [0]
    reader.close()


@pytest.mark.parametrize("after", [False, True])
def test_a_commit_of_uncertain_end_is_neither_lost_nor_doubled(door: Door, after: bool) -> None:
    door.line.put(ring(1))
    door.settle(2)
    assert door.writer._book is not None
    door.writer._book._db = Failing(door.writer._book._db, after=after)  # type: ignore[assignment]
    door.line.put(ring(2))
    door.settle(1)
    assert len(door.of(Kept)) == 1
    door.line.put(ring(3))
    door.settle(5)
    assert [told.body["visit"] for told in door.history() if told.body] == ["v1", "v2", "v3"]
    assert [each.token for each in door.of(Kept)] == ["t1", "t2", "t3"]
    assert [trouble.why == "" for trouble in door.of(JournalTrouble)] == [False, True]
    whole(door)


def test_what_was_given_up_is_counted_in_the_journal(door: Door) -> None:
    for number in range(805):
        door.line.put(Write("visit", {"n": number}, stamp()))
    door.settle(8)
    bodies = [told.body for told in door.history() if told.body and told.body["kind"] == "storage"]
    assert [body["requests"] for body in bodies] == [5]


def test_a_database_damaged_while_open_is_put_aside_and_the_door_goes_on(door: Door) -> None:
    for number in range(50):
        door.line.put(ring(number))
    door.settle(2)
    door.writer.close()
    door.start()
    door.settle(1)
    data = bytearray((door.state / NAME).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    (door.state / NAME).write_bytes(data)
    assert door.writer._book is not None
    door.writer._book._db.execute("PRAGMA shrink_memory")  # else SQLite answers from what it has read before
    door.line.put(ring(99))
    door.settle(20)
    assert [each.token for each in door.of(Kept)] == ["t99"]
    assert door.of(JournalReady)[-1].anew
    whole(door)


def test_what_the_schema_refuses_is_our_mistake_and_not_the_cards(door: Door) -> None:
    door.settle(1)
    for _ in range(2):
        door.line.put(ClipStarted(clip_id(1), {}, stamp()))
    with pytest.raises(sqlite3.IntegrityError):
        door.settle(2)


# ---- always


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_is_asked_and_whenever_it_stops_the_invariants_hold(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    door = Door(tmp_path_factory.mktemp("door") / "state")
    clips: list[str] = []
    told: list[tuple[int, str]] = []
    for number in range(data.draw(st.integers(1, 12))):
        match data.draw(st.sampled_from(["ring", "record", "start", "delete", "forget", "crash", "time", "ack"])):
            case "ring":
                door.line.put(ring(number))
            case "record":
                clips.append(door.record(number, size=data.draw(st.integers(0, 200_000))))
            case "start":
                clip = clip_id(1000 + number)
                door.line.put(ClipStarted(clip, {}, stamp()))
                door.settle(1)
                if (door.state / "clips").exists():
                    part = Part(door.state / "clips", clip, lambda: 0.0)
                    part.write(door.seal(bytes(200_000))[: data.draw(st.integers(0, 200_000))])
                    part.abandon()
            case "delete" if clips:
                door.line.put(Delete(data.draw(st.sampled_from(clips)), "person", stamp()))
            case "forget":
                quota = RESERVE + data.draw(st.integers(0, 500_000))
                door.line.put(ForgetOld(stamp(), data.draw(st.sampled_from([0, DAY, DAY + 20])), 14, quota))
            case "ack":
                door.line.acknowledge(data.draw(st.integers(1, 20)))
            case "crash":
                told += [(each.index, each.kind) for each in door.of(Kept)]
                door.restart()
            case _:
                door.settle(3)
    told += [(each.index, each.kind) for each in door.of(Kept)]
    door.restart()
    whole(door)
    book = open_to_read(door.state)
    entries = list(book.entries())
    assert verify(entries, book.journal_id, door.keys.verify_key) is None
    book.close()
    assert [index for index, _ in told] == list(range(1, len(told) + 1))
    history = door.history()
    for index, kind in told:
        assert history[index - 1].why == "forgotten" or history[index - 1].body["kind"] == kind  # type: ignore[index]
    door.writer.close()


def test_a_kept_clip_is_counted_with_its_poster(door: Door) -> None:
    door.settle(1)
    clip = clip_id(7)
    door.line.put(ClipStarted(clip, {}, stamp()))
    door.line.put(ClipKept(clip, {}, stamp(), 123))
    door.settle(2)
    assert [finding.invariant for finding in check(door.state).findings] == [1]
