"""The child of `doorbell replay`: decodes one video, feeds the core, prints a JSON line for each thing it finds.

A process of its own, because a video from elsewhere may crash a decoder: that ends this process and nothing else. It
has so much memory and, for each picture, so much time, of the processor and by the clock; whatever is in the file.
Run as `python -m doorbell.replay.watcher`, with its task as one JSON object in the first argument.
"""

import json
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from doorbell.errors import DoorbellError
from doorbell.replay.decode import CutShortError, Picture, pictures
from doorbell.replay.picture import Painter
from doorbell.replay.spans import Row, Spans
from doorbell.vision.motion import Motion
from doorbell.vision.zones import watch

MOST_MEMORY = 4 * 1024**3
"""Bytes of address space: the largest pictures that are taken, as many of them as H.264 may refer to, and the rest."""
MOST_CPU_S = 60.0
MOST_WAIT_S = 600.0
"""Of the processor, and by the clock, until the next picture is there. Then SIGPROF or SIGALRM ends this process: a
decoder that turns in circles never comes back to where Python could say it."""

_FPS = 10.0


@frozen
class Task:
    """What to replay: a path (or None for standard input), and how."""

    video: str | None
    zone: tuple[tuple[tuple[float, float], ...], ...] = ()
    sensitivity: str = "medium"
    size: tuple[int, int] | None = None
    why: bool = False
    picture: str | None = None


class Replay:
    """One video through the core: a new core whenever the pictures change their size."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._core: Motion | None = None
        self._spans = Spans(task.why)
        self._painter = None if task.picture is None else Painter(Path(task.picture))
        self.frames = 0
        self.seconds = 0.0

    def run(self) -> None:
        """Print rows to standard output as they are known; CutShortError passes after the rows of what was whole."""
        source = Path(self._task.video) if self._task.video is not None else sys.stdin.buffer
        try:
            for picture in _in_time(pictures(source, self._task.size)):
                self._take(picture)
        finally:
            for row in self._spans.end():
                tell(row)
            if self._painter is not None:
                self._painter.close()

    def _take(self, picture: Picture) -> None:
        height, width = picture.luma.shape
        core = self._core
        if core is None or (core.width, core.height) != (width, height):
            try:
                core = Motion(width, height, _FPS, watch(self._task.zone, width, height), self._task.sensitivity)
            except ValueError as error:
                raise CutShortError(f"{error}.") from None
            self._core = core
        seen = core.feed(picture.luma, picture.at)
        for row in self._spans.take(self.frames, picture.at, seen):
            tell(row)
        if self._painter is not None:
            self._painter.take(picture, seen, core)
        self.frames += 1
        self.seconds = picture.at

    def summary(self) -> Row:
        used = resource.getrusage(resource.RUSAGE_SELF)
        held = {} if self._core is None else self._core.held_back()
        return {
            "type": "summary",
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "cpu_s": round(used.ru_utime + used.ru_stime, 3),
            "held_back": {str(gate): count for gate, count in held.items()},
        }


def _in_time(source: Iterator[Picture]) -> Iterator[Picture]:
    """The clock runs while a picture is decoded, not while it is looked at or told to somebody slow."""
    while True:
        signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
        signal.setitimer(signal.ITIMER_REAL, MOST_WAIT_S)
        try:
            picture = next(source, None)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        if picture is None:
            return
        yield picture


def tell(row: Row) -> None:
    print(json.dumps(row), flush=True)


def task_from(text: str) -> Task:
    raw = json.loads(text)
    raw["zone"] = tuple(tuple((x, y) for x, y in polygon) for polygon in raw["zone"])
    raw["size"] = None if raw["size"] is None else tuple(raw["size"])
    return Task(**raw)


def main() -> int:
    replay = Replay(task_from(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    problem = None
    try:
        replay.run()
    except DoorbellError as error:
        problem = str(error)
    except MemoryError:
        problem = f"The video needs more than {MOST_MEMORY / 1e9:.1f} GB of memory: it is damaged or made to do that."
    if problem is not None:
        tell({"type": "problem", "sentence": problem})
    elif replay.frames == 0:
        tell({"type": "problem", "sentence": "The video holds no picture: give one that does."})
    if replay.frames:
        tell(replay.summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
