"""The doorman's one inbox: whoever puts something in neither waits nor fails, not even a signal handler.

What may be lost is a closed list: what the broker's users say, and a recorder's sign of life. Everything else is
bounded by who says it (a child's socket, one connection, one thread's answers), and losing it would leave the door
waiting for ever for a word that was spoken. A PIR that flutters takes one place: only its newest level counts.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue

from doorbell.events import Heard, Pir, RecorderAlive

MOST_WAITING = 1000
MOST_HEARD = 64
"""Messages from the broker that may wait, each at most 128 KiB: 8 MiB."""
_LOSABLE = (Heard, RecorderAlive)
_PIR = object()


class Inbox:
    """A SimpleQueue, whose ``put`` is reentrant (queue.Queue's is not), with a bound that no press ever meets."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[object] = SimpleQueue()
        self._pir: Pir | None = None
        self.dropped = 0

    def put(self, value: object) -> None:
        """A press is always put; what may be lost only below its bound, and what is dropped is counted."""
        waiting = self._queue.qsize()
        if isinstance(value, Pir):
            waits, self._pir = self._pir is not None, value
            if not waits:
                self._queue.put(_PIR)
        elif isinstance(value, _LOSABLE) and waiting >= (MOST_HEARD if isinstance(value, Heard) else MOST_WAITING):
            self.dropped += 1
        else:
            self._queue.put(value)

    @property
    def is_empty(self) -> bool:
        return self._queue.empty()

    def get(self, timeout: float) -> object | None:
        """The next value, or None after *timeout* seconds."""
        try:
            value = self._queue.get(timeout=max(0.0, timeout))
        except Empty:
            return None
        if value is _PIR:
            value, self._pir = self._pir, None
        return value
