"""The daemon as it is, the real picamera2 on the real libcamera: from a finger on a real gpiochip to an opened clip.

Run in the lab's machine by `make lab-camera`, after tests/camera/test_contract.py was put to the same camera. What the
virtual camera cannot show (sensor, ISP, hardware encoder, real time) stands in docs/lab.md.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from doorbell.vision.frames import planes_of
from doorbell.vision.zones import BLOCK, blocks
from tests.lab.parts.chip import BUTTON, LED, PINS, Chip
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.reading import bodies, opened

MASKS = [[[0.0, 0.0], [0.35, 0.0], [0.35, 0.4], [0.0, 0.4]]]
CAMERA = {"source": "picamera2", "width": 640, "height": 480, "fps": 10, "bitrate_kbps": 1500}
STARTS_WITHIN_S = 240.0


@pytest.fixture
def chip() -> Chip:
    return Chip().at_rest()


def sees(door: Door) -> None:
    door.until(lambda: door.status().get("camera") == "sees", STARTS_WITHIN_S)


def told(door: Door, listener: Listener, kind: str, within: float) -> dict[str, Any]:
    """The first journal entry of that *kind*, as the owner reads it from the broker."""
    found = door.until(
        lambda: [body for body in bodies(door.owner, listener.of("journal")) if body["kind"] == kind], within
    )
    return dict(found[0])


def pictures(movie: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(movie)) as file:
        return list(file.decode(video=0))


def hidden() -> np.ndarray:
    """The pixels of the masks' blocks that lie 16 and more from the rim."""
    grid = blocks(tuple(tuple((x, y) for x, y in corners) for corners in MASKS), 640, 480)
    mask = np.kron(grid, np.ones((BLOCK, BLOCK), bool))[:480, :640]
    rim = np.logical_or.reduce([np.roll(~mask, step, axis) for axis in (0, 1) for step in range(-BLOCK, BLOCK + 1)])
    return mask & ~rim


def test_a_press_becomes_a_clip_with_its_preroll_in_which_the_masked_part_is_black(
    chip: Chip, tmp_path: Path, broker: Mosquitto, listener: Listener, record_property: Any
) -> None:
    settings: dict[str, dict[str, Any]] = {
        "pins": PINS,
        "camera": CAMERA,
        "privacy": {"masks": MASKS},
        "motion": {"record_on": "press"},
        "visit": {"linger_s": 4, "longest_s": 60, "preroll_s": 4},
    }
    with Door(tmp_path / "door", broker.port, settings) as door:
        sees(door)
        pause(8)  # so much has to be there before the press
        chip.pull(BUTTON, high=False)
        listener.wait("/ring", within=30)
        door.until(lambda: chip.high(LED), 30)
        chip.pull(BUTTON, high=True)
        clip = told(door, listener, "clip", 120)
        ring = told(door, listener, "ring", 10)
        poster = opened(door.owner, listener.wait("poster")[0].payload)
        sealed = door.clips[0].read_bytes()
        assert door.stop() == 0
        assert not chip.high(LED)
    assert clip["sha256"] == hashlib.sha256(sealed).hexdigest()
    assert clip["visit"] == ring["visit"]
    assert poster.startswith(b"\xff\xd8\xff")
    frames = pictures(opened(door.owner, sealed))
    black, changed = hidden(), 0.0
    for frame in frames:
        y, u, v = planes_of(frame)
        assert (y[black] == 16).all()
        assert (u[black[::2, ::2]] == 128).all()
        assert (v[black[::2, ::2]] == 128).all()
        assert y[240:].std() > 5, "the rest is to be seen"
    changed = float(np.abs(planes_of(frames[0])[0].astype(int) - planes_of(frames[-1])[0]).mean())
    seconds = float(frames[-1].time - frames[0].time)
    record_property("clip", f"{len(frames)} pictures in {seconds:.1f} s, {len(sealed) / 1000:.0f} kB")
    record_property("pixels that are black in all of them", int(black.sum()))
    record_property("change of the rest", f"{changed:.1f} levels")
    # The clip ends 4 s of linger after the press; what is before that is pre-roll.
    record_property("pre-roll", f"{seconds - 4:.1f} s")
    assert black.sum() > 10_000
    assert seconds - 4 > 2


def test_a_visitor_who_does_not_ring_is_found_by_the_motion_core(
    chip: Chip, tmp_path: Path, broker: Mosquitto, listener: Listener, record_property: Any
) -> None:
    settings: dict[str, dict[str, Any]] = {
        "pins": PINS,
        # A picture that moves costs the encoder most, and the machine is emulated.
        "camera": CAMERA | {"fps": 5},
        "motion": {"record_on": "motion"},
        "visit": {"linger_s": 3, "longest_s": 30, "preroll_s": 2},
    }
    with Door(tmp_path / "door", broker.port, settings) as door:
        sees(door)
        door.until(lambda: any(note.payload == b"ON" for note in listener.of("/motion")), 120)
        clip = told(door, listener, "clip", 120)
        sealed = door.clips[0].read_bytes()
        assert door.stop() == 0
    assert clip["trigger"] == "motion"
    frames = pictures(opened(door.owner, sealed))
    lumas = [planes_of(frame)[0].astype(int) for frame in frames]
    change = max(float(np.abs(luma - lumas[0]).max()) for luma in lumas)
    record_property("pictures in the clip", len(frames))
    record_property("largest change", f"{change:.0f} levels")
    assert change > 60
    assert listener.of("/ring") == []
