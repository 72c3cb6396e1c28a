"""Fingers and passers-by for pins that are simulated: a Unix socket in the runtime folder moves gpiozero's mock pins.

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
"""Bytes of one message: button or pir, a space, down or up."""


class Fingers:
    """Listens at ``runtime/pins.sock`` from the moment it is made until ``close``. *factory* is a MockFactory."""

    def __init__(self, runtime: Path, factory: Any, button: int, pir: int) -> None:  # noqa: ANN401
        self._path = runtime / "pins.sock"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._moves: dict[bytes, Callable[[], None]] = {}
        self._pins = [factory.pin(number) for number in (button, pir) if number]
        if button:
            pin = factory.pin(button)
            self._moves |= {b"button down": pin.drive_low, b"button up": pin.drive_high}
        if pir:
            pin = factory.pin(pir)
            self._moves |= {b"pir up": pin.drive_high, b"pir down": pin.drive_low}
        threading.Thread(target=self._listen, name="fingers", daemon=True).start()

    def _listen(self) -> None:
        while (message := self._socket.recv(LARGEST)) != b"close":
            move = self._moves.get(message)
            if move is None:
                log.warning("the simulated pins were told something they do not know")
            else:
                move()
                for pin in self._pins:
                    pin.clear_states()  # gpiozero's mock remembers every edge, for tests: here they would pile up

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            try:
                last.sendto(b"close", str(self._path))
            except OSError:
                log.debug("the simulated pins' socket was gone already")
        self._path.unlink(missing_ok=True)
