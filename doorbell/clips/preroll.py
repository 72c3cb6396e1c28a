"""The last seconds before a clip begins: whole GOPs in memory, bounded in bytes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import Factory, define

if TYPE_CHECKING:
    from doorbell.senses.camera import Packet

MOST_BYTES = 24 * 1024 * 1024
"""Bytes of pre-roll at most: 30 s, the longest that can be chosen, at 6 Mbit/s."""


@define
class _Gop:
    packets: list[Packet] = Factory(list)
    size: int = 0


class Preroll:
    """Holds packets back to the last keyframe that is at least ``seconds`` older than the newest packet.

    At most ``most_bytes`` of coded video: over that the oldest GOPs go first, and a GOP that is too large by itself
    goes whole, with all that follows up to the next keyframe. ``given_up`` counts GOPs lost to the cap, not to age.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._gops: deque[_Gop] = deque()
        self.size = 0
        self.given_up = 0

    def add(self, packet: Packet) -> None:
        """The next packet; whatever comes before the first keyframe is not kept."""
        if packet.keyframe:
            self._gops.append(_Gop())
        elif not self._gops:
            return
        newest = self._gops[-1]
        newest.packets.append(packet)
        newest.size += len(packet.data)
        self.size += len(packet.data)
        while len(self._gops) > 1 and self._gops[1].packets[0].at <= packet.at - self._seconds:
            self._forget()
        while self.size > self._most_bytes:
            self._forget()
            self.given_up += 1

    def give(self) -> tuple[Packet, ...]:
        """What is held, oldest first: begins with a keyframe, or empty. It stays held."""
        return tuple(packet for gop in self._gops for packet in gop.packets)

    def clear(self) -> None:
        """Forget everything: the next keyframe begins anew."""
        self._gops.clear()
        self.size = 0

    def _forget(self) -> None:
        self.size -= self._gops.popleft().size
