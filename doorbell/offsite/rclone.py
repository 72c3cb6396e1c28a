"""rclone, which speaks to some seventy kinds of storage: one copy, and one comparison by hash.

It is given names in a file and its settings as arguments, never a shell. What it prints may name hosts and logins, so
it goes to a file that only the door's user reads, and no sentence here repeats it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import define

from doorbell.errors import DeviceError, Mistake

LONGEST_S: Final = 3600.0
"""Of one batch, however slow the line is: then the next round begins with it again."""
MOST_LOG: Final = 256 * 1024
_PATIENCE: Final = (
    "--retries=2", "--low-level-retries=5", "--retries-sleep=2s", "--timeout=60s", "--contimeout=15s",
    "--transfers=1", "--checkers=2", "--buffer-size=1M", "--use-mmap", "--log-level=INFO", "--stats=0",
)  # fmt: skip


@define
class Rclone:
    """``remote`` is ``NAME:PATH`` as rclone.conf knows it; ``bytes_s`` caps the way there, 0 does not."""

    config: Path
    remote: str
    bytes_s: int
    workplace: Path
    """A private folder for the list of names and rclone's own words."""
    _knows_hashes: bool | None = None
    """Whether the storage can tell a file's hash; asked once, it does not change."""

    def copy(self, source: Path, names: Sequence[str]) -> None:
        """Copy *names* below *source* and see that they arrived as they are here.

        What lies there under a name is never overwritten. Raises DeviceError while the storage refuses or cannot be
        reached, Mistake where rclone is missing.
        """
        listed = self._list(names)
        self._run(["copy", "--ignore-existing", f"--bwlimit={self.bytes_s}B", *listed, str(source), self.remote])
        # A storage that knows no hash is asked for the bytes themselves: slower, and the only way to know.
        by = () if self._hashes() else ("--download",)
        self._run(["check", "--one-way", *by, f"--bwlimit={self.bytes_s}B", *listed, str(source), self.remote])

    def _list(self, names: Sequence[str]) -> list[str]:
        file = self.workplace / "names.txt"
        file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        return [f"--files-from-raw={file}", "--no-traverse"]

    def _hashes(self) -> bool:
        if self._knows_hashes is None:
            try:
                self._knows_hashes = bool(json.loads(self._run(["backend", "features", self.remote])).get("Hashes"))
            except ValueError:
                self._knows_hashes = False
        return self._knows_hashes

    def _run(self, arguments: Sequence[str]) -> bytes:
        log = self.workplace / "rclone.log"
        if log.exists() and log.stat().st_size > MOST_LOG:
            log.unlink()
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        command = ["rclone", *arguments, f"--config={self.config}", f"--cache-dir={self.workplace}", *_PATIENCE]
        # Not the service's whole environment: rclone takes any setting from variables of its own.
        environment = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
        environment["HOME"] = str(self.workplace)
        try:
            with os.fdopen(descriptor, "wb") as words:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, env=environment,
                    timeout=LONGEST_S, check=False,
                )  # fmt: skip
        except FileNotFoundError:
            raise Mistake("rclone is missing: sudo apt-get install rclone") from None
        except subprocess.TimeoutExpired:
            raise DeviceError(
                f"A batch was not copied within {LONGEST_S / 60:.0f} minutes: the line is too slow, or "
                "offsite.kbit_s too low."
            ) from None
        if done.returncode != 0:
            raise DeviceError(
                f"rclone could not {arguments[0]} (status {done.returncode}): {log} says why; "
                "`rclone lsd` with the same remote tells whether it can be reached at all."
            )
        return done.stdout
