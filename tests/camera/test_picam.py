"""The Pi's camera against a stand-in: what PiCamera decides. The real picamera2 meets the contract in the lab."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import standin
from attrs import evolve

from doorbell.errors import ConfigError, DeviceError
from doorbell.senses.camera import Packet, Settings
from doorbell.senses.picam import PiCamera
from tests.rigs.cameras import Heard

PLAIN = Settings("picamera2", width=640, height=480)


@pytest.fixture(autouse=True)
def _picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    standin.install(monkeypatch)


def device(**changes: object) -> type:
    return type("Device", (standin.Picamera2,), {"pace": False, **changes})


def test_a_camera_that_cannot_turn_is_refused_because_masks_would_hide_the_wrong_place() -> None:
    with pytest.raises(DeviceError, match="cannot turn"):
        PiCamera(evolve(PLAIN, rotation=180), device=device(turns=False))


def test_a_camera_that_is_no_part_of_the_board_is_not_believed_that_it_turned() -> None:
    with pytest.raises(DeviceError, match="cannot turn"):
        PiCamera(evolve(PLAIN, flip=True), device=device(name="Virtual0"))
    PiCamera(PLAIN, device=device(name="Virtual0")).stop()


def test_a_camera_that_gives_another_format_is_refused_and_closed() -> None:
    made = []
    kind = device(form="RGB888", __init__=lambda self: (standin.Picamera2.__init__(self), made.append(self))[0])
    with pytest.raises(DeviceError, match="not YUV420"):
        PiCamera(PLAIN, device=kind)
    assert made[0].closed


def test_a_picture_smaller_than_the_small_one_is_the_owners_to_change() -> None:
    with pytest.raises(ConfigError, match="give more"):
        PiCamera(evolve(PLAIN, width=160, height=120), device=device())


def test_without_a_camera_the_owner_is_told_to_look_at_the_cable() -> None:
    def missing() -> object:
        raise RuntimeError("Camera(s) not found")

    with pytest.raises(DeviceError, match="ribbon cable"):
        PiCamera(PLAIN, device=missing)


def test_a_driver_that_gives_its_headers_once_still_gives_whole_keyframes(
    monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    standin.install(monkeypatch, type("Once", (standin.H264Encoder,), {"repeats": False}))
    camera = PiCamera(PLAIN, device=device())
    camera.start(heard)
    heard.until(lambda: sum(packet.keyframe for packet in heard.packets) >= 3)
    camera.stop()
    headers = {packet.data[: packet.data.index(b"\0\0\1\x65")] for packet in heard.packets if packet.keyframe}
    assert len(headers) == 1 and b"\0\0\1\x67" in headers.pop()


class Held(Heard):
    """A sink that does not return from its first packet until told."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def packet(self, packet: Packet) -> None:
        super().packet(packet)
        assert self.go_on.wait(60)


def test_a_recorder_that_is_slow_loses_whole_gops_and_the_camera_never_waits() -> None:
    heard = Held()
    camera = PiCamera(PLAIN, device=device())
    camera.start(heard)
    while camera.dropped < 40:
        heard.until(lambda: bool(heard.packets))
    heard.go_on.set()
    seen = len(heard.packets)
    heard.until(lambda: len(heard.packets) > seen + 90)
    camera.stop()
    times = [packet.at for packet in heard.packets]
    gaps = np.flatnonzero(np.diff(times) > 1.5 / PLAIN.fps)
    assert len(gaps) >= 1, "pictures were lost"
    assert all(heard.packets[gap + 1].keyframe for gap in gaps), "and what follows can be decoded without them"


def test_a_stamp_from_another_clock_is_taken_to_be_now(heard: Heard) -> None:
    camera = PiCamera(PLAIN, device=device())
    assert abs(camera._at(5.0) - camera._at(5.5)) == pytest.approx(0.5)
    assert camera._at(5.0) == pytest.approx(time.monotonic(), abs=5)
    camera.stop()


def test_a_driver_that_gives_one_picture_again_and_again_shows_no_new_frame() -> None:
    """Two pictures may look alike, under a mask or in the dark; the sensor's stamp tells a new one from the old."""
    camera = PiCamera(PLAIN, device=device())
    taken = [camera._luma_due.takes(camera._at(stamp)) for stamp in (5.0, 5.0, 5.0, 5.1, 5.1, 5.2)]
    assert taken == [True, False, False, True, False, True]
    camera.stop()
