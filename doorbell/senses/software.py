"""A camera in software: a thread that turns a source of pictures into lores luma and libx264 packets.

One canvas, an AVFrame as large as the main picture, is used for every frame: the source's planes are copied in the
right way up, the masks are painted, and only then is it read by anyone. libx264 with tune=zerolatency gives the
packet of a frame before ``encode`` returns and keeps no reference, so the canvas may be filled again.

Time. A source counts seconds from its first picture. ``at`` is the monotonic clock when the first picture came plus
that count, so it advances as the video does, even where ``pace`` is False and an hour passes in a minute. With
``pace`` a picture waits until it is due, and one that comes too late is dropped (pacing.py).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np
from attrs import frozen

from doorbell.errors import DeviceError, DoorbellError
from doorbell.senses.camera import Luma, Packet, Plane, Planes, Settings, Sink, Still
from doorbell.senses.encoder import Encoder
from doorbell.senses.pacing import Pacing, Thinning
from doorbell.vision.frames import planes_of
from doorbell.vision.zones import Painter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STOP_S = 2.0
"""How long ``stop`` waits for the thread; a driver may hold it in a read for ever, and then it is left behind."""


@frozen
class Shot:
    """One picture of a source. ``t``: seconds since its first. ``draw``: the planes, made only if it is not dropped.

    The planes are read before the next shot is asked for, and not after.
    """

    t: float
    draw: Callable[[], Planes]


class Source(Protocol):
    """Where pictures come from; ``shots`` may raise DeviceError, and ends when there are no more."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def shots(self) -> Iterator[Shot]: ...


class SoftwareCamera:
    """Any Source behind the camera seam."""

    def __init__(self, settings: Settings, source: Source, *, pace: bool) -> None:
        self._settings = settings
        self._source = source
        self._pace = pace
        self._stopping = threading.Event()
        self._still_wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self.width, self.height = source.width, source.height
        self.dropped = 0

    def start(self, sink: Sink) -> None:
        if self._thread is not None or self._stopping.is_set():
            raise DeviceError("The camera was started before: open it anew.")
        self._thread = threading.Thread(target=self._run, args=(sink,), name="camera", daemon=True)
        self._thread.start()

    def want_still(self) -> None:
        self._still_wanted.set()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _run(self, sink: Sink) -> None:
        """The thread. The world's errors end it in a sentence; any other is a bug and reaches threading.excepthook."""
        try:
            self._film(sink)
        except DoorbellError as error:
            if not self._stopping.is_set():
                sink.trouble(str(error))
            return
        if not self._stopping.is_set():
            sink.ended()

    def _film(self, sink: Sink) -> None:
        canvas = _Canvas(self.width, self.height, self._settings)
        encoder = Encoder(self.width, self.height, self._settings)
        small = _Lores(canvas, self._settings)
        due, luma_due = Thinning(self._settings.fps), Thinning(self._settings.lores_fps)
        for shot, at in self._in_time(shot for shot in self._source.shots() if due.takes(shot.t)):
            canvas.fill(shot.draw())
            if self._still_wanted.is_set():
                self._still_wanted.clear()
                sink.still(Still(at, (canvas.y.copy(), canvas.u.copy(), canvas.v.copy())))
            if luma_due.takes(shot.t):
                sink.luma(Luma(at, small.shrink()))
            for data, keyframe in encoder.encode(canvas.frame, shot.t):
                sink.packet(Packet(at, data, keyframe))

    def _in_time(self, shots: Iterator[Shot]) -> Iterator[tuple[Shot, float]]:
        """Shots with their ``at``: each when it is due, or else as fast as they come."""
        pacing = Pacing(self._settings.fps)
        start: float | None = None
        for shot in shots:
            now = time.monotonic()
            if self._pace:
                at = pacing.due(shot.t, now)
                if at is None:
                    self.dropped += 1
                    continue
                self._stopping.wait(max(0.0, at - now))
            else:
                start = now - shot.t if start is None else start
                at = start + shot.t
            if self._stopping.is_set():
                return
            yield shot, at


class _Canvas:
    """The main picture, upright and masked: numpy views of the planes of one AVFrame."""

    def __init__(self, width: int, height: int, settings: Settings) -> None:
        self.frame = av.VideoFrame(width, height, "yuv420p")
        self.y, self.u, self.v = planes_of(self.frame)
        self._painter = Painter.main(settings.masks, width, height)
        # Rotation by 180 degrees mirrors both ways; a flip then mirrors left and right (again).
        down = -1 if settings.rotation == 180 else 1
        across = -down if settings.flip else down
        self._upright = np.s_[::down, ::across]

    def fill(self, planes: Planes) -> None:
        for mine, given in zip((self.y, self.u, self.v), planes, strict=True):
            mine[:] = given[self._upright]
        self._painter.paint(self.y, self.u, self.v)


class _Lores:
    """The small luma plane, averaged over areas by swscale: 0.2 ms for 1280x720 to 320x240, numpy's mean takes 5 ms."""

    def __init__(self, canvas: _Canvas, settings: Settings) -> None:
        self._canvas = canvas
        self._size = settings.lores_width, settings.lores_height
        self._plane: Plane = np.empty(self._size[::-1], dtype=np.uint8)
        self._painter = Painter.lores(settings.masks, (canvas.frame.width, canvas.frame.height), self._size)

    def shrink(self) -> Plane:
        # Not "gray": swscale would stretch limited range to full range on the way.
        small = self._canvas.frame.reformat(*self._size, format="yuv420p", interpolation="AREA")
        self._plane[:] = planes_of(small)[0]
        self._painter.paint_luma(self._plane)
        return self._plane
