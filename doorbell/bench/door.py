"""What the measurements act on: a real `doorbell run` in its own folder, and a real mosquitto on the loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import frozen

from doorbell.clips.recipient import Recipient
from doorbell.errors import DeviceError
from doorbell.hkdf import hkdf

RECIPIENT = Recipient(hkdf(b"bench", info=b"any point that is not of low order"))
"""Somebody to seal to; nobody knows the identity."""
SOON_S = 60.0
"""How long anything may take to come up before the measurement is given up."""

Tables = Mapping[str, Mapping[str, Any]]


def until(what: Callable[[], Any], why: str, within_s: float = SOON_S) -> Any:  # noqa: ANN401
    """What *what* gives as soon as it is true, looking every 10 ms; raises DeviceError with *why*."""
    ends = time.monotonic() + within_s
    while not (found := what()):
        if time.monotonic() > ends:
            raise DeviceError(f"{why} within {within_s:.0f} s.")
        time.sleep(0.01)
    return found


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def mosquitto(folder: Path, more: str = "") -> Iterator[int]:
    """A broker as Debian ships it, without persistence; gives its port. *more* are lines of its configuration.

    Raises DeviceError where there is none.
    """
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise DeviceError("mosquitto is missing: sudo apt-get install mosquitto.")
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n{more}\n")
    with subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL) as broker:
        try:
            until(lambda: _answers(port), "mosquitto did not answer")
            yield port
        finally:
            broker.terminate()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def write_configuration(folder: Path, tables: Tables) -> Path:
    """A configuration of a door whose state, runtime and simulated pins are in *folder*; *tables* come on top."""
    own: Tables = {
        "door": {"state": str(folder / "state"), "runtime": str(folder / "run")},
        "keys": {"recipients": [str(RECIPIENT)]},
        "pins": {"kind": "simulated"},
    }
    text = "\n".join(
        f"[{name}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
        for name, table in {**own, **tables}.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "doorbell.toml"
    file.write_text(text)
    return file


@frozen
class Door:
    """A running daemon."""

    folder: Path
    process: subprocess.Popen[bytes]

    def status(self) -> dict[str, Any]:
        """The status page; empty before there is one."""
        with suppress(FileNotFoundError):
            page: dict[str, Any] = json.loads((self.folder / "run/status.json").read_bytes())
            return page
        return {}

    def sees(self) -> None:
        """Wait for the camera's first picture."""
        until(lambda: self.status().get("camera") == "sees", "The camera gave no picture")

    def finger(self, message: bytes) -> None:
        """Move a simulated pin: ``button down``, ``button up``."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hand:
            hand.sendto(message, str(self.folder / "run/pins.sock"))

    @property
    def recorder(self) -> int:
        """The process id of the recorder."""
        for place in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                number, _, rest = place.read_text().rpartition(")")
                if int(rest.split()[1]) == self.process.pid:
                    return int(number.split()[0])
        raise DeviceError("The door has no recorder.")


@contextmanager
def door(
    folder: Path,
    tables: Tables,
    module: str = "doorbell",
    words: tuple[str, ...] = ("run", "--config"),
    stdout: int | None = None,
) -> Iterator[Door]:
    """The daemon by `python -m MODULE WORDS… CONFIGURATION`, ended by SIGTERM."""
    file = write_configuration(folder, tables)
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", module, *words, str(file)], stderr=log, stdout=stdout) as process,
    ):
        try:
            yield Door(folder, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            finally:
                process.kill()
