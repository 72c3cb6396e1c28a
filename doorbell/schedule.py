"""When motion counts: hours of the week, in the door's own time. A press counts at any hour.

Written as people say it, one line for each stretch: ``mon-fri 22:00-06:30``, ``sat,sun 00:00-24:00``, ``daily
18:00-23:00``. A stretch that ends at or before its beginning goes on past midnight, and belongs to the day it began on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from doorbell.errors import ConfigError

MOST: Final = 16
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN: Final = 24 * 60
_LINE: Final = re.compile(r"([a-z]{3,5}(?:[-,][a-z]{3})*) (\d\d):(\d\d)-(\d\d):(\d\d)")
FIX: Final = 'write each as "mon-fri 22:00-06:30", "sat,sun 00:00-24:00" or "daily 18:00-23:00"'

Moment = tuple[int, int]
"""Day of the week, 0 for Monday, and minute of that day, 0 to 1439."""


def checked(value: object) -> tuple[str, ...]:
    """The lines as they were written; raises ConfigError naming the line and the fix."""
    if not isinstance(value, list | tuple) or len(value) > MOST:
        raise ConfigError(f"give a list of at most {MOST} texts; {FIX}")
    for number, line in enumerate(value, 1):
        if not isinstance(line, str) or _stretch(line) is None:
            raise ConfigError(f"line {number}: {FIX}")
    return tuple(value)


def record_on(chosen: str, lines: tuple[str, ...], now: Callable[[], Moment | None]) -> str:
    """What records now beside a press: *chosen*, or outside the hours of *lines* only a ``press``.

    *now* is asked only where there are hours at all. None, from a door that does not know the time, means that motion
    counts: a clip too many is forgotten soon, one that is missing is missing.
    """
    if not lines or (moment := now()) is None or is_open(lines, moment):
        return chosen
    return "press"


def is_open(lines: tuple[str, ...], moment: Moment) -> bool:
    """Whether motion counts at *moment*."""
    day, minute = moment
    since = day * DAY_MIN + minute
    return any((since - begins) % (7 * DAY_MIN) < lasts for begins, lasts in _week(lines))


def spelt(moment: Moment) -> str:
    """``sun 21:14``."""
    return f"{DAYS[moment[0]]} {moment[1] // 60:02}:{moment[1] % 60:02}"


@lru_cache(maxsize=4)
def _week(lines: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Each stretch of each day: its first minute of the week, and how many minutes it lasts."""
    found = []
    for line in lines:
        if (stretch := _stretch(line)) is not None:
            days, begins, ends = stretch
            found += [(day * DAY_MIN + begins, ends - begins + DAY_MIN * (ends <= begins)) for day in days]
    return tuple(found)


def _stretch(line: str) -> tuple[list[int], int, int] | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    days = _days(match[1])
    begins, ends = int(match[2]) * 60 + int(match[3]), int(match[4]) * 60 + int(match[5])
    fits = max(int(match[3]), int(match[5])) < 60 and begins < DAY_MIN and ends <= DAY_MIN and begins != ends
    return (days, begins, ends) if days and fits else None


def _days(text: str) -> list[int]:
    if text == "daily":
        return list(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            return []
        begins = DAYS.index(first)
        ends = DAYS.index(last) if dash else begins
        found += [(begins + more) % 7 for more in range((ends - begins) % 7 + 1)]
    return sorted(set(found))
