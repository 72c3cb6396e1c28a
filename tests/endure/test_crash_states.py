"""Row 3: every card that a power cut may leave is put in order by the next start, with all that was acknowledged.

A life of the card is traced once (strace); then, behind each call that changed something, cards are laid out that hold
any part of what was not yet synced, and the real start runs on each.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from doorbell.check import check
from doorbell.clips.seal import CHUNK, SEALED_CHUNK, seal, whole_chunks
from doorbell.doorkeys import load_or_make
from doorbell.errors import DoorbellError
from doorbell.journal.opening import open_to_read
from doorbell.owner.unseal import UnsealError, unseal
from tests.endure.card_model import CALLS, Card, State, calls, digest, lay, states
from tests.endure.rows import count, named, seeds, tell
from tests.endure.workload import OWNER, content
from tests.rigs.journal import Door

pytestmark = [
    pytest.mark.endure,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is missing: apt install strace"),
]


MOST_LOST_S = 2.0
HEADER = seal([OWNER.recipient], b"")[:4096]


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


def to_be_kept(said: list[str]) -> dict[str, int]:
    """Of each clip that runs, the bytes that were written 2 s before its last ones, or earlier: a sync covers them."""
    written: dict[str, list[tuple[float, int]]] = {}
    for word, *rest in (line.split() for line in said):
        if word == "wrote":
            written.setdefault(rest[0], []).append((float(rest[2]), int(rest[1])))
        elif word in ("clip", "deleting"):
            written.pop(rest[0], None)
    return {
        clip: max((size for at, size in pieces if at <= pieces[-1][0] - MOST_LOST_S), default=0)
        for clip, pieces in written.items()
    }


def what_opens(place: Path) -> dict[str, bytes]:
    """Each clip that is there and what opens of it: a true prefix of what was filmed."""
    found = {}
    for path in (place / "clips").glob("*.mp4.age"):
        pieces = []
        with path.open("rb") as sealed, contextlib.suppress(UnsealError):
            pieces.extend(unseal([OWNER], sealed))
        found[path.name.partition(".")[0]] = opened = b"".join(pieces)
        assert content("abcdefghijklmnopqrstuvwxyz".index(path.name[0])).startswith(opened), path.name
    return found


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
    opens = what_opens(place)
    for clip, sha256 in clips.items():
        assert hashlib.sha256((place / "clips" / f"{clip}.mp4.age").read_bytes()).hexdigest() == sha256
        assert len(opens[clip]) == len(content(0)), "a clip that was told opens to its end"
    for clip, size in to_be_kept(said).items():
        whole = whole_chunks(HEADER, size) // SEALED_CHUNK * CHUNK
        assert len(opens.get(clip, b"")) >= whole, f"{clip}: of {size} bytes older than 2 s more went than a chunk"


@pytest.mark.row(3)
def test_whatever_a_power_cut_leaves_the_next_start_makes_whole(ram: Path) -> None:
    cards = moments = 0
    for seed in seeds(1, 1):
        with named(seed):
            for phase in ("life", "again"):
                place = ram / phase
                place.mkdir()
                if phase == "again":
                    place_of_a_cut(place)
                for point, card, state in laid_out(place, phase, random.Random(seed)):
                    look_at(ram, state, card, point)
                    cards, moments = cards + 1, moments + (point.number != point.before)
    assert cards >= count(100, 20_000)
    method = "`strace` of the real store and journal, a life and the start after it; unsynced writes kept, torn at 512 "
    figure = (
        f"{cards:,} different cards at {moments} moments: 0 violations; of a clip that ran, at most the unfinished "
    )
    tell(3, method + "bytes or dropped", figure + "64 KiB and what was written in the last 2 s went, the rest opens")


def test_a_store_that_never_syncs_is_seen_to_lose_what_it_acknowledged(ram: Path) -> None:
    """The control: without it no violation might only mean that none would be seen."""
    (ram / "careless").mkdir()
    for seed in seeds(1, 1):
        with named(seed):
            bad = 0
            for point, card, state in laid_out(ram / "careless", "careless", random.Random(seed)):
                try:
                    look_at(ram, state, card, point)
                except (AssertionError, OSError, DoorbellError):
                    bad += 1
                    shutil.rmtree(ram / "card")
            assert bad > 0


@frozen
class Point:
    """One moment of a life: behind which call, and the hashes of all entries that there will be."""

    number: int
    before: int
    """The point of the card laid out before this one."""
    hashes: dict[int, bytes]


def laid_out(place: Path, phase: str, chance: random.Random) -> Iterator[tuple[Point, Card, State]]:
    """Different cards that a power cut may leave, behind each call of the traced life that changed something."""
    card, life, hashes = traced(place, phase)
    seen: set[bytes] = set()
    number = before = 0
    for call in life:
        if not card.follow(call) or not card.said:
            continue
        number += 1
        telling = number % 9 == 0 or card.said[-1].startswith("wrote")
        for state in states(card, chance, count(2 if telling else 0, 60)):
            if (name := digest(state)) not in seen:
                seen.add(name)
                yield Point(number, before, hashes), card, state
                before = number


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


def look_at(ram: Path, state: State, card: Card, point: Point) -> None:
    place = ram / "card"
    place.mkdir(mode=0o700)
    lay(state, card.root, place)
    try:
        starts_whole(place, card.said, point.hashes)
    except BaseException as error:
        names = {path: list(held) for path, held in state.items()}
        error.add_note(f"at moment {point.number}, after {card.said[-1]!r}; the card: {names}")
        raise
    shutil.rmtree(place)
