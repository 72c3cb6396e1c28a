"""Which chunk of which clip goes next: no more than was asked for, and nobody's clip before everybody else's."""

from __future__ import annotations

from collections import deque
from typing import Final

from attrs import define, field

CHUNK: Final = 96 * 1024
MOST_OF_ONE: Final = 4
MOST: Final = 16
READ_AT_ONCE: Final = 8
"""Chunks that one errand brings: a trip to the card for each would take longer than the broker takes for it."""


@define(eq=False)
class Transfer:
    """The credit of one ``clip`` command: chunks ``next`` to ``end - 1`` of ``clip`` are still to be sent."""

    member: str
    command: bytes
    clip: str
    next: int
    end: int
    told: bool = False
    """The phone knows how large the clip is."""

    @property
    def request(self) -> str:
        """The level in the chunks' topic."""
        return self.command.hex()


@define
class Transfers:
    """At most eight chunks are being read while eight wait to be sent, however many phones ask."""

    _queue: deque[Transfer] = field(factory=deque)
    _reading: Transfer | None = None
    _ready: deque[tuple[Transfer, int, bytes]] = field(factory=deque)

    def add(self, one: Transfer) -> bool:
        """Whether there is room: 4 of a member, 16 in all."""
        if len(self._queue) >= MOST or sum(each.member == one.member for each in self._queue) >= MOST_OF_ONE:
            return False
        self._queue.append(one)
        return True

    def to_read(self) -> Transfer | None:
        """Whose chunks to read now, eight from ``next`` on, in turns. Until ``read`` it gives nothing more."""
        if self._reading is not None or len(self._ready) > READ_AT_ONCE or not self._queue:
            return None
        self._queue.rotate(-1)
        self._reading = self._queue[-1]
        return self._reading

    def read(self, data: bytes, size: int) -> Transfer | None:
        """What was read, of a clip of *size* bytes; the transfer, unless it was ended meanwhile."""
        one, self._reading = self._reading, None
        if one is None or one not in self._queue:
            return None
        one.end = min(one.end, -(-size // CHUNK))
        for start in range(0, len(data), CHUNK):
            if one.next < one.end:
                self._ready.append((one, one.next, data[start : start + CHUNK]))
                one.next += 1
        if one.next >= one.end:
            self._queue.remove(one)
        return one

    def failed(self) -> Transfer | None:
        """The chunk could not be read: its transfer ends."""
        one, self._reading = self._reading, None
        if one is None or one not in self._queue:
            return None
        self._queue.remove(one)
        return one

    def first(self) -> tuple[Transfer, int, bytes] | None:
        """The chunk to send now."""
        return self._ready[0] if self._ready else None

    def sent(self) -> None:
        self._ready.popleft()

    def clear(self) -> None:
        """The link broke: whoever still wants something asks again."""
        self._queue.clear()
        self._ready.clear()

    def end_of(self, member: str) -> None:
        """This member is none any more."""
        self._queue = deque(one for one in self._queue if one.member != member)
        self._ready = deque(one for one in self._ready if one[0].member != member)
