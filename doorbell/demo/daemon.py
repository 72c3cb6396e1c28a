"""The real daemon as a child process, with a hand on its simulated button and on its invented street."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from doorbell.cli.press import push_button
from doorbell.errors import DeviceError

LEAVES_WITHIN_S = 40.0
"""More than the daemon gives itself to finish a clip and to say goodbye."""
LAST_LINES = 12
HOLD_S = 0.15


class Daemon:
    """``doorbell run`` with a runtime folder of its own: short enough for a socket's name, gone at the end."""

    def __init__(self, log: Path) -> None:
        self.runtime = Path(tempfile.mkdtemp(prefix="doorbell-demo-"))
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, config: Path) -> None:
        # The same process group as the demo: a terminal that is closed ends both.
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "doorbell", "run", "--config", str(config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def page(self) -> dict[str, Any]:
        """What it says of itself; empty until it has said something."""
        try:
            page: dict[str, Any] = json.loads((self.runtime / "status.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return page

    def refuse_if_dead(self) -> None:
        """Raises DeviceError with its last words if it has ended."""
        if self._process is not None and (status := self._process.poll()) is not None:
            raise DeviceError(
                f"The door ended by itself (exit status {status}). Its last lines:\n{self.last_lines()}\n"
                f"The whole log is {self._log}; `doorbell doctor` looks at this machine."
            )

    def last_lines(self) -> str:
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return "\n".join(f"  {line}" for line in lines[-LAST_LINES:]) or "  (it said nothing)"

    def send_visitor(self) -> bool:
        """Somebody comes out from behind the hedge; False where nobody films the street yet."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as street:
            try:
                street.sendto(b"visitor", str(self.runtime / "scene.sock"))
            except OSError:
                return False
        return True

    def press(self) -> None:
        """A finger on the button; raises Mistake where the daemon has no simulated pins."""
        push_button(self.runtime, HOLD_S)

    def stop(self) -> int:
        """Ask it to finish the running clip and to leave, wait, and clear its runtime folder; its exit status."""
        status = 0
        if self._process is not None:
            had_begun = bool(self.page())
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                status = self._process.wait(LEAVES_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                status = self._process.wait()
            self._process = None
            if status == -signal.SIGTERM and not had_begun:
                status = 0  # it was still being imported, and heard the signal as any program does
        shutil.rmtree(self.runtime, ignore_errors=True)
        return status
