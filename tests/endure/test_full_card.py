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
from doorbell.journal import pages
from doorbell.journal.entry import verify
from doorbell.journal.opening import open_to_read
from doorbell.journal.pages import MOST_BODY_BYTES
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
    kept = refused = rings = forgotten = 0
    for seed in seeds(1, 8):
        with named(seed):
            chance = random.Random(seed)
            door = Door(card / f"state{seed}")
            door.settle(1)
            everything: list[str] = []
            ever: list[str] = []
            """Clips that were held at some step, oldest first."""
            for number in range(count(25, 80)):
                if chance.random() < 0.4:
                    strangers(card / "strangers", chance.choice((0, 8, 16, 30, 47)) * MB)
                everything.append(clip_id(number))
                refused += bool(record(door, number, chance.randrange(1000, 3 * MB)))
                door.line.put(Write("ring", {"visit": f"v{number}"}, stamp(), f"t{number}"))
                door.settle(3)
                left = held(door)
                assert left == [clip for clip in everything if clip in left]
                ever += [clip for clip in left if clip not in ever]
                gone = [clip for clip in ever if clip not in left]
                assert gone == ever[: len(gone)], "what went is older than all that stays"
                forgotten = max(forgotten, len(gone))
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
    assert forgotten > 0
    figure = (
        f"{kept} clips kept, each that went older than all that stayed, {refused} refused by the card, all {rings} "
    )
    figure += "rings journalled, 0 damaged files"
    tell(5, "the real store and journal on a tmpfs of 48 MB that somebody else fills and empties", figure)


@pytest.mark.row(12)
def test_the_journal_keeps_its_bound_and_forgets_the_oldest_routine_first_and_presses_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A life within the bound but for presses, then presses alone until they have to go too."""
    if not FULL:
        monkeypatch.setattr(pages, "MOST_BODIES", 200)
        monkeypatch.setattr(pages, "NEWEST", 20)
    most, newest = pages.MOST_BODIES, pages.NEWEST
    life = ["ring" if number % 10 == 0 else "quiet" for number in range(most + most // 5)]
    kinds = [*life, "forgotten", *["ring"] * most]
    door = Door(tmp_path / "state")
    first = after(door, life)
    then = after(door, kinds[len(life) + 1 :])
    book = open_to_read(door.state)
    bodies, fault = book.bodies(), verify(book.entries(), book.journal_id, book.verify_key)
    book.close()
    door.writer.close()
    assert fault is None
    assert bodies.count <= most + 1
    assert bodies.bytes <= MOST_BODY_BYTES + 1000
    gone = [index for index, is_there in enumerate(first) if not is_there]
    assert gone == [index for index, kind in enumerate(life) if kind == "quiet"][: most // 5]
    older = list(zip(kinds, then, strict=False))[: len(kinds) - newest]
    assert not any(is_there for kind, is_there in older if kind != "ring"), "no old routine is left"
    presses = [is_there for kind, is_there in older if kind == "ring"]
    assert 0 < presses.count(False) < len(presses)
    assert presses == sorted(presses), "of the presses the oldest went"
    told = [one.body["bodies"] for one in door.history() if one.body and one.body["kind"] == "forgotten"]
    assert told == [then.count(False) - len(gone)], "the first count went with the routine"
    figure = (
        f"of {len(kinds):,} entries beyond {most:,} bodies first the {len(gone):,} oldest of routine went, then all "
    )
    figure += f"of it and the {presses.count(False):,} oldest presses; counted in signed entries; the chain verifies"
    tell(12, "the real journal beyond its bound, twice: a life, then presses alone", figure)


def after(door: Door, kinds: list[str]) -> list[bool]:
    """Write entries of these kinds, have what is beyond the bound forgotten; which entry has its body still."""
    for number, kind in enumerate(kinds, 1):
        door.line.put(Write(kind, {"n": number}, stamp(float(number))))
        if number % 200 == 199:
            door.settle(1)
    door.settle(3)
    door.line.put(ForgetOld(stamp(), 0, 14, 10**12))
    door.settle(3)
    book = open_to_read(door.state)
    there = [entry.body is not None for entry in book.entries()]
    book.close()
    return there
