"""The doorman's one inbox: whoever puts something in neither waits nor fails, not even a signal handler."""

from __future__ import annotations

from queue import Empty, SimpleQueue

from doorbell.events import ButtonEdge, Died, Stop

MOST_WAITING = 1000
_ALWAYS = (ButtonEdge, Stop, Died)


class Inbox:
    """A SimpleQueue with a bound that no press ever meets: its ``put`` is reentrant, which queue.Queue's is not."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[object] = SimpleQueue()
        self.dropped = 0

    def put(self, value: object) -> None:
        """A press is always put; anything else only below 1,000 waiting, and what is dropped is counted."""
        if self._queue.qsize() >= MOST_WAITING and not isinstance(value, _ALWAYS):
            self.dropped += 1
        else:
            self._queue.put(value)

    @property
    def is_empty(self) -> bool:
        return self._queue.empty()

    def get(self, timeout: float) -> object | None:
        """The next value, or None after *timeout* seconds."""
        try:
            return self._queue.get(timeout=max(0.0, timeout))
        except Empty:
            return None
