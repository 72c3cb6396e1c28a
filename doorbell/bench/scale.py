"""What a card of three years costs beside a young one: start, list, retention and check, and the memory of each.

Each is done by a process of its own, by the code that the door runs. Some must touch every clip: those are compared by
the clip. The others have to take as long as ever. What is compared is the processor's time, with the kernel's for the
file system in it: whoever else uses this machine would be in the clock's, which is told while it is measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import frozen

from doorbell.bench.rows import Row, Say
from doorbell.errors import DeviceError

BAR: Final = 2.0
CHECKED: Final = 10_000
"""Clips that `doorbell check` has to look at within CHECK_S."""
CHECK_S: Final = 1.0
ROUNDS: Final = 3


@frozen
class Task:
    """One thing that is measured; ``each``: it has to touch every clip, so a clip's share counts."""

    what: str
    each: bool


TASKS: Final = {
    "start": Task("the journal's start: read, checked, clips/ in order", each=True),
    "check": Task("doorbell check", each=True),
    "clips": Task("doorbell clips, all of them", each=True),
    "journal": Task("doorbell journal, all of it, sealed", each=True),
    "page": Task("a page of history for a phone", each=False),
    "retention": Task("the hourly retention, nothing to do", each=True),
    "forget": Task("32 clips forgotten", each=False),
}


def measure(largest: int, say: Say) -> list[Row]:
    """Rows: each task with *largest* clips beside a tenth and a hundredth of them; then the memory of each in MB."""
    sizes = (largest // 100, largest // 10, largest)
    found: dict[int, dict[str, tuple[float, float]]] = {}
    with TemporaryDirectory() as name:
        for size in sizes:
            say(f"making a card with {size} clips")
            state = Path(name) / str(size) / "state"
            from doorbell.bench.years import make  # noqa: PLC0415  the measured processes do without

            make(state, size, say)
            found[size] = {task: _median(task, state, say) for task in TASKS}
    rows = [_in_time(found[CHECKED]["check"][0])] if CHECKED in found else []
    for key, task in TASKS.items():
        for size in sizes[:2]:
            share = (size, largest) if task.each else (1, 1)
            reference, ours = found[size][key][0] / share[0], found[largest][key][0] / share[1]
            scale, unit = (1e6, "µs a clip") if task.each else (1e3, "ms")
            what = f"{task.what}: {largest:,} clips beside {size:,}"
            rows.append(
                Row(what, round(ours * scale, 2), round(reference * scale, 2), round(ours / reference, 2), BAR, unit)
            )
    for key, task in TASKS.items():
        small, large = found[sizes[1]][key][1], found[largest][key][1]
        what = f"{task.what}: memory, {largest:,} clips beside {sizes[1]:,}"
        rows.append(Row(what, round(large, 1), round(small, 1), round(large / small, 2), 1.25, "MB"))
    return rows


def _in_time(took: float) -> Row:
    what = f"{TASKS['check'].what}: {CHECKED:,} clips, beside what it may take"
    return Row(what, round(took * 1e3, 1), CHECK_S * 1e3, round(took / CHECK_S, 2), 1.0, "ms")


def _median(task: str, state: Path, say: Say) -> tuple[float, float]:
    """Seconds of processor, and the process's largest resident memory in MB: medians."""
    times, clock, peaks = [], [], []
    for _ in range(ROUNDS):
        done = subprocess.run(
            [sys.executable, "-m", "doorbell.bench.scale", task, str(state)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DeviceError(f"{task} failed: {done.stderr[-500:]}")
        told = json.loads(done.stdout.splitlines()[-1])
        times.append(told["processor"])
        clock.append(told["clock"])
        peaks.append(told["mb"])
    took = (statistics.median(times) * 1e3, statistics.median(clock) * 1e3)
    say(f"{task}: {took[0]:.1f} ms of processor, {took[1]:.1f} ms by the clock, {statistics.median(peaks):.1f} MB")
    return statistics.median(times), statistics.median(peaks)


# ---- in a process of its own


def _writer(state: Path) -> tuple[Any, Any, list[Any]]:
    from doorbell.bench.years import OWNER  # noqa: PLC0415
    from doorbell.clips.seal import seal  # noqa: PLC0415
    from doorbell.doorkeys import FOLDER, load_or_make  # noqa: PLC0415
    from doorbell.journal.entry import Stamp  # noqa: PLC0415
    from doorbell.journal.requests import Line  # noqa: PLC0415
    from doorbell.journal.writer import Writer  # noqa: PLC0415

    keys, line = load_or_make(state / FOLDER), Line()
    heard: list[Any] = []
    started = Stamp("2026-01-01T00:00:00Z", "synced", 1.0)
    writer = Writer(
        state, verify_key=keys.verify_key, seal=lambda plain: seal([OWNER], plain), sign_entry=keys.sign_entry,
        put=heard.append, started=started, clock=time.monotonic, line=line,
    )  # fmt: skip
    return writer, line, heard


def _start(state: Path) -> Callable[[], None]:
    from doorbell.events import JournalReady  # noqa: PLC0415

    writer, _, heard = _writer(state)

    def run() -> None:
        writer.turn()
        assert any(isinstance(one, JournalReady) and not one.said for one in heard), heard
        writer.close()

    return run


def _asked(state: Path, today_offset: int) -> Callable[[], None]:
    from doorbell.bench.years import FIRST_DAY  # noqa: PLC0415
    from doorbell.journal.entry import Stamp  # noqa: PLC0415
    from doorbell.journal.requests import ForgetOld  # noqa: PLC0415

    writer, line, heard = _writer(state)
    writer.turn()
    before = len(heard)
    # Nothing is older than 3,650 days here; with an offset the first days of the card are.
    line.put(ForgetOld(Stamp("2026-01-01T00:00:00Z", "synced", 2.0), FIRST_DAY + 3650 + today_offset, 3650, 10**15))
    line.stop()

    def run() -> None:
        writer.turn()
        assert (len(heard) > before) == bool(today_offset), heard[before:]

    return run


def _page(state: Path) -> Callable[[], None]:
    from doorbell.journal.requests import AskPage  # noqa: PLC0415

    writer, line, heard = _writer(state)
    writer.turn()
    after = max(0, heard[-1].head[0] - 60)

    def run() -> None:
        line.ask_page(AskPage(after, 64 * 1024, "phone"))
        writer.turn()
        assert heard[-1].entries

    return run


def _check(state: Path) -> Callable[[], None]:
    from doorbell.check import check  # noqa: PLC0415

    def run() -> None:
        result = check(state, quota=10**15)
        assert not result.findings, result.findings[:3]

    return run


def _command(name: str, state: Path) -> Callable[[], None]:
    command = getattr(import_module(f"doorbell.cli.{name}"), name)  # as the command line does: no room imports one

    def run() -> None:
        with contextlib.suppress(SystemExit):
            command.main(["--state", str(state)], standalone_mode=False)

    return run


_DO: Final[dict[str, Callable[[Path], Callable[[], None]]]] = {
    "start": _start,
    "check": _check,
    "clips": lambda state: _command("clips", state),
    "journal": lambda state: _command("journal", state),
    "page": _page,
    "retention": lambda state: _asked(state, 0),
    "forget": lambda state: _asked(state, 2),
}


def main(task: str, state: Path) -> None:
    run = _DO[task](state)
    told = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    began = time.process_time(), time.perf_counter()
    run()
    took = time.process_time() - began[0], time.perf_counter() - began[1]
    mb = (
        next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
        / 1e3
    )
    os.write(told, json.dumps({"processor": took[0], "clock": took[1], "mb": mb}).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
