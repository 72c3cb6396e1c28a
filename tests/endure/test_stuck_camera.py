"""Row 9: a camera that hangs, repeats its picture or raises, and a recorder that stops or dies: seen, replaced, and no
ring waits for it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.endure import stuck_camera
from tests.endure.rows import FULL, count, tell
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause

pytestmark = [pytest.mark.endure, pytest.mark.row(9), pytest.mark.timeout(1800)]
GONE = "doorman: the recorder "
"""It ended, or shows no new frame."""
SEEN_S, BACK_S = (5.0, 10.0) if FULL else (30.0, 60.0)
"""The bar; the short form shares its machine with other tests, and looks whether it happens."""
DELAYED_S = 2.0
SIGNALS = ("SIGSTOP", "SIGKILL", "SIGABRT")
FAULTS = ("hangs", "repeats", "raises")


def sees(door: Door) -> bool:
    return door.status().get("camera") == "sees"


def struck(door: Door, modules: Path, how: str) -> None:
    if how in SIGNALS:
        os.kill(door.recorder(), signal.Signals[how])
    else:
        stuck_camera.strike(modules, how)


@pytest.mark.parametrize("how", [*SIGNALS, *FAULTS] if FULL else ["SIGKILL", "repeats", "raises"])
def test_a_camera_or_recorder_that_fails_is_seen_and_replaced_while_the_door_rings(
    tmp_path: Path, broker: Mosquitto, listener: Listener, how: str
) -> None:
    noticed: list[float] = []
    back: list[float] = []
    waits: list[float] = []
    environment = stuck_camera.place(tmp_path / "modules")
    scene = {"camera": {"source": "picamera2" if how in FAULTS else "scene"}}
    for turn in range(count(1, 10)):  # a fresh door each: one whose recorder fails in a row waits longer each time
        with Door(tmp_path / f"door{turn}", broker.port, scene, environment=environment) as door:
            door.until(lambda: sees(door), 60)
            first, told = door.recorder(), door.log().count(GONE)
            began = time.monotonic()
            struck(door, tmp_path / "modules", how)
            noticed.append(
                until_it_rings(door, listener, waits, lambda told=told: door.log().count(GONE) > told) - began
            )
            until_it_rings(door, listener, waits, lambda: not sees(door))
            back.append(until_it_rings(door, listener, waits, lambda: sees(door)) - began)
            assert door.recorder() not in (0, first)
            pause(0.2)
    assert max(noticed) <= SEEN_S, noticed
    assert max(back) <= BACK_S, back
    assert max(waits) <= DELAYED_S, waits
    assert waits
    figure = f"{how}: seen within {max(noticed):.1f} s, back within {max(back):.1f} s; all {len(waits)} rings "
    figure += f"meanwhile, chime and alert after {median(waits):.2f} s (median), {max(waits):.2f} s (longest)"
    what = "picamera2's stand-in behind the seam" if how in FAULTS else "the scene"
    tell(9, f"the daemon with {what}, struck {len(back)} times", figure)


def until_it_rings(door: Door, listener: Listener, waits: list[float], what: Callable[[], bool]) -> float:
    """Press again and again until *what* holds; when that was seen."""
    ends = time.monotonic() + 120
    while not what():
        assert time.monotonic() < ends, door.log()
        waits.append(ring(door, listener))
    return time.monotonic()


def ring(door: Door, listener: Listener) -> float:
    """One press; how long until it chimed and the alert was at the broker's other side."""
    heard, struck = len(listener.of("/alert")), door.chime()[0]
    began = time.monotonic()
    door.finger(b"button down")
    took = max(door.chimed(struck + 1), listener.wait("/alert", heard + 1)[heard].at) - began
    door.finger(b"button up")
    pause(0.2)
    return took
