"""Pictures of a video file as luma planes with their times; whatever the bytes are, an error is a sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from doorbell.errors import DamagedError, Mistake

LARGEST = 7680 * 4320  # pixels of a picture
_PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray")


@frozen(slots=True)
class Picture:
    """luma: uint8 (height, width), valid until the next picture; at: seconds since the first picture."""

    luma: NDArray[np.uint8]
    at: float
    frame: av.VideoFrame


class CutShortError(DamagedError):
    """The video ends, or cannot be decoded further, before its end."""


def pictures(source: Path | BinaryIO, size: tuple[int, int] | None) -> Iterator[Picture]:
    """Decode the first video stream of *source*, scaled to *size* (width, height) if given.

    Mistake: no video, or a picture too large. CutShortError: after the last good picture of a damaged file.
    """
    name = str(source) if isinstance(source, Path) else "standard input"
    try:
        container = av.open(str(source) if isinstance(source, Path) else source, mode="r")
    except OSError as error:  # FFmpeg's errors among them
        raise Mistake(f"{name} is no video that can be opened ({error.strerror}): give a video file.") from None
    except (av.FFmpegError, ValueError) as error:
        raise Mistake(f"{name} is no video that can be opened ({error}): give a video file.") from None
    with container:
        if not container.streams.video:
            raise Mistake(f"{name} holds no video stream: give a video file.")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # threads cost more in all, and a door has better uses for them
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        yield from _timed(container.decode(stream), rate, size, name)


def _timed(frames: Iterator[av.VideoFrame], rate: float, size: tuple[int, int] | None, name: str) -> Iterator[Picture]:
    first: float | None = None
    at, count = 0.0, 0
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            return
        except (av.FFmpegError, OSError, ValueError) as error:
            raise CutShortError(f"{name} is damaged after {count} pictures ({error}): what follows is lost.") from None
        if frame.width * frame.height > LARGEST:
            raise Mistake(f"{name} has pictures of {frame.width}x{frame.height}: give at most 7680x4320.")
        now: float | None = frame.time  # None where a file gives no times
        if first is None:
            first = now or 0.0
        at = at + 1 / rate if now is None and count else max(at, (now or first) - first)
        count += 1
        yield Picture(luma_of(frame, size), at, frame)


def luma_of(frame: av.VideoFrame, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """The luma plane as a view where the format has one in bytes, else converted; uint8 (height, width)."""
    if size is not None and size != (frame.width, frame.height):
        frame = frame.reformat(width=size[0], height=size[1], format="gray", interpolation="AREA")
    elif frame.format.name not in _PLANAR:
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    pixels: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8)
    return pixels.reshape(-1, plane.line_size)[: frame.height, : frame.width]
