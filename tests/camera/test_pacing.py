"""Which pictures are used: evenly fewer when too many come, whole ones given up when they come too late."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell.senses.pacing import Pacing, Thinning

steps_up = st.lists(st.floats(0.001, 0.3), min_size=30, max_size=200)


@given(steps_up, st.sampled_from([5, 10, 15]))
def test_thinning_never_takes_more_than_it_may(steps: list[float], fps: int) -> None:
    times = np.cumsum(steps).tolist()
    thinning = Thinning(fps)
    taken = [t for t in times if thinning.takes(t)]
    assert taken[0] == times[0]
    assert len(taken) <= (times[-1] - times[0]) * fps + 1.25 + 1e-6
    if min(np.diff(times)) >= 1 / fps:
        assert taken == times


@pytest.mark.parametrize("fps", [15, 20, 25, 30])
def test_thinning_is_even(fps: int) -> None:
    thinning = Thinning(10)
    taken = [number / fps for number in range(fps * 10) if thinning.takes(number / fps)]
    assert 99 <= len(taken) <= 101
    assert max(np.diff(taken)) <= 0.1 + 1 / fps


def test_what_comes_in_time_is_due_as_its_source_counts() -> None:
    pacing = Pacing(10)
    assert [pacing.due(7 + number / 10, 500 + number / 20) for number in range(5)] == pytest.approx(
        [500, 500.1, 500.2, 500.3, 500.4]
    )


def test_what_is_a_little_late_is_given_and_what_is_later_is_dropped() -> None:
    pacing = Pacing(10)
    assert pacing.due(0, 500) == 500
    assert pacing.due(0.1, 500.29) == pytest.approx(500.1)
    assert pacing.due(0.2, 500.41) is None
    assert pacing.due(0.3, 500.42) == pytest.approx(500.3)


def test_a_source_that_is_always_late_gives_one_in_a_seconds_worth() -> None:
    pacing = Pacing(10)
    given = [pacing.due(number / 10, 500 + number) for number in range(40)]
    assert [number for number, at in enumerate(given) if at is not None] == [0, 11, 22, 33]
    assert given[11] == 511, "from then on it counts from now"


@given(steps_up, steps_up)
def test_what_is_given_is_never_given_before_the_picture_before_it(steps: list[float], delays: list[float]) -> None:
    pacing, now, t, last = Pacing(15), 100.0, 0.0, float("-inf")
    for step, delay in zip(steps, delays, strict=False):
        now, t = now + delay, t + step
        at = pacing.due(t, now)
        if at is not None:
            assert at > last
            last, now = at, max(now, at)
