"""Sees somebody move before the door, and says why it did or did not think so.

A look costs little while nothing differs (`Background.quiet`), and passes through gates while something does:

    light     the difference is smooth over eight cells: a lamp, a cloud, exposure
    picture   it is everywhere at once: an IR-cut filter, a switched lamp
    grain     no 3x3 of cells holds four of it: noise, rain
    brief     it does not stay connected for long: rain, snow, an insect
    still     it stays, but nothing in it moves: a lamp, a parcel, a parked car
    zone      it is outside the watched zone
    small     fewer moving cells in any 8x8 than the smallest visitor has
    clutter   no more of it than this scene has shown all the time: leaves, snow
    short     it looks like a visitor, not yet for long enough

What comes through has mass (many connected, lasting, moving cells at one place) or travels (its front keeps reaching
cells where nothing was for seconds, which leaves and flakes do not). Pure: no clock, no thread, no file.
"""

from enum import StrEnum

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from doorbell.vision.background import Background, Relief
from doorbell.vision.cells import Cells, Luma
from doorbell.vision.grid import Grid, Neighbours

Box = tuple[float, float, float, float]


class Gate(StrEnum):
    """What let motion pass (mass, travel) or held it back, in the order in which they are met."""

    NOTHING = ""
    START = "start"
    LIGHT = "light"
    PICTURE = "picture"
    GRAIN = "grain"
    BRIEF = "brief"
    STILL = "still"
    ZONE = "zone"
    SMALL = "small"
    CLUTTER = "clutter"
    SHORT = "short"
    TRAVEL = "travel"
    MASS = "mass"


@frozen(slots=True)
class Seen:
    """One look. box: left, top, right, bottom, 0 to 1. began: when what is seen was first there."""

    active: bool = False
    began: float = 0.0
    box: Box = (0.0, 0.0, 0.0, 0.0)
    strength: float = 0.0
    gate: str = Gate.NOTHING
    tamper: bool = False


@frozen(slots=True)
class Sensitivity:
    """The one knob. floor: steps of brightness (512 an octave); smallest: moving cells; need: evidence to pass."""

    floor: int
    smallest: int
    need: float


SENSITIVITIES = {
    "low": Sensitivity(floor=60, smallest=8, need=6.0),
    "medium": Sensitivity(floor=37, smallest=4, need=4.0),
    "high": Sensitivity(floor=28, smallest=3, need=3.0),
}

SPACING_S = 0.06  # looks are at least this far apart; pictures between them cost nothing
LEARN_S = 0.5
WARM_UP_S = 1.0
HOLD_S = 2.0  # a span ends when nothing moved for this long
_LASTING_CS = 10  # hundredths of a second for which a cell must have stayed connected
_FRONT_CS = 40
_FRESH_DS = 40  # tenths of a second for which a cell must have been calm to be fresh ground
_ENOUGH = 4  # of nine cells
_EVERYWHERE = 0.35  # of all cells
_AGREED_S = 3.0
_LIGHT = 1
_SPREAD = 4.0
_BURST = 0.05
_ALONG = 3.0
_ALONG_W = 5.0
_CLUT = 2.0
_CROWD = 3.0
_BIG = 16
_SURE = 16


@frozen(slots=True)
class _Found:
    """The counts behind one look's verdict."""

    different: int = 0
    dense: int = 0
    lasting: int = 0
    moving: int = 0
    mass: int = 0
    front: int = 0
    elsewhere: int = 0
    row: int = 0
    column: int = 0


class Motion:
    """The motion core for pictures of one size. Feed it every picture; it decides itself which to look at."""

    def __init__(
        self, width: int, height: int, fps: float, mask: NDArray[np.uint8] | None = None, sensitivity: str = "medium"
    ) -> None:
        """*mask*: uint8 (height, width), 1 where motion counts, or None. *fps* is a hint; time comes with the pictures.

        ValueError: a picture too small, a mask of another shape, an unknown sensitivity.
        """
        if mask is not None and mask.shape != (height, width):
            raise ValueError(
                f"the zone's mask is {mask.shape[1]}x{mask.shape[0]}, the picture {width}x{height}: make them equal"
            )
        if sensitivity not in SENSITIVITIES:
            raise ValueError(f"sensitivity is low, medium or high, not {sensitivity!r}")
        self.width, self.height, self.fps = width, height, fps
        self._knob = SENSITIVITIES[sensitivity]
        self._cells = Cells(width, height)
        self._grid = grid = Grid(self._cells.rows, self._cells.columns)
        self._relief, self._near = Relief(grid), Neighbours(grid)
        watched = self._watched(mask)
        self._zone = grid.flags()
        grid.table(self._zone)[:] = watched
        self._windows = max(20.0, int(watched.sum()) / 64)
        self._background = Background(grid, _grown(watched, 2), self._cells.dtype, self._knob.floor)
        self._now, self._before = grid.levels(), grid.levels()
        self._wrapped, self._bounds = grid.levels(), grid.levels().view(np.uint16)
        self._different, self._dense, self._moving = grid.flags(), grid.flags(), grid.flags()
        self._age, self._strong, self._scratch = grid.flags(), grid.flags(), grid.flags()
        self._calm = np.zeros(grid.size, np.uint16)
        self._started: float | None = None
        self._looked = self._learnt = self._active_until = -1e9
        self._agreed = -1e9
        self._evidence = self._clutter = self._travel = 0.0
        self._crowd = 0.0
        self._streak = 0
        self._aged = False
        self._before_fresh = False
        self._began: float | None = None
        self._last_busy = -1e9
        self._furthest = Gate.NOTHING
        self._held: dict[str, int] = {}
        self._seen = Seen()

    def _watched(self, mask: NDArray[np.uint8] | None) -> NDArray[np.bool_]:
        cells = self._cells
        if mask is None:
            return np.ones((cells.rows, cells.columns), np.bool_)
        block = cells.block
        used = mask[: cells.rows * block, : cells.columns * block].astype(np.bool_)
        return np.asarray(used.reshape(cells.rows, block, cells.columns, block).mean((1, 3)) >= 0.5)

    def feed(self, luma: Luma, at: float) -> Seen:
        """Look at one picture, uint8 (height, width), taken at *at* monotonic seconds.

        ValueError: a picture of another size or type. Time that stands still or runs backwards is taken as no time.
        """
        if luma.shape != (self.height, self.width) or luma.dtype != np.uint8:
            raise ValueError(
                f"this core looks at {self.width}x{self.height} uint8 pictures, not {luma.shape} {luma.dtype}"
            )
        if self._started is None:
            return self._start(luma, at)
        passed = at - self._looked
        if passed < SPACING_S - 1e-6:
            if passed < -1.0:  # the clock jumped: begin to count from here
                self._looked = self._learnt = at
                self._active_until = min(self._active_until, at + HOLD_S)
            return self._seen
        self._looked = at
        seconds = min(passed, 0.5)
        sums = self._cells.sum(luma)
        due = at - self._learnt >= LEARN_S
        if not due and self._background.quiet(sums, _ENOUGH):
            return self._rest(at, seconds, Gate.NOTHING)
        self._relief.read(sums)
        found = self._compare(at, seconds)
        everywhere = found.different > _EVERYWHERE * self._grid.rows * self._grid.columns
        if everywhere:
            self._begin_again()
        elif due:
            self._learn(at)
        if everywhere or found.dense == 0:
            return self._rest(at, seconds, Gate.PICTURE if everywhere else self._faint(found, sums))
        return self._judge(found, at, seconds)

    def agree(self, at: float) -> None:
        """Another sense (the PIR) noticed somebody at *at*: for three seconds a third of the evidence is enough."""
        self._agreed = at

    def held_back(self) -> dict[str, int]:
        """How often something was held back since the last call, by the gate that it reached."""
        held, self._held = self._held, {}
        return held

    def _start(self, luma: Luma, at: float) -> Seen:
        self._started = self._looked = at
        self._learnt = at - LEARN_S
        self._relief.read(self._cells.sum(luma))
        self._background.restart(self._relief.level)
        self._seen = Seen(gate=Gate.START)
        return self._seen

    def _begin_again(self) -> None:
        self._background.restart(self._relief.level)
        self._before_fresh = False

    def _learn(self, at: float) -> None:
        np.greater_equal(self._age, _LASTING_CS, out=self._scratch.view(np.bool_))
        seconds = min(max(at - self._learnt, SPACING_S), 1.0)
        self._background.learn(self._relief.level, self._now, self._scratch, seconds)
        self._learnt = at

    def _compare(self, at: float, seconds: float) -> _Found:
        """Fill the maps for this look and count what is in them."""
        inner, background = self._grid.inner, self._background
        self._now, self._before = self._before, self._now
        had_before, self._before_fresh = self._before_fresh, True
        now, wrapped = self._now, self._wrapped
        self._relief.stand_out(background.usual, now)
        light, bounds = self._relief.light, self._bounds
        np.add(background.span[inner], light.view(np.uint16)[inner], out=bounds[inner])
        np.add(bounds[inner], light.view(np.uint16)[inner], out=bounds[inner])
        np.add(now[inner], background.under[inner], out=wrapped[inner])
        np.add(wrapped[inner], light[inner], out=wrapped[inner])
        different, dense, scratch = self._different, self._dense, self._scratch
        np.greater(wrapped.view(np.uint16)[inner], bounds[inner], out=different.view(np.bool_)[inner])
        many = int(np.count_nonzero(different))
        if many < _ENOUGH:
            return _Found(different=many)
        self._near.count(different, dense)
        np.greater_equal(dense[inner], _ENOUGH, out=dense.view(np.bool_)[inner])
        np.bitwise_and(dense[inner], different[inner], out=dense[inner])
        solid = int(np.count_nonzero(dense))
        if solid == 0:
            return _Found(different=many)
        self._grow_old(seconds)
        lasting = min(_LASTING_CS + round(100 * min(seconds, 0.1)), 200)
        np.greater_equal(self._age[inner], lasting, out=scratch.view(np.bool_)[inner])
        last = int(np.count_nonzero(scratch[inner]))
        front = self._reach(at) if last else 0
        moving = mass = row = column = elsewhere = 0
        if last:
            self._move(had_before)
            np.bitwise_and(scratch[inner], self._moving[inner], out=self._strong[inner])
            moving = int(np.count_nonzero(self._strong[inner]))
        if moving:
            np.bitwise_and(self._strong[inner], self._zone[inner], out=self._strong[inner])
            inside = int(np.count_nonzero(self._strong[inner]))
            mass, row, column = self._near.fullest(self._strong)
            elsewhere = inside - mass
            mass = self._alone(mass, inside)
        return _Found(many, solid, last, moving, mass, front, elsewhere, row, column)

    def _grow_old(self, seconds: float) -> None:
        """age = 0 where not dense, else the largest age of the 3x3 and this look's time, at most 2 s."""
        inner, age, scratch = self._grid.inner, self._age, self._scratch
        self._near.most(age, scratch)
        np.add(scratch[inner], np.uint8(round(100 * seconds)), out=scratch[inner])
        np.minimum(scratch[inner], np.uint8(200), out=scratch[inner])
        np.multiply(scratch[inner], self._dense[inner], out=age[inner])
        self._aged = True

    def _move(self, had_before: bool) -> None:
        """moving = 1 next to a different cell that changed since the look before."""
        inner, moving, wrapped = self._grid.inner, self._moving, self._wrapped
        if had_before:
            least, least2 = self._background.least, self._background.least2
            np.subtract(self._now[inner], self._before[inner], out=wrapped[inner])
            np.add(wrapped[inner], least[inner], out=wrapped[inner])
            changed = self._strong  # free until the caller fills it
            np.greater(wrapped.view(np.uint16)[inner], least2[inner], out=changed.view(np.bool_)[inner])
            np.bitwise_and(changed[inner], self._different[inner], out=changed[inner])
            self._near.most(changed, moving)
        else:
            np.copyto(moving, self._different)

    def _reach(self, at: float) -> int:
        """How many cells of an old blob are on ground that was calm for seconds; then note where it is."""
        inner, calm, dense = self._grid.inner, self._calm, self._dense
        fresh, front = self._wrapped.view(np.uint16), self._strong
        now = np.uint16(int((at - (self._started or 0.0)) * 10) % 65536)
        np.subtract(now, calm[inner], out=fresh[inner])
        np.greater(fresh[inner], np.uint16(_FRESH_DS), out=front.view(np.bool_)[inner])
        np.bitwise_and(front[inner], dense[inner], out=front[inner])
        np.bitwise_and(front[inner], self._zone[inner], out=front[inner])
        np.copyto(calm, now, where=dense.view(np.bool_))
        old = self._moving.view(np.bool_)  # free until `_move`
        np.greater_equal(self._age[inner], _FRONT_CS, out=old[inner])
        np.bitwise_and(front[inner], self._moving[inner], out=front[inner])
        if not front[inner].any():
            return 0
        return self._alone(self._near.fullest(front)[0], int(np.count_nonzero(front[inner])))

    def _alone(self, fullest: int, all_of_it: int) -> int:
        """What the fullest window holds beyond what chance makes of the same cells spread over the zone."""
        spread = (all_of_it - fullest) / self._windows
        return max(0, round(fullest - spread - _SPREAD * spread**0.5))

    def _faint(self, found: _Found, sums: NDArray[np.unsignedinteger]) -> Gate:
        if found.different >= _ENOUGH:
            return Gate.GRAIN
        return Gate.NOTHING if self._background.quiet(sums, _ENOUGH) else Gate.LIGHT

    def _rest(self, at: float, seconds: float, gate: Gate) -> Seen:
        """Nothing connected is there: forget ages, let the evidence fade."""
        if self._aged:
            self._age.fill(0)
            self._aged = False
        self._streak = 0
        self._evidence *= 1.0 - min(1.0, seconds / 0.3)
        self._travel *= 1.0 - min(1.0, seconds / 2.0)
        self._calm_down(at, seconds, 0)
        if gate is not Gate.NOTHING:
            self._last_busy = at
        return self._say(at, gate, Seen(gate=gate))

    def _calm_down(self, at: float, seconds: float, mass: int) -> None:
        if at >= self._active_until:
            clutter = self._clutter
            mass = min(mass, 15)
            known = at - (self._started or 0.0)
            self._clutter += (mass - clutter) * min(1.0, seconds / (min(4.0, max(known, 0.5)) if mass > clutter else 10.0))

    def _judge(self, found: _Found, at: float, seconds: float) -> Seen:
        need, smallest = self._knob.need, self._knob.smallest
        agreed = 0.0 <= at - self._agreed < _AGREED_S
        if agreed:
            need /= 3
        over = max(0.0, min(found.mass, 40) - smallest + 1 - _CLUT * self._clutter)
        self._travel = self._travel * (1.0 - min(1.0, seconds / 2.0)) + min(found.front, 6)
        crowd = self._crowd
        if found.mass < _BIG:
            self._crowd += (min(found.elsewhere, 40) - crowd) * min(1.0, seconds / (1.0 if found.elsewhere > crowd else 10.0))
        along = max(0.0, min(self._travel - _ALONG - _CROWD * self._crowd, 10.0))
        gain = min((10 * over + _ALONG_W * along) * seconds, need * seconds / _BURST)
        if gain > 0:
            self._streak += 1
            self._evidence = min(self._evidence * (1.0 - min(1.0, seconds / 0.6)) + gain, 2 * need)
        else:
            self._streak = 0
            self._evidence *= 1.0 - min(1.0, seconds / 0.3)
        self._calm_down(at, seconds, found.mass)
        self._last_busy = at
        passed = self._evidence >= need and (found.mass >= 2 or found.front > 0) and self._streak >= (1 if found.mass >= _SURE else 2)
        settled = at - (self._started or 0.0) > WARM_UP_S
        if passed and settled:
            self._active_until = at + HOLD_S
            gate = Gate.MASS if over > 0 else Gate.TRAVEL
        else:
            gate = Gate.START if passed else self._held_at(found, over, along)
        strength = min(1.0, max(found.mass, found.front) / 40)
        return self._say(at, gate, Seen(box=self._box(found), strength=strength, gate=gate))

    def _held_at(self, found: _Found, over: float, along: float) -> Gate:
        if found.lasting == 0:
            return Gate.BRIEF
        if found.moving == 0:
            return Gate.STILL
        if found.mass == 0:
            return Gate.ZONE
        if over > 0 or along > 0:
            return Gate.SHORT
        return Gate.SMALL if found.mass < self._knob.smallest else Gate.CLUTTER

    def _say(self, at: float, gate: Gate, seen: Seen) -> Seen:
        """Complete *seen* with what spans looks: active, began, and the count of what was held back."""
        active = at < self._active_until
        if gate is not Gate.NOTHING and self._began is None:
            self._began = at
        order = list(Gate)
        if order.index(gate) > order.index(self._furthest):
            self._furthest = gate
        over = at - self._last_busy > HOLD_S or (self._began is not None and at - self._began > 10.0 and not active)
        if over and self._began is not None:
            if self._furthest not in (Gate.MASS, Gate.TRAVEL):
                self._held[self._furthest] = self._held.get(self._furthest, 0) + 1
            self._began, self._furthest = None, Gate.NOTHING
        began = self._began if self._began is not None else at
        self._seen = Seen(active=active, began=began, box=seen.box, strength=seen.strength, gate=gate, tamper=False)
        return self._seen

    def _box(self, found: _Found) -> Box:
        """Bounds of the connected cells in and around the fullest window."""
        grid = self._grid
        if found.mass == 0:
            return (0.0, 0.0, 0.0, 0.0)
        top, left = max(0, found.row - 8), max(0, found.column - 8)
        around = grid.table(self._dense)[top : found.row + 16, left : found.column + 16]
        rows, columns = np.flatnonzero(around.any(1)), np.flatnonzero(around.any(0))
        if not len(rows):
            return (0.0, 0.0, 0.0, 0.0)
        block = self._cells.block
        return (
            (left + int(columns[0])) * block / self.width,
            (top + int(rows[0])) * block / self.height,
            (left + int(columns[-1]) + 1) * block / self.width,
            (top + int(rows[-1]) + 1) * block / self.height,
        )


def _grown(cells: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """*cells* and all within *by* cells of them."""
    wide = np.pad(cells, by)
    rows, columns = cells.shape
    grown = np.zeros_like(cells)
    for down in range(2 * by + 1):
        for right in range(2 * by + 1):
            grown |= wide[down : down + rows, right : right + columns]
    return grown
