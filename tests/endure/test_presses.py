"""Row 10: every real press rings once, no spike rings, and a fluttering PIR changes neither."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endure.rows import count, named, seeds, tell
from tests.endure.simulated_door import SimulatedDoor

pytestmark = [pytest.mark.endure, pytest.mark.row(10), pytest.mark.timeout(7200)]

Edge = tuple[float, bool]
"""Seconds since the last one, and whether the contact closes."""


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedDoor]:
    made = SimulatedDoor(tmp_path, monkeypatch)
    yield made
    made.close()


def bounces(chance: random.Random, longest: float) -> list[Edge]:
    """A contact that chatters for at most *longest* seconds and ends closed."""
    edges, left = [(0.0, True)], longest * chance.random()
    while left > 0.0002 and chance.random() < 0.9:
        first, second = (chance.uniform(0.00005, left / 3) for _ in range(2))
        edges += [(first, False), (second, True)]
        left -= first + second
    return edges


def press(chance: random.Random, longest: float = 2.0) -> list[Edge]:
    """30 ms to *longest* s from the first touch to the last; at least 18 ms of it without chatter."""
    closing = bounces(chance, 0.010)
    opening = [(after, not down) for after, down in bounces(chance, 0.010)]
    lasts = chance.choice((0.030, 0.030, chance.uniform(0.030, 0.1), chance.uniform(0.1, longest)))
    still = max(0.0175, lasts - sum(after for after, _ in closing + opening))
    return [*closing, (still, False), *opening[1:]]


def spike(chance: random.Random) -> list[Edge]:
    return [(0.0, True), (chance.uniform(0.00002, 0.005), False)]


def play(door: SimulatedDoor, edges: list[Edge], chance: random.Random) -> None:
    """The edges at their moments; the loop is sometimes late, as on a busy machine."""
    for after, down in edges:
        if chance.random() < 0.3:
            door.clock.now += after  # the loop slept over it: the edge is handled later, with its own stamp
        else:
            door.run_until(door.clock.now + after)
        door.button(down)


def test_ten_thousand_bouncing_presses_ring_once_each_and_no_spike_rings(door: SimulatedDoor) -> None:
    (seed,) = seeds(1, 1)
    presses, spikes = count(400, 10_000), count(100, 1000)
    with named(seed):
        chance = random.Random(seed)
        kinds = [press] * presses + [spike] * spikes
        chance.shuffle(kinds)
        wanted = 0
        for kind in kinds:
            began = door.clock.now
            play(door, kind(chance), chance)
            door.run_until(door.clock.now + chance.uniform(0.05, 3))
            wanted += kind is press
            assert len(door.rings) == wanted, f"{kind.__name__} at {began}"
    figure = f"{wanted:,} of {presses:,} rings, 0 doubles, 0 from {spikes:,} spikes"
    tell(10, "gpiozero's simulated pins and the real doorman in counted time; presses from 30 ms, chatter", figure)


def test_a_pir_that_flutters_for_an_hour_changes_nothing_about_a_press(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (seed,) = seeds(1, 1)
    seconds = count(5, 3600)
    with named(seed):
        rings, edges = [], 0
        for flutters in (False, True):
            door = SimulatedDoor(tmp_path, monkeypatch)
            chance = random.Random(seed)
            for _ in range(seconds):
                edges_of_button = at_their_moments(press(chance, 0.5), door.clock.now + chance.uniform(0.1, 0.3))
                one_second(door, edges_of_button, flutters=flutters)
            door.run_until(door.clock.now + 5)
            rings.append(door.rings)
            edges = max(edges, door.edges)
            assert door.doorman.inbox.dropped == 0
            door.close()
    assert rings[0] == rings[1]
    assert len(rings[0]) == seconds
    figure = f"{len(rings[1]):,} of {seconds:,} presses rang at the very same microsecond as without it"
    assert edges > seconds * 2000
    tell(10, f"{seconds:,} s of a PIR at 1 kHz ({edges:,} edges), a press a second", figure)


def at_their_moments(edges: list[Edge], at: float) -> list[Edge]:
    made = []
    for after, down in edges:
        at += after
        made.append((at, down))
    return made


def one_second(door: SimulatedDoor, button: list[Edge], *, flutters: bool) -> None:
    start = door.clock.now
    pir = [(start + number / 2000, number % 2 == 0) for number in range(2000)] if flutters else []
    moves = sorted([(at, 0, down) for at, down in button] + [(at, 1, up) for at, up in pir])
    for at, which, value in moves:
        door.run_until(at)
        door.pir(value) if which else door.button(value)
    door.run_until(start + 1.0)
    door.forget_edges()
