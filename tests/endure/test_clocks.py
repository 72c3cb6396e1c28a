"""Row 8: a wall clock that leaps by years expires nothing early, and turns no order or duration round."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from doorbell import clock as clock_room
from doorbell.clips.retention import RESERVE
from doorbell.clock import WallClock
from doorbell.days import DAY_S, LONGEST_GAP, STEADY_S
from doorbell.events import JournalReady
from doorbell.journal.requests import ClipKept, ClipStarted, ForgetOld, Write
from tests.endure.rows import named, seeds, tell
from tests.endure.simulated_door import SimulatedDoor
from tests.rigs.journal import Door, clip_id

pytestmark = [pytest.mark.endure, pytest.mark.row(8), pytest.mark.timeout(3600)]

DAYS = 14
SMALL_DAYS = LONGEST_GAP + 2
"""Leaps up to here may be taken for a time without power, and believed at once."""
YEAR_S = 365.25 * DAY_S
TRUTH = datetime(2026, 3, 1, 7, 30, tzinfo=UTC).timestamp()


@define
class Time:
    """Stands where the room of the wall clock looks for the module ``time``: two clocks, and the truth."""

    true: float = TRUTH
    up: float = 50.0
    wrong: float = 0.0

    def time(self) -> float:
        return self.true + self.wrong

    def monotonic(self) -> float:
        return self.up

    def passes(self, seconds: float) -> None:
        self.true += seconds
        self.up += seconds


class Wall(WallClock):
    """The kernel's word for "synchronised" is given by the test."""

    says = True

    def synced(self) -> bool:
        return self.says


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(clock_room, "time", made)
    return made


@define
class Kept:
    """What was recorded when, in truth, by index of the entry and by clip."""

    entries: dict[int, float]
    clips: dict[str, float]
    least_days: float = DAYS
    """What went before this age is a fault."""
    youngest: float = 1e9
    """Days of the youngest that went."""

    def went(self, since: float, now: float, what: str) -> None:
        age = (now - since) / DAY_S
        self.youngest = min(self.youngest, age)
        assert age > self.least_days, f"{what} went after {age:.1f} days"


def starts(door: Door, time: Time) -> Wall:
    """The daemon starts: its clock learns from the journal how far the days had come."""
    door.now = time.up
    door.restart()
    door.writer.turn()
    wall = Wall()
    (ready,) = door.of(JournalReady)
    wall.resume(ready.newest_day)
    return wall


def live(door: Door, wall: Wall, time: Time, chance: random.Random, kept: Kept, number: int) -> None:
    """A ring, a clip, and retention as each hour brings it."""
    stamp = wall.stamp(time.up)
    clip = clip_id(number)
    assert door.writer._book
    before = door.writer._book.head().index
    door.line.put(Write("ring", {"visit": str(number)}, stamp))
    if chance.random() < 0.7:
        door.line.put(ClipStarted(clip, {}, stamp))
        (door.state / "clips" / f"{clip}.mp4.age").write_bytes(door.seal(b"clip"))
        size = (door.state / "clips" / f"{clip}.mp4.age").stat().st_size
        (door.state / "clips" / f"{clip}.mp4.age").chmod(0o600)
        door.line.put(ClipKept(clip, {}, stamp, size))
        kept.clips[clip] = time.true
    door.line.put(ForgetOld(wall.stamp(time.up), wall.day(time.up), DAYS, RESERVE * 2))
    door.now = time.up
    for _ in range(3):
        door.writer.turn()
        door.now += 1.0
    entries = {entry.index: entry.body is None for entry in door.writer._book.entries()}
    kept.entries.update({index: time.true for index in entries if index > before})
    held = {path.name.partition(".")[0] for path in (door.state / "clips").iterdir()}
    for index in [index for index, is_forgotten in entries.items() if is_forgotten and index in kept.entries]:
        kept.went(kept.entries.pop(index), time.true, f"the body of entry {index}")
    for gone in sorted(set(kept.clips) - held):
        kept.went(kept.clips.pop(gone), time.true, "a clip")


def leap(time: Time, wall: Wall, chance: random.Random, *, small: bool = False) -> None:
    """The clock is wrong by up to ten years (or SMALL_DAYS) from now on, or right again; somebody may vouch for it."""
    far = chance.uniform(0.1, SMALL_DAYS) * DAY_S if small else chance.uniform(SMALL_DAYS * DAY_S, 10 * YEAR_S)
    leaps = chance.choice((-1, 1)) * far
    time.wrong = leaps if time.wrong == 0 or chance.random() < 0.3 else 0.0
    wall.says = chance.random() < 0.85


def a_life(folder: Path, time: Time, seed: int, kept: Kept, *, small: bool) -> int:
    """100 leaps (returned), then the clock is right at last, and what is old goes."""
    chance = random.Random(seed)
    door = Door(folder, now=time.up)
    wall = starts(door, time)
    for number in range(100):
        leap(time, wall, chance, small=small)
        time.passes(chance.uniform(0, STEADY_S * 0.45))  # a wrong time holds for less than a day
        if chance.random() < 0.2:
            time.true += chance.uniform(0, 3 * DAY_S)  # without power
            time.up = chance.uniform(5, 100)
            wall = starts(door, time)
        live(door, wall, time, chance, kept, number)
    time.wrong, wall.says = 0.0, True
    for day in range(DAYS + 5):
        time.passes(DAY_S)
        live(door, wall, time, chance, kept, 200 + day)
    oldest = min([*kept.clips.values(), *kept.entries.values()])
    assert time.true - oldest < (DAYS + 3) * DAY_S
    door.writer.close()
    return 100


def test_a_clock_that_leaps_by_years_makes_nothing_expire_early(tmp_path: Path, time: Time) -> None:
    jumps = 0
    for seed in seeds(1, 10):
        with named(seed):
            jumps += a_life(tmp_path / str(seed), time, seed, Kept({}, {}), small=False)
    figure = f"{jumps:,} leaps: nothing went before its {DAYS} days were over, and all of it when they were"
    tell(
        8, "the real journal, retention and wall clock in counted time, with power cuts, claimed to be in sync", figure
    )


def test_a_clock_that_leaps_by_days_makes_nothing_expire_earlier_than_it_leapt(tmp_path: Path, time: Time) -> None:
    """A leap that a time without power would explain is believed, so it costs what it says, and no more."""
    jumps, youngest = 0, 1e9
    for seed in seeds(1, 10):
        with named(seed):
            kept = Kept({}, {}, least_days=DAYS - SMALL_DAYS)
            jumps += a_life(tmp_path / str(seed), time, seed, kept, small=True)
            youngest = min(youngest, kept.youngest)
    figure = (
        f"{jumps:,} leaps of up to {SMALL_DAYS} days, which a time without power would explain: the first thing went "
    )
    figure += (
        f"after {youngest:.1f} of its {DAYS} days ({DAYS - SMALL_DAYS} are the least), all of it when they were over"
    )
    tell(8, "the same with leaps too small to be told from a time without power", figure)


def test_visits_have_no_negative_duration_whatever_the_wall_clock_does(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    (seed,) = seeds(1, 1)
    with named(seed):
        chance = random.Random(seed)
        door = SimulatedDoor(tmp_path, monkeypatch)
        for _ in range(300):
            leap(time, Wall(), chance)
            door.button(True)
            door.run_until(door.clock.now + 0.1)
            leap(time, Wall(), chance)
            door.button(False)
            time.up = door.clock.now
            door.run_until(door.clock.now + chance.uniform(1, 40))
        door.run_until(door.clock.now + 200)
        written: list[Any] = [one for one in door.requests + door.journal._line.take(9999) if isinstance(one, Write)]
        door.close()
    visits = [one.fields for one in written if one.kind == "visit"]
    assert sum(visit["presses"] for visit in visits) == 300
    assert all(10 <= visit["seconds"] <= 121 for visit in visits)
    uptimes = [one.stamp.uptime for one in written if one.kind == "ring"]
    assert uptimes == sorted(uptimes)
    tell(8, "600 leaps while the real doorman counts visits", f"{len(visits)} visits, each of 10 to 121 s, in order")
