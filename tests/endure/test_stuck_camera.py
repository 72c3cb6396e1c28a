"""Row 9: a recorder that stops, dies or hangs is seen and replaced, and no ring waits for it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.endure.rows import FULL, count, tell
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause

pytestmark = [pytest.mark.endure, pytest.mark.row(9), pytest.mark.timeout(1800)]
SCENE = {"camera": {"source": "scene"}}
GONE = "doorman: the recorder "
"""It ended, or shows no new frame."""


def sees(door: Door) -> bool:
    return door.status().get("camera") == "sees"


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL, signal.SIGABRT][0 if FULL else 1 : 3 if FULL else 2])
def test_a_recorder_that_is_gone_is_seen_and_replaced_while_the_door_rings(
    tmp_path: Path, broker: Mosquitto, listener: Listener, how: signal.Signals
) -> None:
    noticed, back, waits = [], [], []
    for turn in range(count(1, 10)):  # a fresh door each: one whose recorder fails in a row waits longer each time
        with Door(tmp_path / f"door{turn}", broker.port, SCENE) as door:
            door.until(lambda: sees(door), 60)
            first, told = door.recorder(), door.log().count(GONE)
            began = time.monotonic()
            os.kill(first, how)
            rung, noticed_at, was_blind = len(listener.of("/alert")), 0.0, False
            while not (was_blind and sees(door)):
                waits.append(ring(door, listener, rung := rung + 1))
                if not noticed_at and door.log().count(GONE) > told:
                    noticed_at = time.monotonic() - began
                was_blind |= bool(noticed_at) and not sees(door)
                assert time.monotonic() - began < 60, door.log()
            noticed.append(noticed_at)
            back.append(time.monotonic() - began)
            assert door.recorder() != first
            pause(0.2)
    waits.sort()
    figure = f"{how.name}: noticed within {max(noticed):.1f} s, sees again within {max(back):.1f} s; "
    figure += f"all {len(waits)} rings meanwhile, the slowest alert after {waits[-1]:.2f} s"
    tell(9, f"the daemon with the scene, its recorder hit {len(back)} times", figure)


def ring(door: Door, listener: Listener, number: int) -> float:
    """One press; how long until the alert was at the broker's other side."""
    began = time.monotonic()
    door.finger(b"button down")
    listener.wait("/alert", number)
    took = time.monotonic() - began
    door.finger(b"button up")
    pause(0.2)
    return took
