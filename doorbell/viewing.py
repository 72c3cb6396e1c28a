"""Who watches live: the doorman's side. Sessions, how long they last, and what is told of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from attrs import define, field

from doorbell import pipe

RENEWED_S: Final = 60.0
"""A session ends so long after its last renewal."""
MOST: Final = 4


@define
class _Session:
    member: str
    began: float
    until: float


@define
class Viewing:
    """``send`` speaks to the recorder, ``write`` to the journal; ``changed`` when somebody begins or ends to watch."""

    send: Callable[[object], bool]
    write: Callable[[str, dict[str, Any], float], None]
    changed: Callable[[], None]
    _sessions: dict[str, _Session] = field(factory=dict)
    _ended: dict[str, str] = field(factory=dict)
    """Sessions whose last word is still on its way up, and whose they were; the latest few."""

    @property
    def is_watched(self) -> bool:
        return bool(self._sessions)

    @property
    def is_full(self) -> bool:
        return len(self._sessions) >= MOST

    @property
    def deadline(self) -> float | None:
        return min((one.until for one in self._sessions.values()), default=None)

    def start(self, member: str, at: float) -> tuple[str, bytes] | None:
        """A new session: its name (hex) and its 32 secret bytes. None where 4 watch, or the recorder does not film."""
        session, secret = os.urandom(16).hex(), os.urandom(32)
        if self.is_full or not self.send(pipe.Watch(session, secret)):
            return None
        self._sessions[session] = _Session(member, at, at + RENEWED_S)
        self.write("live", {"who": member, "session": session, "what": "began"}, at)
        self.changed()
        return session, secret

    def renew(self, session: str, member: str, at: float) -> bool:
        """Another minute; False where this member has no such session."""
        one = self._sessions.get(session)
        if one is None or one.member != member:
            return False
        one.until = at + RENEWED_S
        return True

    def stop(self, session: str, member: str, at: float) -> bool:
        one = self._sessions.get(session)
        if one is None or one.member != member:
            return False
        self._end([session], at)
        return True

    def of(self, session: str) -> str:
        """To whom a message of this session goes; empty where to nobody any more."""
        one = self._sessions.get(session)
        return one.member if one else self._ended.get(session, "")

    def tick(self, at: float) -> None:
        self._end([name for name, one in self._sessions.items() if at >= one.until], at)

    def end_of(self, member: str, at: float) -> None:
        """This member is none any more: not even what is on its way goes out."""
        self._end([name for name, one in self._sessions.items() if one.member == member], at)
        self._ended = {name: whose for name, whose in self._ended.items() if whose != member}

    def end_all(self, at: float) -> None:
        """The recorder ended, and with it every session and its key."""
        self._end(list(self._sessions), at)

    def _end(self, names: list[str], at: float) -> None:
        for name in names:
            one = self._sessions.pop(name)
            self.send(pipe.Unwatch(name))
            self._ended = dict([*self._ended.items(), (name, one.member)][-MOST:])
            what = {"who": one.member, "session": name, "what": "ended", "seconds": round(at - one.began, 3)}
            self.write("live", what, at)
        if names:
            self.changed()
