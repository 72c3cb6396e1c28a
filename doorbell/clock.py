"""Wall time, which only labels: a Pi has no clock battery and wakes up in the past.

What is measured or waited for is measured by the monotonic clock; here its seconds get a date, and the word whether
that date can be trusted.
"""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

from doorbell.days import Days, look, resumed
from doorbell.journal.entry import Stamp
from doorbell.link.messages import rfc3339

STEP_S = 2.0
"""The wall clock was stepped where it moved by more than this against the monotonic one."""
_TIME_ERROR = 5
_TIMESYNC = Path("/run/systemd/timesync/synchronized")


class WallClock:
    """Labels monotonic seconds with wall time, and notices when somebody stepped the wall clock."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._offset = time.time() - time.monotonic()
        self._days = Days()

    def wall(self, at: float) -> float:
        """Seconds since 1970 of monotonic *at*, by the wall clock as it is set now."""
        return time.time() - time.monotonic() + at

    def stamp(self, at: float) -> Stamp:
        return Stamp(
            rfc3339(self.wall(at)), "synced" if self.synced() else "unsynced", round(at, 3), bool(self.day(at))
        )

    def day(self, at: float) -> int:
        """Days since 1970 in UTC, to go by; 0 while the clock is unsynced or not believed."""
        self._days, day = look(self._days, int(self.wall(at) // 86400) if self.synced() else 0, time.monotonic())
        return day

    def resume(self, day: int) -> None:
        """*day* is the newest that the journal knows; the clock is believed where it goes on from there."""
        self._days = resumed(day, time.monotonic())

    def stepped(self) -> float:
        """By how many seconds the wall clock was stepped since the last call; 0.0 where it was not."""
        offset = time.time() - time.monotonic()
        by, self._offset = offset - self._offset, offset
        return by if abs(by) > STEP_S else 0.0

    def of_the_week(self) -> tuple[int, int] | None:
        """Day, 0 for Monday, and minute of the day, by the door's own time zone; None while the clock is unsynced."""
        now = time.localtime()
        return (now.tm_wday, now.tm_hour * 60 + now.tm_min) if self.synced() else None

    def synced(self) -> bool:
        # struct timex begins with an int that asks for nothing when 0; the answer is the kernel's own word for
        # "no time source disciplines this clock", whoever the source may be.
        room = ctypes.create_string_buffer(512)
        state = self._libc.adjtimex(room)
        # The unit's ProtectClock forbids the question; systemd-timesyncd leaves its answer in a file as well.
        return _TIMESYNC.exists() if state == -1 else state != _TIME_ERROR
