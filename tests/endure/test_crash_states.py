"""Row 3: every card that a power cut may leave is put in order by the next start, with all that was acknowledged.

A life of the card is traced once (strace); then, behind each call that changed something, cards are laid out that hold
any part of what was not yet synced, and the real start runs on each.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorbell.check import check
from doorbell.doorkeys import load_or_make
from doorbell.journal.opening import open_to_read
from tests.endure.card_model import CALLS, Card, State, calls, digest, lay, states
from tests.endure.rows import count, named, seeds, tell
from tests.endure.workload import OWNER
from tests.rigs.journal import Door

pytestmark = [
    pytest.mark.endure,
    pytest.mark.row(3),
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is missing: apt install strace"),
]


@pytest.fixture
def ram() -> Iterator[Path]:
    """A folder in memory: thousands of cards are laid out in it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as made:
        yield Path(made)


def traced(place: Path, phase: str) -> tuple[Card, list, dict[int, bytes]]:
    """The card before the life, the calls of it, and each entry's hash by index as they were in the end."""
    state, marks, trace = place / "state", place / "marks", place / "trace"
    state.mkdir(mode=0o700, exist_ok=True)
    card = Card.of(state, marks)
    work = Path(__file__).with_name("workload.py")
    strace = ["strace", "-o", str(trace), "-xx", "-s", "1000000", "-e", f"trace={CALLS}"]
    done = subprocess.run([*strace, sys.executable, str(work), str(state), str(marks), phase], check=False, timeout=120)
    if done.returncode:
        pytest.skip("strace may not trace here")
    book = open_to_read(state)
    hashes = {entry.index: entry.hash for entry in book.entries()}
    book.close()
    return card, list(calls(trace)), hashes


def acknowledged(said: list[str]) -> tuple[int, dict[str, str]]:
    """The newest entry told, and the clips told and not asked to go: id to SHA-256."""
    newest, clips = 0, {}
    for word, *rest in (line.split() for line in said):
        if word == "kept":
            newest = int(rest[0])
        elif word == "clip":
            clips[rest[0]] = rest[1]
        elif word == "deleting":
            clips.pop(rest[0], None)
    return newest, clips


def starts_whole(place: Path, said: list[str], hashes: dict[int, bytes]) -> None:
    """The next start on this card: no invariant is broken, and all that was acknowledged is there."""
    door = Door(place, keys=load_or_make(place / "keys"), owner=OWNER)
    door.settle(3)
    door.writer.close()
    assert [finding.sentence for finding in check(place).findings] == []
    newest, clips = acknowledged(said)
    book = open_to_read(place)
    there = {entry.index: entry.hash for entry in book.entries()}
    book.close()
    assert all(there.get(index) == hashes[index] for index in range(1, newest + 1))
    for clip, sha256 in clips.items():
        assert hashlib.sha256((place / "clips" / f"{clip}.mp4.age").read_bytes()).hexdigest() == sha256


@pytest.mark.parametrize("phase", ["life", "again"])
def test_whatever_a_power_cut_leaves_the_next_start_makes_whole(ram: Path, phase: str) -> None:
    place = ram / "made"
    place.mkdir()
    if phase == "again":
        place_of_a_cut(place)
    for seed in seeds(1, 1):
        with named(seed):
            chance = random.Random(seed)
            card, life, hashes = traced(place, phase)
            root, seen, points = card.root, set(), 0
            for call in life:
                if not card.follow(call) or not card.said:
                    continue
                points += 1
                for state in states(card, chance, count(2 if points % 9 == 0 else 0, 60)):
                    if (name := digest(state)) in seen:
                        continue
                    seen.add(name)
                    look_at(ram, state, root, card.said, hashes, points)
    method = f"`strace` of the real store and journal ({phase}), unsynced writes kept, torn at 512 bytes or dropped"
    tell(3, method, f"{len(seen):,} different cards at {points} moments: 0 violations", states=len(seen), points=points)


def place_of_a_cut(place: Path) -> None:
    """As the first life left it at its last moment, before it closed anything."""
    first = place / "first"
    first.mkdir()
    card, life, _ = traced(first, "life")
    for call in life:
        card.follow(call)
        if card.said[-1:] == ["ends"]:
            break
    state = {path: {name: file.safe for name, file in folder.now().items()} for path, folder in card.folders.items()}
    lay(state, card.root, place_in(place))


def place_in(place: Path) -> Path:
    (place / "state").mkdir(mode=0o700)
    return place / "state"


def look_at(ram: Path, state: State, root: str, said: list[str], hashes: dict[int, bytes], point: int) -> None:
    place = ram / "card"
    place.mkdir(mode=0o700)
    lay(state, root, place)
    try:
        starts_whole(place, said, hashes)
    except BaseException as error:
        error.add_note(f"at moment {point}, after {said[-1]!r}; the card: { {p: list(n) for p, n in state.items()} }")
        raise
    shutil.rmtree(place)
