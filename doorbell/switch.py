"""The switch of the recording: who switched the camera off must find it off after a power cut as well."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import define

from doorbell import durable
from doorbell.errands import Errands

OFF_FLAG: Final = "recording-off"
KEPT: Final = "recording switch"
"""The token of the errand that keeps it."""


@define
class Switch:
    """``errands`` None: there is no card to keep it on, and nobody switches it."""

    state: Path
    errands: Errands | None = None
    is_on: bool = True

    def read(self) -> None:
        """As the card has it; what cannot be read counts as off."""
        try:
            self.is_on = not durable.is_there(self.state / OFF_FLAG)
        except OSError:
            self.is_on = False

    def turn(self, on: bool) -> bool:
        """False where the card already has too much to do; then it stays as it is."""
        flag = self.state / OFF_FLAG
        keep = (lambda: durable.remove(flag)) if on else (lambda: durable.replace(flag, b""))
        if self.errands is None or not self.errands.send(KEPT, keep):
            return False
        self.is_on = on
        return True
