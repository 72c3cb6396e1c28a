"""Where things lie at the door. A test has them all below a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

OUTCOME: Final = "doorbell-adopted.json"
TELLING: Final = "doorbell-telling.json"
RADIO: Final = "doorbell-wifi.json"


@frozen
class Places:
    """``root`` is the file system's: / at the door."""

    root: Path = Path("/")

    @property
    def boot(self) -> Path:
        """The FAT volume, which anybody who holds the card can read and write."""
        return self.root / "boot/firmware"

    @property
    def settings(self) -> Path:
        return self.root / "etc/doorbell"

    @property
    def state(self) -> Path:
        return self.root / "var/lib/doorbell"

    @property
    def page(self) -> Path:
        """The daemon's own page, written by its user."""
        return self.root / "run/doorbell/status.json"

    @property
    def run(self) -> Path:
        """Root's own, in memory: what one start knows of itself."""
        return self.root / "run"
