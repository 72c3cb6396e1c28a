"""What a look costs, in passes of the cheapest possible frame difference, and beside OpenCV's background model.

The unit is cv2 absdiff + threshold + countNonZero on the same pictures. Pictures are of the synthetic door at the
door's own rate of 15 a second, kept in memory and taken in order; ours and the unit take turns picture by picture,
MOG2 follows. Of each picture the least of several identical rounds counts, which is what it costs when nothing else
runs; rows are means over all pictures of a part, so the pictures that the core does not look at and the once-a-second
learning are in them.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from doorbell.scene import Scene, Script, Visitor
from doorbell.vision.motion import Motion

Luma = NDArray[np.uint8]
Row = dict[str, str | float]

_RATE = 15  # pictures a second, the door's default
_SETTLE_S = 20.0
_PART_S = 8.0
_ROUNDS = 5
_LARGE = 4096  # bytes of an array that counts as one
_BARS = {(320, "busy"): 6.0, (320, "quiet"): 3.0, (640, "busy"): 3.0, (640, "quiet"): 2.0}


def measure() -> list[Row]:
    """Rows of what, ours, reference (microseconds a picture), ratio, bar and unit; and the arrays allocated."""
    cv2.setNumThreads(1)
    rows: list[Row] = []
    for size in ((320, 240), (640, 480)):
        quiet, busy = _pictures(size)
        rows += _parts(size, quiet, busy)
        rows.append(_allocations(size, quiet, busy))
    return rows + _decoding()


def _pictures(size: tuple[int, int]) -> tuple[list[Luma], list[Luma]]:
    """Pictures before a visitor comes, and while he walks about: each part 8 s at 15 a second."""
    scene = Scene(*size, seed=5, script=Script(happenings=(Visitor(at=_SETTLE_S + _PART_S, stay_s=2.0),)))

    def part(begin: float) -> list[Luma]:
        return [scene.frame(begin + index / _RATE).y.copy() for index in range(int(_PART_S * _RATE))]

    return part(_SETTLE_S), part(_SETTLE_S + _PART_S)


def _parts(size: tuple[int, int], quiet: Sequence[Luma], busy: Sequence[Luma]) -> list[Row]:
    costs = {part: np.full((len(quiet), 3), np.inf) for part in ("quiet", "busy")}
    for _ in range(_ROUNDS):
        core, at = _settled(size, quiet)
        unit, mog2 = _unit(size), _mog2()
        for luma in quiet[:30]:
            mog2(luma)
        for name, part in (("quiet", quiet), ("busy", busy)):
            least = costs[name]
            for index, luma in enumerate(part):
                at += 1 / _RATE
                least[index, 0] = min(least[index, 0], _seconds(core.feed, luma, at))
                least[index, 1] = min(least[index, 1], _seconds(unit, luma))
            for index, luma in enumerate(part):
                least[index, 2] = min(least[index, 2], _seconds(mog2, luma))
    rows: list[Row] = []
    for name, least in costs.items():
        ours, minimum, mog2_s = (float(cost) * 1e6 for cost in least.mean(0))
        what = f"a {name} picture of {size[0]}x{size[1]}"
        rows.append(_row(what, ours, minimum, _BARS[size[0], name], "us, of absdiff+threshold+count"))
        if name == "busy":
            rows.append(_row(what, ours, mog2_s, 0.08, "us, of OpenCV MOG2"))
    return rows


def _settled(size: tuple[int, int], quiet: Sequence[Luma]) -> tuple[Motion, float]:
    """A core that has known the empty scene for a minute."""
    core, at = Motion(*size, _RATE), 0.0
    for index in range(60 * _RATE):
        at = index / _RATE
        core.feed(quiet[index % len(quiet)], at)
    return core, at


def _row(what: str, ours: float, reference: float, bar: float, unit: str) -> Row:
    return {
        "what": what,
        "ours": round(ours, 1),
        "reference": round(reference, 1),
        "ratio": round(ours / reference, 3),
        "bar": bar,
        "unit": unit,
    }


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def _unit(size: tuple[int, int]) -> Callable[[Luma], int]:
    before = np.zeros(size[::-1], np.uint8)
    difference, over = np.empty_like(before), np.empty_like(before)

    def work(luma: Luma) -> int:
        nonlocal before
        cv2.absdiff(luma, before, difference)
        cv2.threshold(difference, 25, 1, cv2.THRESH_BINARY, over)
        before = luma
        return int(cv2.countNonZero(over))

    return work


def _mog2() -> Callable[[Luma], object]:
    model: Any = cv2.createBackgroundSubtractorMOG2(500, 16, detectShadows=True)
    return model.apply  # type: ignore[no-any-return]


def _allocations(size: tuple[int, int], quiet: Sequence[Luma], busy: Sequence[Luma]) -> Row:
    """Pictures during which traced memory (numpy tells tracemalloc) rises by over 4 KB above what it was."""
    core, at = _settled(size, quiet)
    for luma in busy:
        at += 1 / _RATE
        core.feed(luma, at)
    large = 0
    tracemalloc.start()
    try:
        for luma in [*quiet, *busy]:
            at += 1 / _RATE
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            core.feed(luma, at)
            large += tracemalloc.get_traced_memory()[1] - before > _LARGE
    finally:
        tracemalloc.stop()
    pictures = len(quiet) + len(busy)
    return {
        "what": f"pictures of {size[0]}x{size[1]} that allocate over 4 KB, of {pictures}",
        "ours": float(large),
        "reference": 0.0,
        "ratio": float(large),
        "bar": 0.0,
        "unit": "pictures",
    }


def _decoding() -> list[Row]:
    """`doorbell replay` beside Debian's `motion` on one H.264 file, CPU a picture; no row where it is missing.

    Motion plays a file at its own pace and then begins again, so it is stopped by the clock: 200 s at 15 a second.
    """
    program = shutil.which("motion")
    if program is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        long, short = Path(folder, "long.mp4"), Path(folder, "short.mp4")
        for path, pictures in ((long, 3300), (short, 300)):
            _film(path, pictures)
        ours = (_cpu(_replay(long)) - _cpu(_replay(short))) / 3000
        theirs = (_cpu(_motion(program, long, folder), 215) - _cpu(_motion(program, long, folder), 15)) / 3000
    return [_row("a decoded picture of 640x480", ours * 1e6, theirs * 1e6, 0.35, "us of CPU, of Debian's motion")]


def _film(path: Path, pictures: int) -> None:
    """*pictures* of the synthetic door, a visitor every half minute, as H.264."""
    visits = tuple(Visitor(at=10.0 + 30 * turn) for turn in range(8))
    scene = Scene(640, 480, seed=5, script=Script(happenings=visits))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for index in range(pictures):
            drawn = scene.frame(index / _RATE)
            planes = np.concatenate([drawn.y.ravel(), drawn.u.ravel(), drawn.v.ravel()]).reshape(720, 640)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))


def _replay(path: Path) -> list[str]:
    return [sys.executable, "-m", "doorbell", "replay", str(path), "--json"]


def _motion(program: str, path: Path, folder: str) -> list[str]:
    """Debian's motion with its defaults at the file's own rate, keeping nothing."""
    settings = Path(folder, "motion.conf")
    settings.write_text(
        f"netcam_url file://{path}\nwidth 640\nheight 480\nframerate {_RATE}\npicture_output off\nmovie_output off\n"
        f"target_dir {folder}\nlog_level 4\nwebcontrol_port 0\nstream_port 0\n"
    )
    return [program, "-n", "-c", str(settings)]


def _cpu(command: list[str], seconds: float | None = None) -> float:
    """User and system seconds of a command and its children, told to end after *seconds* of wall time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.terminate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    for row in measure():
        print(row)
