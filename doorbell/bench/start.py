"""How long the daemon takes from its exec to READY=1, beside importing what it imports and nothing else.

Both are whole processes that end by the same datagram to the same socket, as systemd's would be, and take turns.
What the daemon imports is taken from Python's own import times of a first start, in the order in which it came.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from doorbell.bench.door import write_configuration
from doorbell.bench.rows import Row, Say
from doorbell.errors import DeviceError

BAR = 1.3
LATEST_S = 60.0

_IMPORTS = """
import sys
for name in sys.argv[1].split():
    try:
        __import__(name)
    except ImportError:
        pass
from sdnotify import SystemdNotifier
SystemdNotifier().notify("READY=1")
"""


def measure(pairs: int, say: Say) -> list[Row]:
    """Rows in milliseconds: medians of *pairs* starts of each, and the median of each pair's ratio."""
    with TemporaryDirectory() as name, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        folder = Path(name)
        notified.bind(str(folder / "notify"))
        notified.settimeout(LATEST_S)
        # No camera and no broker: neither is waited for, and the recorder's own start would compete.
        file = write_configuration(folder / "door", {"camera": {"source": "none"}, "mqtt": {"host": ""}})
        daemon = ["-m", "doorbell", "run", "--config", str(file)]
        modules = _imported(daemon, folder, notified)
        imports = ["-c", _IMPORTS, " ".join(modules)]
        _ready(imports, folder, notified)
        took = []
        for number in range(pairs):
            took.append((_ready(daemon, folder, notified), _ready(imports, folder, notified)))
            if number % 10 == 9:
                say(f"{number + 1} of {pairs} pairs")
    ours, reference = (statistics.median(column) * 1e3 for column in zip(*took, strict=True))
    ratio = statistics.median(mine / theirs for mine, theirs in took)
    what = f"start of the doorman to READY, beside its {len(modules)} imports"
    return [Row(what, round(ours, 1), round(reference, 1), round(ratio, 3), BAR, "ms")]


def _ready(words: list[str], folder: Path, notified: socket.socket, log: Path | None = None) -> float:
    """Seconds from before the exec to READY=1."""
    environment = os.environ | {"NOTIFY_SOCKET": str(folder / "notify")}
    with (log or Path(os.devnull)).open("wb") as errors:
        began = time.perf_counter()
        with subprocess.Popen([sys.executable, *words], env=environment, stderr=errors) as process:
            try:
                while b"READY=1" not in notified.recv(4096):
                    pass
                return time.perf_counter() - began
            except TimeoutError:
                raise DeviceError("The daemon did not become ready.") from None
            finally:
                process.terminate()
                process.wait()
                _empty(notified)


def _empty(notified: socket.socket) -> None:
    """What the ended process said after READY is nobody's."""
    notified.setblocking(False)
    try:
        while notified.recv(4096):
            pass
    except BlockingIOError:
        notified.settimeout(LATEST_S)


def _imported(daemon: list[str], folder: Path, notified: socket.socket) -> list[str]:
    log = folder / "imports"
    _ready(["-X", "importtime", *daemon], folder, notified, log)
    lines = [line for line in log.read_text().splitlines() if line.startswith("import time:")]
    names = [line.rpartition("|")[2].strip() for line in lines[1:]]
    return [name for name in dict.fromkeys(names) if "__main__" not in name]
