"""The invariants of the card, by number (docs/store.md), looked at read-only beside a running daemon.

A daemon works while this looks, so what concerns a clip counts only if its row was the same before and after.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from doorbell.clips.leftovers import ASIDE, HEADER
from doorbell.clips.seal import SEALED_CHUNK, TAG, whole_chunks
from doorbell.clips.store import CLIP, CLIP_ID, FOLDER, PART, POSTER, POSTER_PART
from doorbell.journal.book import NAME, Book
from doorbell.journal.entry import verify
from doorbell.journal.opening import open_to_read

if TYPE_CHECKING:
    from doorbell.owner.identity import Identity

STILL_WRITTEN: Final = 60.0
"""Seconds since its last write after which a .part is not being written: the longest back-off of a recorder."""
_ENDINGS: Final = (CLIP[1:], POSTER[1:], PART[1:], POSTER_PART[1:])


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


@frozen
class Row:
    """What the table says of one clip."""

    bytes: int
    kept: bool
    deleted: bool


def check(
    state: Path, *, quota: int | None = None, thorough: bool = False, identities: Sequence[Identity] = ()
) -> Result:
    """Look at everything in ``state``. ``quota`` in bytes. ``thorough`` reads every byte; with ``identities`` it
    also compares each file with the hash that its entry names. Raises OSError, sqlite3.Error, NotOursError.
    """
    book = open_to_read(state)
    try:
        rows = read_rows(book)
        found = list(_files(state / FOLDER, rows))
        found += _permissions(state)
        if thorough:
            found += _every_byte(state / FOLDER, rows)
        if identities:
            found += _hashes(book, state / FOLDER, rows, identities, thorough=thorough)
        found += _journal(book, thorough=thorough)
        entries = book.head().index
        # A finished snapshot, not a new one: SQLite gives each statement its own.
        after = read_rows(book)
    finally:
        book.close()
    found = [finding for finding in found if not finding.clip or rows.get(finding.clip) == after.get(finding.clip)]
    used = sum(row.bytes for row in after.values() if row.kept and not row.deleted)
    if quota is not None and used > quota:
        found.append(Finding(5, f"The clips have {used} bytes, the quota is {quota}."))
    clips = sum(row.kept and not row.deleted for row in after.values())
    return Result(tuple(sorted(found, key=lambda finding: finding.invariant)), entries, clips, used)


def read_rows(book: Book) -> dict[str, Row]:
    held = {clip.clip: Row(clip.bytes, kept=True, deleted=False) for clip in book.held()}
    started = {clip: Row(0, kept=False, deleted=False) for clip in book.started()}
    return held | started | {clip: Row(0, kept=True, deleted=True) for clip in book.deleted()}


def _files(folder: Path, rows: dict[str, Row]) -> Iterator[Finding]:
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    for clip, row in rows.items():
        if row.kept and not row.deleted:
            yield from _kept(folder, clip, row)
        elif row.deleted and names & {f"{clip}.{end}" for end in _ENDINGS}:
            yield Finding(8, f"Clip {clip} is deleted by its entry and still on the card: restart the door.", clip)
        elif not row.kept and clip + CLIP in names:
            yield Finding(3, f"Clip {clip} is on the card and no entry tells its end: restart the door.", clip)
    for name in sorted(names - {ASIDE}):
        clip, _, end = name.partition(".")
        if not CLIP_ID.fullmatch(clip) or end not in _ENDINGS or clip not in rows:
            if end == PART[1:] and _is_fresh(folder / name):
                continue  # its entry may be on its way to the card
            yield Finding(4, f"clips/{name} is no clip that the journal knows.", clip)
        elif end in (PART[1:], POSTER_PART[1:]) and (rows[clip].kept or not _is_fresh(folder / name)):
            yield Finding(3, f"clips/{name} is not being written: restart the door to put it in order.", clip)


def _kept(folder: Path, clip: str, row: Row) -> Iterator[Finding]:
    try:
        size = (folder / (clip + CLIP)).lstat().st_size
        with (folder / (clip + CLIP)).open("rb") as file:
            head = file.read(HEADER)
    except FileNotFoundError:
        yield Finding(1, f"Clip {clip} is gone from the card.", clip)
        return
    poster = folder / (clip + POSTER)
    whole = size + (poster.lstat().st_size if poster.exists() else 0)
    if whole != row.bytes:
        yield Finding(1, f"Clip {clip} has {whole} bytes with its poster, the journal says {row.bytes}.", clip)
    header = whole_chunks(head, min(size, HEADER))
    payload = size - header
    tag_alone = payload % SEALED_CHUNK == TAG and payload != TAG  # an empty final chunk, which only an empty file has
    if not header or not payload or 0 < payload % SEALED_CHUNK < TAG or tag_alone:
        yield Finding(2, f"Clip {clip} does not end where a sealed file can end.", clip)


def _is_fresh(path: Path) -> bool:
    try:
        return abs(time.time() - path.lstat().st_mtime) < STILL_WRITTEN
    except FileNotFoundError:
        return True


def _journal(book: Book, *, thorough: bool) -> Iterator[Finding]:
    if fault := verify(book.entries(), book.journal_id, book.verify_key):
        yield Finding(6, fault.sentence)
    if bare := book.due_without_body():
        yield Finding(7, f"{bare} entries are due and have no body.")
    if thorough and (verdict := book.integrity()) != "ok":
        yield Finding(6, f"SQLite finds the database damaged: {verdict}.")


def _permissions(state: Path) -> Iterator[Finding]:
    folder = state / FOLDER
    private = [state, *(state / (NAME + end) for end in ("", "-wal", "-shm"))]
    private += [folder, *folder.iterdir()] if folder.exists() else []
    for path in private:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        want = 0o700 if stat.S_ISDIR(mode) else 0o600
        if stat.S_IMODE(mode) & ~want:
            yield Finding(9, f"Others may use {path.name}: run `chmod {want:o} {path}`.")


def _every_byte(folder: Path, rows: dict[str, Row]) -> Iterator[Finding]:
    """A card that forgets says so only when it is read."""
    for clip, row in rows.items():
        if row.kept and not row.deleted:
            try:
                file_hash(folder / (clip + CLIP))
            except FileNotFoundError:
                continue  # invariant 1 says it
            except OSError as error:
                yield Finding(2, f"Clip {clip} cannot be read ({os.strerror(error.errno or 0)}).", clip)


def _hashes(
    book: Book, folder: Path, rows: dict[str, Row], identities: Sequence[Identity], *, thorough: bool
) -> Iterator[Finding]:
    from doorbell.owner.history import read_history  # noqa: PLC0415  what opens is loaded only where an identity is given

    ends: dict[str, dict[str, Any]] = {}
    for told in read_history(book.entries(), identities):
        if told.why == "damaged":
            yield Finding(6, f"The body of entry {told.entry.index} is signed and yet cannot be read.")
        if told.body is not None and told.body["kind"] in ("clip", "clip_cut") and isinstance(told.body.get("id"), str):
            ends[told.body["id"]] = told.body
    for clip, row in rows.items():
        if not thorough or not row.kept or row.deleted or (end := ends.get(clip)) is None:
            continue  # its entry was forgotten, or is sealed to others
        for ending, name in ((CLIP, "sha256"), (POSTER, "poster_sha256")):
            path = folder / (clip + ending)
            if end.get(name) and (not path.exists() or file_hash(path) != end[name]):
                yield Finding(10, f"{clip}{ending} is not the file that its entry names.", clip)


def file_hash(path: Path) -> str:
    """SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
