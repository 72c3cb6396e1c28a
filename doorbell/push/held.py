"""The postman's process as the doorman holds it: started by exec, spoken to and given up without waiting."""

from __future__ import annotations

import contextlib
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from doorbell.child import environment
from doorbell.errors import DeviceError
from doorbell.events import PostmanGone, PostmanSaid
from doorbell.push import letters

log = logging.getLogger("doorman")


class Held:
    """One postman. *put* gets PostmanSaid, and PostmanGone with this *generation* when it has ended.

    Raises DeviceError where the machine has no room for one now; then nothing is left of the attempt.
    """

    def __init__(self, setup: letters.Setup, generation: int, put: Callable[[object], None]) -> None:
        self._generation, self._put = generation, put
        with contextlib.ExitStack() as undo:
            try:
                self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                undo.callback(self._end.close)
                with theirs:
                    self._process = subprocess.Popen(
                        [sys.executable, "-P", "-m", "doorbell.push.postman"],
                        stdin=theirs.fileno(), stdout=subprocess.DEVNULL,
                        env=environment(), process_group=0,
                    )  # fmt: skip
                undo.callback(self._process.wait)
                undo.callback(self._process.kill)
                threading.Thread(target=self._read, name=f"postman {generation}", daemon=True).start()
            except (OSError, RuntimeError):
                raise DeviceError("The postman cannot be started: memory or processes are short.") from None
            undo.pop_all()
        self.send(setup)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: object) -> bool:
        """False where its socket is full or gone."""
        try:
            self._end.send(letters.encode(message), socket.MSG_DONTWAIT)
        except OSError as error:
            log.warning("the postman does not listen (%s)", error.strerror)
            return False
        return True

    def kill(self) -> None:
        """SIGKILL: what it still carried is given up. Nobody waits here."""
        self._process.kill()

    def _read(self) -> None:
        try:
            while data := self._end.recv(letters.LARGEST):
                self._put(PostmanSaid(self._generation, letters.decode(data, letters.UP)))
        except (OSError, ValueError):
            log.warning("the postman said something that is no message, or broke off: it is ended")
        self._process.kill()
        status = self._process.wait()
        self._put(PostmanGone(time.monotonic(), self._generation, status))
        self._end.close()
