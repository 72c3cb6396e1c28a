"""Which journal entries are on their way to the broker: in order, a few at a time, asked for as there is room."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import define, field

from doorbell.link.messages import Message

REST_S = 60.0
"""What the broker refused and what must arrive all the same is said again after this long."""
NEVER = float("-inf")


@define
class Outbox:
    """The journal answers each question ("what is due above this index?") exactly once, in order.

    An answer to a question of an earlier connection is stale: it would skip entries that are due again.
    """

    rest_until: float = NEVER
    _entries: deque[tuple[int, Message]] = field(factory=deque)
    _asked: bool = False
    _stale: int = 0
    _last: int = 0
    _more: bool = True

    def begin(self) -> None:
        """A new connection: from the oldest due entry again, for what was not acknowledged is due still."""
        self._entries.clear()
        self._stale += self._asked
        self._asked, self._more, self._last, self.rest_until = False, True, 0, NEVER

    def kept(self) -> None:
        """The journal has a new entry."""
        self._more = True

    def answered(self, entries: Sequence[tuple[int, Message]]) -> None:
        """The journal's answer, oldest first; nothing above what was asked for means that it has no more."""
        if self._stale:
            self._stale -= 1
            return
        self._asked = False
        fresh = [(index, message) for index, message in entries if index > self._last]
        self._entries.extend(fresh)
        if fresh:
            self._last, self._more = fresh[-1][0], True

    def rest(self, at: float) -> None:
        """The broker would not have an entry: begin anew after REST_S."""
        self._entries.clear()
        self.rest_until = at + REST_S

    def take(self, at: float, room: int) -> list[tuple[int, Message]]:
        """At most *room* entries to hand over now."""
        if at < self.rest_until:
            return []
        if self.rest_until > NEVER:
            self.begin()
        return [self._entries.popleft() for _ in range(min(room, len(self._entries)))]

    @property
    def is_empty(self) -> bool:
        """Nothing waits to be handed over, and the journal has said that it has no more."""
        return not self._entries and not self._asked and not self._more

    def question(self, at: float) -> int | None:
        """The index above which to ask the journal, when there is room for its answer; None when not."""
        if at < self.rest_until or self._entries or self._asked or not self._more:
            return None
        self._asked, self._more = True, False
        return self._last
