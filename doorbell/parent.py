"""The doorman's process as the recorder holds it: heard in a thread of its own, told without ever waiting."""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable

from doorbell import pipe
from doorbell.config import Config
from doorbell.configfile import from_doorman
from doorbell.events import ClipKept, ClipLost, RecorderAlive

log = logging.getLogger("recorder")

MOST_UNSENT = 200
"""Facts that may wait for a doorman that does not read; then signs of life go first, then the oldest, counted."""


class Closed(Exception):  # noqa: N818
    """The doorman's end of the socket is closed."""


class Parent:
    """The recorder's end of the pipe: reads in a thread of its own, writes without ever waiting."""

    def __init__(self, end: socket.socket, put: Callable[[object], None]) -> None:
        self._end, self._put = end, put
        self._unsent: deque[tuple[type, bytes]] = deque()
        self.given_up = 0
        """Facts the doorman did not read in time."""

    def setup(self) -> Config:
        """The first message. Raises Closed, ConfigError or ValueError."""
        data = self._received()
        if not data:
            raise Closed
        message: pipe.Setup = pipe.decode(data, (pipe.Setup,))
        return from_doorman(message.config)

    def listen(self) -> None:
        """From here on every message goes to *put*, and Closed at the end."""
        threading.Thread(target=self._read, name="doorman", daemon=True).start()

    def _read(self) -> None:
        while data := self._received():
            self._put(pipe.decode(data, pipe.DOWN))
        self._put(Closed())

    def _received(self) -> bytes:
        """The next message; none where the doorman has gone, however it went."""
        try:
            return self._end.recv(pipe.LARGEST)
        except OSError:
            return b""

    def tell(self, message: object) -> None:
        if len(self._unsent) >= MOST_UNSENT:
            self._give_up_one()
        self._unsent.append((type(message), pipe.encode(message)))
        self.flush()

    def _give_up_one(self) -> None:
        """A sign of life before anything else. What became of a clip is never among it: of that there is no more than
        the doorman has ordered."""
        spared = [kind for kind, _ in self._unsent if kind not in (ClipKept, ClipLost)]
        if not spared:
            return
        goes = RecorderAlive if RecorderAlive in spared else spared[0]
        del self._unsent[[kind for kind, _ in self._unsent].index(goes)]
        self.given_up += 1
        if self.given_up == 1:
            log.warning("the doorman does not read: what it is told is given up, signs of life first")

    def offer(self, message: object) -> bool:
        """Send it now or not at all: live pictures wait for nobody, and nothing waits for them."""
        self.flush()
        if self._unsent:
            return False
        try:
            self._end.send(pipe.encode(message), socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True

    def flush(self) -> None:
        """Send what waits, as far as the kernel takes it now."""
        while self._unsent:
            try:
                self._end.send(self._unsent[0][1], socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                self._unsent.clear()
                return
            self._unsent.popleft()
