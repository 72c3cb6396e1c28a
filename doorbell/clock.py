"""Wall time, which only labels: a Pi has no clock battery and wakes up in the past.

What is measured or waited for is measured by the monotonic clock; here its seconds get a date, and the word whether
that date can be trusted.
"""

from __future__ import annotations

import ctypes
import time

from attrs import frozen

STEP_S = 2.0
"""The wall clock was stepped where it moved by more than this against the monotonic one."""
_TIME_ERROR = 5


@frozen
class Stamp:
    """When something happened: ``at`` RFC 3339 UTC, ``clock`` synced or unsynced, ``uptime`` in seconds."""

    at: str
    clock: str
    uptime: float
    day: int
    """Days since 1970 in UTC; 0 while the clock is unsynced."""


def rfc3339(seconds: float) -> str:
    """Wall *seconds* since 1970 as RFC 3339 in UTC, with milliseconds."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{thousandths:03d}Z"


class WallClock:
    """Labels monotonic seconds with wall time, and notices when somebody stepped the wall clock."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._offset = time.time() - time.monotonic()

    def stamp(self, at: float) -> Stamp:
        """The label of monotonic *at*, by the wall clock as it is set now."""
        wall = time.time() - time.monotonic() + at
        synced = self._synced()
        return Stamp(
            rfc3339(wall), "synced" if synced else "unsynced", round(at, 3), int(wall // 86400) if synced else 0
        )

    def stepped(self) -> float:
        """By how many seconds the wall clock was stepped since the last call; 0.0 where it was not."""
        offset = time.time() - time.monotonic()
        by, self._offset = offset - self._offset, offset
        return by if abs(by) > STEP_S else 0.0

    def _synced(self) -> bool:
        # struct timex begins with an int that selects nothing when 0; the answer is the kernel's own word for
        # "no time source has disciplined this clock", whoever the source may be.
        room = ctypes.create_string_buffer(512)
        return bool(self._libc.adjtimex(room) not in (-1, _TIME_ERROR))
