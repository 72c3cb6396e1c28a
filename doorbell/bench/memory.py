"""Memory of a running door: the kernel's PSS, which counts a page shared by n processes as an nth of it for each.

Who measures here imports neither PyAV nor numpy, so it shares with the measured what any Python process would.
The recorder and the bare loop are never there together, else each would make the other look smaller.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from doorbell.bench.door import Door, Tables, door, until
from doorbell.bench.rows import Row, Say
from doorbell.errors import DeviceError

DOORMAN_BAR_MB = 45.0
RECORDER_BAR = 1.15
SETTLED_S = 12.0
"""Until the pre-roll is full, and a second round of the file has begun."""
SAMPLES = 5
PREROLL_S, KBPS, FPS = 5.0, 2000, 15
PREROLL_MB = (PREROLL_S + 1.0) * KBPS / 8000
"""What the recorder may hold more than the reference: 5 s, and the GOP that is not over yet."""


def pss_mb(pid: int) -> float:
    """Megabytes (10^6 bytes). Raises DeviceError where the kernel does not show it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except PermissionError:
        raise DeviceError("The door forbids others to look into its memory: measure as root (sudo).") from None
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))


def measure(
    rounds: int, say: Say, settled_s: float = SETTLED_S, size: tuple[int, int] = (1280, 720), video_s: float = 8.0
) -> list[Row]:
    """Rows in MB; medians of *rounds* fresh doors and loops by turns."""
    doormen, recorders, busy, bare = [], [], [], []
    with TemporaryDirectory() as name:
        video = Path(name) / "door.mp4"
        say("making the video")
        subprocess.run(
            [sys.executable, "-m", "doorbell.bench.take", str(video), *map(str, (*size, video_s))], check=True
        )
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            tables: Tables = {
                "camera": {"source": f"file:{video}", "fps": FPS, "bitrate_kbps": KBPS},
                "visit": {"preroll_s": PREROLL_S},
                "motion": {"record_on": "press"},
            }
            with door(Path(name) / f"door {number}", tables) as front:
                front.sees()
                time.sleep(settled_s)
                doormen.append(_sampled(front.process.pid))
                recorders.append(_sampled(front.recorder))
                busy.append(_recording(front))
            bare.append(_bare(video, settled_s))
    return _rows(*(statistics.median(values) for values in (doormen, recorders, busy, bare)))


def _rows(doorman: float, recorder: float, busy: float, bare: float) -> list[Row]:
    # The pre-roll's bytes are allowed on top, so the ratio is of what remains without them.
    ratio = (recorder - PREROLL_MB) / bare
    return [
        Row("memory of the doorman (PSS), beside its 45 MB", round(doorman, 1), DOORMAN_BAR_MB,
            round(doorman / DOORMAN_BAR_MB, 3), 1.0, "MB"),
        Row(f"memory of the recorder (PSS) less {PREROLL_MB:.1f} MB of pre-roll, beside a bare PyAV loop",
            round(recorder - PREROLL_MB, 1), round(bare, 1), round(ratio, 3), RECORDER_BAR, "MB"),
        Row("  the same, while a clip is recorded", round(busy - PREROLL_MB, 1), round(bare, 1),
            round((busy - PREROLL_MB) / bare, 3), None, "MB"),
    ]  # fmt: skip


def _sampled(pid: int) -> float:
    values = []
    for _ in range(SAMPLES):
        values.append(pss_mb(pid))
        time.sleep(0.2)
    return statistics.median(values)


def _recording(front: Door) -> float:
    front.finger(b"button down")
    until(lambda: front.status().get("recording"), "The press began no clip")
    time.sleep(2.0)
    return _sampled(front.recorder)


def _bare(video: Path, settled_s: float) -> float:
    command = [sys.executable, "-m", "doorbell.bench.bare", str(video), str(FPS), str(KBPS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as loop:
        try:
            assert loop.stdout is not None
            loop.stdout.read(1)
            time.sleep(settled_s)
            return _sampled(loop.pid)
        finally:
            loop.kill()
