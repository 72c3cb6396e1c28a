"""A sink that remembers, and cameras to hear with it."""

from __future__ import annotations

import importlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from doorbell.senses.camera import Camera, Luma, Packet, Settings, Still
from doorbell.senses.sources import open_camera
from doorbell.vision.frames import planes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FRAMES = int(os.environ.get("DOORBELL_TEST_FRAMES", "1000"))
"""Coded pictures in which the masks are looked for."""

PATIENCE_S = float(os.environ.get("DOORBELL_TEST_PATIENCE_S", "60"))
"""How long a test waits for a camera before it gives up; longer in an emulated computer."""


class Heard:
    """A Sink that keeps what it is given; ``until`` waits for it."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.lumas: list[Luma] = []
        self.stills: list[Still] = []
        self.last_words: list[str] = []
        self.threads: set[str] = set()
        self.calls = 0
        self._changed = threading.Condition()

    def packet(self, packet: Packet) -> None:
        self._note(self.packets, packet)

    def luma(self, luma: Luma) -> None:
        assert luma.plane.flags.c_contiguous
        self._note(self.lumas, Luma(luma.at, luma.plane.copy()))

    def still(self, still: Still) -> None:
        self._note(self.stills, still)

    def ended(self) -> None:
        self._note(self.last_words, "")

    def trouble(self, sentence: str) -> None:
        self._note(self.last_words, sentence)

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), f"nothing of the kind came: {self.last_words}"

    def _note(self, where: list[Any], what: object) -> None:
        with self._changed:
            self.calls += 1
            self.threads.add(threading.current_thread().name)
            where.append(what)
            self._changed.notify_all()


class Open:
    """Opens cameras for a test and stops whatever it left running."""

    def __init__(self, source: Callable[..., Camera]) -> None:
        self._source = source
        self._opened: list[Camera] = []
        self.frames = FRAMES

    def __call__(self, settings: Settings, **how: bool) -> Camera:
        camera = self._source(settings, **how)
        self._opened.append(camera)
        return camera

    def stop(self) -> None:
        for camera in self._opened:
            camera.stop()


def under_test() -> list[str]:
    """Names of the cameras that the contract is put to: sources of open_camera, or MODULE:FUNCTION with its shape.

    DOORBELL_TEST_CAMERAS, separated by spaces, chooses others: in the lab a function around the real picamera2.
    """
    return os.environ.get("DOORBELL_TEST_CAMERAS", "file scene:7 standin:planar standin:paired").split()


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 640x480 at 15 pictures a second: blocks of hard contrast that move, the worst for a mask's rim."""
    path = tmp_path_factory.mktemp("video") / "street.mp4"
    film(path, 640, 480, count=30)
    return path


def film(
    path: Path, width: int, height: int, *, count: int, fps: int = 15, form: str = "yuv420p", color_range: int = 1
) -> None:
    """Write a video of moving blocks to *path*."""
    random = np.random.default_rng(11)
    blocks = np.kron(random.integers(16, 236, (height // 8, width // 8), np.uint8), np.ones((8, 8), np.uint8))
    luma = np.full((height, width), 120, np.uint8)
    luma[: blocks.shape[0], : blocks.shape[1]] = blocks
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, form
        stream.codec_context.color_range = color_range
        frame = av.VideoFrame(width, height, form)
        y, u, v = planes_of(frame)
        for number in range(count):
            y[:] = np.roll(luma, (number * 3, number * 5), (0, 1))
            u[:], v[:] = 60 + number * 3, 200 - number * 3
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(params=under_test())
def opened(request: pytest.FixtureRequest, video: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """``opened(settings, pace=…)``: each camera under test in turn; its source is put into the settings here."""
    name = request.param
    module, _, function = name.partition(":")
    if module == "standin":
        importlib.import_module(module).install(monkeypatch)

    def source(settings: Settings, **how: bool) -> Camera:
        import attrs

        if name == "file":
            return open_camera(attrs.evolve(settings, source=f"file:{video}"), **how)
        if module in ("picamera2", "scene", "webcam"):
            return open_camera(attrs.evolve(settings, source=name), **how)
        factory: Callable[..., Camera] = getattr(importlib.import_module(module), function)
        return factory(settings, **how)

    opener = Open(source)
    if module in ("scene", "standin"):
        # The encoder is the file's, and a scene takes 10 ms to draw.
        opener.frames = min(FRAMES, 150)
    yield opener
    opener.stop()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def deadline() -> float:
    return time.monotonic() + PATIENCE_S
