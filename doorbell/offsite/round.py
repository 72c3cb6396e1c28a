"""One round of copying: what is new goes out, in order, and what arrived is noted.

One file that the storage refuses, or holds with other bytes, holds up no other: it is named at the end. Whoever has the
door's login there could else stop all copies by putting down one name.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

from doorbell import closed, durable
from doorbell.clips.store import CLIP, CLIP_ID, FOLDER, POSTER
from doorbell.errors import DeviceError, DoorbellError, Mistake
from doorbell.journal.opening import NotOursError, open_to_read
from doorbell.offsite import news, plan, segments
from doorbell.offsite.plan import Piece
from doorbell.offsite.rclone import Outcome, Rclone

COPIED: Final = "copied.txt"
DIFFER: Final = "differ.txt"
"""Names that the storage holds with other bytes than the door's: they are not fetched again to see that."""
STORAGE: Final = "storage.txt"
"""The remote that these lists are about."""
LONGEST_ROUND_S: Final = 6 * 3600.0
LEAST_S: Final = 60.0
"""For a step that begins when the round is nearly over."""
MOST_PAGE: Final = 256 * 1024
MOST_IN_VAIN: Final = 3
"""Batches in a row of which nothing arrives: then it is the storage, and not a file."""
MOST_NAMED: Final = 5
"""Files that a sentence names."""


@frozen
class Done:
    """What one round did: files and bytes that arrived, files that wait (it took too long, or the storage refused), and
    those that the storage holds with other bytes. ``trouble`` is a sentence, or empty."""

    files: int
    bytes: int
    waiting: int
    differ: int = 0
    trouble: str = ""


def copy(state: Path, runtime: Path, workplace: Path, rclone: Rclone, told: Callable[[Piece], None]) -> Done:
    """Copy what is in *state* and not yet there. *told* hears of each file that arrived.

    Raises DeviceError, Mistake or what a card raises; what arrived before it is noted and not sent again.
    """
    workplace.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(workplace):
        sending = _Sending(workplace, rclone, told)
        try:
            _begin_anew_elsewhere(workplace, rclone.remote)
            _remove_noted(workplace)
            _round(state, runtime, sending)
        except (DoorbellError, OSError, sqlite3.Error, NotOursError) as error:
            news.tell(workplace, problem=str(error), arrived=sending.files > 0, differ=len(sending.differ))
            raise
        done = sending.done()
        news.tell(workplace, done.waiting, done.trouble, arrived=done.files > 0, differ=done.differ)
        return done


def _round(state: Path, runtime: Path, sending: _Sending) -> None:
    workplace = sending.workplace
    while True:
        book = open_to_read(state)
        try:
            names = segments.export(book, workplace)
            held = [clip.clip for clip in book.held()]
        finally:
            book.close()
        entries = [Piece(name, (workplace / name).stat().st_size, plan.ENTRIES) for name in names]
        # Segments that arrive make room for those of a long history that found none.
        if not sending.send(workplace, entries) or sending.is_over:
            break
    clips = plan.of_clips(((clip, _sizes(state / FOLDER, clip)) for clip in held), _pressed(runtime))
    sending.send(state / FOLDER, clips)
    sending.forget({*names, *(piece.name for piece in clips)})


@define
class _Sending:
    """What one round sends, and what became of it."""

    workplace: Path
    rclone: Rclone
    told: Callable[[Piece], None]
    files: int = 0
    bytes: int = 0
    waiting: int = 0
    differ: set[str] = field(factory=set)
    refused: set[str] = field(factory=set)
    _why: str = ""
    _until: float = field(factory=lambda: time.monotonic() + LONGEST_ROUND_S)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def send(self, source: Path, pieces: Iterable[Piece]) -> bool:
        """Copy what of *pieces*, files below *source*, is not there yet; whether any segment arrived."""
        distrusted = _names(self.workplace / DIFFER)
        done = {*_names(self.workplace / COPIED), *self.refused, *self.differ}
        in_vain, segment = 0, False
        for batch in plan.batches(pieces, done, plan.most_bytes(self.rclone.bytes_s)):
            if self.is_over or in_vain == MOST_IN_VAIN:
                self.waiting += len(batch)
                continue
            # Retention does not wait for us: what was forgotten meanwhile is no longer to be copied.
            there = {piece.name: piece for piece in batch if (source / piece.name).exists()}
            outcome = self._ask(source, there, distrusted)
            in_vain = in_vain + 1 if outcome.refused and not outcome.arrived else 0
            for name, piece in there.items():
                if name in outcome.arrived:
                    segment |= segments.is_segment(name)
                    self.told(piece)
        return segment

    def _ask(self, source: Path, there: dict[str, Piece], distrusted: Collection[str]) -> Outcome:
        """One batch, and what became of it noted."""
        if not there:
            return Outcome(frozenset(), frozenset(), frozenset())
        sizes = {name: piece.bytes for name, piece in there.items()}
        try:
            outcome = self.rclone.copy(source, sizes, max(LEAST_S, self._until - time.monotonic()), distrusted)
        except DeviceError as error:
            self._why = str(error)
            outcome = Outcome(frozenset(), frozenset(), frozenset(there))
        self.differ |= outcome.differ
        self.refused |= outcome.refused
        _add(self.workplace / COPIED, [name for name in outcome.arrived if not segments.is_segment(name)])
        for name in outcome.arrived:
            if segments.is_segment(name):
                segments.copied(self.workplace, name)
        self.files += len(outcome.arrived)
        self.bytes += sum(there[name].bytes for name in outcome.arrived)
        return outcome

    def forget(self, present: set[str]) -> None:
        """The notes keep only what the card still holds, so they grow no larger than the card's own table."""
        copied = _names(self.workplace / COPIED)
        if len(copied) > 2 * len(present) + 100:
            _write(self.workplace / COPIED, copied & present)
        if self.differ or (self.workplace / DIFFER).exists():
            _write(self.workplace / DIFFER, self.differ)

    def done(self) -> Done:
        trouble = []
        if self.differ:
            trouble.append(
                f"{_named(self.differ)} is there with other bytes than the door's: somebody else put it there, or the "
                "storage changed it. It was left as it lies: keep a copy of it as evidence, then remove it there."
            )
        if self.refused and not self.files:
            trouble.append(
                f"Nothing could be copied: {self.workplace}/rclone.log says why; `rclone lsd` with the same remote "
                "tells whether it can be reached at all."
            )
        elif self.refused:
            trouble.append(f"The storage did not take {_named(self.refused)}: {self.workplace}/rclone.log says why.")
        if self._why:
            trouble.append(self._why)
        return Done(self.files, self.bytes, self.waiting + len(self.refused), len(self.differ), " ".join(trouble))


def _named(names: Collection[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(sorted(names)[:MOST_NAMED]) + more


def _sizes(folder: Path, clip: str) -> dict[str, int]:
    found = {}
    for ending in (POSTER, CLIP):
        try:
            found[ending] = (folder / (clip + ending)).stat().st_size
        except FileNotFoundError:
            continue
    return found


def _pressed(runtime: Path) -> frozenset[str]:
    """Clips that a press began, as the running daemon knows them. On the card nothing tells, by design."""
    try:
        page = closed.load(durable.read(runtime / "status.json", MOST_PAGE) or b"{}", MOST_PAGE)
    except (OSError, ValueError):
        return frozenset()
    found = page.get("pressed")
    if not isinstance(found, list):
        return frozenset()
    return frozenset(one for one in found if isinstance(one, str) and CLIP_ID.fullmatch(one))


# ---- what is there already


def _begin_anew_elsewhere(workplace: Path, remote: str) -> None:
    """What is in another storage is not in this one: after a change of ``offsite.remote`` all goes out again."""
    try:
        before = durable.read(workplace / STORAGE, MOST_PAGE)
    except ValueError:
        before = b""
    if before == remote.encode():
        return
    if before is not None:
        for name in (COPIED, DIFFER):
            durable.remove(workplace / name)
        segments.begin_anew(workplace)
    durable.replace(workplace / STORAGE, remote.encode())


def _remove_noted(workplace: Path) -> None:
    """The first versions noted segments that were copied, and kept them."""
    copied = _names(workplace / COPIED)
    noted = {name for name in copied if segments.is_segment(name)}
    for name in noted:
        segments.copied(workplace, name)
    if noted:
        _write(workplace / COPIED, copied - noted)


def _names(list_: Path) -> set[str]:
    try:
        return set(list_.read_text(encoding="utf-8", errors="replace").splitlines())
    except FileNotFoundError:
        return set()


def _add(list_: Path, names: Iterable[str]) -> None:
    descriptor = os.open(list_, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("".join(f"{name}\n" for name in names))
        file.flush()
        os.fsync(file.fileno())


def _write(list_: Path, names: Iterable[str]) -> None:
    durable.replace(list_, "".join(f"{name}\n" for name in sorted(names)).encode())


@contextmanager
def _alone(workplace: Path) -> Iterator[None]:
    with (workplace / "round.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Mistake("A round of copying is under way: wait until it has ended.") from None
        yield
