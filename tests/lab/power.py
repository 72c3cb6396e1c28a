"""The power goes while the card is written: whatever the journal had acknowledged is there afterwards, byte for byte.

Runs on the host, `make lab-power` with LAB_SEEDS=50 (3 if not given): each seed boots the lab with a card (ext4) whose
write cache is lost at the cut, but for a part of it that the seed chooses, some of that torn at a sector.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import signal
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from doorbell.check import check
from doorbell.clips.seal import CHUNK, SEALED_CHUNK, seal, whole_chunks
from doorbell.owner.unseal import UnsealError, unseal
from tests.lab.machine import BUILD, Machine
from tests.lab.nbd import Cut, Disk, serve
from tests.lab.parts.writer import KEYS, OWNER, film
from tests.rigs.journal import Door

HEADER = seal([OWNER.recipient], b"")[:4096]
SEEDS = int(os.environ.get("LAB_SEEDS", "3"))
CARD_MB = 96
WITHIN_S = 240.0
BUSY_WITHIN_S = 3.0
BUSY = """\
echo 16 >/sys/block/vdb/queue/max_sectors_kb
echo 10 >/proc/sys/vm/dirty_expire_centisecs
echo 10 >/proc/sys/vm/dirty_writeback_centisecs
"""
"""The kernel writes what is new after 0.1 s, not 30 s, and in small pieces: so a cut finds many writes that no flush
has followed yet, and can keep one and lose its neighbour."""

pytestmark = pytest.mark.timeout(WITHIN_S + 60)


@define
class Told:
    """What the door had acknowledged before the cut: entries by index, clips by name, and what of a clip was synced."""

    entries: dict[int, tuple[str, str]] = field(factory=dict)
    clips: dict[str, str] = field(factory=dict)
    synced: dict[str, int] = field(factory=dict)

    def take(self, line: str) -> None:
        words = line.split()
        if len(words) == 5 and words[0] == "Kept":
            _, index, kind, token, sha256 = words
            self.entries[int(index)] = kind, token
            if kind == "clip":
                self.clips[token] = sha256
        elif len(words) == 3 and words[0] == "Synced":
            self.synced[words[1]] = int(words[2])

    def running(self) -> dict[str, int]:
        """The clips whose end was not acknowledged, and the bytes of each that the card had told to be safe."""
        return {clip: size for clip, size in self.synced.items() if clip not in self.clips}


def written_until_the_cut(folder: Path, seed: int, words: str = "") -> tuple[Told, Cut]:
    """Boot, let the door write until a number of entries that *seed* chooses, and cut; the image stays in *folder*."""
    image, plug = folder / "card", folder / "plug"
    image.touch()
    os.truncate(image, CARD_MB * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    disk = Disk(image)
    serve(disk, plug)
    card = f"file=nbd:unix:{plug},format=raw,if=none,id=card,cache=none"
    machine = Machine(BUILD / "runs" / "power", disks=["-drive", card, "-device", "virtio-blk-pci,drive=card"])
    # The control must not be saved by a kernel in a hurry: it has only the 30 s that a kernel usually takes.
    machine.prepare(
        f"{BUSY * (not words)}mkdir /card\nmount -t ext4 -o noatime /dev/vdb /card\n"
        f"PYTHONPATH=. exec python3 -u tests/lab/parts/writer.py /card/state {words} >/dev/ttyS0\n"
    )
    chance, told, said = random.Random(seed), Told(), deque[str](maxlen=40)
    enough, moment, writes = chance.randrange(10, 90), chance.random() * 0.3, chance.randrange(5, 40)
    process = subprocess.Popen(
        machine.words(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    late = threading.Timer(WITHIN_S, os.killpg, (process.pid, signal.SIGKILL))
    late.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            told.take(line)
            said.append(line)
            if len(told.entries) >= enough:
                break
        threading.Event().wait(moment)
        # A cut while nothing waits to be written proves nothing.
        patience = time.monotonic() + BUSY_WITHIN_S
        while not disk.holds(writes) and time.monotonic() < patience:
            threading.Event().wait(0.0005)
        while not disk.holds(1) and time.monotonic() < patience + BUSY_WITHIN_S:
            threading.Event().wait(0.0001)
        cut = disk.cut(seed)
    finally:
        late.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert len(told.entries) >= enough, f"the machine ended by itself:\n{''.join(said)}"
    return told, cut


def found_after(folder: Path) -> Path:
    """The state folder as the mended file system has it."""
    fsck = subprocess.run(["fsck.ext4", "-f", "-p", folder / "card"], capture_output=True, text=True, check=False)
    assert fsck.returncode in (0, 1), fsck.stdout
    out = folder / "found"
    out.mkdir()
    subprocess.run(["debugfs", "-R", f"rdump /state {out}", folder / "card"], capture_output=True, check=True)
    return out / "state"


def lost(told: Told, state: Path) -> list[str]:
    """Acknowledged clips that are missing or not what they were."""
    bad = []
    for name, sha256 in told.clips.items():
        path = state / "clips" / f"{name}.mp4.age"
        if not path.exists():
            bad.append(f"{name} is gone")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            bad.append(f"{name} is damaged")
    return bad


def lost_of_running(told: Told, state: Path) -> list[str]:
    """Clips of which more went than the unfinished chunk, or whose rest is not what was filmed.

    One whose beginning the journal had not yet committed lies in clips/aside, as it was.
    """
    bad = []
    for name, size in told.running().items():
        places = [state / "clips" / f"{name}.mp4.age", *(state / "clips/aside").glob(f"{name}*")]
        sealed = next((path.read_bytes() for path in places if path.exists()), b"")
        shown = bytearray()
        with contextlib.suppress(UnsealError):
            for piece in unseal([OWNER], io.BytesIO(sealed[: whole_chunks(sealed[:4096], len(sealed))])):
                shown += piece
        if len(sealed) < whole_chunks(HEADER, size):
            bad.append(f"{name}: {len(sealed)} bytes left of {size} synced")
        if len(shown) < whole_chunks(HEADER, size) // SEALED_CHUNK * CHUNK:
            bad.append(f"{name}: {len(shown)} bytes open of {size} synced")
        if film(name, len(shown)) != shown:
            bad.append(f"{name}: what opens is not what was filmed")
    return bad


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_what_was_acknowledged_before_the_cut_is_there_after_it(
    tmp_path: Path, seed: int, record_property: Any
) -> None:
    told, cut = written_until_the_cut(tmp_path, seed)
    state = found_after(tmp_path)
    record_property("acknowledged", f"{len(told.entries)} entries, {len(told.clips)} clips")
    running = told.running()
    record_property("running", f"{sum(running.values())} bytes synced of {len(running)} running clips")
    record_property(
        "cut", f"{cut.waiting} writes waiting, {cut.kept} kept, {cut.torn} torn, {cut.flushes} flushes before"
    )
    assert told.clips
    assert lost(told, state) == []
    door = Door(state, keys=KEYS, owner=OWNER)
    door.settle()
    door.writer.close()
    assert check(state, thorough=True, identities=[OWNER]).findings == ()
    assert lost(told, state) == [], "nor does putting the card in order lose any"
    assert lost_of_running(told, state) == []
    history = {one.entry.index: one.body for one in door.history()}
    for index, (kind, token) in told.entries.items():
        body = history[index]
        assert body is not None
        assert body["kind"] == kind
        assert token in (body.get("id"), f"ring{body.get('n')}", "")


def test_a_card_that_is_never_synced_loses_clips_and_this_rig_sees_it(tmp_path: Path, record_property: Any) -> None:
    told, cut = written_until_the_cut(tmp_path, 0, "careless")
    gone = lost(told, found_after(tmp_path))
    record_property("acknowledged clips lost", f"{len(gone)} of {len(told.clips)}")
    record_property("cut", f"{cut.waiting} writes waiting, {cut.kept} kept, {cut.torn} torn")
    assert gone
