"""The daemon as it is, gpiozero on lgpio on a kernel's gpiochip, a broker: what a finger does to the pins and to MQTT.

Run in the lab's machine by `make lab-gpio`. LAB_PRESSES chooses how many presses the long test makes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.parts.chip import BUTTON, CHIME, LED, PINS, PIR, Chip
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause

PRESSES = int(os.environ.get("LAB_PRESSES", "1000"))
CHIME_MS = 250
"""Long enough for whoever looks at its pin to be kept from looking for a while: an emulated machine is."""
STABLE_S = 0.05
"""Longer than the 15 ms for which a press, or a release, has to be stable, with room for a slow machine."""
LATE_S = 0.008
"""Between two edges of one bounce; 15 ms without a break would be a press."""


@pytest.fixture
def chip() -> Chip:
    return Chip().at_rest()


@pytest.fixture
def door(chip: Chip, tmp_path: Path, broker: Mosquitto, listener: Listener) -> Iterator[Door]:
    settings: dict[str, dict[str, Any]] = {"pins": PINS | {"chime_ms": CHIME_MS}}
    # The unit's StateDirectory= says so: there is the last good configuration.
    environment = {"STATE_DIRECTORY": str(tmp_path / "door/state")}
    with Door(tmp_path / "door", broker.port, settings, environment=environment) as one:
        listener.wait("hello", within=60)
        yield one


def until(what: Any, within_s: float = 60) -> float:
    """Look at once and again until *what* holds; when it did."""
    ends = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < ends, f"not within {within_s} s"
    return time.monotonic()


def bounce(chip: Chip, level: bool, edges: int) -> bool:
    """The button's contacts close (level False) or open with *edges* more edges than they should have.

    Whether an edge came so late that what was before it was stable: an emulated machine stands still now and then, and
    then a bounce is a press of its own, for any door.
    """
    late, last = False, time.monotonic()
    for number in range(edges + 1):
        chip.pull(BUTTON, high=level ^ bool(number % 2) if number < edges else level)
        now = time.monotonic()
        late, last = late or now - last > LATE_S, now
    return late


def spread(values: list[float]) -> str:
    ordered = sorted(values)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000
    return f"{at(0.5):.0f} / {at(0.95):.0f} / {ordered[-1] * 1000:.0f} ms (median / 95 % / longest)"


def test_every_press_rings_once_and_the_chime_sounds_each_time(
    chip: Chip, door: Door, listener: Listener, record_property: Any
) -> None:
    chimes, rings, late = [], [], 0
    for count in range(1, PRESSES + 1):
        edges = count % 7 * 2
        began = time.monotonic()
        late += bounce(chip, False, edges)
        chimes.append(until(lambda: chip.high(CHIME)) - began)
        rings.append(listener.wait("/ring", count)[-1].at - began)
        late += bounce(chip, True, edges)
        until(lambda: not chip.high(CHIME))
        pause(STABLE_S)
    pause(1)
    record_property("presses", PRESSES)
    record_property("rings", len(listener.of("/ring")))
    record_property("first edge to chime", spread(chimes))
    record_property("first edge to MQTT", spread(rings))
    record_property("bounces of a machine that stood still", late)
    assert PRESSES <= len(listener.of("/ring")) <= PRESSES + late
    listener.wait("/alert", PRESSES)


def test_a_spike_of_5_ms_is_no_press(chip: Chip, door: Door, listener: Listener, record_property: Any) -> None:
    spikes = longer = 0
    while spikes < 200 and longer < 200:
        began = time.monotonic()
        chip.pull(BUTTON, high=False)
        chip.pull(BUTTON, high=True)
        # A machine that was busy elsewhere makes a spike longer, and some of those may be a press.
        lasted = time.monotonic() - began
        spikes, longer = spikes + (lasted <= 0.005), longer + (lasted > 0.005)
        pause(STABLE_S)
    pause(0.5)
    record_property("spikes", spikes)
    record_property("rings", len(listener.of("/ring")))
    assert spikes >= 20
    assert len(listener.of("/ring")) <= longer


def test_a_motion_sensor_gone_mad_loses_no_press(
    chip: Chip, door: Door, listener: Listener, record_property: Any
) -> None:
    lasts = 20
    words = [sys.executable, "-m", "tests.lab.parts.chip", str(lasts)]
    mad = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    rings: list[float] = []
    while mad.poll() is None:
        pressed = time.monotonic()
        chip.pull(BUTTON, high=False)
        rings.append(listener.wait("/ring", len(rings) + 1)[-1].at - pressed)
        chip.pull(BUTTON, high=True)
        until(lambda: not chip.high(CHIME))
        pause(STABLE_S)
    assert mad.stdout is not None
    record_property("edges of the sensor", f"{int(mad.stdout.read()) / lasts:.0f} a second")
    record_property("presses", len(rings))
    record_property("edge to MQTT", spread(rings))
    pause(0.5)
    assert len(listener.of("/ring")) == len(rings) > 10


def test_a_finger_that_stays_rings_once(chip: Chip, door: Door, listener: Listener) -> None:
    chip.pull(BUTTON, high=False)
    listener.wait("/ring")
    pause(3)
    chip.pull(BUTTON, high=True)
    pause(0.5)
    assert len(listener.of("/ring")) == 1


def test_the_chime_sounds_for_its_time_and_no_longer(
    chip: Chip, tmp_path: Path, broker: Mosquitto, listener: Listener, record_property: Any
) -> None:
    with Door(tmp_path / "door", broker.port, {"pins": PINS | {"chime_ms": 1000}}):
        listener.wait("hello", within=60)
        chip.pull(BUTTON, high=False)
        began = until(lambda: chip.high(CHIME))
        chip.pull(BUTTON, high=True)
        lasted = until(lambda: not chip.high(CHIME)) - began
    record_property("asked for 1 s, lasted", f"{lasted:.2f} s")
    assert 0.9 < lasted < 2


def test_a_motion_sensor_is_heard_of(chip: Chip, door: Door, listener: Listener) -> None:
    chip.pull(PIR, high=True)
    until(lambda: any(note.payload == b"ON" for note in listener.of("/motion")))
    chip.pull(PIR, high=False)


def test_a_door_whose_settings_are_broken_still_rings_its_chime_and_blinks(chip: Chip, door: Door) -> None:
    assert door.stop() == 0
    assert not chip.high(LED)
    assert not chip.high(CHIME)
    door.settings["pins"] = PINS | {"chime_ms": CHIME_MS, "buton": 17}
    door.start()
    until(lambda: chip.high(LED), 60)
    until(lambda: not chip.high(LED))
    assert "buton" in door.log()
    for _ in range(3):
        chip.pull(BUTTON, high=False)
        until(lambda: chip.high(CHIME))
        chip.pull(BUTTON, high=True)
        until(lambda: not chip.high(CHIME))
        pause(STABLE_S)
    door.stop()


def test_the_lamp_is_lit_while_a_clip_is_recorded_and_everything_is_off_after_the_end(
    chip: Chip, tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    settings = {
        "pins": PINS,
        "camera": {"source": "scene", "width": 320, "height": 240, "fps": 5, "bitrate_kbps": 300},
        "motion": {"record_on": "press"},
        "visit": {"linger_s": 1, "longest_s": 20, "preroll_s": 0},
    }
    with Door(tmp_path / "door", broker.port, settings) as door:
        door.until(lambda: door.status().get("camera") == "sees", 120)
        assert not chip.high(LED)
        chip.pull(BUTTON, high=False)
        until(lambda: chip.high(LED), 20)
        chip.pull(BUTTON, high=True)
        until(lambda: not chip.high(LED), 60)
        door.until(lambda: door.clips, 30)
        chip.pull(BUTTON, high=False)
        until(lambda: chip.high(LED), 20)
        assert door.stop() == 0
    assert not chip.high(LED)
    assert not chip.high(CHIME)
