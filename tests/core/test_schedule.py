"""When motion counts: hours of the week, and what is not known of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell import configfile, overlay, schedule
from doorbell.config import Config
from doorbell.errors import ConfigError

MON, FRI, SAT, SUN = 0, 4, 5, 6


def at(day: int, hour: int, minute: int = 0) -> tuple[int, int]:
    return day, hour * 60 + minute


@pytest.mark.parametrize(
    ("line", "inside", "outside"),
    [
        ("daily 18:00-23:00", [at(MON, 18), at(SUN, 22, 59)], [at(MON, 17, 59), at(SUN, 23)]),
        ("mon-fri 22:00-06:30", [at(FRI, 22), at(SAT, 6, 29)], [at(SAT, 22), at(MON, 3), at(SAT, 6, 30)]),
        ("sat,sun 00:00-24:00", [at(SAT, 0), at(SUN, 23, 59)], [at(MON, 0), at(FRI, 23, 59)]),
        ("fri-mon 09:00-10:00", [at(FRI, 9), at(SUN, 9), at(MON, 9)], [at(1, 9), at(3, 9)]),
        ("sun 23:00-01:00", [at(SUN, 23, 30), at(MON, 0, 59)], [at(MON, 1), at(MON, 23, 30)]),
    ],
)
def test_motion_counts_in_these_hours_and_not_in_those(
    line: str, inside: list[tuple[int, int]], outside: list[tuple[int, int]]
) -> None:
    (checked,) = schedule.checked([line])
    assert [schedule.is_open((checked,), one) for one in inside + outside] == [True] * len(inside) + [False] * len(
        outside
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "always", "", "mon 9:00-10:00", "mon 09:00-09:00", "mon 24:00-09:00", "mon 09:60-10:00", "mon 09:00-24:01",
        "mond 09:00-10:00", "mon- 09:00-10:00", "mon 09:00-10:00 ", "MON 09:00-10:00", "daily,mon 09:00-10:00", 7, None,
        "mon 09:00–10:00",  # noqa: RUF001  a dash that people's keyboards make
    ],
)  # fmt: skip
def test_what_is_no_stretch_of_hours_is_refused_with_the_way_to_write_it(wrong: object) -> None:
    with pytest.raises(ConfigError, match=re.escape("line 2")) as refused:
        schedule.checked(["daily 00:00-24:00", wrong])
    assert "sat,sun 00:00-24:00" in str(refused.value)


@pytest.mark.parametrize("wrong", ["daily 00:00-24:00", {}, None, ["daily 00:00-24:00"] * 17])
def test_a_schedule_is_a_short_list(wrong: object) -> None:
    with pytest.raises(ConfigError, match="at most 16"):
        schedule.checked(wrong)


def test_outside_the_hours_only_a_press_records_and_who_does_not_know_the_hour_records() -> None:
    lines = ("daily 18:00-23:00",)
    assert schedule.record_on("motion", lines, lambda: at(MON, 12)) == "press"
    assert schedule.record_on("motion", lines, lambda: at(MON, 19)) == "motion"
    assert schedule.record_on("press", lines, lambda: at(MON, 19)) == "press"
    assert schedule.record_on("motion", lines, lambda: None) == "motion"


def test_without_a_schedule_nobody_looks_at_the_clock() -> None:
    assert schedule.record_on("motion", (), lambda: pytest.fail("the clock was asked")) == "motion"


@given(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440), st.integers(0, 6), st.integers(0, 1439))
def test_a_stretch_is_open_for_exactly_its_minutes(day: int, begins: int, lasts: int, on: int, minute: int) -> None:
    end = (begins + lasts) % 1440 or 1440
    if end == begins:
        return
    line = f"{schedule.DAYS[day]} {begins // 60:02}:{begins % 60:02}-{end // 60:02}:{end % 60:02}"
    since = ((on - day) * 1440 + minute - begins) % (7 * 1440)
    assert schedule.is_open(schedule.checked([line]), (on, minute)) is (since < lasts)


def test_the_household_changes_the_hours_and_the_linger_and_both_are_kept() -> None:
    after = overlay.changed(Config(), {"motion": {"schedule": ["daily 18:00-23:00"]}, "visit": {"linger_s": 20}})
    assert (after.motion.schedule, after.visit.linger_s) == (("daily 18:00-23:00",), 20.0)
    assert not overlay.needs_recorder(Config(), after)
    assert configfile.from_doorman(configfile.for_recorder(after)).motion == after.motion
    for wrong in ({"motion": {"schedule": ["noon"]}}, {"visit": {"linger_s": 0}}, {"visit": {"longest_s": 60}}):
        with pytest.raises((ConfigError, ValueError)):
            overlay.changed(Config(), wrong)


def test_the_door_spells_its_hour_as_the_schedule_does() -> None:
    assert schedule.spelt(at(SUN, 21, 4)) == "sun 21:04"
