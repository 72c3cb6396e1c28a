"""Flat arrays over the cells with a margin all round, so that a neighbour is one index away and a shift is one slice.

numpy pays for every row of a two-dimensional slice, but only once for a flat one: a shifted add over 4,800 cells takes
0.7 us flat and 4 us as a window. So each row carries eight spare cells (the right margin of one row, the left
margin of the next), four spare rows lie above and below, and all the arithmetic runs over flat slices.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

MARGIN = 4  # cells on every side: half of the smoothing window

Levels = NDArray[np.int16]
Flags = NDArray[np.uint8]
_T = TypeVar("_T", bound=np.generic)
_A = TypeVar("_A", Flags, Levels)
Steps = list[tuple[np.ufunc, Any, Any, NDArray[Any]]]  # operation, two operands, where the result goes


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

    def nearest(self) -> NDArray[np.intp]:
        """For every place of a flat array the index, in an unpadded table, of the cell that it repeats.

        Margins repeat the outermost cells, as if the picture went on like that.
        """
        place = np.arange(self.size) - 2 * MARGIN
        row, column = np.divmod(place, self.stride)
        late = column >= self.columns + MARGIN  # the left margin of the next row
        row, column = row + late, np.where(late, 0, np.minimum(column, self.columns - 1))
        row = np.clip(row - MARGIN, 0, self.rows - 1)
        return np.asarray(row * self.columns + column, np.intp)


class Neighbours:
    """3x3 sums, maxima and 8x8 window sums of flags, in buffers of its own."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._row, self._other = grid.flags(), grid.flags()
        self._steps: dict[tuple[int, int, np.ufunc], Steps] = {}
        self._windows: dict[int, tuple[Steps, Flags]] = {}

    def count(self, flags: Flags, out: Flags) -> None:
        """Write into the inner slice of *out* how many of the 3x3 around each cell are set. *flags*: 0 and 1."""
        self._fold(np.add, flags, out)

    def most(self, values: Flags, out: Flags) -> None:
        """Write into the inner slice of *out* the largest of the 3x3 around each cell."""
        self._fold(np.maximum, values, out)

    def _fold(self, operation: np.ufunc, flags: Flags, out: Flags) -> None:
        key = id(flags), id(out), operation  # the few buffers of one core, alive as long as it is
        if key not in self._steps:
            self._steps[key] = self._fold_steps(operation, flags, out)
        run(self._steps[key])

    def _fold_steps(self, operation: np.ufunc, flags: Flags, out: Flags) -> Steps:
        grid, row = self._grid, self._row
        tall, inner = grid.tall, grid.inner
        left, right = slice(tall.start - 1, tall.stop - 1), slice(tall.start + 1, tall.stop + 1)
        return [
            (operation, flags[left], flags[tall], row[tall]),
            (operation, row[tall], flags[right], row[tall]),
            (operation, row[grid.shift(-1, 0)], row[inner], out[inner]),
            (operation, out[inner], row[grid.shift(1, 0)], out[inner]),
        ]

    def fullest(self, flags: Flags) -> tuple[int, int, int]:
        """Return (cells set, row, column) of the fullest 8x8 window; row and column of its upper left cell."""
        if id(flags) not in self._windows:
            across, wide = sum_of_eight(flags, self._other, self._row, 1, self._grid.size)
            down, high = sum_of_eight(self._other, self._row, self._other, self._grid.stride, wide)
            self._windows[id(flags)] = (across + down, self._row[:high])
        steps, sums = self._windows[id(flags)]
        run(steps)
        at = int(sums.argmax())
        row, column = divmod(at - 2 * MARGIN, self._grid.stride)
        if column >= self._grid.columns:  # a window that begins in the left margin of the next row
            row, column = row + 1, column - self._grid.stride
        return int(sums[at]), row - MARGIN, column


def run(steps: Steps) -> None:
    """Carry out prepared steps. Making a view costs a third of such a small operation, so they are made once."""
    for operation, left, right, out in steps:
        operation(left, right, out=out)


def sum_of_eight(values: _A, out: _A, scratch: _A, step: int, end: int) -> tuple[Steps, int]:
    """Steps that set out[i] = values[i] + values[i + step] + ... (eight of them), and the end of where all eight exist.

    Three doubling adds; *out* may not be *values*, *scratch* may (it is then lost).
    """
    one, two, four = end - step, end - 3 * step, end - 7 * step
    return [
        (np.add, values[:one], values[step:end], out[:one]),
        (np.add, out[:two], out[2 * step : one], scratch[:two]),
        (np.add, scratch[:four], scratch[4 * step : two], out[:four]),
    ], four
