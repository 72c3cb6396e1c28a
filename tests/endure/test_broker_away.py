"""Row 11: a week without the broker and fifty kills, and then everything arrives, once, and no stale ring does."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from doorbell.journal.entry import read_document
from tests.endure.rows import count, named, seeds, tell
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.reading import bodies

pytestmark = [pytest.mark.endure, pytest.mark.row(11), pytest.mark.timeout(3600)]


STALE_S = 10.5
"""A ring lives for 10 s."""
DRAINED_S = 60.0


def ring(door: Door) -> None:
    """A finger that stays until the door has rung; simulated pins stamp an edge when they get to run."""
    before, rung = door.log().count("somebody rings"), False
    while not rung:
        door.finger(b"button down")
        ends = time.monotonic() + 1
        while not rung and time.monotonic() < ends:
            pause(0.01)
            rung = door.log().count("somebody rings") > before
        door.finger(b"button up")
        pause(0.05)


def begin(door: Door) -> None:
    door.start()
    door.until(lambda: (door.folder / "run/pins.sock").exists() and door.status(), 60)


def one_life(door: Door, presses: int, chance: random.Random) -> int:
    """Start, ring so often, be killed; the newest entry that was told to be safe."""
    begin(door)
    for _ in range(presses):
        ring(door)
    pause(chance.uniform(0, 2))
    safe = door.status()["entries"]
    assert door.process
    door.process.kill()
    door.process.wait(20)
    for name in ("starts", "status.json", "pins.sock"):  # three deaths in five minutes would make it bell-only
        (door.folder / "run" / name).unlink(missing_ok=True)
    return int(safe)


def test_after_a_week_without_a_broker_everything_arrives_once_and_no_stale_ring(tmp_path: Path) -> None:
    kills, presses = count(2, 50), count(8, 28)
    (seed,) = seeds(1, 1)
    broker = Mosquitto(tmp_path)
    door = Door(tmp_path / "door", broker.port)
    with named(seed):
        chance = random.Random(seed)
        safe = [one_life(door, presses, chance) for _ in range(kills)]
        assert safe == sorted(safe)
        with door:
            door.until(lambda: (door.folder / "run/pins.sock").exists() and door.status(), 60)
            for _ in range(3):  # the life that the broker comes back to holds rings that are stale by then
                ring(door)
            newest = door.until(lambda: (told := door.status()["entries"]) >= safe[-1] + 4 and told, 60)
            pause(STALE_S)
            with broker, Listener(broker.port) as listener:
                door.said("the broker answers", 90)
                began = time.monotonic()
                listener.wait("journal", newest, within=120)
                took = time.monotonic() - began
                ring(door)
                fresh = listener.wait("/ring") + listener.wait("/alert")  # behind whatever would come late
                indices = [read_document(note.payload).index for note in listener.wait("journal", newest + 1)]
                assert sorted(indices) == list(range(1, len(indices) + 1))
                assert len(fresh) == len(listener.of("/ring") + listener.of("/alert")) == 2
                rang = [body for body in bodies(door.owner, listener.of("journal")) if body["kind"] == "ring"]
            assert door.stop() == 0
    assert took <= DRAINED_S
    assert [body["visit"] for body in rang[-1:]] == [json.loads(fresh[0].payload)["id"]]
    figure = (
        f"{len(indices):,} entries ({len(rang):,} rings) of {kills} lives arrived once each, {took:.0f} s after the "
    )
    figure += "broker was back; 0 lost; of 3 rings of the life it came back to, 10 s old, none was rung"
    tell(
        11,
        f"the daemon killed {kills} times without its broker, then a real mosquitto; days are not waited for",
        figure,
    )
