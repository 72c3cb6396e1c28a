"""The card's own thread in the recorder: sealed bytes go in, a kept clip or a sentence comes out.

An SD card can take seconds for one sync, and the camera waits for nobody, so nothing else in the recorder touches the
card. What waits for it is bounded in bytes; the recorder looks at ``backlog`` before it seals more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from attrs import frozen

from doorbell.clips import preroll
from doorbell.clips.store import Part, keep_poster
from doorbell.errors import DeviceError
from doorbell.events import ClipKept, ClipLost, PosterMade, RecorderTrouble

MOST_WAITING = preroll.MOST_BYTES + 16 * 1024 * 1024
"""Bytes that may wait for the card: a whole pre-roll, which comes at once, and a minute of video at 2 Mbit/s."""


@frozen
class _Begin:
    clip: str


@frozen
class _Bytes:
    data: bytes


@frozen
class _Keep:
    seconds: float


@frozen
class _Lose:
    clip: str
    why: str


@frozen
class _Poster:
    clip: str
    sealed: bytes


class CardWriter:
    """Writes one clip at a time, in the order asked; *put* gets ClipKept, ClipLost, PosterMade, RecorderTrouble."""

    def __init__(self, folder: Path, put: Callable[[object], None]) -> None:
        self._folder, self._put = folder, put
        self._jobs: SimpleQueue[object] = SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._part: Part | None = None
        self._clip = ""
        """The clip whose fate is not told yet, or empty."""
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="card", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Bytes that wait for the card."""
        return self._waiting

    def begin(self, clip: str) -> None:
        self._jobs.put(_Begin(clip))

    def write(self, data: bytes) -> None:
        with self._lock:
            self._waiting += len(data)
        self._jobs.put(_Bytes(data))

    def keep(self, seconds: float) -> None:
        """The clip is whole; *seconds* of video are in it."""
        self._jobs.put(_Keep(seconds))

    def lose(self, clip: str, why: str) -> None:
        """The clip is given up: its file is closed and left to the doorman, then ClipLost is said, once."""
        self._jobs.put(_Lose(clip, why))

    def poster(self, clip: str, sealed: bytes) -> None:
        self._jobs.put(_Poster(clip, sealed))

    def stop(self, timeout: float) -> bool:
        """Finish what waits, at most *timeout* seconds; False where the card would not."""
        self._jobs.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._do(job)
            except DeviceError as error:
                self._failed(str(error))
        if self._part is not None:
            self._part.abandon()

    def _do(self, job: object) -> None:
        match job:
            case _Begin(clip):
                if self._clip:
                    self._lost("The next clip began before this one ended.")
                self._clip = clip
                self._part = Part(self._folder, clip, time.monotonic)
            case _Bytes(data):
                with self._lock:
                    self._waiting -= len(data)
                if self._part is not None:
                    self._part.write(data)
            case _Keep(seconds) if self._part is not None:
                size, sha256 = self._part.keep()
                self._part = None
                clip, self._clip = self._clip, ""
                self._put(ClipKept(time.monotonic(), clip, size, sha256, seconds))
                self._healed()
            case _Lose(clip, why) if clip == self._clip:
                self._lost(why)
            case _Poster(clip, sealed):
                try:
                    keep_poster(self._folder, clip, sealed)
                except DeviceError as error:
                    self._put(PosterMade(time.monotonic(), clip, sealed, kept=False))
                    self._tell(str(error))
                else:
                    self._put(PosterMade(time.monotonic(), clip, sealed, kept=True))

    def _failed(self, why: str) -> None:
        self._lost(why)
        self._tell(why)

    def _lost(self, why: str) -> None:
        # After a failed write or sync the file is not trusted again: what came before is cut to whole chunks later.
        if self._part is not None:
            self._part.abandon()
            self._part = None
        clip, self._clip = self._clip, ""
        self._put(ClipLost(time.monotonic(), clip, why))

    def _healed(self) -> None:
        if self._trouble:
            self._tell("")

    def _tell(self, why: str) -> None:
        if why != self._trouble:
            self._trouble = why
            self._put(RecorderTrouble(time.monotonic(), "storage", why))
