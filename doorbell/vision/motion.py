"""Sees somebody move before the door, and says why it did or did not think so.

Most pictures differ nowhere from the background, and cost one pass over their pixels (`Cells`, `Background.quiet`).
The others are compared with it (`Relief`, `Differences`) and pass through gates (`gates`). Pure: no clock, no thread,
no file; all arithmetic on small integers in buffers made once.
"""

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from doorbell.vision.background import Background, Relief
from doorbell.vision.cells import Cells, Luma, Sums
from doorbell.vision.differences import ENOUGH, LASTING_CS, Differences
from doorbell.vision.gates import RANK, SENSITIVITIES, Evidence, Found, Gate
from doorbell.vision.grid import Grid
from doorbell.vision.tamper import Tamper

Box = tuple[float, float, float, float]
NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)

SPACING_S = 0.06  # looks are at least this far apart while something is going on; a picture in between costs nothing
IDLE_SPACING_S = 0.09  # after nothing differed for a while
OPEN_SPACING_S = 0.25  # while a span is open: its end can wait
LEARN_S = 1.0
_NEW_S, _NEW_LEARN_S = 5.0, 0.25  # at first it learns faster
WARM_UP_S = 1.0
HOLD_S = 2.0  # a span ends when nothing has moved for this long
AGREED_S = 3.0
_LONGEST_LOOK_S = 0.5  # a longer gap in time counts as this much
_LONGEST_HELD_S = 10.0  # something held back for longer (a rainy night) is counted again
_EVERYWHERE = 0.35  # of all cells
_SET = b"\x01"
_AROUND = 8  # cells about the fullest window in which the box is looked for


@frozen(slots=True)
class Seen:
    """One look. box: left, top, right, bottom, 0 to 1. began: when what is seen was first there. strength: 0 to 1."""

    active: bool = False
    began: float = 0.0
    box: Box = NOWHERE
    strength: float = 0.0
    gate: Gate = Gate.NOTHING
    tamper: bool = False


class Motion:
    """The motion core for pictures of one size. Feed it every picture; it decides itself which to look at."""

    def __init__(
        self, width: int, height: int, fps: float, mask: NDArray[np.uint8] | None = None, sensitivity: str = "medium"
    ) -> None:
        """*mask*: uint8 (height, width), 1 where motion counts, or None. *fps* is a hint; time comes with the pictures.

        ValueError: a picture too small, a mask of another shape, an unknown sensitivity.
        """
        if mask is not None and mask.shape != (height, width):
            raise ValueError(f"the zone's mask is of shape {mask.shape}: make it {(height, width)} like the picture")
        if sensitivity not in SENSITIVITIES:
            raise ValueError(f"sensitivity is low, medium or high, not {sensitivity!r}")
        self.width, self.height, self.fps = width, height, fps
        knob = SENSITIVITIES[sensitivity]
        self._cells = Cells(width, height)
        self.block = self._cells.block
        self._grid = Grid(self._cells.rows, self._cells.columns)
        self.zone = self._watched(mask)
        self._background = Background(self._grid, _grown(self.zone, 2), self._cells.dtype, knob.floor)
        self._relief = Relief(self._grid, self._background.usual)
        self._differences = Differences(self._grid, self.zone, self._relief, self._background)
        self._evidence = Evidence(knob)
        self._tamper = Tamper(self._grid)
        self._busy = self._grid.flags()
        self._everywhere = int(_EVERYWHERE * self._grid.rows * self._grid.columns)
        self._first: float | None = None
        self._looked = self._learnt = 0.0
        self._until = self._agreed = self._last_busy = -1e9
        self._episode: float | None = None
        self._furthest = Gate.NOTHING
        self._tampered = False
        self._held: dict[str, int] = {}
        self._seen = Seen()

    def feed(self, luma: Luma, at: float) -> Seen:
        """Look at one picture, uint8 (height, width), taken at *at* monotonic seconds.

        ValueError: a picture of another size or type. A clock that runs backwards begins anew from where it is.
        """
        if luma.shape != (self.height, self.width) or luma.dtype != np.uint8:
            raise ValueError(f"this core looks at {self.width}x{self.height} uint8, not {luma.shape} {luma.dtype}")
        if self._first is None:
            return self._begin(luma, at)
        passed = at - self._looked
        if passed < 0:
            self._shift(passed)
            passed = 0.0
        if passed < self._spacing(at) - 1e-6:
            return self._seen
        self._looked = at
        return self._look(self._cells.sum(luma), at, min(passed, _LONGEST_LOOK_S))

    def _spacing(self, at: float) -> float:
        if at < self._until:
            return OPEN_SPACING_S
        return SPACING_S if at - self._last_busy < HOLD_S else IDLE_SPACING_S

    def agree(self, at: float) -> None:
        """Another sense (the PIR) noticed somebody at *at*: for three seconds a third of the evidence is enough.

        What is small then need not have come from somewhere either. On its own it is no motion.
        """
        self._agreed = at

    def held_back(self) -> dict[str, int]:
        """How often something was held back since the last call, by the gate that it reached."""
        held, self._held = self._held, {}
        return held

    def differing(self) -> NDArray[np.uint8]:
        """For drawing: the connected differing cells of the last look that had any, shape (rows, columns), a copy."""
        return self._grid.table(self._differences.dense).copy()

    def _look(self, sums: Sums, at: float, seconds: float) -> Seen:
        due = at - self._learnt >= (LEARN_S if at - (self._first or 0.0) > _NEW_S else _NEW_LEARN_S)
        if not due and self._background.quiet(sums, ENOUGH):
            return self._rest(at, seconds, Gate.NOTHING)
        self._relief.read(sums)
        found = self._differences.compare(at - (self._first or 0.0), seconds)
        if due:
            self._tampered = self._tamper.look(self._relief.level, at)
        if found.different > self._everywhere:
            self._background.restart(self._relief.level)
            self._differences.forget_before()
            return self._rest(at, seconds, Gate.PICTURE)
        if due:
            self._learn(at, shaken=found.elsewhere > 2 * found.mass)
            if found.different >= ENOUGH:
                self._relief.stand_out()  # else the next look would take what was learnt for movement
        if found.dense == 0:
            return self._rest(at, seconds, self._faint(found, sums))
        return self._judge(found, at, seconds)

    def _begin(self, luma: Luma, at: float) -> Seen:
        self._first = self._looked = at
        self._learnt = at - LEARN_S
        self._relief.read(self._cells.sum(luma))
        self._background.restart(self._relief.level)
        return self._say(at, Gate.START)

    def _shift(self, by: float) -> None:
        """Move every moment that is remembered along with the clock."""
        self._first = (self._first or 0.0) + by
        self._looked += by
        self._learnt += by
        self._until += by
        self._last_busy += by
        if self._episode is not None:
            self._episode += by

    def _learn(self, at: float, *, shaken: bool) -> None:
        if shaken:
            self._busy.fill(0)
        else:
            np.greater_equal(self._differences.age, 2 * LASTING_CS, out=self._busy.view(np.bool_))
        seconds = min(max(at - self._learnt, SPACING_S), 1.0)
        self._background.learn(self._relief.level, self._differences.relief, self._busy, seconds)
        self._learnt = at

    def _faint(self, found: Found, sums: Sums) -> Gate:
        if found.different >= ENOUGH:
            return Gate.GRAIN
        return Gate.NOTHING if self._background.quiet(sums, ENOUGH) else Gate.LIGHT

    def _rest(self, at: float, seconds: float, gate: Gate) -> Seen:
        self._differences.forget()
        self._evidence.rest(seconds, at - (self._first or 0.0), alarmed=at < self._until)
        return self._say(at, gate)

    def _judge(self, found: Found, at: float, seconds: float) -> Seen:
        agreed, known = 0.0 <= at - self._agreed < AGREED_S, at - (self._first or 0.0)
        gate = self._evidence.weigh(found, seconds, known, alarmed=at < self._until, agreed=agreed)
        if gate in (Gate.MASS, Gate.TRAVEL):
            if known > WARM_UP_S:
                self._until = at + max(HOLD_S, 1.5 * seconds)
            else:
                gate = Gate.START
        return self._say(at, gate, self._box(found), min(1.0, max(found.mass, found.front) / 40))

    def _say(self, at: float, gate: Gate, box: Box = NOWHERE, strength: float = 0.0) -> Seen:
        """Complete a look with what spans several: active, began, and the count of what was held back."""
        active = at < self._until
        if self._episode is not None and (
            at - self._last_busy > HOLD_S or (not active and at - self._episode > _LONGEST_HELD_S)
        ):
            self._end_episode()
        if gate is not Gate.NOTHING:
            self._last_busy = at
            if self._episode is None:
                self._episode = at
            if RANK[gate] > RANK[self._furthest]:
                self._furthest = gate
        began = at if self._episode is None else self._episode
        self._seen = Seen(active, began, box, strength, gate, self._tampered)
        return self._seen

    def _end_episode(self) -> None:
        if self._furthest not in (Gate.MASS, Gate.TRAVEL, Gate.START):
            self._held[str(self._furthest)] = self._held.get(str(self._furthest), 0) + 1
        self._episode, self._furthest = None, Gate.NOTHING

    def _watched(self, mask: NDArray[np.uint8] | None) -> NDArray[np.bool_]:
        """Cells at least half of whose pixels are watched."""
        cells, block = self._cells, self._cells.block
        if mask is None:
            return np.ones((cells.rows, cells.columns), np.bool_)
        used = mask[: cells.rows * block, : cells.columns * block].astype(np.bool_)
        return np.asarray(used.reshape(cells.rows, block, cells.columns, block).mean((1, 3)) >= 0.5)

    def _box(self, found: Found) -> Box:
        """Bounds of the connected cells in and about the fullest window."""
        if found.mass == 0:
            return NOWHERE
        top, left = max(0, found.row - _AROUND), max(0, found.column - _AROUND)
        bottom, right = found.row + 8 + _AROUND, found.column + 8 + _AROUND
        around = self._grid.table(self._differences.dense)[top:bottom, left:right]
        rows = np.bitwise_or.reduce(around, axis=1).tobytes()
        columns = np.bitwise_or.reduce(around, axis=0).tobytes()
        if _SET not in rows:
            return NOWHERE
        wide, high = self._cells.block / self.width, self._cells.block / self.height
        return (
            (left + columns.find(_SET)) * wide,
            (top + rows.find(_SET)) * high,
            (left + columns.rfind(_SET) + 1) * wide,
            (top + rows.rfind(_SET) + 1) * high,
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
