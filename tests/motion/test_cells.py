"""Cells and grid: exact sums, extremes included, against the slow and obvious."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from doorbell.vision.cells import BRIGHTEST, Cells, block_of
from doorbell.vision.grid import Grid, Neighbours


def slowly(luma, cells):
    """Sums of every second column of every block, by one loop over cells."""
    block = cells.block
    sums = np.zeros((cells.rows, cells.columns), int)
    for row in range(cells.rows):
        for column in range(cells.columns):
            square = luma[row * block : (row + 1) * block, column * block : (column + 1) * block]
            sums[row, column] = square[:, ::2].astype(int).sum()
    return sums if block == 4 else sums // 4


ENDS = st.sampled_from([0, 1, 127, 128, 254, 255])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(32, 75).flatmap(
        lambda width: st.integers(24, 45).flatmap(
            lambda high: arrays(np.uint8, (high, width), elements=ENDS, fill=ENDS)
        )
    )
)
def test_small_pictures_are_summed_exactly(luma):
    cells = Cells(luma.shape[1], luma.shape[0])
    np.testing.assert_array_equal(cells.sum(luma), slowly(luma, cells))


@pytest.mark.parametrize(("width", "height"), [(320, 240), (322, 241), (480, 360), (640, 360), (640, 480)])
@pytest.mark.parametrize("level", [0, 255, None])
def test_pictures_of_every_size_are_summed_exactly(width, height, level):
    luma = np.random.default_rng(width).integers(0, 256, (height, width), np.uint8)
    if level is not None:
        luma[:] = level
    cells = Cells(width, height)
    sums = cells.sum(luma)
    np.testing.assert_array_equal(sums, slowly(luma, cells))
    assert sums.max() <= BRIGHTEST
    if level == 255:
        assert (sums == BRIGHTEST).all()


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 480), (1280, 720)])
def test_an_odd_stride_changes_nothing(width, height):
    wide = np.random.default_rng(1).integers(0, 256, (height + 3, width + 37), np.uint8)
    inside = wide[2 : 2 + height, 5 : 5 + width]
    expected = Cells(width, height).sum(np.ascontiguousarray(inside)).copy()
    np.testing.assert_array_equal(Cells(width, height).sum(inside), expected)


def test_a_large_picture_stands_for_itself_by_every_other_row():
    luma = np.random.default_rng(2).integers(0, 256, (720, 1280), np.uint8)
    cells = Cells(1280, 720)
    square = luma[16:32:2, 32:40][:, ::2]
    assert (cells.block, cells.sum(luma)[1, 2]) == (16, square.astype(int).sum() // 4)


def test_the_grid_is_about_as_fine_for_every_picture():
    widths = [240, 320, 480, 640, 1280, 1920, 3840]
    assert all(60 <= width // block_of(width) < 120 for width in widths)


def test_a_picture_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 32x24"):
        Cells(31, 24)


FLAGS = arrays(np.uint8, (7, 10), elements=st.integers(0, 1))


@given(FLAGS)
def test_neighbours_are_counted_as_one_would_with_a_pencil(cells):
    grid = Grid(*cells.shape)
    flags, counts, most = grid.flags(), grid.flags(), grid.flags()
    grid.table(flags)[:] = cells
    Neighbours(grid).count(flags, counts)
    Neighbours(grid).most(flags, most)
    around = np.pad(cells, 1)
    for row in range(7):
        for column in range(10):
            assert grid.table(counts)[row, column] == around[row : row + 3, column : column + 3].sum()
            assert grid.table(most)[row, column] == around[row : row + 3, column : column + 3].max()


@given(arrays(np.uint8, (11, 14), elements=st.integers(0, 1)))
def test_the_fullest_window_is_the_fullest(cells):
    grid = Grid(*cells.shape)
    flags = grid.flags()
    grid.table(flags)[:] = cells
    most, row, column = Neighbours(grid).fullest(flags)
    around = np.pad(cells, 8)
    sums = {(r, c): around[r + 8 : r + 16, c + 8 : c + 16].sum() for r in range(-4, 8) for c in range(-8, 14)}
    assert most == max(sums.values()) == sums[row, column]


def test_margins_repeat_the_outermost_cells():
    grid = Grid(5, 6)
    table = np.arange(30).reshape(5, 6)
    flat = table.ravel()[grid.nearest()]
    np.testing.assert_array_equal(flat[grid.inner].reshape(5, grid.stride)[:, :6], table)
    wide = np.pad(table, 4, mode="edge")
    for row in range(5):
        for column in range(6):
            for down in (-4, 0, 3):
                for right in (-4, 0, 4):
                    index = grid.inner.start + (row + down) * grid.stride + column + right
                    assert flat[index] == wide[row + 4 + down, column + 4 + right]
