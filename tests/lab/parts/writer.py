"""A card at work, for the power part: `writer.py STATE [careless]` records clip after clip, with a ring after each.

Prints a line as soon as the journal acknowledges: the entry's index and kind, and for a clip its name and SHA-256.
`careless` leaves out every fsync: the control, whose losses show that the rig would see one.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

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


def name(number: int) -> str:
    return "".join(LETTERS[(number >> (5 * place)) % 32] for place in range(26))


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
        part = Part(state / "clips", clip, lambda number=number: float(number))
        sealed = seal([OWNER.recipient], os.urandom(30_000 + number * 7919 % 150_000))
        for start in range(0, len(sealed), 65_536):
            part.write(sealed[start : start + 65_536])
        size, sha256 = part.keep()
        hashes[clip] = sha256
        fields = {"bytes": size, "sha256": sha256, "seconds": 1.0, "trigger": "press", "poster_sha256": ""}
        while not journal.clip_kept(clip, fields, STAMP, size):
            pass
        while not journal.write("ring", {"n": number}, STAMP, f"ring{number}"):
            pass


if __name__ == "__main__":
    main()
