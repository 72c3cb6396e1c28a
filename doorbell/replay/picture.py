"""Draws what the core saw onto the pictures: one PNG of the strongest moment, or the whole video as an MP4.

Outside the zone is dim; connected differing cells are tinted in the colour of the gate that they reached; what passed
has a box. Under the picture runs the time: one column a part of the video, in the colour of the furthest gate reached
in it, and above it a white line where motion was told.
"""

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from doorbell.errors import DeviceError
from doorbell.replay.decode import Picture
from doorbell.vision.gates import RANK, Gate
from doorbell.vision.motion import Motion, Seen

Pixels = NDArray[np.uint8]

COLOURS = {
    Gate.NOTHING: (40, 40, 40),
    Gate.START: (90, 90, 90),
    Gate.LIGHT: (230, 200, 60),
    Gate.PICTURE: (250, 240, 150),
    Gate.GRAIN: (110, 110, 140),
    Gate.BRIEF: (100, 140, 220),
    Gate.STILL: (160, 120, 70),
    Gate.ZONE: (190, 90, 190),
    Gate.SMALL: (70, 170, 190),
    Gate.CLUTTER: (60, 120, 60),
    Gate.SHORT: (230, 140, 50),
    Gate.TRAVEL: (120, 230, 120),
    Gate.MASS: (240, 60, 60),
}
_STRIP = 24  # pixels of the time line
_LONGEST = 10_000_000  # pictures that the time line remembers


class Painter:
    """Takes every picture with what was seen in it; writes one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._film: Film | None = None
        self._best: Pixels | None = None
        self._best_strength = -1.0
        self._gates, self._told = bytearray(), bytearray()

    def take(self, picture: Picture, seen: Seen, core: Motion) -> None:
        """Remember or draw this picture. DeviceError: the file cannot be written."""
        if len(self._gates) < _LONGEST:
            self._gates.append(RANK[seen.gate])
            self._told.append(seen.active)
        moving = self._path.suffix == ".mp4"
        better = seen.strength + seen.active > self._best_strength
        if not moving and not better:
            return
        drawn = draw(np.asarray(picture.frame.to_ndarray(format="rgb24"), np.uint8), seen, core)
        if moving:
            if self._film is None:
                self._film = Film(self._path, drawn.shape[1], drawn.shape[0])
            self._film.add(drawn, picture.at)
        else:
            self._best, self._best_strength = drawn, seen.strength + seen.active

    def close(self) -> None:
        """Write what was drawn. DeviceError: the file cannot be written."""
        if self._film is not None:
            self._film.close()
        elif self._best is not None:
            strip = timeline(bytes(self._gates), bytes(self._told), self._best.shape[1])
            try:
                self._path.write_bytes(png(np.vstack([self._best, strip])))
            except OSError as error:
                raise DeviceError(f"{self._path} could not be written ({error.strerror}): choose another.") from None


def draw(pixels: Pixels, seen: Seen, core: Motion) -> Pixels:
    """A copy of *pixels*, uint8 (height, width, 3), with zone, cells and box."""
    high, wide = pixels.shape[:2]
    rows = np.minimum(np.arange(high) * core.height // high // core.block, core.zone.shape[0] - 1)[:, None]
    columns = np.minimum(np.arange(wide) * core.width // wide // core.block, core.zone.shape[1] - 1)[None, :]
    drawn = np.where(core.zone[rows, columns][..., None], pixels, pixels // 2).astype(np.uint8)
    colour = np.array(COLOURS[seen.gate], np.uint16)
    if RANK[seen.gate] >= RANK[Gate.BRIEF]:
        cells = core.differing().astype(np.bool_)[rows, columns]
        drawn[cells] = (drawn[cells].astype(np.uint16) + colour) // 2
    left, top, right, bottom = seen.box
    if right > left:
        x0, x1 = int(left * wide), min(int(right * wide), wide - 1)
        y0, y1 = int(top * high), min(int(bottom * high), high - 1)
        thick = max(2, wide // 240)
        drawn[y0 : y1 + 1, x0 : x0 + thick] = drawn[y0 : y1 + 1, max(0, x1 - thick) : x1 + 1][:, :thick] = colour
        drawn[y0 : y0 + thick, x0 : x1 + 1] = drawn[max(0, y1 - thick) : y1 + 1, x0 : x1 + 1][:thick] = colour
    return drawn


def timeline(gates: bytes, told: bytes, wide: int) -> Pixels:
    """The strip under the picture, uint8 (24, wide, 3)."""
    strip = np.zeros((_STRIP, wide, 3), np.uint8)
    colours = np.array([COLOURS[gate] for gate in Gate], np.uint8)
    reached, passed = np.frombuffer(gates, np.uint8), np.frombuffer(told, np.uint8)
    for column in range(wide):
        first = column * len(reached) // wide
        last = max(first + 1, (column + 1) * len(reached) // wide)
        strip[6:, column] = colours[reached[first:last].max()]
        if passed[first:last].any():
            strip[:4, column] = 255
    return strip


def png(pixels: Pixels) -> bytes:
    """*pixels*, uint8 (height, width, 3), as a PNG file (W3C PNG, 8-bit truecolour, no filter)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    high, wide = pixels.shape[:2]
    rows = np.zeros((high, 1 + wide * 3), np.uint8)
    rows[:, 1:] = pixels.reshape(high, -1)
    head = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class Film:
    """An MP4 of drawn pictures, with the times of the originals."""

    def __init__(self, path: Path, width: int, height: int) -> None:
        self._size = (width // 2 * 2, height // 2 * 2)
        self._last = -1
        try:
            self._container = av.open(str(path), "w", format="mp4")
        except OSError as error:
            raise DeviceError(f"{path} could not be written ({error.strerror}): choose another place.") from None
        self._stream = self._container.add_stream("libx264", rate=30)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, 1000)

    def add(self, pixels: Pixels, at: float) -> None:
        wide, high = self._size
        cut = np.ascontiguousarray(pixels[:high, :wide])
        if cut.shape != (high, wide, 3):
            return  # the video changed its size on the way; the film keeps its own
        frame = av.VideoFrame.from_ndarray(cut, format="rgb24")
        self._last = max(self._last + 1, round(at * 1000))
        frame.pts, frame.time_base = self._last, Fraction(1, 1000)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()
