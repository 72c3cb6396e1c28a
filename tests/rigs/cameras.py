"""A sink that remembers what a camera gives, and videos to film."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from doorbell.senses.camera import Camera, Luma, Packet, Settings, Still
from doorbell.vision.frames import planes_of

if TYPE_CHECKING:
    from collections.abc import Callable
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
