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

import av
import pytest

from tests.endure.rows import FULL, tell
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.reading import opened

pytestmark = [
    pytest.mark.endure,
    pytest.mark.row(14),
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not FULL, reason="it slows the machine's real time down: make endure runs it"),
]
SLICE_S, ROUND_S = 0.01, 0.1


@contextmanager
def a_tenth(group: int) -> Iterator[None]:
    """The processes of *group* may run for 10 of every 100 ms."""
    over = threading.Event()

    def hold() -> None:
        with suppress(ProcessLookupError):
            while not over.is_set():
                os.killpg(group, signal.SIGCONT)
                over.wait(SLICE_S)
                os.killpg(group, signal.SIGSTOP)
                over.wait(ROUND_S - SLICE_S)
            os.killpg(group, signal.SIGCONT)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def test_with_a_tenth_of_a_processor_the_door_rings_in_time_and_tears_no_picture(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    waits = []
    with Door(tmp_path / "door", broker.port, {"camera": {"source": "scene"}}) as door:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        assert door.process
        with a_tenth(door.process.pid):
            for number in range(1, 31):
                began = time.monotonic()
                door.finger(b"button down")
                waits.append(listener.wait("/alert", number, within=30)[number - 1].at - began)
                door.finger(b"button up")
                pause(1)
        door.until(lambda: door.clips, 60)
        door.stop()
        pictures = 0
        for clip in door.clips:
            with av.open(io.BytesIO(opened(door.owner, clip.read_bytes()))) as movie:
                pictures += sum(1 for _ in movie.decode(video=0))
    assert pictures > 0
    waits.sort()
    assert waits[-1] <= 4, waits
    late = sum(wait > 2 for wait in waits)
    figure = f"30 presses: alert after {waits[15]:.2f} s (median), {waits[-1]:.2f} s (longest), {late} later than 2 s; "
    figure += f"{len(door.clips)} clips with {pictures} pictures, all decode"
    tell(14, "the daemon with the scene, stopped for 90 of every 100 ms", figure)
