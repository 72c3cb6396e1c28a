"""The invariants of the card, by number (docs/store.md), looked at read-only beside a running daemon.

A daemon works while this looks, so what concerns a clip counts only if its row is the same afterwards; and what is
fresh may have its entry on the way. Nothing here holds more than a page of the history: a card of three years is looked
at with the memory of a day's.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from doorbell import doorkeys
from doorbell.clips.leftovers import ASIDE, HEADER
from doorbell.clips.seal import SEALED_CHUNK, TAG, whole_chunks
from doorbell.clips.store import CLIP, CLIP_ID, FOLDER, PART, POSTER, POSTER_PART
from doorbell.journal.book import Book, Fate
from doorbell.journal.entry import verify
from doorbell.journal.opening import open_to_read

if TYPE_CHECKING:
    from doorbell.journal.entry import Entry
    from doorbell.owner.identity import Identity

STILL_WRITTEN: Final = 60.0
"""Seconds since its last write after which a file is not being written: the longest back-off of a recorder."""
EXPOSED: Final = (
    " Whoever had an account here may know the door's keys and speak as this door; no clip opens with them. If that "
    "may be: stop the door, remove keys/ and roster.json, and pair every phone again."
)
_ENDINGS: Final = (CLIP[1:], POSTER[1:], PART[1:], POSTER_PART[1:])
_PIECE: Final = 1024 * 1024

ENTRY: Final = 16 * 1024
"""An entry with its signature takes as long as so many bytes of a clip: about 80 µs."""

Progress = Callable[[int], object]
"""Takes how much was done since it was last called: bytes of clips, and ENTRY for each entry."""


@frozen
class Finding:
    """An invariant that does not hold; ``clip`` where it is about one."""

    invariant: int
    sentence: str
    clip: str = ""


@frozen
class Result:
    findings: tuple[Finding, ...]
    entries: int
    clips: int
    bytes: int


def check(
    state: Path,
    *,
    quota: int | None = None,
    thorough: bool = False,
    identities: Sequence[Identity] = (),
    progress: Progress = lambda _: None,
) -> Result:
    """Look at everything in ``state``. ``quota`` in bytes. ``thorough`` reads every byte and checks every signature;
    with ``identities`` it also compares each file with the hash that its entry names. Raises OSError, sqlite3.Error,
    NotOursError.
    """
    book = open_to_read(state)
    try:
        found = [(finding, book.fate(finding.clip)) for finding in _kept_in(state / FOLDER, book)]
        found += [(finding, None) for finding in _permissions(state)]
        ends = _ends(book, identities, found)
        if thorough:
            found += [(one, book.fate(one.clip)) for one in _every_byte(state / FOLDER, book, ends, progress)]
        found += [(finding, None) for finding in _journal(book, progress, thorough=thorough)]
        entries, clips, used = book.head().index, book.held_count(), book.held_bytes()
        # A finished snapshot, not a new one: SQLite gives each statement its own.
        still = [one for one, fate in found if not one.clip or fate == book.fate(one.clip)]
    finally:
        book.close()
    if quota is not None and used > quota:
        still.append(Finding(5, f"The clips have {used} bytes, the quota is {quota}."))
    return Result(tuple(sorted(still, key=lambda finding: finding.invariant)), entries, clips, used)


def work(state: Path) -> int:
    """How much ``progress`` of a thorough check is going to be told in all. Raises as ``check``."""
    book = open_to_read(state)
    try:
        return book.held_bytes() + book.head().index * ENTRY
    finally:
        book.close()


# ---- clips/


def _kept_in(folder: Path, book: Book) -> Iterator[Finding]:
    seen = 0
    if folder.exists():
        with os.scandir(folder) as listing:
            for each in listing:
                with contextlib.suppress(FileNotFoundError):  # deleted, or renamed, since it was listed
                    status = each.stat(follow_symlinks=False)
                    clip, _, end = each.name.partition(".")
                    fate = book.fate(clip)
                    seen += end == CLIP[1:] and fate is not None and fate.is_held
                    if each.name != ASIDE:
                        yield from _file(f"{folder}/", each.name, fate, status)
                    if finding := _open_to_others(each.path, status.st_mode):
                        yield finding
    if seen != book.held_count():
        for held in book.held():
            if not os.path.lexists(folder / (held.clip + CLIP)):
                yield Finding(1, f"Clip {held.clip} is gone from the card.", held.clip)


def _file(folder: str, name: str, fate: Fate | None, status: os.stat_result) -> Iterator[Finding]:
    clip, _, end = name.partition(".")
    is_ours = CLIP_ID.fullmatch(clip) is not None and end in _ENDINGS and stat.S_ISREG(status.st_mode)
    fresh = is_ours and abs(time.time() - status.st_mtime) < STILL_WRITTEN  # its entry may be on its way to the card
    if not is_ours or fate is None:
        if not fresh:
            yield Finding(4, f"clips/{name} is no clip that the journal knows.", clip)
    elif fate.is_deleted:
        if end == CLIP[1:] or not os.path.lexists(folder + clip + CLIP):
            yield Finding(8, f"Clip {clip} is deleted by its entry and still on the card: restart the door.", clip)
    elif end in (PART[1:], POSTER_PART[1:]):
        if fate.is_kept or not fresh:
            yield Finding(3, f"clips/{name} is not being written: restart the door to put it in order.", clip)
    elif end == CLIP[1:] and fate.is_kept:
        yield from _clip(folder, clip, fate, status.st_size)
    elif end == CLIP[1:] and not fresh:
        yield Finding(3, f"Clip {clip} is on the card and no entry tells its end: restart the door.", clip)


def _clip(folder: str, clip: str, fate: Fate, size: int) -> Iterator[Finding]:
    try:
        head = _head(folder + clip + CLIP)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise
        yield Finding(2, f"Clip {clip} cannot be read ({os.strerror(error.errno or 0)}).", clip)
        return
    whole = size
    with contextlib.suppress(FileNotFoundError):
        whole += os.lstat(folder + clip + POSTER).st_size
    if whole != fate.bytes:
        yield Finding(1, f"Clip {clip} has {whole} bytes with its poster, the journal says {fate.bytes}.", clip)
    header = whole_chunks(head, min(size, HEADER))
    payload = size - header
    tag_alone = payload % SEALED_CHUNK == TAG and payload != TAG  # an empty final chunk, which only an empty file has
    if not header or not payload or 0 < payload % SEALED_CHUNK < TAG or tag_alone:
        yield Finding(2, f"Clip {clip} does not end where a sealed file can end.", clip)


def _head(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(file, HEADER)
    finally:
        os.close(file)


def _permissions(state: Path) -> Iterator[Finding]:
    """Of everything but the clips, which are many and looked at with what else is to be seen of them."""
    for path in (state, *_below(state)):
        with contextlib.suppress(FileNotFoundError):
            if finding := _open_to_others(str(path), path.lstat().st_mode):
                yield finding


def _below(state: Path) -> Iterator[Path]:
    """What the door keeps beside its clips: a few dozen files."""
    for path in state.iterdir():
        yield path
        if path.is_dir() and not path.is_symlink() and path.name != FOLDER:
            yield from path.iterdir()


def _open_to_others(path: str, mode: int) -> Finding | None:
    want = 0o700 if stat.S_ISDIR(mode) else 0o600
    if stat.S_ISLNK(mode) or not stat.S_IMODE(mode) & ~want:
        return None
    of_keys = Path(path).name == doorkeys.FOLDER or Path(path).parent.name == doorkeys.FOLDER
    return Finding(9, f"Others may use {Path(path).name}: run `chmod {want:o} {path}`.{EXPOSED if of_keys else ''}")


# ---- the journal


def _journal(book: Book, progress: Progress, *, thorough: bool) -> Iterator[Finding]:
    entries = _counted(book.entries(), progress) if thorough else book.entries()
    if fault := verify(entries, book.journal_id, book.verify_key, every_signature=thorough):
        yield Finding(6, fault.sentence)
    if bare := book.due_without_body():
        yield Finding(7, f"{bare} entries are due and have no body.")
    if thorough and (verdict := book.integrity()) != "ok":
        yield Finding(6, f"SQLite finds the database damaged: {verdict}.")


def _counted(entries: Iterator[Entry], progress: Progress) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        progress(ENTRY)


# ---- every byte


def _ends(
    book: Book, identities: Sequence[Identity], found: list[tuple[Finding, Fate | None]]
) -> dict[str, dict[str, Any]]:
    """Of each clip the entry that tells its end, where it is still there and ours; at most 20,000 have their body."""
    if not identities:
        return {}
    from doorbell.owner.history import read_history  # noqa: PLC0415  what opens is loaded only where it is asked for

    ends: dict[str, dict[str, Any]] = {}
    for told in read_history(book.entries(), identities):
        if told.why == "damaged":
            sentence = f"The body of entry {told.entry.index} is signed and yet cannot be read."
            found.append((Finding(6, sentence), None))
        if told.body is not None and told.body["kind"] in ("clip", "clip_cut") and isinstance(told.body.get("id"), str):
            ends[told.body["id"]] = told.body
    return ends


def _every_byte(folder: Path, book: Book, ends: dict[str, dict[str, Any]], progress: Progress) -> Iterator[Finding]:
    """A card that forgets says so only when it is read; what it says is compared with what the entry names."""
    for held in book.held():
        end = ends.get(held.clip, {})
        for ending, name in ((CLIP, "sha256"), (POSTER, "poster_sha256")):
            try:
                digest = _sha256(folder / (held.clip + ending), progress)
            except FileNotFoundError:
                if ending == CLIP:
                    continue  # invariant 1 says it
                digest = ""
            except OSError as error:
                yield Finding(2, f"{held.clip}{ending} cannot be read ({os.strerror(error.errno or 0)}).", held.clip)
                continue
            if end.get(name) and digest != end[name]:
                yield Finding(10, f"{held.clip}{ending} is not the file that its entry names.", held.clip)


def _sha256(path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            progress(len(piece))
    return digest.hexdigest()
