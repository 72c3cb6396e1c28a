"""Flat arrays over the cells with a margin all round, so that a neighbour is one index away and a shift is one slice.

numpy pays for every row of a two-dimensional slice, but only once for a flat one: a shifted add over 4,800 cells takes
0.7 us flat and 4 us as a window. So each row carries eight spare cells (the right margin of one row, the left
margin of the next), four spare rows lie above and below, and all the arithmetic runs over flat slices.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

MARGIN = 4  # cells on every side: half of the smoothing window

Levels = NDArray[np.int16]
Flags = NDArray[np.uint8]
_T = TypeVar("_T", bound=np.generic)


class Grid:
    """The layout of one flat array: `inner` is the slice of all rows with their margins, `shift` any move of it."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.stride = columns + 2 * MARGIN
        self._first = 2 * MARGIN + MARGIN * self.stride
        self.length = rows * self.stride
        self.size = self._first + self.length + MARGIN * self.stride + 2 * MARGIN
        self.inner = self.shift(0, 0)
        self.tall = slice(self.inner.start - self.stride, self.inner.stop + self.stride)

    def shift(self, down: int, right: int) -> slice:
        """The inner slice moved by whole cells (at most four either way)."""
        start = self._first + down * self.stride + right
        return slice(start, start + self.length)

    def levels(self) -> Levels:
        return np.zeros(self.size, np.int16)

    def flags(self) -> Flags:
        return np.zeros(self.size, np.uint8)

    def table(self, flat: NDArray[_T]) -> NDArray[_T]:
        """The cells of a flat array as a view of shape (rows, columns), without the margins."""
        return flat[self.inner].reshape(self.rows, self.stride)[:, : self.columns]

    def fill_margins(self, flat: NDArray[_T]) -> None:
        """Copy the outermost cells of every row and column into the margins, as if the picture went on like that."""
        body = flat[2 * MARGIN : 2 * MARGIN + (self.rows + 2 * MARGIN) * self.stride].reshape(-1, self.stride)
        before = flat[MARGIN : MARGIN + body.size].reshape(-1, self.stride)
        wide = self.columns
        body[:MARGIN, :wide] = body[MARGIN, :wide]
        body[-MARGIN:, :wide] = body[-MARGIN - 1, :wide]
        body[:, wide : wide + MARGIN] = body[:, wide - 1 : wide]
        before[:, :MARGIN] = body[:, :1]


class Neighbours:
    """3x3 sums, maxima and 8x8 window sums of flags, in buffers of its own."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._row, self._other = grid.flags(), grid.flags()
        self._rows = grid.tall
        self._left = slice(grid.tall.start - 1, grid.tall.stop - 1)
        self._right = slice(grid.tall.start + 1, grid.tall.stop + 1)
        self._up, self._down = grid.shift(-1, 0), grid.shift(1, 0)
        self._windows = slice(grid.inner.start - MARGIN * grid.stride, grid.inner.stop - MARGIN * grid.stride)

    def count(self, flags: Flags, out: Flags) -> None:
        """Write into the inner slice of *out* how many of the 3x3 around each cell are set. *flags*: 0 and 1."""
        self._fold(np.add, flags, out)

    def most(self, values: Flags, out: Flags) -> None:
        """Write into the inner slice of *out* the largest of the 3x3 around each cell."""
        self._fold(np.maximum, values, out)

    def _fold(self, operation: np.ufunc, flags: Flags, out: Flags) -> None:
        row, inner = self._row, self._grid.inner
        operation(flags[self._left], flags[self._rows], out=row[self._rows])
        operation(row[self._rows], flags[self._right], out=row[self._rows])
        operation(row[self._up], row[inner], out=out[inner])
        operation(out[inner], row[self._down], out=out[inner])

    def fullest(self, flags: Flags) -> tuple[int, int, int]:
        """Return (cells set, row, column) of the fullest 8x8 window; row and column of its upper left cell."""
        grid, total, other = self._grid, self._row, self._other
        stride, end = grid.stride, grid.size
        np.add(flags[: end - 1], flags[1:], out=total[: end - 1])
        np.add(total[: end - 3], total[2 : end - 1], out=other[: end - 3])
        np.add(other[: end - 7], other[4 : end - 3], out=total[: end - 7])
        end -= 7
        np.add(total[: end - stride], total[stride:end], out=other[: end - stride])
        end -= stride
        np.add(other[: end - 2 * stride], other[2 * stride : end], out=total[: end - 2 * stride])
        end -= 2 * stride
        np.add(total[: end - 4 * stride], total[4 * stride : end], out=other[: end - 4 * stride])
        end -= 4 * stride
        at = int(other[:end].argmax())
        row, column = divmod(at - 2 * MARGIN, stride)
        if column >= grid.columns:  # a window that begins in the left margin of the next row
            row, column = row + 1, column - stride
        return int(other[at]), row - MARGIN, column
