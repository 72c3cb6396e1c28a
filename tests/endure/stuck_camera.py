"""picamera2's stand-in with a fault: what the daemon's recorder imports where ``place`` put it on its path.

The fault is a word in a file. The camera that finds it takes it away and has it from then on; the next one is sound.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from tests.camera import standin

WORD = "DOORBELL_TEST_CAMERA_FAULT"
"""The environment's name for that file."""
MODULES = {
    "libcamera.py": "from tests.camera.standin import Transform",
    "picamera2/__init__.py": "from tests.camera.standin import MappedArray\n"
    "from tests.endure.stuck_camera import Picamera2",
    "picamera2/encoders.py": "from tests.camera.standin import H264Encoder\nLibavH264Encoder = object",
    "picamera2/outputs.py": "from tests.camera.standin import Output",
}


def place(folder: Path) -> dict[str, str]:
    """Write the modules below *folder*; the environment in which a recorder finds them, and its faults."""
    for name, text in MODULES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")
    paths = [str(folder), str(Path(__file__).parents[2])]
    return {"PYTHONPATH": os.pathsep.join(paths), WORD: str(folder / "fault")}


def strike(folder: Path, fault: str) -> None:
    """The camera that runs has *fault* from its next picture on: hangs, repeats or raises."""
    (folder / "new").write_text(fault)
    (folder / "new").rename(folder / "fault")


class Picamera2(standin.Picamera2):
    """Real time, and a fault when it is told."""

    def _run(self, encoder: standin.H264Encoder) -> None:
        word = Path(os.environ[WORD])
        step_us = self._given["controls"]["FrameDurationLimits"][0]
        begin_ns, number, fault = time.monotonic_ns(), 0, ""
        while not self._stopping.wait(step_us / 1e6):
            if not fault and word.exists():
                fault = word.read_text()
                word.unlink()
            if fault == "hangs":
                self._stopping.wait()
            if fault == "raises":
                raise RuntimeError("the camera's driver gave up")
            number += fault != "repeats"
            self._film(encoder, number, begin_ns + number * step_us * 1000)

    def _film(self, encoder: standin.H264Encoder, number: int, sensor_ns: int) -> None:
        buffers: dict[str, Any] = {name: self._drawn(name, number) for name in ("main", "lores")}
        with self._lock:
            self.pre_callback(standin.Request(buffers, sensor_ns))
            encoder.encode(self._planes("main", buffers["main"]), sensor_ns // 1000)
