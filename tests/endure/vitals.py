"""What a running door takes, seen from outside: memory, descriptors, threads, bytes written, and how it grows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

GROUPS = Path("/sys/fs/cgroup")


@frozen
class Vitals:
    """One look at one process; ``at`` monotonic seconds, memory in kB, ``read`` bytes it has read since it began."""

    at: float
    pss_kb: int
    own_kb: int
    """Without the libraries' pages, whose share rises when another program that has them open ends."""
    descriptors: int
    threads: int
    read: int
    written: int
    """Bytes it has caused to be written to a disk."""


def look(pid: int, at: float) -> Vitals | None:
    """None where the process is gone."""
    place = Path(f"/proc/{pid}")
    try:
        maps = (place / "smaps_rollup").read_text()
        pss, own = (re.search(rf"^{name}:\s+(\d+)", maps, re.MULTILINE) for name in ("Pss", "Pss_Anon"))
        io = dict(line.split(": ") for line in (place / "io").read_text().splitlines())
        threads = len(list((place / "task").iterdir()))
        descriptors = len(list((place / "fd").iterdir()))
    except OSError:
        return None
    if pss is None or own is None:
        return None
    return Vitals(at, int(pss[1]), int(own[1]), descriptors, threads, int(io["rchar"]), int(io["write_bytes"]))


def children(pid: int) -> list[int]:
    """The processes that *pid* has started, now."""
    found = []
    for place in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in place.read_text().split()]
    return found


def growth_kb(looks: Sequence[Vitals]) -> float:
    """How much more memory at the end than at the beginning, by the straight line that fits best; kB."""
    if len(looks) < 3:
        return 0.0
    times, sizes = [one.at for one in looks], [one.own_kb for one in looks]
    middle, mean = sum(times) / len(times), sum(sizes) / len(sizes)
    below = sum((at - middle) ** 2 for at in times)
    slope = sum((at - middle) * (size - mean) for at, size in zip(times, sizes, strict=True)) / below
    return slope * (times[-1] - times[0])


@frozen
class Limit:
    """A group of processes with so much memory; ``wrapper``: words to put before a command so that it lives in it."""

    folder: Path
    events: Path

    @property
    def wrapper(self) -> list[str]:
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs; exec "$@"', "sh"]

    def killed(self) -> int:
        """Processes that the kernel ended because the group had no more memory."""
        found = re.search(r"^oom_kill (\d+)", self.events.read_text(), re.MULTILINE)
        return int(found[1]) if found else 0


@contextmanager
def limited(megabytes: int, groups: Path = GROUPS) -> Iterator[Limit | None]:
    """A group with this limit while it lasts, swap included where the kernel counts it; None where none can be made."""
    folder = (groups / "memory" if (groups / "memory").is_dir() else groups) / f"door-{os.getpid()}"
    second = (groups / "cgroup.controllers").exists()
    limit, swap, events = (
        ("memory.max", "memory.swap.max", "memory.events")
        if second
        else ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control")
    )
    try:
        if second and "memory" not in (groups / "cgroup.subtree_control").read_text().split():
            (groups / "cgroup.subtree_control").write_text("+memory")
        folder.mkdir()
        (folder / limit).write_text(str(megabytes * 2**20))
        with suppress(OSError):
            (folder / swap).write_text("0" if second else str(megabytes * 2**20))
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        yield None
        return
    try:
        yield Limit(folder, folder / events)
    finally:
        with suppress(OSError):
            folder.rmdir()


def sectors_written(place: Path) -> int:
    """Sectors of 512 bytes written to the disk that holds *place*, since it is there."""
    number = place.stat().st_dev
    stat = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat").read_text()
    return int(stat.split()[6])
