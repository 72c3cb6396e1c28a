"""Row 1: the whole daemon killed at random moments, again and again on one card, and nothing it acknowledged is lost.

Acknowledged is what somebody outside has seen: an entry that reached the broker. After each kill the card is put in
order as a start does it, and everything ever seen must still be there, under the same hash.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
from pathlib import Path
from typing import Any

import av
import pytest

from doorbell.check import check
from doorbell.doorkeys import load_or_make
from doorbell.journal.entry import Entry, read_body, read_document
from doorbell.journal.opening import open_to_read
from doorbell.owner.unseal import CutError, unseal
from tests.endure.rows import FULL, named, tell
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.journal import Door as Card
from tests.rigs.reading import opened

pytestmark = [pytest.mark.endure, pytest.mark.row(1, parts=True), pytest.mark.timeout(7200)]
PART = 50
"""Lives of one card; ten cards make the row."""


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def one_life(door: Door, chance: random.Random) -> str:
    """Start, perhaps record, and be killed; says who was killed and when."""
    door.start()
    assert door.process
    if chance.random() < 0.25:  # while it starts, and puts the last death in order
        pause(chance.uniform(0, 1.5))
        stage = "starting"
    else:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        door.press()
        door.until(lambda: list((door.state / "clips").glob("*.part")), 20)
        pause(chance.uniform(0, 3))
        stage = "recording"
    recorder, who = door.recorder(), chance.choice(("both", "both", "both", "doorman", "recorder"))
    if who != "doorman" and recorder:
        end(recorder)
    if who == "recorder":
        pause(chance.uniform(0, 2))  # the next one may have begun by now
        recorder = door.recorder()
    door.process.kill()
    door.process.wait(20)
    if recorder:
        door.until(lambda: not Path(f"/proc/{recorder}").exists(), 40)  # its pipe closed: it finishes its clip
    (door.folder / "run/status.json").unlink(missing_ok=True)
    (door.folder / "run/starts").unlink(missing_ok=True)  # three deaths in five minutes would make it bell-only
    return f"{stage}, {who}"


def entries_on(card: Path) -> dict[int, Entry]:
    book = open_to_read(card)
    try:
        return {entry.index: entry for entry in book.entries()}
    finally:
        book.close()


def decodes(beginning: bytes) -> int:
    """Pictures that come before the place where the clip was cut."""
    count = 0
    try:
        with av.open(io.BytesIO(beginning)) as movie:
            for _ in movie.decode(video=0):
                count += 1
    except av.FFmpegError as error:
        print(f"{len(beginning)} bytes, {count} pictures, then: {error}")
    return count


def pictures_in(door: Door, sealed: bytes, body: dict[str, Any]) -> int:
    """Pictures in a clip that was told as whole or as cut; a cut one opens up to its last whole chunk."""
    assert hashlib.sha256(sealed).hexdigest() == body["sha256"]
    got = []
    try:
        got.extend(unseal([door.owner], io.BytesIO(sealed)))
    except CutError:
        assert body["kind"] == "clip_cut"
    return decodes(b"".join(got))


def lives() -> dict[int, list[int]]:
    """The seeds of the lives of each card, by its first.

    What a life finds is what those before it left: ENDURE_SEED=57 is run as 50 to 57, on a card of their own.
    """
    if one := os.environ.get("ENDURE_SEED"):
        first = int(one) // PART * PART
        return {first: list(range(first, int(one) + 1))}
    return {
        first: list(range(first, first + (PART if FULL else 2))) for first in (range(0, 500, PART) if FULL else [0])
    }


@pytest.mark.parametrize("first", lives())
def test_a_door_killed_at_any_moment_loses_nothing_that_anybody_was_told(
    tmp_path: Path, broker: Mosquitto, first: int
) -> None:
    settings = {"camera": {"source": "scene", "bitrate_kbps": 1500, "fps": 15}}
    door = Door(tmp_path / "door", broker.port, settings)
    looked: set[int] = set()
    stages: dict[str, int] = {}
    whole = cut = 0
    with Listener(broker.port) as listener:
        for seed in lives()[first]:
            with named(seed):
                stage = one_life(door, random.Random(seed))
                stages[stage] = stages.get(stage, 0) + 1
                if not (door.state / "keys").exists() or not (door.state / "journal.sqlite3").exists():
                    continue  # killed before it had made anything
                card = Card(door.state, keys=load_or_make(door.state / "keys"), owner=door.owner)
                card.settle(3)
                card.writer.close()
                assert check(door.state).findings == ()
                there = entries_on(door.state)
                for note in listener.of("journal"):
                    told = read_document(note.payload)
                    assert there[told.index].hash == told.hash
                for index in sorted(set(there) - looked):
                    looked.add(index)
                    body = read_body(opened(door.owner, there[index].body or b""))
                    if body["kind"] in ("clip", "clip_cut") and body["bytes"]:
                        sealed = (door.state / "clips" / f"{body['id']}.mp4.age").read_bytes()
                        assert pictures_in(door, sealed, body) > 0
                        whole, cut = whole + (body["kind"] == "clip"), cut + (body["kind"] == "clip_cut")
        told = len({note.topic for note in listener.of("journal")})
    assert check(door.state, thorough=True, identities=[door.owner]).findings == ()
    kills = sum(stages.values())
    method = "the daemon with the scene, killed (doorman, recorder, both) while it starts and records, 50 lives a card"
    figure = "{kills} of {kills}: 0 of {told} acknowledged entries lost; {whole} whole and {cut} cut clips open"
    tell(1, method, figure, kills=kills, told=told, whole=whole, cut=cut)
    print(stages)
