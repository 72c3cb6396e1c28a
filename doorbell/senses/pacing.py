"""Which pictures of a stream to use, and when: pure, told the time."""

from __future__ import annotations


class Thinning:
    """Takes at most ``fps`` of the times it is shown, evenly; from a source as slow as that or slower it takes all."""

    def __init__(self, fps: float) -> None:
        self._interval = 1 / fps
        self._next: float | None = None

    def takes(self, t: float) -> bool:
        """Whether the picture at *t* seconds is one to use; times never fall."""
        # A quarter of an interval early still counts: frame times are rounded and jitter.
        if self._next is None:
            self._next = t
        if t < self._next - self._interval / 4:
            return False
        self._next = max(self._next + self._interval, t)
        return True


class Pacing:
    """When the pictures of a source are due, in monotonic seconds, and which come too late.

    A picture that is two intervals late is dropped. After a second's worth of drops in a row the schedule is moved to
    now instead, so a computer that is too slow still shows something.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._start: float | None = None
        self._in_a_row = 0

    def due(self, t: float, now: float) -> float | None:
        """When the picture at *t* seconds of its source is due; None if it is to be dropped. The first is due now."""
        if self._start is None:
            self._start = now - t
        late = now - (self._start + t)
        if late > 2 / self._fps:
            if self._in_a_row < self._fps:
                self._in_a_row += 1
                return None
            self._start += late
        self._in_a_row = 0
        return self._start + t
