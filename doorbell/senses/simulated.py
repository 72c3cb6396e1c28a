"""Pins that are simulated: a Unix socket in the runtime folder moves the button and the PIR, and tells of the chime.

There is no such socket at a door with real pins.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger("doorman")

LARGEST = 64
"""Bytes of one message: button or pir, a space, down or up; or the question, chime."""


def factory() -> Any:  # noqa: ANN401
    """gpiozero's mock pins, but for a life: theirs remember every edge for a test to look at, these the last one."""
    from gpiozero.pins.mock import MockFactory, MockPin  # noqa: PLC0415  only a door that is simulated has it

    class Pin(MockPin):  # type: ignore[misc]
        rises, rose_at = 0, 0.0
        """How often it went high, and the monotonic second of the last time."""

        def _change_state(self, value: bool) -> bool:
            changed: bool = super()._change_state(value)
            if changed and value:
                self.rises, self.rose_at = self.rises + 1, self._last_change
            self.states.clear()
            return changed

    return MockFactory(pin_class=Pin)


class Fingers:
    """Listens at ``runtime/pins.sock`` from the moment it is made until ``close``. *pins* is a factory as above.

    Whoever asks ``chime`` from a socket with a name gets how often it was struck, and the monotonic second of the last
    time.
    """

    def __init__(self, runtime: Path, pins: Any, button: int, pir: int, chime: int) -> None:  # noqa: ANN401
        self._path = runtime / "pins.sock"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._moves: dict[bytes, Callable[[], None]] = {}
        if button:
            pin = pins.pin(button)
            self._moves |= {b"button down": pin.drive_low, b"button up": pin.drive_high}
        if pir:
            pin = pins.pin(pir)
            self._moves |= {b"pir up": pin.drive_high, b"pir down": pin.drive_low}
        self._chime = pins.pin(chime) if chime else None
        threading.Thread(target=self._listen, name="fingers", daemon=True).start()

    def _listen(self) -> None:
        message, asker = self._socket.recvfrom(LARGEST)
        while message != b"close":
            if message == b"chime" and self._chime is not None and asker:
                self._tell(asker, f"{self._chime.rises} {self._chime.rose_at:.6f}")
            elif (move := self._moves.get(message)) is not None:
                move()
            else:
                log.warning("the simulated pins were told something they do not know")
            message, asker = self._socket.recvfrom(LARGEST)

    def _tell(self, asker: Any, answer: str) -> None:  # noqa: ANN401
        try:
            self._socket.sendto(answer.encode(), asker)
        except OSError:
            log.warning("who asked about the chime has gone")

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            try:
                last.sendto(b"close", str(self._path))
            except OSError:
                log.debug("the simulated pins' socket was gone already")
        self._path.unlink(missing_ok=True)
