"""Masks hide at least what the owner drew, and at most the blocks it touches."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell.errors import ConfigError
from doorbell.vision.zones import BLOCK, Painter, blocks, parse, watch

fractions = st.one_of(
    st.floats(0, 1, allow_subnormal=False), st.integers(0, 20).map(lambda n: n / 20), st.sampled_from([0.0, 1.0])
)
polygons = st.lists(st.tuples(fractions, fractions), min_size=3, max_size=7).map(tuple)
sizes = st.tuples(st.integers(16, 90), st.integers(16, 70)).map(lambda size: (size[0] * 2, size[1] * 2))


def rectangle(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def meets(one, other, left, top, right, bottom):
    """Whether a segment meets a closed rectangle: clipped side by side (Liang and Barsky), in exact fractions."""
    begin, end = Fraction(0), Fraction(1)
    for start, stop, low, high in ((one[0], other[0], left, right), (one[1], other[1], top, bottom)):
        step = stop - start
        if step == 0:
            if not low <= start <= high:
                return False
            continue
        enters, leaves = sorted(((low - start) / step, (high - start) / step))
        begin, end = max(begin, enters), min(end, leaves)
    return begin <= end


def goes_round(corners, x, y):
    """The winding number of a point on no edge, by counting crossings of the ray to the right, in exact fractions."""
    turns = 0
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) > x:
            turns += 1 if y1 > y0 else -1
    return turns


def slow_blocks(polygon, width, height, slack):
    corners = [(Fraction(x) * width, Fraction(y) * height) for x, y in polygon]
    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    found = np.zeros((rows, columns), dtype=bool)
    for row in range(rows):
        for column in range(columns):
            left, top = column * BLOCK, row * BLOCK
            grown = (left - slack, top - slack, left + BLOCK + slack, top + BLOCK + slack)
            found[row, column] = any(meets(*edge, *grown) for edge in edges) or (
                goes_round(corners, Fraction(left + BLOCK // 2), Fraction(top + BLOCK // 2)) != 0
            )
    return found


@settings(deadline=None, max_examples=150)
@given(polygons, sizes)
def test_a_mask_covers_every_block_it_touches_and_no_other(polygon, size) -> None:
    found = blocks((polygon,), *size)
    assert (found | ~slow_blocks(polygon, *size, Fraction(0))).all(), "a block that is touched was left out"
    assert (slow_blocks(polygon, *size, Fraction(1, 10**6)) | ~found).all(), "a block far from the mask was covered"


@settings(deadline=None, max_examples=60)
@given(st.lists(polygons, min_size=1, max_size=3).map(tuple), sizes)
def test_the_painter_blackens_exactly_the_blocks(several, size) -> None:
    width, height = size
    y, u, v = (np.full(shape, 200, np.uint8) for shape in ((height, width), *[(height // 2, width // 2)] * 2))
    Painter.main(several, width, height).paint(y, u, v)
    wanted = np.kron(blocks(several, width, height), np.ones((BLOCK, BLOCK), bool))[:height, :width]
    assert (y == np.where(wanted, 16, 200)).all()
    assert (u == np.where(wanted[::2, ::2], 128, 200)).all()
    assert (v == u).all()


@settings(deadline=None, max_examples=60)
@given(polygons, sizes, st.tuples(st.integers(4, 20), st.integers(4, 20)))
def test_the_small_picture_hides_whatever_the_large_one_hides(polygon, main, halves) -> None:
    lores = min(halves[0] * 2, main[0]), min(halves[1] * 2, main[1])
    y, u, v = (np.full(shape, 200, np.uint8) for shape in (lores[::-1], *[(lores[1] // 2, lores[0] // 2)] * 2))
    Painter.lores((polygon,), main, lores).paint(y, u, v)
    hidden = np.kron(blocks((polygon,), *main), np.ones((BLOCK, BLOCK), bool))[: main[1], : main[0]]
    rows, columns = np.nonzero(hidden)
    assert (y[rows * lores[1] // main[1], columns * lores[0] // main[0]] == 16).all()
    assert ((u == 128) == (y[::2, ::2] == 16)).all() and (v == u).all()


def test_the_small_picture_is_hidden_hardly_further_than_the_large_one() -> None:
    painter = Painter.lores((rectangle(0.26, 0.26, 0.49, 0.49),), (1280, 720), (320, 240))
    left, top, right, bottom = painter.rectangles[0]
    assert (left, top, right, bottom) == (78, 56, 162, 124)  # of 80, 58.7, 160, 122.7: less than 3 pixels


def test_a_mask_within_one_block_hides_that_block() -> None:
    found = blocks((rectangle(0.51, 0.51, 0.52, 0.52),), 160, 160)
    assert np.argwhere(found).tolist() == [[5, 5]]


def test_a_mask_that_crosses_itself_hides_all_it_goes_round() -> None:
    star = ((0.5, 0.0), (0.8, 1.0), (0.0, 0.4), (1.0, 0.4), (0.2, 1.0))
    assert blocks((star,), 320, 320)[11, 10], "the pentagon in the middle is gone round twice, so it is inside"


def test_no_mask_hides_nothing() -> None:
    assert not blocks((), 1280, 720).any()
    assert Painter.main((), 1280, 720).rectangles == ()


def test_the_whole_picture_can_be_hidden_with_one_rectangle() -> None:
    assert Painter.main((rectangle(0, 0, 1, 1),), 1920, 1080).rectangles == ((0, 0, 1920, 1080),)


@settings(deadline=None, max_examples=60)
@given(st.lists(polygons, min_size=1, max_size=3).map(tuple), sizes)
def test_a_pixel_is_watched_when_its_centre_lies_in_a_zone(several, size) -> None:
    width, height = size
    seen = watch(several, width, height)
    assert seen.shape == (height, width) and seen.dtype == np.uint8
    for x, y in ((width // 2, height // 2), (1, 1), (width - 1, height // 3)):
        point = Fraction(2 * x + 1, 2 * width), Fraction(2 * y + 1, 2 * height)
        exact = [[(Fraction(a), Fraction(b)) for a, b in polygon] for polygon in several]
        near = Fraction(1, 10**9)
        rim = any(
            meets(one, other, point[0] - near, point[1] - near, point[0] + near, point[1] + near)
            for polygon in exact
            for one, other in zip(polygon, polygon[1:] + polygon[:1], strict=True)
        )
        if not rim:
            assert seen[y, x] == any(goes_round(polygon, *point) for polygon in exact)


def test_without_a_zone_the_whole_picture_is_watched() -> None:
    assert watch((), 320, 240).all()


@pytest.mark.parametrize(
    "value",
    [
        "left",
        [[[0, 0], [1, 0]]],
        [[[0, 0], [1, 0], [2, 1]]],
        [[[0, 0], [1, 0], [float("nan"), 1]]],
        [[[0, 0], [0.5, 0.5], [1, 1]]],
        [[[0, 0], [1, 0], [1, 1]]] * 17,
    ],
)
def test_a_mask_that_is_no_polygon_is_refused_with_its_fix(value) -> None:
    with pytest.raises(ConfigError, match=r"give|one line"):
        parse(value)
