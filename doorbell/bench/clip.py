"""A clip's whole way, muxed, sealed and written, beside muxing alone plus sealing alone.

The packets are the synthetic door's, coded by the door's own encoder at 2 Mbit/s; Muxer, Sealer and Part are the
recorder's own, on a real folder. All three kinds take turns. Figures are CPU time of the one thread that does it all,
so neither the card nor a neighbour on this machine is in them; fsync is left out, and has its own row in wall time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from doorbell.bench.door import RECIPIENT
from doorbell.bench.rows import Row, Say
from doorbell.bench.take import film, longer
from doorbell.clips.files import Files
from doorbell.clips.mux import Muxer
from doorbell.clips.seal import Sealer
from doorbell.clips.store import Part, prepare
from doorbell.recording import new_id
from doorbell.senses.camera import Packet

BAR = 1.5
SECONDS, REPEATED = 5.0, 6
"""Half a minute of clip: five seconds are filmed, and repeated."""
ROUNDS = 31
_STAMP = "2000-01-01T00:00:00Z"


class _Timed(Files):
    """The real calls; what the syncs took is counted, seconds of the wall and of CPU."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def fsync(self, descriptor: int) -> None:
        self._count(partial(super().fsync, descriptor))

    def sync_folder(self, folder: Path) -> None:
        self._count(partial(super().sync_folder, folder))

    def _count(self, sync: Callable[[], None]) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        sync()
        self.wall += time.perf_counter() - wall
        self.cpu += time.thread_time() - cpu


def measure(rounds: int, say: Say, size: tuple[int, int] = (1280, 720)) -> list[Row]:
    """CPU milliseconds a clip, medians; the ratio is the median of each round's own."""
    say("drawing and coding the clip")
    take = film(*size, 15, 2000, SECONDS)
    packets = longer(take.packets, SECONDS, REPEATED)
    fragments = _muxed(packets)
    bits = sum(len(one.data) for one in packets) * 8 / (SECONDS * REPEATED)
    took: list[tuple[float, float, float]] = []
    synced = []
    with TemporaryDirectory() as name:
        folder = prepare(Path(name))
        for number in range(rounds):
            files = _Timed()
            whole = _cpu(partial(_whole, packets, folder, files)) - files.cpu
            took.append((whole, _cpu(partial(_muxed, packets)), _cpu(partial(_sealed, fragments))))
            synced.append(files.wall)
            for kept in folder.iterdir():
                kept.unlink()
            if number % 10 == 9:
                say(f"{number + 1} of {rounds} rounds")
    all_of_it, mux, seal = (statistics.median(column) * 1e3 for column in zip(*took, strict=True))
    ratio = statistics.median(both / (muxed + sealed) for both, muxed, sealed in took)
    sync = statistics.median(synced) * 1e3
    what = f"mux + seal + write of 30 s at {bits / 1e6:.1f} Mbit/s, beside mux alone + seal alone"
    return [
        Row(what, round(all_of_it, 2), round(mux + seal, 2), round(ratio, 3), BAR, "ms CPU"),
        Row("  of the reference: mux alone", round(mux, 2), None, None, None, "ms CPU"),
        Row("  of the reference: seal alone", round(seal, 2), None, None, None, "ms CPU"),
        Row("  fsync of file and folder, not counted above", round(sync, 2), None, None, None, "ms wall"),
    ]


def _cpu(work: Callable[[], object]) -> float:
    before = time.thread_time()
    work()
    return time.thread_time() - before


def _muxed(packets: list[Packet]) -> list[bytes]:
    muxer = Muxer(packets[0], {}, _STAMP)
    return [*(muxer.add(packet) for packet in packets), muxer.finish()]


def _sealed(fragments: list[bytes]) -> None:
    sealer = Sealer([RECIPIENT])
    for fragment in fragments:
        sealer.update(fragment)
    sealer.finish()


def _whole(packets: list[Packet], folder: Path, files: Files) -> None:
    part = Part(folder, new_id(), time.monotonic, files)
    sealer = Sealer([RECIPIENT])
    part.write(sealer.header)
    muxer = Muxer(packets[0], {}, _STAMP)
    for packet in packets:
        if sealed := sealer.update(muxer.add(packet)):
            part.write(sealed)
    part.write(sealer.update(muxer.finish()) + sealer.finish())
    part.keep()
