"""Row 7: each system call of the store and the journal fails once, in turn, and the door goes on without losing a word.

A first run is traced to learn its calls; then it is run again and again under strace, which lets the n-th call of one
kind fail. EIO for every call; ENOSPC, EROFS, EMFILE where the kernel can say them.
"""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from doorbell.check import check
from doorbell.doorkeys import load_or_make
from doorbell.journal.opening import open_to_read
from doorbell.owner.history import read_history
from tests.endure.rows import FULL, count, seeds, tell
from tests.endure.workload import OWNER
from tests.rigs.journal import Door

pytestmark = [
    pytest.mark.endure,
    pytest.mark.row(7),
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is missing: apt install strace"),
]

CALLS = (
    "openat", "read", "pread64", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir",
    "close", "newfstatat", "fstat", "lstat", "stat", "lseek", "fcntl", "getdents64", "statfs", "fstatfs", "mmap",
)  # fmt: skip
ALSO = {
    "ENOSPC": {"openat", "write", "pwrite64", "ftruncate", "rename", "mkdir", "fsync", "fdatasync"},
    "EROFS": {"openat", "rename", "unlink", "mkdir", "write", "pwrite64", "ftruncate"},
    "EMFILE": {"openat"},
}
_LINE = re.compile(r"(\w+)\((.*)")


@frozen
class Refusal:
    """The ``when``-th ``call`` of the run fails with ``error``; ``about`` is the call as the first run made it."""

    call: str
    when: int
    error: str
    about: str


@pytest.fixture
def ram() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as made:
        yield Path(made)


def run(place: Path, *more: str) -> subprocess.CompletedProcess[str]:
    shutil.rmtree(place, ignore_errors=True)
    (place / "state").mkdir(mode=0o700, parents=True)
    work = Path(__file__).with_name("workload.py")
    words = ["strace", "-o", str(place / "trace"), "-y", "-s", "200", "-e", f"trace={','.join(CALLS)}", *more]
    words += [sys.executable, str(work), str(place / "state"), str(place / "marks"), "brief"]
    return subprocess.run(words, check=False, timeout=120, capture_output=True, text=True)


def refusals(place: Path) -> list[Refusal]:
    """Every call of the traced run that touches the card, as one to fail."""
    numbers: Counter[str] = Counter()
    found = []
    state = str(place / "state")
    for line in (place / "trace").read_text().splitlines():
        if not (match := _LINE.match(line)):
            continue
        name = match[1]
        numbers[name] += 1
        if state in line:
            errors = ["EIO", *(error for error, names in ALSO.items() if name in names)]
            about = line.replace(state, "").partition(" = ")[0][:120]
            found += [Refusal(name, numbers[name], error, about) for error in errors]
    return found


def told_after_a_failed_sync(trace: Path) -> list[str]:
    """Acknowledgements given while a file whose sync had failed was still open: they might rest on its next sync.

    SQLite itself syncs its log once more while it closes a connection. That is no harm: what the failed sync was for
    is not in there, as far as SQLite knows, and is written anew through another descriptor.
    """
    failed: set[str] = set()
    told = []
    for line in trace.read_text().splitlines():
        match = _LINE.match(line)
        number = re.match(r"\d+", match[2]) if match else None
        if match is None or number is None:
            continue
        name, descriptor = match[1], number[0]
        if name == "close":
            failed.discard(descriptor)
        elif name == "write" and failed and re.search(r'"(kept|clip) ', line):
            told.append(line)
        elif name in ("fsync", "fdatasync") and " = -1 " in line:
            failed.add(descriptor)
    return told


def goes_on(place: Path, done: subprocess.CompletedProcess[str]) -> str:
    """What a run with a refusal must still be; returns what the door said about it."""
    said = (place / "marks").read_text().splitlines()
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert said[-1] == "ends"
    state = place / "state"
    keys = load_or_make(state / "keys")
    door = Door(state, keys=keys, owner=OWNER)
    door.settle(3)
    door.writer.close()
    assert [finding.sentence for finding in check(state, thorough=True, identities=[OWNER]).findings] == []
    book = open_to_read(state)
    bodies = {told.entry.index: told.body or {} for told in read_history(book.entries(), [OWNER])}
    book.close()
    clips: dict[str, str] = {}
    for word, *rest in (line.split() for line in said):
        if word == "kept":
            token = rest[1] if len(rest) > 1 else ""
            assert token in (bodies[int(rest[0])].get("visit", ""), bodies[int(rest[0])].get("id", ""), ""), rest
        elif word == "clip":
            clips[rest[0]] = rest[1]
        elif word == "deleting":
            clips.pop(rest[0], None)
    for clip, sha256 in clips.items():
        assert hashlib.sha256((state / "clips" / f"{clip}.mp4.age").read_bytes()).hexdigest() == sha256
    without = [line for line in said if line.startswith("without")]
    rings = [body["visit"] for body in bodies.values() if body.get("kind") == "ring"]
    assert rings == ["v1", "v2"] or without, rings
    return (without + [line for line in said if line.startswith("trouble")] + ["nothing"])[0]


def hit(place: Path, refusal: Refusal) -> bool:
    """Whether what failed was a call on the card: the program's own start makes some more or fewer each time."""
    injected = [line for line in (place / "trace").read_text().splitlines() if line.endswith("(INJECTED)")]
    return any(line.startswith(f"{refusal.call}(") and str(place / "state") in line for line in injected)


def test_every_call_may_fail_once_and_nothing_told_is_lost(ram: Path) -> None:
    place = ram / "door"
    if run(place).returncode:
        pytest.skip("strace may not trace here")
    every = refusals(place)
    (seed,) = seeds(1, 1, first=7)
    print(f"seed {seed}")
    chosen = every if FULL else random.Random(seed).sample(every, count(12, 0))
    said: Counter[str] = Counter()
    faults, hits = [], 0
    for one in chosen:
        done = run(place, "-e", f"inject={one.call}:error={one.error}:when={one.when}")
        hits += hit(place, one)
        try:
            said[goes_on(place, done).partition(":")[0][:60]] += 1
            assert told_after_a_failed_sync(place / "trace") == []
        except Exception as error:  # noqa: BLE001  all of them in one report
            faults.append(f"{one}: {type(error).__name__} {str(error)[:1500]}")
    assert not faults, f"seed {seed}: {len(faults)} of {len(chosen)}\n" + "\n".join(faults)
    assert hits >= 0.9 * len(chosen), f"seed {seed}: only {hits} of {len(chosen)} refusals met a call on the card"
    kinds = len({one.call for one in every})
    figure = (
        f"{hits} refusals of {kinds} kinds of call on the card ({len(chosen) - hits} more met a call elsewhere): 0 "
    )
    figure += "uncaught, 0 lost, nothing told on a sync that followed a failed one"
    tell(7, "`strace -e inject` on the real store and journal, each call on the card in turn", figure, said=dict(said))
