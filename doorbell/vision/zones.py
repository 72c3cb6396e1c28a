"""Where the owner's polygons lie in a picture: which blocks a mask blackens, which pixels the motion core watches.

A mask is rounded outward to whole 16x16 blocks because H.264 codes a picture in macroblocks of that size: a block
that is black in every frame costs a skip and carries nothing, while a block that is black in part spills its other
part's quantisation noise across the border. Outward, because a mask that is a little too large only hides a hedge.

Polygons are in the coordinates of the upright picture, after rotation and flip: what the owner sees is what is cut.
A polygon that crosses itself covers everything its outline goes round (the nonzero rule): of two readings of a mask
the larger one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from attrs import frozen

from doorbell.vision.polygons import Polygon
from doorbell.vision.polygons import parse_polygons as parse

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Painter", "Polygon", "blocks", "parse", "watch"]

BLOCK = 16
"""Pixels along a side of an H.264 macroblock."""

BLACK, GREY = 16, 128
"""Luma and chroma of black in limited-range video."""

SLACK = 1e-9
"""Blocks: what a rounding error of float64 may cost; a touch closer than this counts as a touch."""

Bools = npt.NDArray[np.bool_]
Plane = npt.NDArray[np.uint8]


def blocks(polygons: tuple[Polygon, ...], width: int, height: int) -> Bools:
    """Blocks of a *width* x *height* picture that a polygon touches, edges included.

    Gives bool (ceil(height / 16), ceil(width / 16)). The picture's last column and row may be cut blocks.
    """
    found = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), dtype=np.bool_)
    scale = np.array([width / BLOCK, height / BLOCK])
    for polygon in polygons:
        found |= _touched(np.array(polygon, dtype=np.float64) * scale, found.shape)
    return found


def watch(polygons: tuple[Polygon, ...], width: int, height: int) -> Plane:
    """Pixels whose centre lies in a polygon: uint8 (height, width), 1 where watched; no polygon watches everything."""
    if not polygons:
        return np.ones((height, width), dtype=np.uint8)
    x = (np.arange(width) + 0.5) / width
    y = ((np.arange(height) + 0.5) / height)[:, None]
    inside = np.zeros((height, width), dtype=np.bool_)
    for polygon in polygons:
        inside |= _winding(np.array(polygon, dtype=np.float64), x, y) != 0
    return inside.astype(np.uint8)


@frozen
class Painter:
    """Blackens masks in the planes of one picture size; computed once, then a few slices a frame.

    ``rectangles`` are (left, top, right, bottom) in pixels of the picture, even numbers but at the picture's own rim.
    """

    rectangles: tuple[tuple[int, int, int, int], ...]

    @classmethod
    def main(cls, polygons: tuple[Polygon, ...], width: int, height: int) -> Painter:
        """For the picture that is encoded, *width* x *height* pixels (even)."""
        return cls(
            tuple(
                (left * BLOCK, top * BLOCK, min(right * BLOCK, width), min(bottom * BLOCK, height))
                for left, top, right, bottom in _rectangles(blocks(polygons, width, height))
            )
        )

    @classmethod
    def lores(cls, polygons: tuple[Polygon, ...], main: tuple[int, int], lores: tuple[int, int]) -> Painter:
        """For the small picture (width, height) *lores* of a camera whose large one is *main*.

        Covers whatever the masked blocks of the large picture cover, one pixel more for the scaler's filter, and is
        rounded outward to whole chroma samples (2x2 pixels).
        """
        return cls(
            tuple(
                (
                    max(left * lores[0] // main[0] - 1, 0) & ~1,
                    max(top * lores[1] // main[1] - 1, 0) & ~1,
                    min(_even(-(-right * lores[0] // main[0]) + 1), lores[0]),
                    min(_even(-(-bottom * lores[1] // main[1]) + 1), lores[1]),
                )
                for left, top, right, bottom in cls.main(polygons, *main).rectangles
            )
        )

    def paint_luma(self, y: Plane) -> None:
        """Blacken the luma plane *y* (height, width), any stride, in place."""
        for left, top, right, bottom in self.rectangles:
            y[top:bottom, left:right] = BLACK

    def paint(self, y: Plane, u: Plane, v: Plane) -> None:
        """Blacken I420 planes in place: *y* (height, width), *u* and *v* (height / 2, width / 2), any strides."""
        self.paint_luma(y)
        for left, top, right, bottom in self.rectangles:
            there = np.s_[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2]
            u[there] = GREY
            v[there] = GREY


def _even(number: int) -> int:
    return number + (number & 1)


def _rectangles(grid: Bools) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom of rectangles that cover *grid* exactly: equal runs of neighbouring rows are one."""
    open_runs: dict[tuple[int, int], int] = {}
    for row, line in enumerate([*grid, np.zeros(grid.shape[1], dtype=np.bool_)]):
        edges = np.flatnonzero(np.diff(line, prepend=False, append=False)).tolist()
        runs = set(zip(edges[::2], edges[1::2], strict=True))
        for run in [run for run in open_runs if run not in runs]:
            yield run[0], open_runs.pop(run), run[1], row
        for run in runs:
            open_runs.setdefault(run, row)


def _touched(corners: npt.NDArray[np.float64], shape: tuple[int, ...]) -> Bools:
    """Unit squares of a grid that a polygon touches; *corners* (n, 2) are in units of the grid.

    A square is touched when an edge meets it, or else when its centre (then far from every edge) lies inside.
    """
    left = np.arange(shape[1], dtype=np.float64)
    top = np.arange(shape[0], dtype=np.float64)[:, None]
    met: Bools = _winding(corners, left + 0.5, top + 0.5) != 0
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        met |= _edge_meets((x0, y0), (x1, y1), left, top)
    return met


def _edge_meets(
    one: tuple[float, float], other: tuple[float, float], left: npt.NDArray[np.float64], top: npt.NDArray[np.float64]
) -> Bools:
    """Unit squares that the segment meets, by separating axes: the two axes of the square and the segment's normal."""
    (x0, y0), (x1, y1) = one, other
    near_x = (left <= max(x0, x1) + SLACK) & (left + 1 >= min(x0, x1) - SLACK)
    near_y = (top <= max(y0, y1) + SLACK) & (top + 1 >= min(y0, y1) - SLACK)
    dx, dy = x1 - x0, y1 - y0
    # Twice the area spanned by the segment and the square's centre, against the square's reach along the normal.
    off = np.abs(dx * (top + 0.5 - y0) - dy * (left + 0.5 - x0))
    reach = 0.5 * (abs(dx) + abs(dy))
    return near_x & near_y & (off <= reach * (1 + SLACK) + SLACK)


def _winding(
    corners: npt.NDArray[np.float64], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.int16]:
    """How often the polygon goes round each point of the grid *x* (width,), *y* (height, 1): int16 (height, width)."""
    turns = np.zeros((y.shape[0], x.shape[0]), dtype=np.int16)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crossed = (y >= min(y0, y1)) & (y < max(y0, y1))
        # Which side of the edge, without its slope: that of an almost level edge overflows.
        turn = 1 if y1 > y0 else -1
        before = turn * ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) < 0
        turns += np.where(crossed & before, np.int16(turn), np.int16(0))
    return turns
