"""A process of ours as the doorman holds it: started by exec, spoken to and given up without waiting.

There are two: the recorder (``Child``) and, where push is on, the postman (push/held.py).
"""

from __future__ import annotations

import contextlib
import logging
import os
import site
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

from doorbell import pipe
from doorbell.errors import DeviceError
from doorbell.events import RecorderGone, Said

log = logging.getLogger("doorman")

_NOT_ITS_OWN = ("NOTIFY_SOCKET", "WATCHDOG_", "CREDENTIALS_DIRECTORY", "LISTEN_")
"""What systemd gave the doorman alone: to say it lives, its login's secret, its sockets."""
_HOME = str(Path(__file__).resolve().parents[1])


@frozen
class Kind:
    """What distinguishes one kind of child: its name in the log, its module, and the words of its pipe."""

    name: str
    module: str
    encode: Callable[[object], bytes]
    decode: Callable[[bytes], Any]
    """Raises ValueError for what is no message."""
    largest: int
    said: Callable[[int, Any], object]
    """The event that something was said: of which generation, and what."""
    gone: Callable[[float, int, int], object]
    """The event that it has ended: when, which generation, and its status."""
    may_linger: bool
    """It has work to finish when it says no more (a clip); else it is ended then."""


class Process:
    """One child of *kind*. *put* gets what it says, and that it has ended, with this child's *generation*.

    Raises DeviceError where the machine has no room for one now; then nothing is left of the attempt.
    """

    def __init__(
        self, kind: Kind, setup: object, generation: int, put: Callable[[object], None], flags: list[str]
    ) -> None:
        self._kind, self._generation, self._put = kind, generation, put
        with contextlib.ExitStack() as undo:
            try:
                self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                undo.callback(self._end.close)
                with theirs:
                    self._process = _started(theirs, kind.module, flags)
                undo.callback(self._process.wait)
                undo.callback(self._process.kill)
                threading.Thread(target=self._read, name=f"{kind.name} {generation}", daemon=True).start()
            except (OSError, RuntimeError) as error:
                raise DeviceError(
                    f"The {kind.name} cannot be started ({_why(error)}): the machine is out of memory or processes."
                ) from error
            undo.pop_all()
        self.send(setup)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: object) -> bool:
        """Say something to it; False where its socket is full or gone (it is about to be given up anyway)."""
        try:
            self._end.send(self._kind.encode(message), socket.MSG_DONTWAIT)
        except OSError as error:
            log.warning("the %s does not listen (%s)", self._kind.name, error.strerror)
            return False
        return True

    def close(self) -> None:
        """Let it finish the running clip and end."""
        try:
            self._end.shutdown(socket.SHUT_WR)
        except OSError:
            log.debug("the %s was gone already", self._kind.name)

    def kill(self) -> None:
        """SIGKILL. Nobody waits here: a child stuck in the kernel is left unreaped."""
        self._process.kill()

    def _read(self) -> None:
        try:
            while data := self._end.recv(self._kind.largest):
                try:
                    self._put(self._kind.said(self._generation, self._kind.decode(data)))
                except ValueError:
                    log.error("the %s said something that is no message: it is ended", self._kind.name)  # noqa: TRY400
                    self._process.kill()
                    break
        except OSError:
            log.debug("the socket of the %s broke", self._kind.name)
        if not self._kind.may_linger:
            self._process.kill()
        status = self._process.wait()
        self._put(self._kind.gone(time.monotonic(), self._generation, status))
        self._end.close()


_RECORDER = Kind(
    "recorder", "doorbell.recorder", pipe.encode, lambda data: pipe.decode(data, pipe.UP), pipe.LARGEST,
    Said, RecorderGone, may_linger=True,
)  # fmt: skip


class Child(Process):
    """One recorder: says what stands in pipe.UP, and RecorderGone when it has ended."""

    def __init__(self, setup: pipe.Setup, generation: int, put: Callable[[object], None], flags: list[str]) -> None:
        super().__init__(_RECORDER, setup, generation, put, flags)


def _started(theirs: socket.socket, module: str, flags: list[str]) -> subprocess.Popen[bytes]:
    """The process: this very code (-P: never what lies in the working directory), in a process group of its own, so
    that Ctrl-C ends the doorman, who then has it finish its clip. Its standard input is the pipe, so a child that
    outlives the doorman sees its end and ends as well."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *flags],
        stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment(), process_group=0,
    )  # fmt: skip


def environment() -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_ITS_OWN)}
    paths = [one for one in given.pop("PYTHONPATH", "").split(os.pathsep) if Path(one).is_absolute()]
    if _HOME not in site.getsitepackages():  # run from a checkout: its doorman found it by the working directory
        paths.insert(0, _HOME)
    return given | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
