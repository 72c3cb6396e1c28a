"""What each cell usually looks like, how much it usually differs from that, and so when it is worth a look.

Brightness is kept as a logarithm, 512 steps to the octave: a lamp, a cloud or the camera's own exposure multiplies the
light of a whole region, which adds one number to all of its logarithms, and a smooth number is taken out by
subtracting the mean of the neighbourhood (`relief`). What remains has edges: a person, or a leaf.
"""

import numpy as np
from numpy.typing import NDArray

from doorbell.vision.cells import BRIGHTEST, Sums
from doorbell.vision.grid import MARGIN, Flags, Grid, Levels, Steps, run, sum_of_eight

OCTAVE = 512
_DARK = 24  # three grey levels, added before the logarithm: noise near black must not look like light
_LOG = np.round(OCTAVE * np.log2((np.arange(BRIGHTEST + 1) + _DARK) / _DARK)).astype(np.int16)
_TOP = int(_LOG[-1])
_EXP = np.round(_DARK * 2.0 ** (np.arange(_TOP + 1) / OCTAVE) - _DARK).astype(np.int16)
_NEVER = np.uint16(60000)
_UNREACHABLE = BRIGHTEST * 40
_SURPRISE = 75  # steps by which one look may exceed the usual difference and still teach it
_WIDEST = np.int16(12000)  # steps: thresholds stay where int16 sums cannot wrap


class Relief:
    """Cells -> logarithms, and their difference to the background without what is smooth in it."""

    def __init__(self, grid: Grid, usual: Levels) -> None:
        """*usual*: the background's levels, a buffer that it keeps up to date."""
        self._nearest = grid.nearest()
        self._index = np.zeros(grid.rows * grid.columns, np.intp)
        self._cells = np.zeros(grid.rows * grid.columns, np.int16)
        self.level, self.out, self.light = grid.levels(), grid.levels(), grid.levels()
        self._steps = self._prepare(grid, usual)

    def read(self, sums: Sums) -> Levels:
        """Set `level` (flat, margins filled) to the logarithms of *sums*, shape (rows, columns), and return it."""
        np.copyto(self._index, sums.reshape(-1), casting="unsafe")
        np.take(_LOG, self._index, out=self._cells, mode="clip")
        np.take(self._cells, self._nearest, out=self.level, mode="clip")
        return self.level

    def stand_out(self) -> None:
        """Set `out` to level - usual - its 8x8 mean (of rows y-4..y+3, columns x-4..x+3), in the inner slice.

        Each mean of eight is rounded before the next, so nothing leaves int16. `light` becomes what that mean adds to
        the threshold: 5/8 of it where the neighbourhood grew brighter (lamps and headlights are never as smooth as a
        model of them), 1/8 where it grew darker (most coats are darker than what is behind them).
        """
        run(self._steps)

    def _prepare(self, grid: Grid, usual: Levels) -> Steps:
        difference, total, other = grid.levels(), grid.levels(), grid.levels()
        across, wide = sum_of_eight(difference, total, other, 1, grid.size)
        down, _ = sum_of_eight(total, other, total, grid.stride, wide)
        start, inner = grid.inner.start - MARGIN * grid.stride - MARGIN, grid.inner
        mean, scratch, light = other[start : start + grid.length], total[inner], self.light[inner]
        half, three, one = np.int16(4), np.int16(3), np.int16(1)
        return [
            (np.subtract, self.level, usual, difference),
            *across,
            (np.add, total[:wide], half, total[:wide]),
            (np.right_shift, total[:wide], three, total[:wide]),
            *down,
            (np.add, mean, half, mean),
            (np.right_shift, mean, three, mean),
            (np.subtract, difference[inner], mean, self.out[inner]),
            (np.maximum, mean, np.int16(0), light),
            (np.right_shift, light, one, light),
            (np.subtract, np.int16(0), mean, scratch),
            (np.maximum, mean, scratch, scratch),
            (np.right_shift, scratch, three, scratch),
            (np.add, light, scratch, light),
        ]


class Background:
    """Learns, twice a second, the usual level and the usual difference of each cell, and derives the thresholds."""

    def __init__(self, grid: Grid, near: NDArray[np.bool_], dtype: type[np.unsignedinteger], floor: int) -> None:
        """*near*: the cells that may wake the core, shape (rows, columns). *floor*: steps that never count."""
        self._grid, self._far, self._floor = grid, ~near, floor
        self.usual = grid.levels()
        self._usual8, self._unrest8 = grid.levels(), grid.levels()
        self._unrest8[:] = 15 * 8
        self.least, self.least2 = grid.levels(), grid.levels().view(np.uint16)
        self.under, self.span = grid.levels(), grid.levels().view(np.uint16)
        self._high = grid.levels()
        self._margins, self._margins_low = grid.levels().view(np.uint16), grid.levels()
        self._margins[:], self._margins_low[:] = _NEVER, _WIDEST
        grid.table(self._margins)[:], grid.table(self._margins_low)[:] = 0, 0
        self._lowest = np.zeros((grid.rows, grid.columns), dtype)
        self._reach = np.zeros((grid.rows, grid.columns), dtype)
        self._offset, self._over = np.zeros_like(self._lowest), np.zeros((grid.rows, grid.columns), np.bool_)
        self._looks = 0
        self._index = np.zeros(grid.size, np.intp)
        self._a, self._b = grid.levels(), grid.levels()
        self._steps = self._prepare()

    def restart(self, level: Levels) -> None:
        """Take *level* as the usual one from now on (the first look, or the whole picture changed)."""
        np.left_shift(level, 3, out=self._usual8)
        self._looks = min(self._looks, 2)
        self._derive()

    def learn(self, level: Levels, relief: Levels, busy: Flags, seconds: float) -> None:
        """Move towards *level* and |*relief*|, with time constants of 8 s and 16 s.

        In *busy* cells the usual difference follows four times slower: a visitor must not raise the threshold.
        """
        self._looks += 1
        quick = self._looks.bit_length()
        steps = _halvings(8.0 / seconds)
        a, b, inner = self._a, self._b, self._grid.inner
        np.left_shift(level, 3, out=a)
        np.subtract(a, self._usual8, out=a)
        _move(self._usual8, a, min(steps, quick))
        np.absolute(relief, out=a)
        np.right_shift(self._unrest8, 3, out=b)
        np.add(b, np.int16(_SURPRISE), out=b)
        np.minimum(a, b, out=a)
        np.left_shift(a, 3, out=a)
        np.subtract(a, self._unrest8, out=a)
        np.right_shift(a, 2, out=a, where=busy.view(np.bool_))
        _move(self._unrest8[inner], a[inner], min(steps + 1, quick))
        self._derive()

    def quiet(self, sums: Sums, enough: int) -> bool:
        """True when fewer than *enough* near cells of *sums* lie outside their thresholds (lighting included)."""
        np.subtract(sums, self._lowest, self._offset)  # wraps below zero, which is then out of reach: one test for two
        np.greater(self._offset, self._reach, self._over)
        return int(np.count_nonzero(self._over)) < enough

    def _derive(self) -> None:
        run(self._steps)
        grid, a, b = self._grid, self._a, self._b
        for levels, out in ((a, self._lowest), (b, self._reach)):
            np.copyto(self._index, levels)
            np.take(_EXP, self._index, out=levels, mode="clip")
            np.copyto(out, grid.table(levels), casting="unsafe")
        np.subtract(self._reach, self._lowest, self._reach)
        np.copyto(self._reach, _UNREACHABLE, where=self._far)

    def _prepare(self) -> Steps:
        """Thresholds from what was learnt; a and b end as the lowest and the highest usual logarithm of each cell."""
        grid, a, b = self._grid, self._a, self._b
        least, low, high, usual = self.least, self.under, self._high, self.usual
        inner = grid.inner
        three = np.int16(3)
        return [
            (np.add, self._usual8, np.int16(4), usual),
            (np.right_shift, usual, three, usual),
            # three and a half times the usual difference, and the floor
            (np.right_shift, self._unrest8, np.int16(1), least),
            (np.right_shift, self._unrest8, np.int16(4), a),
            (np.subtract, least, a, least),
            (np.add, least, np.int16(self._floor), least),
            (np.minimum, least, _WIDEST, least),
            (np.left_shift, least.view(np.uint16), np.uint16(1), self.least2),
            # a branch or a mount that moves shows some of a neighbour's brightness: three eighths are not worth a look
            *_extreme(np.maximum, grid, usual, a, high),
            (np.subtract, high[inner], usual[inner], high[inner]),
            (np.multiply, high[inner], three, high[inner]),
            (np.right_shift, high[inner], three, high[inner]),
            (np.add, high[inner], least[inner], high[inner]),
            *_extreme(np.minimum, grid, usual, a, low),
            (np.subtract, usual[inner], low[inner], low[inner]),
            (np.multiply, low[inner], three, low[inner]),
            (np.right_shift, low[inner], three, low[inner]),
            (np.add, low[inner], least[inner], low[inner]),
            (np.subtract, usual, low, a),
            (np.add, usual, high, b),
            (np.add, high[inner], low[inner], self.span.view(np.int16)[inner]),
            # the margins never differ
            (np.maximum, self.span[inner], self._margins[inner], self.span[inner]),
            (np.maximum, low[inner], self._margins_low[inner], low[inner]),
        ]


def _extreme(operation: np.ufunc, grid: Grid, usual: Levels, scratch: Levels, out: Levels) -> Steps:
    """Steps for the 3x3 maximum or minimum, in the inner slice of *out*."""
    tall, inner = grid.tall, grid.inner
    return [
        (operation, usual[tall.start - 1 : tall.stop - 1], usual[tall], scratch[tall]),
        (operation, scratch[tall], usual[tall.start + 1 : tall.stop + 1], scratch[tall]),
        (operation, scratch[grid.shift(-1, 0)], scratch[inner], out[inner]),
        (operation, out[inner], scratch[grid.shift(1, 0)], out[inner]),
    ]


def _halvings(looks: float) -> int:
    """The power of two nearest to a time constant of *looks* looks, as a shift."""
    return max(0, round(float(np.log2(max(looks, 1.0)))))


def _move(value: Levels, error: Levels, halvings: int) -> None:
    """value += error / 2**halvings, rounded to nearest; *error* is lost."""
    if halvings:
        np.add(error, np.int16(1 << (halvings - 1)), out=error)
        np.right_shift(error, halvings, out=error)
    np.add(value, error, out=value)
