"""Who watches live: the recorder's side. Each viewer has a film of their own, that begins at the last keyframe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from doorbell.clips.mux import Muxer
from doorbell.live import END, INIT, VIDEO, Sender

if TYPE_CHECKING:
    from doorbell.senses.camera import Packet

INIT_S: Final = 5.0
"""How often the beginning of the film is said again, for who missed it."""


class Screening:
    """One session. *offer* takes a sealed message or, where the pipe is full, does not: that is a gap, and counted."""

    def __init__(self, secret: bytes, session: bytes, offer: Callable[[bytes], bool]) -> None:
        self._sender, self._offer = Sender(secret, session), offer
        self._muxer: Muxer | None = None
        self._init = b""
        self._init_at = 0.0
        self._before: Packet | None = None
        self._broken = False
        self.dropped = 0

    def begin(self, held: Iterable[Packet]) -> None:
        """What the pre-roll holds: the film begins with its last keyframe, not with what was before the session."""
        last: list[Packet] = []
        for packet in held:
            last = [packet] if packet.keyframe else [*last, packet]
        for packet in last:
            self.add(packet)

    def add(self, packet: Packet) -> None:
        """The next picture; the one before it goes out."""
        before, self._before = self._before, packet
        if self._muxer is None:
            if not packet.keyframe:
                return
            self._muxer = Muxer(packet, {"v": 1, "at": round(packet.at, 3)}, "1970-01-01T00:00:00Z")
            self._init = self._muxer.add(packet)
            self._say_init(packet.at)
            return
        fragment = self._muxer.add(packet)
        if before is not None and fragment:
            self._say(VIDEO, fragment, keyframe=before.keyframe)
        if packet.at - self._init_at >= INIT_S and packet.keyframe:
            self._say_init(packet.at)

    def end(self) -> None:
        """Say that it is over."""
        self._say(END, b"")
        self._muxer = None

    def _say_init(self, at: float) -> None:
        self._init_at = at
        self._say(INIT, self._init)

    def _say(self, kind: int, data: bytes, *, keyframe: bool = False) -> None:
        # Behind a gap nothing can be shown before the next keyframe: it is not sent at all.
        if self._broken and kind == VIDEO and not keyframe:
            self.dropped += 1
            return
        messages = list(self._sender.messages(kind, data, keyframe=keyframe))
        sent = all(self._offer(message) for message in messages)
        if kind in (VIDEO, INIT):
            self._broken = not sent or (self._broken and kind == INIT)
        self.dropped += not sent
