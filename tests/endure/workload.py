"""A short life of a door's card: the real keys, store and journal, with every acknowledgement marked as it is given.

Run as a program: ``workload.py STATE MARKS PHASE``. What is acknowledged is written to MARKS, a line each, at once; a
trace of the system calls then shows what was on the card by that moment. PHASE is ``life`` (first start, clips, a fold
of the write-ahead log, a delete), ``brief`` (one of each thing), ``again`` (a start after a power cut, with a clip
cut off in the middle), or ``careless`` (a life without syncs of clips). Single-threaded and
without a wait: the clock is counted here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from attrs import define, field

from doorbell.clips.seal import seal
from doorbell.clips.store import Part, keep_poster
from doorbell.doorkeys import load_or_make
from doorbell.errors import DeviceError, DoorbellError
from doorbell.events import JournalTrouble, Kept
from doorbell.journal.entry import Stamp
from doorbell.journal.requests import ClipKept, ClipLost, ClipStarted, Delete, Line, Request, Write
from doorbell.journal.writer import Writer
from doorbell.owner.identity import Identity

OWNER = Identity(bytes(range(32)))
DAY = "2026-03-01T07:30:00Z"


def clip_id(number: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[number] * 26


def content(number: int) -> bytes:
    """What is filmed in clip *number*: four whole chunks and a rest."""
    return bytes((number + place * 7) % 251 for place in range(1000)) * 300


@define
class Life:
    state: Path
    marks: int
    now: float = 1000.0
    line: Line = field(factory=Line)
    writer: Any = None
    refused: int = 0

    def mark(self, *words: object) -> None:
        os.write(self.marks, (" ".join(str(word) for word in words) + "\n").encode())

    def start(self) -> None:
        keys = load_or_make(self.state / "keys")
        self.line = Line()
        self.writer = Writer(
            self.state, verify_key=keys.verify_key, sign_entry=keys.sign_entry, put=self.hear, line=self.line,
            seal=lambda plain: seal([OWNER.recipient], plain), started=self.stamp(), clock=lambda: self.now,
        )  # fmt: skip

    def hear(self, value: object) -> None:
        if isinstance(value, Kept):
            self.mark("kept", value.index, value.token)
        elif isinstance(value, JournalTrouble) and value.why:
            self.refused += 1
            self.mark("trouble", value.why)

    def stamp(self) -> Stamp:
        return Stamp(DAY, "synced", self.now)

    def turns(self, count: int = 2) -> None:
        for _ in range(count):
            self.writer.turn()
            self.now += 1.0

    def write(self, *requests: Request) -> None:
        for request in requests:
            self.line.put(request)
        self.turns()

    def rings(self, count: int, size: int = 10) -> None:
        self.write(*(Write("ring", {"visit": "x" * size}, self.stamp(), "ring") for _ in range(count)))

    def begin(self, number: int) -> Part:
        self.write(ClipStarted(clip_id(number), {"trigger": "press"}, self.stamp()))
        return Part(self.state / "clips", clip_id(number), lambda: self.now)

    def film(self, number: int, pieces: int = 5, *, poster: bool = True) -> Part | None:
        """A clip and its poster on the card, some of its pieces written; None where the card refused."""
        sealed = seal([OWNER.recipient], content(number))
        step = len(sealed) // 5 + 1
        try:
            part = self.begin(number)
            for piece in range(pieces):
                part.write(sealed[piece * step : (piece + 1) * step])
                self.mark("wrote", clip_id(number), part.bytes, round(self.now, 1))
                self.now += 1.1
                if piece == 1 and poster:
                    keep_poster(self.state / "clips", clip_id(number), b"poster" * 50)
        except DeviceError as error:
            self.write(ClipLost(clip_id(number), str(error), self.stamp()))
            return None
        return part

    def clip(self, number: int) -> None:
        """As recorder and doorman make one."""
        if (part := self.film(number)) is None:
            return
        try:
            size, sha256 = part.keep()
        except DeviceError as error:
            self.write(ClipLost(clip_id(number), str(error), self.stamp()))
            return
        self.mark("clip", clip_id(number), sha256)
        self.write(ClipKept(clip_id(number), {"bytes": size, "sha256": sha256}, self.stamp(), size + 300))


def life(door: Life) -> None:
    door.start()
    door.write(Write("started", {"software": "0"}, door.stamp(), "started"))
    door.clip(0)
    door.rings(3)
    if (part := door.film(1, pieces=3)) is not None:
        part.abandon()
        door.write(ClipLost(clip_id(1), "The card is slow.", door.stamp()))
    for _ in range(4):
        door.rings(20, size=3000)  # 1 MB of write-ahead log: it is folded into the database meanwhile
    door.clip(2)
    door.mark("deleting", clip_id(0))
    door.write(Delete(clip_id(0), "person", door.stamp()))
    door.turns(3)
    door.film(3, pieces=4, poster=False)  # nothing but the clip itself syncs its name
    door.rings(1)


def brief(door: Life) -> None:
    """One of each thing that the store and the journal do, and time to heal after a refusal."""
    door.start()
    door.turns(3)
    door.clip(0)
    door.write(Write("ring", {"visit": "v1"}, door.stamp(), "v1"))
    door.film(1, pieces=4)
    door.mark("deleting", clip_id(0))
    door.write(Delete(clip_id(0), "person", door.stamp()))
    door.line.acknowledge(1)
    door.turns(8)
    door.writer.close()
    door.start()  # as after a power cut: clip 1 is cut to what is whole
    door.write(Write("ring", {"visit": "v2"}, door.stamp(), "v2"))
    door.turns(8)
    door.writer.close()


def again(door: Life) -> None:
    """The clip that ran is cut and told, what was half deleted goes, and a new clip is made."""
    door.start()
    door.turns(3)
    door.clip(4)
    door.rings(2)
    door.writer.close()


def careless(door: Life) -> None:
    """A life of which the clips' files are never synced: the control."""
    os.fsync = lambda _: None
    life(door)


def main() -> int:
    state, marks, phase = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    door = Life(state, os.open(marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    door.mark("begins")
    try:
        {"life": life, "again": again, "brief": brief, "careless": careless}[phase](door)
    except DoorbellError as error:  # as the daemon does: the door goes on without what it cannot have
        door.mark("without", error)
    door.mark("ends")
    return 0


if __name__ == "__main__":
    sys.exit(main())
