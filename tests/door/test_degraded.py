"""Whatever part of the door fails, it rings; its owner is told, and when the part heals that is told too.

The rows of docs/degraded.md that a loop in counted time can show; those of card, broker and network need real ones and
are named there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define

from doorbell.clock import WallClock
from doorbell.doorkeys import DoorKeys
from doorbell.errors import DeviceError
from doorbell.events import Pir, RecorderAlive, RecorderGone, RecorderReady, Tampered
from doorbell.glance import HANGS_S
from doorbell.journal.thread import JournalThread
from doorbell.problems import PARTS
from doorbell.upkeep import CARD_S, MINUTE_S, UNSET_MINUTES
from tests.door.test_doorman import Hall
from tests.endure.rows import count, tell
from tests.rigs.listening import Listening

pytestmark = pytest.mark.endure
PAGE = Path(__file__).parents[2] / "docs/degraded.md"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    one = Hall(tmp_path)
    one.doorman.upkeep.strained = dict
    yield one
    one.pins.close()


def rings(hall: Hall, at: float) -> bool:
    """Whether a press at *at* sounds the chime."""
    before = hall.doorman._rings
    hall.press(at)
    hall.drain(at + 0.1)
    sounded = hall.doorman.bell.sounds
    hall.doorman.handle(None, at + 2)
    hall.drain(at + 2)
    return hall.doorman._rings == before + 1 and sounded


def pass_time(hall: Hall, start: float, seconds: float) -> float:
    """Wake the loop whenever it wants to be woken, until the time is over; when that is."""
    at = start
    while (due := max(at, hall.doorman._deadline())) < start + seconds:
        at = due + 0.001
        hall.doorman.handle(None, at)
        hall.drain(at)
        for child in hall.children:
            if child.ended == "killed":  # SIGKILL ends it
                child.ended = "gone"
                hall.doorman.handle(RecorderGone(at, child.generation, -9), at)
    return start + seconds


@pytest.mark.row(9)
def test_a_day_without_a_camera_loses_no_ring_and_the_camera_comes_back(hall: Hall) -> None:
    """No recorder ever shows a picture."""
    hours = count(3, 24)
    at, rang = 1.0, 0
    for hour in range(hours):
        rang += rings(hall, at)
        at = pass_time(hall, at + 3, 3600)
        assert "camera" in hall.problems, hour
    assert rang == hours
    tried = len(hall.children)
    assert tried > hours * 25, "it goes on trying, each for a minute, a minute apart"
    while hall.children[-1].ended:
        at = pass_time(hall, at, 10)
    newest = len(hall.children)
    hall.say(RecorderReady(at), at, generation=newest)
    hall.say(RecorderAlive(at + 1, 1, 0), at + 1, generation=newest)
    assert "camera" not in hall.problems
    figure = f"{rang} of {hours} presses rang in {hours} hours without a camera, {tried} recorders tried"
    tell(9, "the doorman in counted time, no recorder ever shows a picture", figure)


def test_a_covered_sensor_is_told_and_taken_back_and_the_door_rings(hall: Hall) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.say(RecorderAlive(2.0, 10, 0), 2.0)
    hall.say(Tampered(2.0, active=True), 2.0)
    assert "tamper" in hall.problems
    assert rings(hall, 3.0)
    hall.say(Tampered(5.5, active=False), 5.5)
    assert "tamper" not in hall.problems


@pytest.mark.parametrize("level", [True, False])
def test_a_pir_that_stays_at_one_level_or_flutters_changes_no_ring(hall: Hall, level: bool) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.doorman.handle(Pir(2.0, level), 2.0)
    assert rings(hall, 10.0)
    for number in range(1000):
        hall.doorman.handle(Pir(20 + number / 1000, number % 2 == 0), 20 + number / 1000)
    assert rings(hall, 30.0)


@pytest.mark.parametrize("part", ["power", "heat", "memory"])
def test_a_strained_machine_is_told_within_a_minute_and_taken_back_and_the_door_rings(hall: Hall, part: str) -> None:
    hall.doorman.upkeep.strained = lambda: {part: "Something is to be done."}
    pass_time(hall, 1.0, MINUTE_S)
    assert part in hall.problems
    assert rings(hall, 100.0)
    hall.doorman.upkeep.strained = lambda: {part: ""}
    pass_time(hall, 110.0, MINUTE_S)
    assert part not in hall.problems


def test_without_memory_for_a_recorder_the_door_rings_and_tries_again(hall: Hall) -> None:
    def fails(*_: object) -> Listening:
        raise DeviceError("The recorder cannot be started: the machine is out of memory or processes.")

    hall.recording.start = fails
    hall.doorman.handle(RecorderGone(2.0, 1, -9), 2.0)  # the kernel's choice, when memory is short
    at = pass_time(hall, 3.0, 120)
    assert "camera" in hall.problems
    assert rings(hall, at)
    hall.recording.start = hall.start
    pass_time(hall, at + 5, 61)
    assert len(hall.children) == 2


@define
class Unset:
    """A clock that nobody has set since the machine started, until somebody does."""

    is_set: bool
    real: object

    def synced(self) -> bool:
        return self.is_set

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


def test_a_clock_that_nobody_sets_is_told_after_ten_minutes_and_the_door_rings(hall: Hall) -> None:
    clock = Unset(is_set=False, real=hall.doorman.ledger.clock)
    hall.doorman.ledger.clock = clock  # type: ignore[assignment]
    at = pass_time(hall, 1.0, (UNSET_MINUTES - 1) * MINUTE_S)
    assert "clock" not in hall.problems
    at = pass_time(hall, at, 2 * MINUTE_S)
    assert "clock" in hall.problems
    assert rings(hall, at)
    clock.is_set = True
    pass_time(hall, at + 5, MINUTE_S)
    assert "clock" not in hall.problems


@pytest.mark.parametrize("parts", [(part,) for part in PARTS] + [PARTS], ids=lambda parts: "+".join(parts[:2]))
def test_with_any_trouble_and_with_all_at_once_the_door_rings(hall: Hall, parts: tuple[str, ...]) -> None:
    """The bell looks at no part of the house: off-site copies, push, pairing by light and a full card included."""
    for part in parts:
        hall.problems.tell(part, "Something is to be done.")
    assert rings(hall, 10.0)
    at = pass_time(hall, 13.0, 300)
    for part in parts:
        hall.problems.tell(part, "Something is to be done.")
    assert rings(hall, at)


def test_a_card_that_hangs_is_told_after_10_s_and_taken_back_and_the_door_rings(hall: Hall, tmp_path: Path) -> None:
    keys = DoorKeys(bytes(32), bytes(32))
    journal = JournalThread(  # never started: its turn does not end
        tmp_path, verify_key=keys.verify_key, seal=bytes, sign_entry=keys.sign_entry, put=hall.inbox.put,
        started=WallClock().stamp(0.0), clock=lambda: 100.0,
    )  # fmt: skip
    hall.doorman.ledger.journal = journal
    at = pass_time(hall, 100.0, HANGS_S)
    assert "card" not in hall.problems
    at = pass_time(hall, at, CARD_S + 1)
    assert "card" in hall.problems
    assert rings(hall, at)
    journal.last_turn = at + 3
    pass_time(hall, at + 3, CARD_S + 1)
    assert "card" not in hall.problems


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:\w+/)+test_\w+\.py)(?:::(\w+))?`", PAGE.read_text())
    assert len(named) > 10
    tests = PAGE.parents[1] / "tests"
    for file, name in named:
        assert (tests / file).exists(), file
        assert not name or f"def {name}(" in (tests / file).read_text(), name


def test_every_problem_the_door_can_tell_stands_on_the_page_and_has_a_sentence_in_the_app() -> None:
    page, app = PAGE.read_text(), (PAGE.parents[1] / "phone/src/texts.ts").read_text()
    parts = app.partition("    parts: {")[2].partition("}")[0]
    assert [part for part in PARTS if f"`{part}`" not in page] == []
    assert [part for part in PARTS if f"      {part}: " not in parts] == []
