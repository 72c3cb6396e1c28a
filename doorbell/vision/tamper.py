"""Notices a covered lens or a camera turned away: the edges of the scene are no longer where they were.

Light does not move edges: at dusk, in fog of war between lamps, behind an IR-cut filter, a wall still ends where it
ended. So the differences between neighbouring cells, remembered over half a minute, are compared with the present
ones; when fewer than a quarter of them are left for seconds, it is not the light. A scene switched to complete
darkness looks the same as a covered lens, and is reported the same.
"""

import numpy as np

from doorbell.vision.grid import Grid, Levels

EDGE = 40  # steps of brightness (512 an octave) between neighbours, from which they count as an edge
FEWEST = 60  # edges; a scene with fewer cannot be told from a covered one
LEFT = 0.25
AFTER_S = 5.0
ACCEPT_S = 60.0  # then the new view is the view


class Tamper:
    """Look at every learning tick (twice a second)."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._edges8 = grid.levels()
        self._now, self._scratch = grid.levels(), grid.levels()
        self._strong, self._kept = grid.flags().view(np.bool_), grid.flags().view(np.bool_)
        self._body = grid.flags().view(np.bool_)
        grid.table(self._body)[:, :-1] = True
        self._looks = 0
        self._since: float | None = None

    def look(self, level: Levels, at: float) -> bool:
        """True while the edges of *level* (logarithms of brightness, margins filled) are gone for over 5 s."""
        inner, now, scratch = self._grid.inner, self._now[self._grid.inner], self._scratch[self._grid.inner]
        np.subtract(level[self._grid.shift(0, 1)], level[inner], out=now)
        edges, kept = self._count()
        gone = edges >= FEWEST and kept < LEFT * edges
        if gone:
            self._since = at if self._since is None else self._since
            if at - self._since < ACCEPT_S:
                return at - self._since >= AFTER_S
            self._looks = 0
        self._since = None
        self._looks = min(self._looks + 1, 64)
        halvings = self._looks.bit_length() - 1
        np.left_shift(now, 3, out=scratch)
        np.subtract(scratch, self._edges8[inner], out=scratch)
        np.right_shift(scratch, halvings, out=scratch)
        np.add(self._edges8[inner], scratch, out=self._edges8[inner])
        return False

    def _count(self) -> tuple[int, int]:
        """How many edges there were, and how many of them still have their sign and half of their height."""
        inner, scratch = self._grid.inner, self._scratch[self._grid.inner]
        edges8, strong, kept = self._edges8[inner], self._strong[inner], self._kept[inner]
        np.absolute(edges8, out=scratch)
        np.greater_equal(scratch, np.int16(8 * EDGE), out=strong)
        np.logical_and(strong, self._body[inner], out=strong)
        np.right_shift(edges8, 4, out=scratch)
        np.subtract(self._now[inner], scratch, out=scratch)
        np.bitwise_xor(scratch, edges8, out=scratch)
        np.greater_equal(scratch, np.int16(0), out=kept)
        np.logical_and(kept, strong, out=kept)
        return int(np.count_nonzero(strong)), int(np.count_nonzero(kept))
