"""What the doorman asks of the journal thread, and the bounded line in which it waits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from doorbell.clips.leftovers import Cut
from doorbell.journal.entry import Field, Stamp

MOST_WAITING: Final = 1000
"""Requests; with the card dead, what happens beyond that is counted, not kept."""
MOST_ROUTINE: Final = 800
"""From here on only rings and the fate of clips are taken."""

MOST_ACKNOWLEDGED: Final = 10_000


@frozen
class Write:
    kind: str
    fields: Mapping[str, Field]
    stamp: Stamp
    token: str = ""


@frozen
class ClipStarted:
    clip: str
    fields: Mapping[str, Field]
    stamp: Stamp


@frozen
class ClipKept:
    clip: str
    fields: Mapping[str, Field]
    stamp: Stamp
    size: int


@frozen
class ClipLost:
    clip: str
    why: str
    stamp: Stamp


@frozen
class Delete:
    clip: str
    why: str
    stamp: Stamp


@frozen
class ForgetOld:
    stamp: Stamp
    today: int
    days: int
    quota: int


@frozen
class CutFound:
    """An earlier start left this clip unfinished."""

    cut: Cut
    stamp: Stamp


@frozen
class Vanished:
    """These kept clips are no longer on the card."""

    clips: tuple[str, ...]
    stamp: Stamp


Request = Write | ClipStarted | ClipKept | ClipLost | Delete | ForgetOld | CutFound | Vanished


@frozen
class AskDue:
    """The oldest due entries behind ``after``; the answer names ``question``."""

    after: int
    question: int


@frozen
class AskPage:
    """Entries behind ``after``, about ``room`` bytes of them, whether due or not."""

    after: int
    room: int
    token: str


MOST_PAGES: Final = 16
"""Pages that may be asked for at a time."""


def matters(request: Request) -> bool:
    """Rings, and what the store's table lives by, are given up last."""
    return isinstance(request, ClipStarted | ClipKept | ClipLost) or (
        isinstance(request, Write) and request.kind == "ring"
    )


class Line:
    """Requests in the order they came. Any thread may put, one takes; ``put`` never waits for the card.

    When 800 wait, routine is refused. When 1,000 wait, what matters pushes out the oldest routine, and is itself
    refused only when there is none: 1,000 unwritten rings.
    """

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()
        self._in_hand = 0
        self._dropped = 0
        self._acknowledged: set[int] = set()
        self._ask: AskDue | None = None
        self._pages: list[AskPage] = []
        self._changed = threading.Condition()
        self.stopping = False

    def __len__(self) -> int:
        return len(self._waiting) + self._in_hand

    def put(self, request: Request) -> bool:
        """Whether it was taken; if not, it is counted."""
        with self._changed:
            taken = self._make_room(request)
            if taken:
                self._waiting.append(request)
                self._changed.notify()
            else:
                self._dropped += 1
            return taken

    def put_first(self, requests: list[Request]) -> None:
        """What was found at the start, before anything that happened since; bounded by the clips on the card."""
        with self._changed:
            self._waiting.extendleft(reversed(requests))

    def take(self, most: int) -> list[Request]:
        """The oldest requests. They count as waiting until ``done``."""
        with self._changed:
            batch = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._in_hand = len(batch)
            return batch

    def done(self) -> None:
        with self._changed:
            self._in_hand = 0

    def acknowledge(self, index: int) -> None:
        """Beyond 10,000 that wait for a card it is forgotten: then the entry is only sent again."""
        with self._changed:
            if len(self._acknowledged) < MOST_ACKNOWLEDGED:
                self._acknowledged.add(index)

    def acknowledged(self) -> frozenset[int]:
        return frozenset(self._acknowledged.copy())

    def acknowledgements_kept(self, indices: frozenset[int]) -> None:
        with self._changed:
            self._acknowledged -= indices

    def ask(self, ask: AskDue) -> None:
        """Only the newest question counts, until it is answered."""
        with self._changed:
            self._ask = ask
            self._changed.notify()

    def asked(self) -> AskDue | None:
        """What waits for an answer: it waits on where the card cannot be read."""
        return self._ask

    def answered(self, ask: AskDue) -> None:
        with self._changed:
            if self._ask is ask:
                self._ask = None

    def ask_page(self, ask: AskPage) -> bool:
        """Whether there was room for the question."""
        with self._changed:
            if len(self._pages) >= MOST_PAGES:
                return False
            self._pages.append(ask)
            self._changed.notify()
            return True

    def pages(self) -> tuple[AskPage, ...]:
        """Those that wait for an answer, the oldest first."""
        with self._changed:
            return tuple(self._pages)

    def page_answered(self, page: AskPage) -> None:
        with self._changed:
            self._pages.remove(page)

    def dropped(self) -> int:
        """How many were given up since this was last asked."""
        with self._changed:
            count, self._dropped = self._dropped, 0
            return count

    def starting(self) -> frozenset[str]:
        """Clips begun since this start whose beginning is not written yet."""
        with self._changed:
            return frozenset(request.clip for request in self._waiting if isinstance(request, ClipStarted))

    def wait(self, seconds: float, *, for_questions: bool, for_requests: bool) -> None:
        """Return after ``seconds``, at ``stop``, or as soon as anything of a kind waits that is waited for."""

        def is_over() -> bool:
            asked = bool(self._pages) or self._ask is not None
            return self.stopping or (for_questions and asked) or (for_requests and bool(self._waiting))

        with self._changed:
            self._changed.wait_for(is_over, seconds)

    def stop(self) -> None:
        with self._changed:
            self.stopping = True
            self._changed.notify()

    def _make_room(self, request: Request) -> bool:
        if len(self) < (MOST_WAITING if matters(request) else MOST_ROUTINE):
            return True
        if not matters(request):
            return False
        for place, waiting in enumerate(self._waiting):
            if not matters(waiting):
                del self._waiting[place]
                self._dropped += 1
                return True
        return False
