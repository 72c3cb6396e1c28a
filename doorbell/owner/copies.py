"""The history, rebuilt from copies: what they hold, what is missing, and what nobody signed.

The copies lie where others may write, so nothing of them is believed before the door's signature says so. The owner's
identity opens them; a head that a phone has seen tells how far the history went when the door was taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from doorbell import closed
from doorbell.clips.store import CLIP, CLIP_ID, POSTER
from doorbell.errors import DamagedError, Mistake
from doorbell.journal.entry import MOST_DOCUMENT, Entry, Head, first_prev, read_document, verify
from doorbell.offsite.segments import FOLDER
from doorbell.owner.history import Told, read_history
from doorbell.owner.identity import Identity

MOST_ABOUT: Final = 4096
MOST_ENTRIES: Final = 2_000_000
"""Entries of all copies together: a century of a busy door."""


@frozen
class Clip:
    """What became of one clip.

    ``state`` is whole, cut (by a power cut, at the door), deleted (by the door), missing (it ended and was not copied),
    unfinished (no entry tells its end), unproven (it is there, and the entry with its hash is not) or changed.
    """

    id: str
    at: str
    trigger: str
    state: str
    poster: bool


@frozen
class Rebuilt:
    """One journal's history. ``gaps`` are first and last missing index; ``faults`` are sentences."""

    journal: str
    told: tuple[Told, ...]
    clips: tuple[Clip, ...]
    gaps: tuple[tuple[int, int], ...]
    faults: tuple[str, ...]
    lacks: int = 0
    """Entries behind the last copy that a phone has seen."""


@frozen
class Found:
    """Everything below one folder of copies. ``strangers`` are clip files that no entry names."""

    journals: tuple[Rebuilt, ...]
    strangers: tuple[str, ...] = field(factory=tuple)


def rebuild(
    folder: Path, identities: Sequence[Identity], door_key: bytes | None = None, heads: Iterable[Head] = ()
) -> Found:
    """Read the copies in *folder*.

    *door_key* is the door's verify key, as a phone or an older journal shows it; without it the one that lies among
    the copies is taken, which proves only that all is of one hand. Raises Mistake where there are no copies.
    """
    places = sorted(path for path in (folder / FOLDER).glob("*") if path.is_dir())
    if not places:
        raise Mistake(
            f"{folder} holds no copies of a journal: fetch them with rclone copy, and name the door's folder."
        )
    files = {path.name for path in folder.iterdir() if path.name.endswith((CLIP, POSTER))}
    heads = tuple(heads)
    journals = tuple(_journal(place, files, identities, door_key, heads) for place in places)
    named = {clip.id for one in journals for clip in one.clips}
    strangers = sorted(name for name in files if name.partition(".")[0] not in named)
    return Found(journals, tuple(strangers))


def _journal(
    place: Path,
    files: set[str],
    identities: Sequence[Identity],
    door_key: bytes | None,
    heads: tuple[Head, ...],
) -> Rebuilt:
    journal_id, key = _about(place)
    faults = [] if door_key in (None, key) else ["These copies name another door's key than the one you gave."]
    key = door_key or key
    entries, more = _entries(place, key)
    faults += more
    runs = list(_runs(entries))
    gaps = _gaps(runs)
    for run in runs:
        after = None if run[0].index == 1 else Head(run[0].index - 1, run[0].prev)
        if fault := verify(run, journal_id, key, after=after):
            faults.append(fault.sentence)
    if runs and runs[0][0].index == 1 and runs[0][0].prev != first_prev(journal_id, key):
        faults.append("Entry 1 begins another journal than its folder says.")
    lacks = 0
    by_index = {entry.index: entry.hash for entry in entries}
    last = entries[-1].index if entries else 0
    for head in heads:
        if head.index in by_index and by_index[head.index] != head.hash:
            faults.append(f"Entry {head.index} is not the one that the phone has seen.")
        lacks = max(lacks, head.index - last)
    told = tuple(read_history(entries, identities))
    clips, wrong = _clips(told, place.parents[1], files)
    return Rebuilt(place.name, told, clips, tuple(gaps), tuple(faults + wrong), lacks)


def _about(place: Path) -> tuple[bytes, bytes]:
    shape = {"v": closed.count, "verify_key": closed.base64_of(32), "journal": closed.base64_of(16)}
    try:
        with (place / "door.json").open("rb") as file:
            found = closed.fields(closed.load(file.read(MOST_ABOUT + 1), MOST_ABOUT), shape)
    except (OSError, ValueError):
        raise Mistake(f"{place}/door.json is missing or damaged: fetch the copies again.") from None
    if found["journal"].hex() != place.name:
        raise Mistake(f"{place} holds another journal than its name says: fetch the copies again.")
    return found["journal"], found["verify_key"]


def _entries(place: Path, key: bytes) -> tuple[list[Entry], list[str]]:
    """All entries by index; where two segments hold one, the one with its body. What no door signed is a fault."""
    found: dict[int, Entry] = {}
    faults = []
    for path in sorted(place.glob("*.jsonl")):
        with path.open("rb") as lines:
            try:
                while (line := lines.readline(MOST_DOCUMENT + 2)) and len(found) < MOST_ENTRIES:
                    entry = read_document(line.rstrip(b"\n"))
                    after = Head(entry.index - 1, entry.prev)
                    if entry.index > 1 and (fault := verify([entry], bytes(16), key, after=after)):
                        faults.append(f"{path.name}: {fault.sentence}")
                        continue
                    known = found.get(entry.index)
                    if known is not None and known.hash != entry.hash:
                        faults.append(f"Two different entries {entry.index} are signed by this door.")
                    elif known is None or known.body is None:
                        found[entry.index] = entry
            except DamagedError as error:
                faults.append(f"{path.name}: {error}")
    return [found[index] for index in sorted(found)], faults


def _runs(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    run: list[Entry] = []
    for entry in entries:
        if run and entry.index != run[-1].index + 1:
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _gaps(runs: Sequence[Sequence[Entry]]) -> list[tuple[int, int]]:
    ends = [0, *(run[-1].index for run in runs)]
    begins = [run[0].index for run in runs]
    return [(end + 1, begin - 1) for end, begin in zip(ends, begins, strict=False) if begin > end + 1]


def _clips(told: Sequence[Told], folder: Path, files: set[str]) -> tuple[tuple[Clip, ...], list[str]]:
    """What became of every clip that an entry names, in the entries' order."""
    ends: dict[str, dict[str, Any]] = {}
    began: dict[str, str] = {}
    deleted = set()
    for one in told:
        body = one.body or {}
        clip = body.get("id")
        if not isinstance(clip, str) or not CLIP_ID.fullmatch(clip):
            continue
        kind = body["kind"]
        began.setdefault(clip, body["at"])
        if kind in ("clip", "clip_cut"):
            ends[clip] = body
        elif kind == "clip_deleted":
            deleted.add(clip)
    clips, wrong = [], []
    for clip, at in began.items():
        end = ends.get(clip, {})
        there = clip + CLIP in files
        if there and end and _hash(folder / (clip + CLIP)) != end.get("sha256"):
            state = "changed"
            wrong.append(f"{clip}{CLIP} is not the file that its entry names.")
        elif there:
            state = {"clip": "whole", "clip_cut": "cut"}.get(end.get("kind", ""), "unproven")
        elif clip in deleted:
            state = "deleted"
        else:
            state = "missing" if end.get("bytes") else "unfinished"
        poster = clip + POSTER in files
        if poster and end.get("poster_sha256") and _hash(folder / (clip + POSTER)) != end["poster_sha256"]:
            poster = False
            wrong.append(f"{clip}{POSTER} is not the file that its entry names.")
        clips.append(Clip(clip, at, str(end.get("trigger", "")), state, poster))
    return tuple(clips), wrong


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
