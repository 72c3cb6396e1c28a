"""Which cameras there are, and whether frames arrive: the daemon's own camera, opened for a moment in a process of its
own, which may be killed.

    python -m doorbell.doctor.filming CONFIG [--found]

Run so by the doctor, because a camera's library may stall in the kernel; the doctor waits no longer than its bound, and
what was printed until then counts. With --found nothing is opened.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import evolve

from doorbell.configfile import load
from doorbell.errors import DoorbellError
from doorbell.recorder import opened
from doorbell.senses.camera import Luma, Packet, Still

ENOUGH = 5
"""Pictures."""
FILMED_S = 20.0


class _Counted:
    """Counts what a camera gives, and looks at none of it."""

    def __init__(self) -> None:
        self.pictures, self.why = 0, ""
        self.enough = threading.Event()

    def packet(self, _: Packet) -> None:
        self.pictures += 1
        if self.pictures >= ENOUGH:
            self.enough.set()

    def luma(self, _: Luma) -> None:
        """Only the coded pictures count: they come last."""

    def still(self, _: Still) -> None:
        """None was asked for."""

    def ended(self) -> None:
        self.enough.set()

    def trouble(self, sentence: str) -> None:
        self.why = sentence
        self.enough.set()


def main(path: Path, *, only_found: bool = False) -> None:
    """A JSON object a line: the sensors that were ``found``, the number of ``pictures``, and ``why`` there are none."""
    counted = _Counted()
    try:
        config = load(path)
        if config.camera.source == "picamera2":
            from doorbell.senses import picam  # noqa: PLC0415  100 MB with what it imports

            _say(found=picam.found())
        if only_found:
            return
        with TemporaryDirectory() as stage:  # where a scene listens for visitors; a daemon's own may not be there
            config = evolve(config, door=evolve(config.door, runtime=Path(stage)))
            camera = opened(config, once=True, fast=False)
            camera.start(counted)
            counted.enough.wait(FILMED_S)
            camera.stop()
    except DoorbellError as error:
        counted.why = str(error)
    _say(pictures=min(counted.pictures, ENOUGH), why=counted.why)


def _say(**told: Any) -> None:  # noqa: ANN401
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), only_found="--found" in sys.argv)
