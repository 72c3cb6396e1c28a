"""The recorder's process as the doorman holds it: started by exec, spoken to and given up without waiting."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from doorbell import pipe
from doorbell.events import RecorderGone, Said

log = logging.getLogger("doorman")


class Child:
    """One recorder. *put* gets what it says, and RecorderGone with this child's *generation* when it has ended."""

    def __init__(self, setup: pipe.Setup, generation: int, put: Callable[[object], None], flags: list[str]) -> None:
        self._generation, self._put = generation, put
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Standard input is the pipe, so a child that outlives the doorman sees its end and ends as well.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "doorbell.recorder", *flags], stdin=theirs.fileno(), stdout=subprocess.DEVNULL
        )
        theirs.close()
        self._end = ours
        self.send(setup)
        threading.Thread(target=self._read, name=f"recorder {generation}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: object) -> bool:
        """Say something to it; False where its socket is full or gone (it is about to be given up anyway)."""
        try:
            self._end.send(pipe.encode(message), socket.MSG_DONTWAIT)
        except OSError as error:
            log.warning("the recorder does not listen (%s)", error.strerror)
            return False
        return True

    def close(self) -> None:
        """Let it finish the running clip and end."""
        try:
            self._end.shutdown(socket.SHUT_WR)
        except OSError:
            log.debug("the recorder was gone already")

    def kill(self) -> None:
        """SIGKILL. Nobody waits here: a child stuck in the kernel is left unreaped."""
        self._process.kill()

    def _read(self) -> None:
        try:
            while data := self._end.recv(pipe.LARGEST):
                try:
                    self._put(Said(self._generation, pipe.decode(data)))
                except ValueError:
                    log.error("the recorder said something that is no message: it is ended")  # noqa: TRY400
                    self._process.kill()
                    break
        except OSError:
            log.debug("the recorder's socket broke")
        status = self._process.wait()
        self._put(RecorderGone(time.monotonic(), self._generation, status))
        self._end.close()
