"""Looks for a ticket in the camera's pictures: the recorder's hand on the process that reads them (reader.py).

A thread of its own feeds it, because pipe and process may stand still: the recorder's loop puts a picture down and goes
on, and a picture that comes while one is read is dropped. A reader that crashes, hangs or takes too much memory is
ended and started again, some times; then it is told in a sentence, and the camera films on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from queue import Full, Queue
from typing import TYPE_CHECKING, Final

from attrs import define, field

from doorbell.events import RecorderTrouble, TicketShown
from doorbell.light import reader

if TYPE_CHECKING:
    from doorbell.senses.camera import Plane

log = logging.getLogger("recorder")

EVERY_S: Final = 0.5
"""A phone is held up by a hand: two pictures a second find one that is sharp."""
ANSWER_S: Final = 5.0
"""How long one picture may take: 10 ms on a desktop; a Zero is some 30 times slower."""
START_S: Final = 20.0
MOST_FAILURES: Final = 20
AGAIN_S: Final = 5.0
"""A ticket that stays in the picture is told again after this long."""


class _Failed(Exception):  # noqa: N818
    """The reader gave no answer; the text says why."""


@define
class Looking:
    """One time of looking, from when it is made until ``end``. *put* gets TicketShown and RecorderTrouble."""

    put: Callable[[object], None]
    program: str = reader.__file__
    patience: float = ANSWER_S
    most_failures: int = MOST_FAILURES
    _pictures: Queue[Plane | None] = field(factory=lambda: Queue(1), init=False)
    _due: float = field(default=0.0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _last: tuple[bytes, float] = field(default=(b"", 0.0), init=False)
    _ended: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        threading.Thread(target=self._run, name="light", daemon=True).start()

    def is_due(self, at: float) -> bool:
        """Whether a picture of *at* is wanted; asking takes it for given."""
        if at < self._due:
            return False
        self._due = at + EVERY_S
        return True

    def show(self, luma: Plane) -> None:
        """Read this picture, (height, width) uint8, unless one is being read. It is not changed afterwards."""
        with contextlib.suppress(Full):
            self._pictures.put_nowait(luma)

    def end(self) -> None:
        """No more; a reader that stands still is not waited for."""
        self._ended = True
        self._kill()
        with contextlib.suppress(Full):
            self._pictures.put_nowait(None)

    # ---- the thread

    def _run(self) -> None:
        while not self._ended and (luma := self._pictures.get()) is not None:
            try:
                text = self._read(luma)
            except (_Failed, OSError) as error:
                if self._ended:
                    break
                if self._fails(error):
                    return
                continue
            now = time.monotonic()
            if text and (text != self._last[0] or now - self._last[1] >= AGAIN_S):
                self._last = text, now
                self.put(TicketShown(now, text))
        self._kill()

    def _fails(self, error: Exception) -> bool:
        """Whether to give up."""
        status = self._kill()
        self._failures += 1
        log.warning("the reader of QR codes %s", error if isinstance(error, _Failed) else "cannot be started")
        if status != reader.CANNOT and self._failures < self.most_failures:
            return False
        why = "fails again and again: hold the phone still, or pair with the card's QR"
        if status == reader.CANNOT:
            why = "cannot work here: sudo apt-get install python3-zxing-cpp"
        self.put(RecorderTrouble(time.monotonic(), "light", f"The reader of QR codes {why}."))
        return True

    def _read(self, luma: Plane) -> bytes:
        process = self._process or self._start()
        height, width = luma.shape
        self._give(process, struct.pack(">HH", width, height) + luma.tobytes())
        (length,) = struct.unpack(">H", self._take(process, 2, self.patience))
        if length > reader.MOST_TEXT:
            raise _Failed("gave an answer that is none")
        text = self._take(process, length, self.patience)
        if not reader.ALPHANUMERIC.issuperset(text):
            raise _Failed("gave an answer that is none")
        return text

    def _start(self) -> subprocess.Popen[bytes]:
        # -I: nothing from the working directory or the environment.
        self._process = process = subprocess.Popen(
            [sys.executable, "-I", self.program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, bufsize=0,
            process_group=0, close_fds=True,
        )  # fmt: skip
        assert process.stdin
        os.set_blocking(process.stdin.fileno(), False)
        if self._take(process, 1, START_S) != reader.READY:
            raise _Failed("began with something else")
        return process

    def _give(self, process: subprocess.Popen[bytes], data: bytes) -> None:
        assert process.stdin
        pipe, ends, rest = process.stdin.fileno(), time.monotonic() + self.patience, memoryview(data)
        poll = select.poll()
        poll.register(pipe, select.POLLOUT)
        while rest:
            if not poll.poll(max(0.0, ends - time.monotonic()) * 1000):
                raise _Failed("takes no picture")
            rest = rest[os.write(pipe, rest) :]

    def _take(self, process: subprocess.Popen[bytes], length: int, within: float) -> bytes:
        assert process.stdout
        pipe, ends, found = process.stdout.fileno(), time.monotonic() + within, b""
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while len(found) < length:
            if not poll.poll(max(0.0, ends - time.monotonic()) * 1000):
                raise _Failed(f"gave no answer within {within:.0f} s")
            part = os.read(pipe, length - len(found))
            if not part:
                raise _Failed("ended")
            found += part
        return found

    def _kill(self) -> int | None:
        """End the reader; its status, if it had ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2 if not self._ended else 0)
        status = process.poll()
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()
        return status
