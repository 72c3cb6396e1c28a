"""A camera in software: in real time it falls behind in whole pictures; without, it hurries but keeps its clock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from doorbell.errors import DeviceError
from doorbell.senses.camera import Packet, Planes, Settings
from doorbell.senses.software import Shot, SoftwareCamera
from tests.rigs.cameras import Heard

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = Settings("", width=64, height=48, fps=20, bitrate_kbps=200, lores_width=32, lores_height=24)


class Counted:
    """A Source of grey pictures at given times, which counts those that were drawn."""

    width, height = 64, 48

    def __init__(self, times: list[float], *, trouble: Exception | None = None) -> None:
        self._times, self._trouble = times, trouble
        self.drawn = 0

    def shots(self) -> Iterator[Shot]:
        for t in self._times:
            yield Shot(t, self._draw)
        if self._trouble:
            raise self._trouble

    def _draw(self) -> Planes:
        self.drawn += 1
        return np.full((48, 64), 90, np.uint8), np.full((24, 32), 90, np.uint8), np.full((24, 32), 90, np.uint8)


def filmed(source: Counted, heard: Heard, settings: Settings = SMALL, *, pace: bool = False) -> SoftwareCamera:
    camera = SoftwareCamera(settings, source, pace=pace)
    camera.start(heard)
    heard.until(lambda: bool(heard.last_words))
    camera.stop()
    return camera


def test_without_pace_the_clock_is_the_videos(heard: Heard) -> None:
    times = [number / 20 for number in range(1200)]
    began = time.monotonic()
    filmed(Counted(times), heard)
    assert time.monotonic() - began < 30, "a minute of video took half of one"
    first = heard.packets[0].at
    assert [packet.at - first for packet in heard.packets] == pytest.approx(times)
    assert heard.last_words == [""]


def test_in_real_time_a_picture_is_not_given_before_it_is_due(heard: Heard) -> None:
    camera = filmed(Counted([number / 20 for number in range(10)]), heard, pace=True)
    assert len(heard.packets) + camera.dropped == 10
    assert heard.packets[-1].at <= time.monotonic()


class Slow(Heard):
    """A sink that holds the camera up once, for as long as *held* says after the fifth packet."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def packet(self, packet: Packet) -> None:
        super().packet(packet)
        if len(self.packets) == 5:
            assert self.go_on.wait(30)


def test_pictures_that_come_too_late_are_dropped_whole_undrawn_and_counted() -> None:
    heard, source = Slow(), Counted([number / 20 for number in range(30)])
    camera = SoftwareCamera(SMALL, source, pace=True)
    camera.start(heard)
    heard.until(lambda: len(heard.packets) == 5)
    threading.Timer(0.5, heard.go_on.set).start()
    heard.until(lambda: bool(heard.last_words))
    camera.stop()
    assert camera.dropped >= 5
    assert source.drawn == len(heard.packets) == 30 - camera.dropped
    times = [packet.at for packet in heard.packets]
    assert times == sorted(times)


def test_the_worlds_errors_are_told_in_a_sentence(heard: Heard) -> None:
    filmed(Counted([0.0, 0.1], trouble=DeviceError("The lens fell off: put it back.")), heard)
    assert heard.last_words == ["The lens fell off: put it back."]
    assert len(heard.packets) == 2


def test_a_bug_reaches_the_thread_hook_and_is_no_trouble_of_the_owners(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda args: died.set())
    camera = SoftwareCamera(SMALL, Counted([0.0], trouble=ZeroDivisionError()), pace=False)
    camera.start(heard)
    assert died.wait(30)
    assert heard.last_words == []


def test_a_source_faster_than_asked_is_thinned_evenly(heard: Heard) -> None:
    camera = filmed(Counted([number / 60 for number in range(121)]), heard)
    gaps = np.diff([packet.at for packet in heard.packets])
    assert len(heard.packets) == 41
    assert gaps == pytest.approx(1 / 20)
    assert camera.dropped == 0, "what was not asked for is not missed"


def test_gops_last_their_time_from_a_source_that_is_slow(heard: Heard) -> None:
    filmed(Counted([number / 7 for number in range(50)]), heard)
    keyframes = [packet.at - heard.packets[0].at for packet in heard.packets if packet.keyframe]
    assert keyframes == pytest.approx([0, 1, 2, 3, 4, 5, 6, 7])
