"""The history, rebuilt from copies: what they hold, what is missing, and what nobody signed.

The copies lie where others may write, so nothing of them is believed before the door's signature says so. The owner's
identity opens them; a head that a phone has seen tells how far the history went when the door was taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from doorbell import closed
from doorbell.clips.store import CLIP, CLIP_ID, POSTER
from doorbell.errors import DamagedError, Mistake
from doorbell.journal.entry import JOURNAL_ID, MOST_DOCUMENT, VERIFY_KEY, Entry, Head, first_prev, read_document, verify
from doorbell.offsite.segments import ABOUT, FOLDER, covers
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
class Seen:
    """A head that a phone has seen; ``journal`` is its id in hex where the phone said so, else empty."""

    head: Head
    journal: str = ""


@frozen
class Found:
    """Everything below one folder of copies. ``strangers`` are clip files that no entry names; ``faults`` are sentences
    that are about no journal of them."""

    journals: tuple[Rebuilt, ...]
    strangers: tuple[str, ...] = field(factory=tuple)
    faults: tuple[str, ...] = field(factory=tuple)


def rebuild(
    folder: Path, identities: Sequence[Identity], door_key: bytes | None = None, heads: Iterable[Seen] = ()
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
    journals = [_journal(place, files, identities, door_key) for place in places]
    faults = []
    for seen in heads:
        journals, fault = _compare(journals, seen)
        faults += fault
    named = {clip.id for one in journals for clip in one.clips}
    strangers = sorted(name for name in files if name.partition(".")[0] not in named)
    return Found(tuple(journals), tuple(strangers), tuple(faults))


def _compare(journals: list[Rebuilt], seen: Seen) -> tuple[list[Rebuilt], list[str]]:
    """*journals* with what a phone's head says of them.

    A door that began anew (a new card) has two journals, and a head may be of either: one that is told nowhere but
    fits into a longer history is missing, and only where every journal has another entry in its place is one rewritten.
    """
    head, index = seen.head, seen.head.index
    meant = [place for place, one in enumerate(journals) if seen.journal in ("", one.journal)]
    if not meant:
        return journals, [f"A phone has seen entry {index} of journal {seen.journal}, of which there are no copies."]
    theirs = {place: _hash_at(journals[place], index) for place in meant}
    if head.hash in theirs.values():
        return journals, []
    beyond = [place for place in meant if _last(journals[place]) < index]
    changed = list(journals)
    if beyond:
        nearest = max(beyond, key=lambda place: _last(journals[place]))
        one = journals[nearest]
        changed[nearest] = evolve(one, lacks=max(one.lacks, index - _last(one)))
        return changed, []
    if None in theirs.values():
        return journals, []  # it would stand in a gap, which is told
    for place in meant:
        sentence = f"Entry {index} is not the one that the phone has seen."
        changed[place] = evolve(journals[place], faults=(*journals[place].faults, sentence))
    return changed, []


def _hash_at(journal: Rebuilt, index: int) -> bytes | None:
    return next((told.entry.hash for told in journal.told if told.entry.index == index), None)


def _last(journal: Rebuilt) -> int:
    return journal.told[-1].entry.index if journal.told else 0


def _journal(place: Path, files: set[str], identities: Sequence[Identity], door_key: bytes | None) -> Rebuilt:
    journal_id, key = _about(place)
    faults = [] if door_key in (None, key) else ["These copies name another door's key than the one you gave."]
    key = door_key or key
    found, more = _entries(place, key)
    entries, two = _of_one_history(found, Head(0, first_prev(journal_id, key)))
    faults += [*more, *two]
    runs = list(_runs(entries))
    gaps = _gaps(runs)
    for run in runs:
        after = None if run[0].index == 1 else Head(run[0].index - 1, run[0].prev)
        if fault := verify(run, journal_id, key, after=after):
            faults.append(fault.sentence)
    told = tuple(read_history(entries, identities))
    clips, wrong = _clips(told, place.parents[1], files)
    return Rebuilt(place.name, told, clips, tuple(gaps), tuple(faults + wrong))


def _about(place: Path) -> tuple[bytes, bytes]:
    try:
        with (place / ABOUT).open("rb") as file:
            journal_id, key = read_about(file.read(MOST_ABOUT + 1))
    except (OSError, ValueError):
        raise Mistake(f"{place}/{ABOUT} is missing or damaged: fetch the copies again.") from None
    if journal_id.hex() != place.name:
        raise Mistake(f"{place} holds another journal than its name says: fetch the copies again.")
    return journal_id, key


def read_about(text: bytes) -> tuple[bytes, bytes]:
    """Whose journal a folder holds: journal id (16 bytes) and verify key (32). Raises ValueError."""
    shape = {"verify_key": closed.base64_of(VERIFY_KEY), "journal": closed.base64_of(JOURNAL_ID)}
    found = closed.versioned(text, MOST_ABOUT, shape)
    return found["journal"], found["verify_key"]


def _entries(place: Path, key: bytes) -> tuple[dict[int, list[Entry]], list[str]]:
    """All entries that the door signed, by index; of one entry that several segments hold, one with its body.

    What no door signed is a fault; an upload that was broken off is one only where what it promised is nowhere else.
    """
    found: dict[int, list[Entry]] = {}
    faults, cut = [], []
    for path in sorted(place.glob("*.jsonl")):
        with path.open("rb") as lines:
            try:
                while (line := lines.readline(MOST_DOCUMENT + 2)) and len(found) < MOST_ENTRIES:
                    if not line.endswith(b"\n") and len(line) <= MOST_DOCUMENT + 1:
                        cut.append(path.name)
                        break
                    entry = read_document(line.rstrip(b"\n"))
                    # Of each by itself: body and signature. How they hang together is seen when all are here.
                    after = Head(entry.index - 1, entry.prev)
                    if fault := verify([entry], bytes(JOURNAL_ID), key, after=after):
                        faults.append(f"{path.name}: {fault.sentence}")
                    else:
                        _put(found.setdefault(entry.index, []), entry)
            except DamagedError as error:
                faults.append(f"{path.name}: {error}")
    lacking = [name for name in cut if not covers(name) or any(index not in found for index in covers(name))]
    faults += [f"{name} ends within an entry: its upload was broken off." for name in lacking]
    return found, faults


def _put(twins: list[Entry], entry: Entry) -> None:
    for place, known in enumerate(twins):
        if known.hash == entry.hash:
            if known.body is None:
                twins[place] = entry
            return
    twins.append(entry)


def _of_one_history(found: dict[int, list[Entry]], last: Head) -> tuple[list[Entry], list[str]]:
    """One entry of each index: the one that continues the entry before.

    Only two that continue the same entry show that a door signed two histories. Another one that it signed is of
    another journal of its, which anybody can lay into this folder.
    """
    chosen, faults = [], []
    for index in sorted(found):
        twins = found[index]
        joined = [one for one in twins if one.prev == last.hash] if index == last.index + 1 else []
        before = {one.prev for one in found.get(index + 1, ())}
        ours = min(joined or twins, key=lambda one: one.hash not in before)
        if len(joined) > 1:
            faults.append(f"Two different entries {index} are signed by this door.")
        elif index == 1 and not joined:
            faults.append("Entry 1 begins another journal than its folder says.")
        elif len(twins) > 1:
            faults.append(f"An entry {index} of another journal lies among these.")
        chosen.append(ours)
        last = Head(index, ours.hash)
    return chosen, faults


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
