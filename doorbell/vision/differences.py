"""Which cells differ from the background, stay so, and move: one look's maps, and the counts taken from them."""

import math

import numpy as np
from numpy.typing import NDArray

from doorbell.vision.background import Background, Relief
from doorbell.vision.gates import BIG, Found
from doorbell.vision.grid import Flags, Grid, Levels, Neighbours, Steps, run

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

    def __init__(self, grid: Grid, zone: NDArray[np.bool_], smooth: Relief, background: Background) -> None:
        """*zone*: the watched cells, shape (rows, columns)."""
        self._smooth = smooth
        self._neighbours = Neighbours(grid)
        self._windows = max(_FEWEST_WINDOWS, int(zone.sum()) / _WINDOW)
        self._had_before = self._aged = False
        self.dense, self.age = grid.flags(), grid.flags()
        self._different, self._moving = grid.flags(), grid.flags()
        self._strong, self._fronts, self._scratch = grid.flags(), grid.flags(), grid.flags()
        self._last = np.zeros(grid.size, np.uint16)  # tenths of a second at which a cell was last dense
        inner = grid.inner
        watched = grid.flags()
        grid.table(watched)[:] = zone
        self._zone_in = watched[inner]
        self._different_in, self._dense_in, self._age_in = self._different[inner], self.dense[inner], self.age[inner]
        self._strong_in, self._fronts_in, self._scratch_in = (
            self._strong[inner],
            self._fronts[inner],
            self._scratch[inner],
        )
        self._moving_in, self._last_in = self._moving[inner], self._last[inner]
        self._relief_in, self._before_in = smooth.out[inner], grid.levels()[inner]
        self._fresh_in = grid.levels().view(np.uint16)[inner]
        self._differ, self._change = self._prepare(grid, background)

    def _prepare(self, grid: Grid, background: Background) -> tuple[Steps, Steps]:
        """Steps for different = relief outside -low-light .. high+light, and for changed = |relief - before| > least.

        Both are one unsigned comparison: what is below the lower bound wraps round and is then above the upper one.
        """
        inner = grid.inner
        level, bound = grid.levels()[inner], grid.levels().view(np.uint16)[inner]
        light = self._smooth.light[inner]
        differ: Steps = [
            (np.add, background.span[inner], light.view(np.uint16), bound),
            (np.add, bound, light.view(np.uint16), bound),
            (np.add, self._relief_in, background.under[inner], level),
            (np.add, level, light, level),
            (np.greater, level.view(np.uint16), bound, self._different_in.view(np.bool_)),
        ]
        change: Steps = [
            (np.subtract, self._relief_in, self._before_in, level),
            (np.add, level, background.least[inner], level),
            (np.greater, level.view(np.uint16), background.least2[inner], self._strong_in.view(np.bool_)),
            (np.bitwise_and, self._strong_in, self._different_in, self._strong_in),
        ]
        return differ, change

    @property
    def relief(self) -> Levels:
        """What stands out from the background at the last look, flat."""
        return self._smooth.out

    def forget(self) -> None:
        """Nothing is there: ages begin anew."""
        if self._aged:
            self.age.fill(0)
            self._aged = False

    def forget_before(self) -> None:
        """The background was replaced: the look before cannot be compared with."""
        self._had_before = False

    def compare(self, known: float, seconds: float) -> Found:
        """Fill the maps. *known*: seconds since the first look; *seconds* since the last one."""
        np.copyto(self._before_in, self._relief_in)
        self._smooth.stand_out()
        run(self._differ)
        different = int(np.count_nonzero(self._different_in))
        dense = self._connect() if different >= ENOUGH else 0
        had_before, self._had_before = self._had_before, True
        if dense == 0:
            return Found(different=different)
        return self._follow(known, seconds, different, dense, had_before=had_before)

    def _connect(self) -> int:
        """dense = different, and at least three of the eight cells about it are."""
        dense = self._dense_in
        self._neighbours.count(self._different, self.dense)
        np.greater_equal(dense, ENOUGH, dense.view(np.bool_))
        np.bitwise_and(dense, self._different_in, dense)
        return int(np.count_nonzero(dense))

    def _follow(self, known: float, seconds: float, different: int, dense: int, *, had_before: bool) -> Found:
        self._grow_old(seconds)
        lasting = _mark(np.greater_equal, self._age_in, LASTING_CS + round(100 * min(seconds, 0.1)), self._scratch_in)
        found = Found(different=different, dense=dense)
        if lasting:
            found = self._weigh(known, different, dense, lasting, had_before=had_before)
        np.copyto(self._last_in, _tenths(known), where=self._dense_in.view(np.bool_))
        return found

    def _weigh(self, known: float, different: int, dense: int, lasting: int, *, had_before: bool) -> Found:
        if had_before:
            run(self._change)
            self._neighbours.most(self._strong, self._moving)
        else:
            np.copyto(self._moving, self._different)
        np.bitwise_and(self._scratch_in, self._moving_in, self._strong_in)
        moving = int(np.count_nonzero(self._strong_in))
        np.bitwise_and(self._strong_in, self._zone_in, self._strong_in)
        inside = int(np.count_nonzero(self._strong_in)) if moving else 0
        most, row, column = self._neighbours.fullest(self._strong) if inside else (0, 0, 0)
        mass = self._beyond_chance(most, inside - most)
        front = self._reach(known) if mass < BIG else 0  # what is big needs no other reason
        return Found(different, dense, lasting, moving, mass, front, inside - most, row, column)

    def _grow_old(self, seconds: float) -> None:
        """age = 0 where not dense, else the largest age of the 3x3 and this look's time, at most 2 s."""
        scratch = self._scratch_in
        self._neighbours.most(self.age, self._scratch)
        np.add(scratch, np.uint8(round(100 * seconds)), scratch)
        np.minimum(scratch, np.uint8(OLDEST_CS), out=scratch)
        np.multiply(scratch, self._dense_in, self._age_in)
        self._aged = True

    def _reach(self, known: float) -> int:
        """How many cells of something old, at one place, are on ground that was calm for seconds."""
        front = self._fronts_in
        if not _mark(np.greater_equal, self._age_in, FRONT_CS, self._moving_in):  # its use is over for this look
            return 0
        np.subtract(_tenths(known), self._last_in, self._fresh_in)
        np.greater(self._fresh_in, np.uint16(FRESH_DS), front.view(np.bool_))
        np.bitwise_and(front, self._moving_in, front)
        np.bitwise_and(front, self._zone_in, front)
        some = int(np.count_nonzero(front))
        if some == 0:
            return 0
        most = self._neighbours.fullest(self._fronts)[0]
        return self._beyond_chance(most, some - most)

    def _beyond_chance(self, most: int, others: int) -> int:
        """The fullest window's cells beyond what chance makes of the others, spread over the zone."""
        mean = others / self._windows
        return max(0, round(most - mean - _CHANCE * math.sqrt(mean)))


def _mark(test: np.ufunc, left: NDArray[np.uint8], right: int, out: Flags) -> int:
    """Write the comparison into *out* as 0 and 1; how many are 1."""
    test(left, np.uint8(right), out.view(np.bool_))
    return int(np.count_nonzero(out))


def _tenths(known: float) -> np.uint16:
    """Tenths of a second modulo 65,536: after 1.8 hours a cell calm for exactly so long seems recent, for 4 s."""
    return np.uint16(int(known * 10) % 65536)
