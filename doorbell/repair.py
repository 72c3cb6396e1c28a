"""``doorbell check --repair``: what a start of the daemon would put in order, done now and told in the journal.

Only what loses nothing is repaired: an unfinished clip is cut to what opens, files of a deleted clip are removed as its
entry says, strange files are moved aside, a clip that vanished is told, others are locked out. A damaged journal, a
clip that is not the one its entry names or that has another size are never touched: they are evidence, and only told.

The journal has one writer. So this refuses to run beside a daemon (whose next start does the same), and while it runs
no daemon starts.
"""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell import doorkeys, durable, household
from doorbell.alone import alone
from doorbell.check import Finding, Result, check
from doorbell.clips.seal import seal
from doorbell.clock import WallClock
from doorbell.config import Config
from doorbell.errors import DeviceError, Mistake
from doorbell.events import JournalTrouble
from doorbell.journal.opening import open_to_read
from doorbell.journal.requests import Line, Write
from doorbell.journal.writer import Writer
from doorbell.light import kept

BUSY: Final = (
    "The door is running, and only it may write its journal: restart it (sudo systemctl restart doorbell), which puts "
    "the same things in order, or stop it first."
)
EVIDENCE: Final = (6, 7)
"""Invariants of the journal itself: where one is broken nothing is written behind it."""
DONE: Final = {
    1: "told in the journal as vanished",
    3: "cut to what opens and told in the journal, or removed where nothing does",
    4: "moved to clips/aside/",
    8: "removed, as its entry says",
    9: "locked to others",
}
MOST_TURNS: Final = 10_000
"""Of the journal's writer: 200 requests each, more than any card's clips need."""


@frozen
class Repaired:
    """``mended`` held not before and holds now; ``left`` is how the card is afterwards."""

    mended: tuple[Finding, ...]
    left: Result


def repair(config: Config, before: Result, *, quota: int | None) -> Repaired:
    """Mend what *before* (a check of this door) found, as far as it is safe.

    Raises Mistake, DeviceError, sqlite3.Error. Only for the user the door runs as, whose the files it makes have to be.
    """
    config, _ = kept.load(config)
    state = config.door.state
    if os.geteuid() != state.stat().st_uid:
        raise Mistake(f"Only the owner of {state} may repair it: sudo -u doorbell doorbell check --repair")
    with alone(state, BUSY):
        _lock_to_others(state / doorkeys.FOLDER)  # first: keys that others may read are refused by whoever loads them
        keys = _keys(state)
        _refuse_damage(state, keys)
        home = household.load(config.door.id, state, config.keys.recipients)
        if not home.recipients:
            raise Mistake("No recipient is set, so nothing can be written into the journal: mend [keys] first.")
        for finding in before.findings:
            if finding.invariant == 9:
                _lock_to_others(state)
                break
        heard: list[object] = []
        line = Line()
        started = WallClock().stamp(time.monotonic())
        writer = Writer(
            state, verify_key=keys.verify_key, seal=lambda plain: seal(home.recipients, plain),
            sign_entry=keys.sign_entry, put=heard.append, started=started, clock=time.monotonic, line=line,
        )  # fmt: skip
        try:
            _settle(writer, line, heard)
            left = check(state, quota=quota)
            mended = tuple(one for one in before.findings if one not in left.findings and one.invariant in DONE)
            if mended:
                counts = Counter(str(one.invariant) for one in mended)
                line.put(Write("storage", {"what": "repaired", "invariants": dict(counts)}, started))
                _settle(writer, line, heard)
        finally:
            writer.close()
        return Repaired(mended, check(state, quota=quota) if mended else left)


def _keys(state: Path) -> doorkeys.DoorKeys:
    if not durable.is_there(state / doorkeys.FOLDER / doorkeys.SIGNING):
        raise Mistake(f"The door's keys are not in {state}: without them nothing can be written into its journal.")
    return doorkeys.load_or_make(state / doorkeys.FOLDER)


def _refuse_damage(state: Path, keys: doorkeys.DoorKeys) -> None:
    """The daemon moves a damaged journal aside and begins anew; that is no repair."""
    book = open_to_read(state)
    try:
        sound = book.integrity() == "ok" and book.verify_key == keys.verify_key
    finally:
        book.close()
    journal = [one for one in check(state).findings if one.invariant in EVIDENCE]
    if not sound or journal:
        raise Mistake(
            "The journal itself is damaged, or another door's: nothing was changed. Copy the state folder away first; "
            "the door moves what is damaged aside at its next start and begins anew."
        )


def _settle(writer: Writer, line: Line, heard: list[object]) -> None:
    """Let the writer do what it has to do; raises DeviceError where the card refuses."""
    line.stop()
    for _ in range(MOST_TURNS):
        wait = writer.turn()
        if wait.refused:
            why = next((one.why for one in reversed(heard) if isinstance(one, JournalTrouble) and one.why), "")
            raise DeviceError(why or "The card refuses: look at dmesg, then try again.")
        if not writer.unwritten and wait.seconds:
            return


def _lock_to_others(place: Path) -> None:
    if place.is_symlink():
        return
    for folder, inner, names in os.walk(place, followlinks=False):
        for path in (Path(folder), *(Path(folder) / name for name in (*inner, *names))):
            status = path.lstat()
            want = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
            if not stat.S_ISLNK(status.st_mode) and stat.S_IMODE(status.st_mode) & ~want:
                path.chmod(stat.S_IMODE(status.st_mode) & want)
