"""What can be seen in an opened clip: every picture decoded, and who stands on the mat."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from doorbell.errors import DamagedError
from doorbell.vision.frames import planes_of

Plane = NDArray[np.uint8]
Region = tuple[float, float, float, float]

DOORSTEP: Final[Region] = (0.44, 0.20, 0.58, 0.80)
"""Left, top, right, bottom, normalised: where whoever rings at the invented door stands."""
WALL: Final[Region] = (0.02, 0.30, 0.12, 0.90)
"""A piece of the same picture where nobody ever stands: it must stay as it was."""
VISIBLE: Final = 24
"""Luma levels by which a pixel has changed for the eye; the scene's noise has a sigma of 1.5."""
LARGEST_CLIP: Final = 20_000
"""Pictures decoded at most: twenty minutes."""


@frozen(eq=False)
class Film:
    """A decoded clip: how many packets and pictures, seconds, its first picture and the one at ``moment``."""

    packets: int
    frames: int
    seconds: float
    empty: Plane
    """Luma (rows, columns) of the first picture."""
    then: Plane
    """Luma of the first picture at or after the moment; the last one of a clip that ends before."""
    reached: bool
    """Whether the clip lasts to the moment."""


def watch(path: Path, moment: float, still: Path | None = None) -> Film:
    """Decode the whole of *path*; write the picture at *moment* (seconds into the clip) to *still* as a JPEG.

    Raises DamagedError for what is no video, or has no picture.
    """
    packets = frames = 0
    empty = then = None
    chosen: av.VideoFrame | None = None
    end, reached = 0.0, False
    try:
        with av.open(str(path)) as video:
            stream = video.streams.video[0]
            for packet in video.demux(stream):
                packets += packet.size > 0
                for frame in packet.decode():
                    frames += 1
                    at = float(frame.time or 0.0)
                    end = max(end, at + float((frame.duration or 0) * (frame.time_base or Fraction(0))))
                    if empty is None:
                        empty = _luma(frame)
                    if not reached:
                        chosen, reached = frame, at >= moment
                if frames > LARGEST_CLIP:
                    raise DamagedError(f"{path.name} has more pictures than any clip of the demo.")
            if chosen is not None:
                then = _luma(chosen)
    except (av.FFmpegError, IndexError):
        raise DamagedError(f"{path.name} is no video that can be decoded.") from None
    if empty is None or then is None or chosen is None:
        raise DamagedError(f"{path.name} has no picture.")
    if still is not None:
        still.write_bytes(_jpeg(chosen))
    return Film(packets, frames, end, empty, then, reached)


def changed(before: Plane, after: Plane, region: Region) -> float:
    """Which part (0 to 1) of the region's pixels differs by more than VISIBLE levels between two pictures."""
    rows, columns = before.shape
    left, top, right, bottom = region
    cut = np.s_[round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns)]
    apart = np.abs(before[cut].astype(np.int16) - after[cut].astype(np.int16))
    return float((apart > VISIBLE).mean())


def size(jpeg: bytes) -> tuple[int, int]:
    """Width and height of a JPEG in pixels; raises DamagedError for what is none."""
    codec = av.CodecContext.create("mjpeg", "r")
    try:
        frames = codec.decode(av.Packet(jpeg))
    except av.FFmpegError:
        frames = []
    if not frames or not isinstance(frames[0], av.VideoFrame):
        raise DamagedError("The poster opens, but it is no JPEG.")
    return frames[0].width, frames[0].height


def _luma(frame: av.VideoFrame) -> Plane:
    return planes_of(frame.reformat(format="yuv420p"))[0].copy()


def _jpeg(frame: av.VideoFrame) -> bytes:
    # JPEG is full range by its standard: limited-range black would be shown as grey.
    picture = frame.reformat(format="yuvj420p", src_color_range="MPEG", dst_color_range="JPEG")
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = picture.width, picture.height, "yuvj420p"
    codec.time_base = Fraction(1, 1)
    codec.qmin = codec.qmax = 4
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*codec.encode(picture), *codec.encode(None)])
