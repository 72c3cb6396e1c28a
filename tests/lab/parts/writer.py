"""A card at work, for the power part: `writer.py STATE [careless]` records clip after clip, with a ring after each.

Prints a line as soon as the journal acknowledges: the entry's index and kind, and for a clip its name and SHA-256; and
one as soon as the card has synced a part of the clip that runs: its name and the bytes that are safe.
`careless` leaves out every fsync: the control, whose losses show that the rig would see one.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

from doorbell.clips.files import Files
from doorbell.clips.seal import seal
from doorbell.clips.store import Part
from doorbell.doorkeys import DoorKeys
from doorbell.events import Kept
from doorbell.journal.entry import Stamp
from doorbell.journal.thread import JournalThread
from doorbell.owner.identity import Identity

KEYS, OWNER = DoorKeys(bytes(range(32)), bytes(32)), Identity(bytes(range(32)))
STAMP = Stamp("2026-03-01T07:30:00Z", "synced", 1.0)
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
MOST_CLIPS = 400
PIECE = 20_000


def name(number: int) -> str:
    return "".join(LETTERS[(number >> (5 * place)) % 32] for place in range(26))


def film(clip: str, size: int) -> bytes:
    """What that clip shows, so that whoever opens a part of it knows whether it is a true one."""
    return random.Random(clip).randbytes(size)


class Telling(Files):
    """Says after each sync of a running clip how much of it the card has."""

    def create(self, path: Path) -> int:
        self._clip = path.stem
        return super().create(path)

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        print("Synced", self._clip, os.fstat(descriptor).st_size, flush=True)


def main() -> None:
    if sys.argv[2:] == ["careless"]:
        os.fsync = os.fdatasync = lambda _: None
    state, hashes, at_work = Path(sys.argv[1]), dict[str, str](), threading.Event()

    def put(value: Any) -> None:
        if isinstance(value, Kept):
            at_work.set()
            print("Kept", value.index, value.kind, value.token, hashes.get(value.token, "-"), flush=True)

    journal = JournalThread(
        state,
        verify_key=KEYS.verify_key,
        seal=lambda plain: seal([OWNER.recipient], plain),
        sign_entry=KEYS.sign_entry,
        put=put,
        started=STAMP,
    )
    journal.start()
    # At its start the journal puts the card in order: a clip that begins meanwhile would be taken for a leftover.
    journal.write("ring", {"n": -1}, STAMP, "ring-1")
    assert at_work.wait(60)
    for number in range(MOST_CLIPS):
        clip = name(number)
        journal.clip_started(clip, {}, STAMP)
        ticks = itertools.count()
        part = Part(state / "clips", clip, lambda ticks=ticks: next(ticks) * 0.5, Telling())
        sealed = seal([OWNER.recipient], film(clip, 30_000 + number * 7919 % 250_000))
        for start in range(0, len(sealed), PIECE):  # half a second of video each: every fifth one is synced
            part.write(sealed[start : start + PIECE])
        size, sha256 = part.keep()
        hashes[clip] = sha256
        fields = {"bytes": size, "sha256": sha256, "seconds": 1.0, "trigger": "press", "poster_sha256": ""}
        while not journal.clip_kept(clip, fields, STAMP, size):
            pass
        while not journal.write("ring", {"n": number}, STAMP, f"ring{number}"):
            pass


if __name__ == "__main__":
    main()
