"""Between the invented front door and the simulated pins: who is sent on stage, and whose hand is on the button."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

PRESS_S = 0.3
FELT_S = 0.1
MOST_AT_ONCE = 10


class Stage:
    """Listens at ``runtime/scene.sock`` for visitors, and moves the simulated button next door, at ``pins.sock``."""

    def __init__(self, runtime: Path) -> None:
        self._path, self._pins = runtime / "scene.sock", str(runtime / "pins.sock")
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._held = False
        self._since: float | None = None
        self._came = 0.0

    def sent(self) -> int:
        """How many visitors were sent since the last call."""
        visitors = 0
        with contextlib.suppress(BlockingIOError):
            while visitors < MOST_AT_ONCE:
                visitors += self._socket.recv(64) == b"visitor"
        return visitors

    def press(self) -> None:
        """A hand closes the button's contact."""
        self._say(b"button down")
        self._held, self._since, self._came = True, None, time.monotonic()

    def let_go(self, t: float) -> None:
        """The hand leaves the button PRESS_S after it came; *t* is the scene's time in seconds.

        A scene that has fallen behind catches up in leaps, and the debounce lives in the world's time: a hand that
        was there for less than FELT_S of it would be a spike, not a press.
        """
        if self._held and self._since is None:
            self._since = t
        elif (
            self._held
            and self._since is not None
            and t - self._since >= PRESS_S
            and time.monotonic() - self._came >= FELT_S
        ):
            self._say(b"button up")
            self._held = False

    def _say(self, what: bytes) -> None:
        # A door whose pins are real or absent has no such socket: then nobody's hand is felt.
        with contextlib.suppress(OSError):
            self._socket.sendto(what, self._pins)

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)
