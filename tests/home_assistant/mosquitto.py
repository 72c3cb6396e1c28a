"""A real mosquitto on a port of its own, that can be stopped and started again as after a power cut."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path


class Broker:
    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._conf = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        # No persistence: a restart loses every retained message, the hardest case for whoever relies on them.
        self._conf.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type subscribe\nlog_type error\n"
        )

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(["mosquitto", "-c", str(self._conf)], stdout=log, stderr=log)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("mosquitto did not start: " + self._log.read_text()[-1000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def subscriptions(self, base: str, but_not_by: str) -> dict[str, int]:
        """Topics under *base* that others than client *but_not_by* asked for, with the largest QoS."""
        found: dict[str, int] = {}
        for line in self._log.read_text(errors="replace").splitlines():
            # "<time>: <client> <qos> <topic>"
            words = line.split(": ", 1)[-1].split(" ")
            if len(words) == 3 and words[0] != but_not_by and words[2].startswith(base) and words[1].isdigit():
                found[words[2]] = max(found.get(words[2], 0), int(words[1]))
        return found
