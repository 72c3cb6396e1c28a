"""Errands to the card that the doorman's loop may not wait for: a clip's chunk read, a small file kept.

One thread, started by the first errand, so that a door whose phones ask nothing pays nothing for it. What it brings
back is put into the inbox as ErrandDone.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from attrs import define, field

from doorbell.errors import DeviceError
from doorbell.events import ErrandDone

log = logging.getLogger("doorman")

MOST_WAITING: Final = 32


@define
class Errands:
    """``put`` is the doorman's inbox."""

    put: Callable[[object], None]
    _waiting: SimpleQueue[tuple[str, Callable[[], object]]] = field(factory=SimpleQueue)
    _thread: threading.Thread | None = None

    def send(self, token: str, errand: Callable[[], object]) -> bool:
        """Have *errand* done; ErrandDone will carry *token*. False where 32 wait already: the card hangs."""
        if self._waiting.qsize() >= MOST_WAITING:
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="errands", daemon=True)
            self._thread.start()
        self._waiting.put((token, errand))
        return True

    def _run(self) -> None:
        while True:
            token, errand = self._waiting.get()
            try:
                done = ErrandDone(token, errand(), "")
            except FileNotFoundError:
                done = ErrandDone(token, None, "gone")
            except (OSError, DeviceError) as error:
                log.warning("the card refuses an errand (%s)", error)
                done = ErrandDone(token, None, "storage")
            self.put(done)


def read_part(path: Path, start: int, most: int) -> tuple[bytes, int]:
    """At most *most* bytes of *path* from *start*, and the file's size. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        parts: list[bytes] = []
        while start < size and most and (part := os.pread(descriptor, most, start)):
            parts.append(part)
            start, most = start + len(part), most - len(part)
        return b"".join(parts), size
    finally:
        os.close(descriptor)
