"""Row 6: the card turns read-only, or is gone, under a running door: it rings and shows on, and its owner is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.endure.rows import FULL, count, tell
from tests.household.conftest import enrol
from tests.household.test_live import watch
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.ext4 import Card
from tests.rigs.phone import Phone

pytestmark = [pytest.mark.endure, pytest.mark.row(6), pytest.mark.timeout(600)]
WITHIN_S = 60.0
PRESSES = count(3, 10)
IDLE = {"camera": {"source": "scene"}, "motion": {"record_on": "press"}}


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    with Card(tmp_path / "small") as one:
        yield one


def troubles(listener: Listener) -> list[str]:
    """The parts that the newest health names: what Home Assistant and the app show."""
    notes = listener.of("/health")
    told: list[str] = json.loads(notes[-1].payload)["problems"] if notes else []
    return told


@pytest.mark.parametrize("how", ["turn_read_only", "pull"] if FULL else ["turn_read_only"])
@pytest.mark.parametrize("when", ["idle", "recording"] if FULL else ["recording"])  # idle takes up to half a minute
def test_a_dead_card_is_told_within_a_minute_while_the_door_rings_and_shows_on(
    tmp_path: Path, card: Card, broker: Mosquitto, listener: Listener, how: str, when: str
) -> None:
    state: dict[str, Any] = {"door": {"state": str(card.place / "state"), "runtime": str(tmp_path / "run")}}
    anna = Phone(broker.port, "Anna")
    door = Door(tmp_path, broker.port, IDLE | state)
    home = Door(card.place, broker.port, owner=door.owner)
    enrol(home, (anna, "admin"))
    with door, anna:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        anna.hello()
        _, session = watch(anna)
        pause(3)  # the glance needs a file of a door that has begun
        if when == "recording":
            door.press()
            door.until(lambda: door.status()["recording"])
        getattr(card, how)()
        began = time.monotonic()
        told = 0.0
        rang = len(listener.of("/alert"))
        waits = []
        while not told:
            if troubles(listener):
                told = time.monotonic() - began
            assert time.monotonic() - began < WITHIN_S, door.log()
            pause(0.1)
        for number in range(1, PRESSES + 1):
            pause(0.1)  # the button is let go of
            at = door.press()
            waits.append(listener.wait("/alert", rang + number)[-1].at - at)
            listener.wait("/ring", rang + number)
        shown = len(anna.of(f"live/{anna.id}/{session}"))
        anna.until(lambda: len(anna.of(f"live/{anna.id}/{session}")) > shown + 20)
        anna.ask("live", {"do": "start"})
        door.until(lambda: door.status()["broker"])
        parts = sorted(troubles(listener))
    name = {"turn_read_only": "read-only", "pull": "gone"}[how]
    figure = f"{name} while {when}: told after {told:.0f} s ({', '.join(parts)}); {PRESSES} of {PRESSES} presses rang, "
    figure += f"the slowest alert after {max(waits):.2f} s; live view goes on"
    tell(6, "the daemon on an ext4 of its own (loop): `remount,abort`, then the kernel's shutdown of it", figure)
