"""Which day it is, as far as it can be believed: what a clip is kept by must not hang on one wrong clock.

"Synchronised" is the word of whoever answered the Pi's question for the time, and that may be a stranger. So a day is
believed where it follows from the day believed before and from the time that has passed, which needs no one's word. A
clock that leaps, forward or back, is believed once it has stood by its new day for a day; meanwhile nothing is dated
and nothing is too old (the quota goes on being kept). So a wrong clock of less than a day makes nothing expire early.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, frozen

DAY_S: Final = 86_400.0
STEADY_S: Final = DAY_S
"""Monotonic seconds for which a leap must last until it is believed."""
LONGEST_GAP: Final = 2
"""Days without power that are believed at a start: longer ones are believed a day later."""


@frozen
class Days:
    """``day`` is the newest UTC day believed (0: none), seen at monotonic ``at``; ``gap`` more may have passed unseen.

    ``claimed`` is a day that the clock said at ``since`` and that did not follow; 0: none.
    """

    day: int = 0
    at: float = 0.0
    gap: int = 0
    claimed: int = 0
    since: float = 0.0


def resumed(day: int, at: float) -> Days:
    """At a start: ``day`` is the newest that the journal knows."""
    return Days(day, at, LONGEST_GAP)


def look(days: Days, said: int, at: float) -> tuple[Days, int]:
    """The clock says it is the UTC day ``said`` (0: it does not know); returns the day to go by, 0 for none."""
    if not said:
        return days, 0
    if days.day and _follows(days.day, days.at, said, at, days.gap):
        known = days if said == days.day else Days(said, at)
        return evolve(known, claimed=0), said
    if not days.claimed or not _follows(days.claimed, days.since, said, at, 0):
        return evolve(days, claimed=said, since=at), 0
    if at - days.since < STEADY_S:
        return days, 0
    return Days(said, at), said


def _follows(day: int, at: float, said: int, now: float, gap: int) -> bool:
    return day <= said <= day + gap + 1 + int((now - at) // DAY_S)
