"""Relief, thresholds and maps: exact integers, compared with the slow and obvious, also at the ends of uint8."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from doorbell.vision.background import OCTAVE, Background, Relief
from doorbell.vision.cells import BRIGHTEST
from doorbell.vision.differences import Differences
from doorbell.vision.grid import Grid

ROWS, COLUMNS = 9, 12
SUMS = arrays(np.uint32, (ROWS, COLUMNS), elements=st.sampled_from([0, 1, 8, 500, 1020, 2039, BRIGHTEST]))


def everything():
    grid = Grid(ROWS, COLUMNS)
    near = np.ones((ROWS, COLUMNS), bool)
    background = Background(grid, near, np.uint32, 37)
    relief = Relief(grid, background.usual)
    return grid, background, relief, Differences(grid, near, relief, background)


def level_of(sums):
    return np.round(OCTAVE * np.log2((sums.astype(float) + 24) / 24)).astype(int)


def mean_of_eight(table):
    """8x8 means (y-4..y+3, x-4..x+3) of a table continued at its edges; rounded across, then down."""
    wide = np.pad(table, 4, mode="edge")
    across = np.stack([(wide[:, c : c + 8].sum(1) + 4) >> 3 for c in range(table.shape[1])], 1)
    return np.stack([(across[r : r + 8].sum(0) + 4) >> 3 for r in range(table.shape[0])], 0)


@settings(max_examples=60, deadline=None)
@given(SUMS, SUMS)
def test_relief_is_the_difference_without_its_neighbourhood(usual, now):
    grid, background, relief, _ = everything()
    background.restart(relief.read(usual))
    relief.read(now)
    relief.stand_out()
    difference = level_of(now) - level_of(usual)
    mean = mean_of_eight(difference)
    np.testing.assert_array_equal(grid.table(relief.out), difference - mean)
    np.testing.assert_array_equal(grid.table(relief.light), (np.maximum(mean, 0) >> 1) + (np.abs(mean) >> 3))


@settings(max_examples=60, deadline=None)
@given(SUMS, SUMS)
def test_a_cell_differs_exactly_beyond_its_bounds(usual, now):
    grid, background, relief, differences = everything()
    background.restart(relief.read(usual))
    relief.read(now)
    differences.compare(known=9.0, seconds=0.1)
    levels, out, light = level_of(usual), grid.table(relief.out).astype(int), grid.table(relief.light).astype(int)
    wide = np.pad(levels, 1, mode="edge")
    around = np.stack([wide[r : r + ROWS, c : c + COLUMNS] for r in range(3) for c in range(3)])
    least = (15 * 8 >> 1) - (15 * 8 >> 4) + 37
    high = ((around.max(0) - levels) * 3 >> 3) + least + light
    low = ((levels - around.min(0)) * 3 >> 3) + least + light
    different = (out > high) | (out < -low)
    np.testing.assert_array_equal(grid.table(differences._different), different)
    margins = differences._different[grid.inner].reshape(ROWS, grid.stride)[:, COLUMNS:]
    assert not margins.any()


@settings(max_examples=60, deadline=None)
@given(SUMS, SUMS)
def test_quiet_means_that_no_cell_left_its_range(usual, now):
    grid, background, relief, _ = everything()
    background.restart(relief.read(usual))
    low = level_of(usual) - grid.table(background.under)
    high = level_of(usual) + (grid.table(background.span).astype(int) - grid.table(background.under))
    bound = lambda level: np.round(24 * 2.0 ** (np.clip(level, 0, level_of(np.array(BRIGHTEST))) / OCTAVE) - 24)
    outside = (now < bound(low)) | (now > bound(high))
    assert background.quiet(now, 4) == (outside.sum() < 4)


def test_the_usual_level_follows_in_eight_seconds():
    grid, background, relief, _ = everything()
    dark, bright = np.full((ROWS, COLUMNS), 500, np.uint32), np.full((ROWS, COLUMNS), 600, np.uint32)
    background.restart(relief.read(dark))
    for _second in range(60):
        background.learn(relief.read(dark), grid.levels(), grid.flags(), 1.0)
    begin = int(background.usual[grid.inner][0])
    for _second in range(8):
        background.learn(relief.read(bright), grid.levels(), grid.flags(), 1.0)
    share = (int(background.usual[grid.inner][0]) - begin) / (level_of(np.array(600)) - begin)
    assert 0.55 < share < 0.72  # 1 - 1/e is 0.63


def test_an_unruly_cell_gets_a_higher_threshold_than_its_neighbours():
    grid, background, relief, _ = everything()
    still = np.full((ROWS, COLUMNS), 800, np.uint32)
    background.restart(relief.read(still))
    unrest = grid.levels()
    grid.table(unrest)[4, 6] = 200
    for _second in range(60):
        background.learn(relief.read(still), unrest, grid.flags(), 1.0)
    least = grid.table(background.least)
    assert least[4, 6] > 3 * 150 > 3 * least[4, 7]


def test_a_visitor_teaches_the_threshold_four_times_slower():
    grid, background, relief, _ = everything()
    still = np.full((ROWS, COLUMNS), 800, np.uint32)
    background.restart(relief.read(still))
    for _second in range(60):
        background.learn(relief.read(still), grid.levels(), grid.flags(), 1.0)
    unrest, busy = grid.levels(), grid.flags()
    grid.table(unrest)[:] = 60
    grid.table(busy)[:, :6] = 1
    before = grid.table(background.least).astype(int).copy()
    background.learn(relief.read(still), unrest, busy, 1.0)
    raised = grid.table(background.least) - before
    assert 0 < raised[0, 0] * 3 < raised[0, 11]
