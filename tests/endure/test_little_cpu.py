"""Row 14: with a tenth of the processor the door still rings in time, and what it drops it drops in whole pictures."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

import av
import pytest

from tests.endure.rows import FULL, count, tell
from tests.endure.vitals import children
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.reading import opened

pytestmark = [pytest.mark.endure, pytest.mark.timeout(1800)]
SLICE_S, ROUND_S = 0.01, 0.1
WITHIN_S = 2.0 if FULL else 20.0
"""The bar; the short form shares its machine with other tests."""


@contextmanager
def a_tenth(doorman: int) -> Iterator[None]:
    """The doorman and its recorder may run for 10 of every 100 ms."""
    over = threading.Event()

    def all_of_them(how: int) -> None:
        for pid in (doorman, *children(doorman)):
            with suppress(ProcessLookupError):
                os.kill(pid, how)

    def hold() -> None:
        while not over.is_set():
            all_of_them(signal.SIGCONT)
            over.wait(SLICE_S)
            all_of_them(signal.SIGSTOP)
            over.wait(ROUND_S - SLICE_S)
        all_of_them(signal.SIGCONT)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def pictures_in(movie_bytes: bytes) -> int:
    """How many there are; raises for the first that is torn: one that lacks what it refers to, or a part of itself."""
    with av.open(io.BytesIO(movie_bytes)) as movie:
        coded = sum(1 for packet in movie.demux(video=0) if packet.size)
    with av.open(io.BytesIO(movie_bytes)) as movie:
        movie.streams.video[0].codec_context.options = {"err_detect": "explode", "flags": "-output_corrupt"}
        shown = sum(1 for _ in movie.decode(video=0))
    assert shown == coded, f"{shown} of {coded} pictures can be shown"
    return shown


@pytest.mark.row(14)
def test_with_a_tenth_of_a_processor_the_door_rings_in_time_and_tears_no_picture(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    presses = count(3, 30)
    waits = []
    with Door(tmp_path / "door", broker.port, {"camera": {"source": "scene"}}) as door:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        assert door.process
        first = door.recorder()
        with a_tenth(door.process.pid):
            while len(waits) < presses or not door.status()["frames_dropped"]:
                number = len(waits) + 1
                began = time.monotonic()
                door.finger(b"button down")
                heard = listener.wait("/alert", number, within=30)[number - 1].at
                waits.append(max(heard, door.chimed(number)) - began)
                door.finger(b"button up")
                pause(1)
                assert number < presses + 60, "nothing was dropped: was the recorder held back?"
            same = door.recorder() == first
        dropped = door.status()["frames_dropped"]
        door.until(lambda: door.clips, 60)
        door.stop()
        pictures = sum(pictures_in(opened(door.owner, clip.read_bytes())) for clip in door.clips)
    assert pictures > 0
    assert max(waits) <= WITHIN_S, waits
    assert same, "a slow recorder was taken for a stuck one"
    figure = (
        f"{len(waits)} presses: chime and alert after {median(waits):.2f} s (median), {max(waits):.2f} s (longest); "
    )
    figure += f"{dropped} frames dropped and counted; {len(door.clips)} clips with {pictures} pictures, none torn"
    tell(14, "the daemon with the scene, doorman and recorder stopped for 90 of every 100 ms", figure)


def test_a_picture_that_lacks_a_part_is_torn(tmp_path: Path) -> None:
    """The control: the way of looking would see one."""
    with Door(tmp_path / "door", settings={"camera": {"source": "scene"}}) as door:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        door.press()
        door.until(lambda: door.clips, 60)
        whole = opened(door.owner, door.clips[0].read_bytes())
        door.stop()
    assert pictures_in(whole) > 0
    largest = max(packets(whole), key=lambda place: place[1])
    torn = bytearray(whole)
    torn[largest[0] + largest[1] // 2 : largest[0] + largest[1]] = bytes(largest[1] - largest[1] // 2)
    with pytest.raises((av.FFmpegError, AssertionError)):
        pictures_in(bytes(torn))


def packets(movie_bytes: bytes) -> list[tuple[int, int]]:
    """Where each coded picture lies in the file, and its size."""
    with av.open(io.BytesIO(movie_bytes)) as movie:
        return [(packet.pos, packet.size) for packet in movie.demux(video=0) if packet.size and packet.pos is not None]
