"""Rows 5 and 12: a card without room forgets its oldest clips first, damages none, and the journal keeps its bound."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorbell.check import check
from doorbell.clips.store import Part
from doorbell.errors import DeviceError
from doorbell.journal.entry import verify
from doorbell.journal.opening import open_to_read
from doorbell.journal.pages import MOST_BODIES, MOST_BODY_BYTES
from doorbell.journal.requests import ClipKept, ClipLost, ClipStarted, ForgetOld, Write
from tests.endure.rows import FULL, count, named, seeds, tell
from tests.rigs.journal import Door, clip_id, stamp

pytestmark = [pytest.mark.endure, pytest.mark.timeout(3600)]
MB = 1_000_000


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 48 MB, of which 32 are the reserve."""
    place = tmp_path / "card"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(place)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a small card, and not everywhere")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def record(door: Door, number: int, size: int) -> str:
    """One clip as doorman and recorder make it; the card's reason where it refuses, as the doorman hears it."""
    clip, sealed = clip_id(number), door.seal(bytes(size))
    door.line.put(ClipStarted(clip, {}, stamp()))
    door.settle(1)
    try:
        part = Part(door.state / "clips", clip, lambda: door.now)
        for start in range(0, len(sealed), 65_552):
            part.write(sealed[start : start + 65_552])
            door.now += 0.3
        length, sha256 = part.keep()
    except DeviceError as error:
        door.line.put(ClipLost(clip, str(error), stamp()))
        door.line.put(ForgetOld(stamp(), 0, 14, 0))
        return str(error)
    fields = {"bytes": length, "sha256": sha256, "poster_sha256": ""}
    door.line.put(ClipKept(clip, fields, stamp(), length))
    door.line.put(ForgetOld(stamp(), 0, 14, 0))
    return ""


def strangers(file: Path, size: int) -> None:
    """Somebody else's file on the card grows or shrinks to *size*, as far as there is room."""
    with file.open("ab") as grows:
        grows.truncate(min(size, grows.tell()))
        try:
            grows.write(bytes(max(0, size - grows.tell())))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def held(door: Door) -> list[str]:
    book = open_to_read(door.state)
    try:
        return [clip.clip for clip in book.held()]
    finally:
        book.close()


@pytest.mark.row(5)
def test_a_full_card_forgets_the_oldest_damages_none_and_goes_on_recording(card: Path) -> None:
    kept = refused = rings = 0
    for seed in seeds(1, 8):
        with named(seed):
            chance = random.Random(seed)
            door = Door(card / f"state{seed}")
            door.settle(1)
            everything: list[str] = []
            for number in range(count(25, 80)):
                if chance.random() < 0.4:
                    strangers(card / "strangers", chance.choice((0, 8, 16, 30, 47)) * MB)
                everything.append(clip_id(number))
                refused += bool(record(door, number, chance.randrange(1000, 3 * MB)))
                door.line.put(Write("ring", {"visit": f"v{number}"}, stamp(), f"t{number}"))
                door.settle(3)
                left = held(door)
                assert left == [clip for clip in everything if clip in left]
                newest_gone = max((n for n, clip in enumerate(everything[:-1]) if clip not in left), default=-1)
                lost = {clip for clip in everything if clip not in left}
                # What is missing behind a kept clip was refused by the card, never forgotten.
                assert all(clip in lost for clip in everything[: newest_gone + 1]) or refused
            (card / "strangers").unlink(missing_ok=True)
            door.settle(200)
            assert record(door, 900, MB) == ""
            door.settle(5)
            found = check(door.state, thorough=True, identities=[door.owner]).findings
            assert found == (), found
            told = [one.body for one in door.history() if one.body]
            assert [body["visit"] for body in told if body["kind"] == "ring"] == [f"v{n}" for n in range(number + 1)]
            rings += number + 1
            ends = [body["id"] for body in told if body["kind"] == "clip_deleted" and body["why"] == "room"]
            assert ends == sorted(ends, key=everything.index)
            kept += len([body for body in told if body["kind"] == "clip"])
            door.writer.close()
            shutil.rmtree(door.state)
    figure = f"{kept} clips kept, {refused} refused by the card, all {rings} rings journalled, 0 damaged files"
    tell(5, "the real store and journal on a tmpfs of 48 MB that somebody else fills and empties", figure)


@pytest.mark.row(12)
@pytest.mark.skipif(not FULL, reason="tests/journal shows the same with a smaller bound")
def test_the_journal_keeps_its_bound_and_counts_what_went(tmp_path: Path) -> None:
    door = Door(tmp_path / "state")
    for number in range(MOST_BODIES + 3000):
        door.line.put(Write("ring" if number % 10 == 0 else "quiet", {"n": number}, stamp(float(number))))
        if number % 200 == 199:
            door.settle(1)
    door.settle(3)
    door.line.put(ForgetOld(stamp(), 0, 14, 10**12))
    door.settle(3)
    book = open_to_read(door.state)
    bodies, bare = book.bodies(), [entry.index for entry in book.entries() if entry.body is None]
    fault = verify(book.entries(), book.journal_id, book.verify_key)
    book.close()
    door.writer.close()
    assert bodies.count <= MOST_BODIES + 1
    assert bodies.bytes <= MOST_BODY_BYTES + 1000
    assert bare == list(range(1, len(bare) + 1))
    assert fault is None
    told = next(one.body for one in reversed(door.history()) if one.body and one.body["kind"] == "forgotten")
    assert told["bodies"] == len(bare)
    figure = f"of {MOST_BODIES + 3000:,} entries the {len(bare):,} oldest bodies went, counted; the chain verifies"
    tell(12, "the real journal beyond 20,000 bodies; kinds are sealed, so presses go with their age", figure)
