"""The seam between a camera and the recorder: what a camera is asked, and what it gives.

A camera gives three things: H.264 packets of the main picture, the luma of a small one (lores) for the motion core,
and, when asked, one main picture for a poster. Masks are painted into main and lores before anything else reads
them, so nothing behind this seam ever holds what the owner masked.

Every call to a Sink comes from one thread of the camera, in order of time. While a call lasts the camera may drop
frames, whole ones, and counts them in ``dropped``; it never waits without bound.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from doorbell.vision.polygons import Polygon

Plane = npt.NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
"""Y (height, width), U and V (height / 2, width / 2), 8 bit limited range, any stride."""


@frozen
class Settings:
    """What the recorder asks of a camera.

    ``width``, ``height`` in pixels (even); the camera's own ``width`` and ``height`` say what it gives.
    ``fps`` is the most it gives; ``gop_s`` seconds from keyframe to keyframe. ``rotation`` is 0 or 180 degrees, then
    ``flip`` mirrors left and right. ``masks`` are polygons in the upright picture, after both.
    """

    source: str
    width: int = 1280
    height: int = 720
    fps: int = 15
    bitrate_kbps: int = 2000
    gop_s: float = 1.0
    rotation: int = 0
    flip: bool = False
    lores_width: int = 320
    lores_height: int = 240
    lores_fps: int = 10
    masks: tuple[Polygon, ...] = ()


@frozen
class Packet:
    """One coded picture. ``at``: monotonic seconds of its capture. ``data``: H.264 Annex B, one access unit.

    A keyframe is an IDR picture with its SPS and PPS in front: decoding can begin there, and nothing later refers
    to what was before it.
    """

    at: float
    data: bytes = field(repr=False)
    keyframe: bool


@frozen(eq=False)
class Luma:
    """The small picture's luma: uint8 (lores_height, lores_width), C-contiguous.

    The plane belongs to the camera, which fills it again after the call returns: copy what must last.
    """

    at: float
    plane: Plane = field(repr=False)


@frozen(eq=False)
class Still:
    """One main picture, uncompressed I420; it belongs to whom it was given to."""

    at: float
    planes: Planes = field(repr=False)


class Sink(Protocol):
    """Who hears a camera. ``ended`` and ``trouble`` are last words: one of them at most, and nothing follows."""

    def packet(self, packet: Packet) -> None: ...
    def luma(self, luma: Luma) -> None: ...
    def still(self, still: Still) -> None: ...
    def ended(self) -> None:
        """The source has no more pictures."""

    def trouble(self, sentence: str) -> None:
        """The camera failed and gives nothing more; the sentence is for the owner."""


class Camera(Protocol):
    """An opened camera. It starts once and stops for good; ``stop`` also closes one that never started."""

    @property
    def width(self) -> int:
        """Pixels of the main picture, as given and not as asked for."""

    @property
    def height(self) -> int: ...

    @property
    def dropped(self) -> int:
        """Frames given up since the start because something was too slow."""

    def start(self, sink: Sink) -> None:
        """Begin; raises DeviceError if it was started before or the device refuses."""

    def want_still(self) -> None:
        """Give the next main picture to ``sink.still``; asking again before it came changes nothing. Any thread."""

    def stop(self) -> None:
        """End within 2 s: no call to the sink comes after it returned. Any thread but the camera's; any number."""
