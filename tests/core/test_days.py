"""Which day the door goes by."""

from __future__ import annotations

from doorbell.days import DAY_S, LONGEST_GAP, STEADY_S, Days, look, resumed


def test_a_new_door_believes_its_clock_after_a_day() -> None:
    days, day = look(Days(), 20_000, 10.0)
    assert day == 0
    days, day = look(days, 20_000, 10.0 + STEADY_S - 1)
    assert day == 0
    assert look(days, 20_001, 10.0 + STEADY_S)[1] == 20_001


def test_a_day_that_follows_is_believed_at_once() -> None:
    days = Days(20_000, 0.0)
    for passed in range(5):
        days, day = look(days, 20_000 + passed, passed * DAY_S)
        assert day == 20_000 + passed


def test_a_leap_either_way_is_not_believed_before_it_has_stood_for_a_day() -> None:
    for leap in (3650, -3650, 3, -1):
        days, day = look(Days(20_000, 0.0), 20_000 + leap, 100.0)
        assert day == 0
        assert look(days, 20_000 + leap + 1, 100.0 + STEADY_S)[1] == 20_001 + leap


def test_a_leap_and_back_leaves_nothing_behind() -> None:
    days, _ = look(Days(20_000, 0.0), 23_650, 100.0)
    days, day = look(days, 20_000, 200.0)
    assert day == 20_000
    assert days.claimed == 0


def test_a_start_believes_a_power_cut_of_two_days() -> None:
    assert look(resumed(20_000, 5.0), 20_000 + LONGEST_GAP + 1, 6.0)[1] == 20_000 + LONGEST_GAP + 1
    assert look(resumed(20_000, 5.0), 20_000 + LONGEST_GAP + 2, 6.0)[1] == 0


def test_a_clock_that_does_not_know_dates_nothing() -> None:
    assert look(Days(20_000, 0.0), 0, 5.0) == (Days(20_000, 0.0), 0)
