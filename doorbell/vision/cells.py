"""A luma picture as a grid of small square cells, each the sum of its pixels.

The grid is about 60 to 119 cells wide whatever the picture: blocks of 4x4 pixels at 320x240, of 8x8 at 640x480.
A 64-bit word holds eight pixels, so one masked add sums eight of them at a time (four 16-bit lanes, none of which can
overflow: eight rows of 255 are 2,040). Every second column is left out: neighbouring columns say nearly the same, and
the mask then costs one pass over the picture instead of four. Pixels right of the last whole word and below the last
whole cell are not looked at.
"""

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Sums = NDArray[np.unsignedinteger]

BRIGHTEST = 2040  # of a cell: eight pixels of 255
_WIDEST = 120  # cells in a row
_LANES = np.uint64(0x00FF00FF00FF00FF)
_PAIRS = np.uint64(0x0000FFFF0000FFFF)
_LOW = np.uint64(0x00000000FFFFFFFF)


def block_of(width: int) -> int:
    """The side of a cell in pixels for a picture *width* pixels wide: 4, 8, 16, 32 or more."""
    block = 4
    while width // block >= _WIDEST:
        block *= 2
    return block


class Cells:
    """Sums a picture of one size into cells; owns the buffers, so that a picture costs no allocation."""

    def __init__(self, width: int, height: int) -> None:
        """Make the buffers for *width* x *height* pixels; ValueError when that is under 32x24."""
        if width < 32 or height < 24:
            raise ValueError(f"a picture of {width}x{height} pixels is too small to look at: give at least 32x24")
        self.block = block_of(width)
        self._step = max(1, self.block // 8)  # beyond 8x8, every n-th row and every n-th word stand for the rest
        self._rows = self.block // self._step
        span = max(8, self.block)
        self.columns = width // span * span // self.block
        self.rows = height // self.block
        words = self.columns * self.block // 8 // self._step
        self._pixels = (self.rows * self.block, words * 8 * self._step)
        self._words = np.empty((self.rows * self._rows, words), np.uint64)
        self._even = np.empty_like(self._words)
        self._stacked = self._even.reshape(self.rows, self._rows, words)
        self._lanes, self._shifted = np.empty((self.rows, words), np.uint64), np.empty((self.rows, words), np.uint64)
        of_four = self.block == 4
        self.dtype: type[np.unsignedinteger] = np.uint32 if of_four else np.uint64

    def sum(self, luma: Luma) -> Sums:
        """Return the sums, shape (rows, columns), 0 to 2,040 (of 16 or 32 pixels, scaled to eight).

        The array is this object's own and changes with the next call. *luma*: uint8 (height, width), any strides.
        """
        used = luma[: self._pixels[0], : self._pixels[1]]
        if self._step == 1 and used.flags.c_contiguous:
            np.bitwise_and(used.view(np.uint64), _LANES, out=self._even)
        else:
            step = self._step
            rows = used[::step]
            chosen = rows if step == 1 else rows.reshape(*rows.shape[:1], -1, step, 8)[:, :, 0]
            np.copyto(self._words.view(np.uint8).reshape(chosen.shape), chosen)
            np.bitwise_and(self._words, _LANES, out=self._even)
        lanes, shifted = self._lanes, self._shifted
        np.einsum("ijk->ik", self._stacked, out=lanes)  # sums rows without the copies that np.add makes of windows
        np.right_shift(lanes, np.uint64(16), out=shifted)
        np.add(lanes, shifted, out=lanes)
        np.bitwise_and(lanes, _PAIRS, out=lanes)
        if self.dtype is np.uint32:
            return lanes.view(np.uint32)
        np.right_shift(lanes, np.uint64(32), out=shifted)
        np.add(lanes, shifted, out=lanes)
        np.bitwise_and(lanes, _LOW, out=lanes)
        np.right_shift(lanes, np.uint64(2), out=lanes)
        return lanes
