"""The real daemon in a process of its own: simulated pins, no camera, and the rig's broker."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from doorbell.cli.press import push_button

REPOSITORY = Path(__file__).resolve().parents[2]

CONFIGURATION = """
[door]
id = "{door}"
name = "{name}"
state = "{folder}/state"
runtime = "{folder}/run"
[pins]
kind = "simulated"
[camera]
source = "none"
[mqtt]
host = "127.0.0.1"
port = {port}
tls = "off"
[homeassistant]
may_switch_recording = {may}
"""


class Daemon:
    """``doorbell run`` from ``__enter__`` to ``__exit__``."""

    def __init__(self, port: int, door: str, name: str, *, may_switch_recording: bool = False) -> None:
        # A short path: a socket's may have 107 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="door-"))
        for inner in ("state", "run"):
            (self._folder / inner).mkdir()
        may = str(may_switch_recording).lower()
        text = CONFIGURATION.format(door=door, name=name, folder=self._folder, port=port, may=may)
        self._config = self._folder / "doorbell.toml"
        self._config.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "doorbell", "run", "--config", str(self._config)]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)

    def press(self) -> None:
        push_button(self._folder / "run", 0.2)

    def end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None
