"""One round of copying: what is new goes out, in order, and what arrived is noted."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell import durable
from doorbell.clips.store import CLIP, CLIP_ID, FOLDER, POSTER
from doorbell.errors import DoorbellError, Mistake
from doorbell.journal.opening import open_to_read
from doorbell.offsite import news, plan, segments
from doorbell.offsite.plan import Piece
from doorbell.offsite.rclone import Rclone

COPIED: Final = "copied.txt"
STORAGE: Final = "storage.txt"
"""The remote that the list of what was copied is about."""
LONGEST_ROUND_S: Final = 6 * 3600.0
MOST_PAGE: Final = 256 * 1024


@frozen
class Done:
    """What one round did: files and bytes that arrived, and files that wait (because it took too long)."""

    files: int
    bytes: int
    waiting: int


def copy(state: Path, runtime: Path, workplace: Path, rclone: Rclone, told: Callable[[Piece], None]) -> Done:
    """Copy what is in *state* and not yet there. *told* hears of each file that arrived.

    Raises DeviceError or Mistake with a sentence; what arrived before it is noted and not sent again.
    """
    workplace.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(workplace):
        try:
            done = _round(state, runtime, workplace, rclone, told)
        except DoorbellError as error:
            news.tell(workplace, problem=str(error))
            raise
        news.tell(workplace, waiting=done.waiting)
        return done


def _round(state: Path, runtime: Path, workplace: Path, rclone: Rclone, told: Callable[[Piece], None]) -> Done:
    book = open_to_read(state)
    try:
        names = segments.export(book, workplace)
        held = [clip.clip for clip in book.held()]
    finally:
        book.close()
    _begin_anew_elsewhere(workplace, rclone.remote)
    copied = _copied(workplace)
    entries = [Piece(name, (workplace / name).stat().st_size, plan.ENTRIES) for name in names]
    clips = plan.of_clips(((clip, _sizes(state / FOLDER, clip)) for clip in held), _pressed(runtime))
    until = time.monotonic() + LONGEST_ROUND_S
    files = size = waiting = 0
    for batch in plan.batches([*entries, *clips], copied):
        if time.monotonic() >= until:
            waiting += len(batch)
            continue
        source = workplace if batch[0].rank == plan.ENTRIES else state / FOLDER
        # Retention does not wait for us: what was forgotten meanwhile is no longer to be copied.
        there = [piece for piece in batch if (source / piece.name).exists()]
        if not there:
            continue
        rclone.copy(source, [piece.name for piece in there])
        _note(workplace, there)
        files, size = files + len(there), size + sum(piece.bytes for piece in there)
        for piece in there:
            told(piece)
    _forget(workplace, copied, {*names, *(piece.name for piece in clips)})
    return Done(files, size, waiting)


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
        page = json.loads(durable.read(runtime / "status.json", MOST_PAGE) or b"{}")
    except (OSError, ValueError):
        return frozenset()
    found = page.get("pressed", [])
    return frozenset(one for one in found if isinstance(one, str) and CLIP_ID.fullmatch(one))


# ---- what is there already


def _begin_anew_elsewhere(workplace: Path, remote: str) -> None:
    """What is in another storage is not in this one: after a change of ``offsite.remote`` all goes out again."""
    before = durable.read(workplace / STORAGE, MOST_PAGE)
    if before == remote.encode():
        return
    if before is not None:
        durable.replace(workplace / COPIED, b"")
    durable.replace(workplace / STORAGE, remote.encode())


def _copied(workplace: Path) -> set[str]:
    try:
        return set((workplace / COPIED).read_text(encoding="utf-8").splitlines())
    except FileNotFoundError:
        return set()


def _note(workplace: Path, pieces: list[Piece]) -> None:
    descriptor = os.open(workplace / COPIED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("".join(f"{piece.name}\n" for piece in pieces))
        file.flush()
        os.fsync(file.fileno())


def _forget(workplace: Path, before: set[str], present: set[str]) -> None:
    """The note keeps only what the card still holds, so it grows no larger than the card's own table."""
    if len(before) > 2 * len(present) + 100:
        kept = sorted(_copied(workplace) & present)
        durable.replace(workplace / COPIED, "".join(f"{name}\n" for name in kept).encode())


@contextmanager
def _alone(workplace: Path) -> Iterator[None]:
    with (workplace / "round.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Mistake("A round of copying is under way: wait until it has ended.") from None
        yield
