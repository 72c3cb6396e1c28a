"""A camera in software: a thread that turns a source of pictures into lores luma and libx264 packets.

One canvas, an AVFrame as large as the main picture, is used for every frame: the source's planes are copied in the
right way up, the masks are painted, and only then is it read by anyone. libx264 with tune=zerolatency gives the
packet of a frame before ``encode`` returns and keeps no reference, so the canvas may be filled again. A decoded frame
that is upright, and where nothing is masked, is used as it is: there is no canvas then, and no copy.

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
from av.video.reformatter import VideoReformatter

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
    """One picture of a source. ``t``: seconds since its first. ``draw``: its planes, made only if it is not dropped.

    A source that has the picture as a yuv420p frame, limited range, gives that. It is read before the next shot is
    asked for, and not after.
    """

    t: float
    draw: Callable[[], Planes | av.VideoFrame]


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
        small = _Lores((self.width, self.height), self._settings)
        due, luma_due = Thinning(self._settings.fps), Thinning(self._settings.lores_fps)
        for shot, at in self._in_time(shot for shot in self._source.shots() if due.takes(shot.t)):
            picture = canvas.picture(shot.draw())
            if self._still_wanted.is_set():
                self._still_wanted.clear()
                y, u, v = planes_of(picture)
                sink.still(Still(at, (y.copy(), u.copy(), v.copy())))
            if luma_due.takes(shot.t):
                sink.luma(Luma(at, small.shrink(picture)))
            for data, keyframe in encoder.encode(picture, shot.t):
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
    """The main picture, upright and masked."""

    def __init__(self, width: int, height: int, settings: Settings) -> None:
        self._size = width, height
        self._frame: av.VideoFrame | None = None
        self._as_it_is = not (settings.masks or settings.rotation or settings.flip)
        self._painter = Painter.main(settings.masks, width, height)
        # Rotation by 180 degrees mirrors both ways; a flip then mirrors left and right (again).
        down = -1 if settings.rotation == 180 else 1
        across = -down if settings.flip else down
        self._upright = np.s_[::down, ::across]

    def picture(self, drawn: Planes | av.VideoFrame) -> av.VideoFrame:
        """What was drawn as the frame that all may read, until the next one is asked for."""
        if isinstance(drawn, av.VideoFrame):
            if self._as_it_is:
                return drawn
            drawn = planes_of(drawn)
        if self._frame is None:
            self._frame = av.VideoFrame(*self._size, "yuv420p")
        canvas = planes_of(self._frame)
        for mine, given in zip(canvas, drawn, strict=True):
            mine[:] = given[self._upright]
        self._painter.paint(*canvas)
        return self._frame


class _Lores:
    """The small luma plane, averaged over areas by swscale: 0.2 ms for 1280x720 to 320x240, numpy's mean takes 5 ms."""

    def __init__(self, main: tuple[int, int], settings: Settings) -> None:
        self._reformatter = VideoReformatter()  # one swscale context; a frame's own would be made for each frame
        self._size = settings.lores_width, settings.lores_height
        self._plane: Plane = np.empty(self._size[::-1], dtype=np.uint8)
        self._painter = Painter.lores(settings.masks, main, self._size)

    def shrink(self, picture: av.VideoFrame) -> Plane:
        # Not "gray": swscale would stretch limited range to full range on the way.
        small = self._reformatter.reformat(picture, *self._size, "yuv420p", interpolation="AREA")
        self._plane[:] = planes_of(small)[0]
        self._painter.paint_luma(self._plane)
        return self._plane
