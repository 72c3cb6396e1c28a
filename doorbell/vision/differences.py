"""Which cells differ from the background, stay so, and move: one look's maps, and the counts taken from them."""

import numpy as np
from numpy.typing import NDArray

from doorbell.vision.background import Background, Relief
from doorbell.vision.gates import Found
from doorbell.vision.grid import Flags, Grid, Neighbours

ENOUGH = 4  # of nine cells: what is connected at all
OLDEST_CS = 200  # hundredths of a second at which an age stops
LASTING_CS = 10  # beyond the time of one look (at most 0.1 s): seen at two looks at least
FRONT_CS = 40
FRESH_DS = 40  # tenths of a second for which a cell must have been calm to be fresh ground
_WINDOW = 64  # cells of the window that `fullest` looks through
_FEWEST_WINDOWS = 20.0  # a small zone's own visitor must not count as the crowd about it
_CHANCE = 4.0  # standard deviations by which the fullest of many windows exceeds their mean by chance


class Differences:
    """The maps over the cells. Their owner reads `dense`, `age` and `relief` after a look; nobody else writes them."""

    def __init__(self, grid: Grid, zone: NDArray[np.bool_]) -> None:
        """*zone*: the watched cells, shape (rows, columns)."""
        self._grid, self._neighbours = grid, Neighbours(grid)
        self._zone = grid.flags()
        grid.table(self._zone)[:] = zone
        self._windows = max(_FEWEST_WINDOWS, int(zone.sum()) / _WINDOW)
        self.relief, self._before = grid.levels(), grid.levels()
        self._had_before = self._aged = False
        self._level, self._bound = grid.levels(), grid.levels().view(np.uint16)
        self._different, self.dense, self._moving = grid.flags(), grid.flags(), grid.flags()
        self.age, self._strong, self._scratch = grid.flags(), grid.flags(), grid.flags()
        self._last = np.zeros(grid.size, np.uint16)  # tenths of a second at which a cell was last dense
        self._inner = grid.inner

    def forget(self) -> None:
        """Nothing is there: ages begin anew."""
        if self._aged:
            self.age.fill(0)
            self._aged = False

    def forget_before(self) -> None:
        """The background was replaced: the look before cannot be compared with."""
        self._had_before = False

    def compare(self, smooth: Relief, background: Background, known: float, seconds: float) -> Found:
        """Fill the maps. *known*: seconds since the first look; *seconds* since the last one."""
        self.relief, self._before = self._before, self.relief
        smooth.stand_out(background.usual, self.relief)
        different = self._differ(smooth, background)
        dense = self._connect() if different >= ENOUGH else 0
        if dense == 0:
            self._had_before = True
            return Found(different=different)
        found = self._follow(background, known, seconds, Found(different=different, dense=dense))
        self._had_before = True
        return found

    def _differ(self, smooth: Relief, background: Background) -> int:
        """different = relief outside -low-light .. high+light, as one unsigned comparison."""
        inner, level, bound = self._inner, self._level[self._inner], self._bound[self._inner]
        light = smooth.light[inner]
        unsigned = light.view(np.uint16)
        np.add(background.span[inner], unsigned, out=bound)
        np.add(bound, unsigned, out=bound)
        np.add(self.relief[inner], background.under[inner], out=level)
        np.add(level, light, out=level)
        return _mark(np.greater, level.view(np.uint16), bound, self._different[inner])

    def _connect(self) -> int:
        """dense = different, and at least three of the eight cells about it are."""
        inner, dense = self._inner, self.dense[self._inner]
        self._neighbours.count(self._different, self.dense)
        np.greater_equal(dense, ENOUGH, out=dense.view(np.bool_))
        np.bitwise_and(dense, self._different[inner], out=dense)
        return int(np.count_nonzero(dense))

    def _follow(self, background: Background, known: float, seconds: float, found: Found) -> Found:
        inner, scratch, strong = self._inner, self._scratch[self._inner], self._strong[self._inner]
        self._grow_old(seconds)
        lasting = _mark(np.greater_equal, self.age[inner], LASTING_CS + round(100 * min(seconds, 0.1)), scratch)
        if lasting == 0:
            self._note(known)
            return found
        front = self._reach(known)
        self._move(background)
        np.bitwise_and(scratch, self._moving[inner], out=strong)
        moving = int(np.count_nonzero(strong))
        np.bitwise_and(strong, self._zone[inner], out=strong)
        inside = int(np.count_nonzero(strong)) if moving else 0
        if inside == 0:
            return Found(found.different, found.dense, lasting, moving, 0, front)
        most, row, column = self._neighbours.fullest(self._strong)
        mass = self._beyond_chance(most, inside - most)
        return Found(found.different, found.dense, lasting, moving, mass, front, inside - most, row, column)

    def _grow_old(self, seconds: float) -> None:
        """age = 0 where not dense, else the largest age of the 3x3 and this look's time, at most 2 s."""
        inner, scratch = self._inner, self._scratch[self._inner]
        self._neighbours.most(self.age, self._scratch)
        np.add(scratch, np.uint8(round(100 * seconds)), out=scratch)
        np.minimum(scratch, np.uint8(OLDEST_CS), out=scratch)
        np.multiply(scratch, self.dense[inner], out=self.age[inner])
        self._aged = True

    def _move(self, background: Background) -> None:
        """moving = next to a different cell whose relief changed since the look before."""
        inner, level = self._inner, self._level[self._inner]
        if not self._had_before:
            np.copyto(self._moving, self._different)
            return
        np.subtract(self.relief[inner], self._before[inner], out=level)
        np.add(level, background.least[inner], out=level)
        _mark(np.greater, level.view(np.uint16), background.least2[inner], self._strong[inner])
        np.bitwise_and(self._strong[inner], self._different[inner], out=self._strong[inner])
        self._neighbours.most(self._strong, self._moving)

    def _reach(self, known: float) -> int:
        """How many cells of something old are on fresh ground at one place; then note where everything is."""
        inner, fresh, front = self._inner, self._bound[self._inner], self._strong[self._inner]
        old = self._moving[inner]  # free until `_move`
        some = _mark(np.greater_equal, self.age[inner], FRONT_CS, old)
        if some:
            np.subtract(_tenths(known), self._last[inner], out=fresh)
            np.greater(fresh, np.uint16(FRESH_DS), out=front.view(np.bool_))
            np.bitwise_and(front, old, out=front)
            np.bitwise_and(front, self._zone[inner], out=front)
            some = int(np.count_nonzero(front))
        self._note(known)
        if some == 0:
            return 0
        most = self._neighbours.fullest(self._strong)[0]
        return self._beyond_chance(most, some - most)

    def _note(self, known: float) -> None:
        np.copyto(self._last, _tenths(known), where=self.dense.view(np.bool_))

    def _beyond_chance(self, most: int, others: int) -> int:
        """The fullest window's cells beyond what chance makes of the others, spread over the zone."""
        mean = others / self._windows
        return max(0, round(most - mean - _CHANCE * mean**0.5))


def _mark(test: np.ufunc, left: NDArray[np.generic], right: NDArray[np.generic] | int, out: Flags) -> int:
    """Write the comparison into *out* as 0 and 1; how many are 1."""
    test(left, right, out=out.view(np.bool_))
    return int(np.count_nonzero(out))


def _tenths(known: float) -> np.uint16:
    """Tenths of a second modulo 65,536: after 1.8 hours a cell calm for exactly so long seems recent, for 4 s."""
    return np.uint16(int(known * 10) % 65536)
