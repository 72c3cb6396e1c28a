"""Which journal entries are on their way to the broker: in order, a few at a time, asked for as there is room."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import define, field, frozen

from doorbell.link.messages import Message

REST_S = 60.0
"""What the broker refused and what must arrive all the same is said again after this long."""
NEVER = float("-inf")


@frozen
class Ask:
    """Ask the journal for due entries with an index above ``after``; its answer names ``question``."""

    after: int
    question: int


@define
class Outbox:
    """One question to the journal ("what is due above this index?") at a time.

    An answer to any other is old: it would skip entries that are due again. Not every question is answered: of those
    that wait for a slow card only the newest.
    """

    rest_until: float = NEVER
    _entries: deque[tuple[int, Message]] = field(factory=deque)
    _asked: int = 0
    """The question that waits for its answer; 0: none."""
    _questions: int = 0
    _last: int = 0
    _more: bool = True

    def begin(self) -> None:
        """A new connection: from the oldest due entry again, for what was not acknowledged is due still."""
        self._entries.clear()
        self._asked, self._more, self._last, self.rest_until = 0, True, 0, NEVER

    def kept(self) -> None:
        """The journal has a new entry."""
        self._more = True

    def answered(self, question: int, entries: Sequence[tuple[int, Message]]) -> None:
        """The journal's answer, oldest first; nothing above what was asked for means that it has no more."""
        if question != self._asked:
            return
        self._asked = 0
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

    def question(self, at: float) -> Ask | None:
        """What to ask the journal, when there is room for its answer; None when not."""
        if at < self.rest_until or self._entries or self._asked or not self._more:
            return None
        self._questions += 1
        self._asked, self._more = self._questions, False
        return Ask(self._last, self._questions)
