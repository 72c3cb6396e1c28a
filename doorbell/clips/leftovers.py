"""What an end in the middle left in clips/, made good by the doorman, who alone cuts and deletes.

The journal decides what a file is. A file no entry speaks of is never given one: whoever can write to the card could
plant it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell.clips.files import Files
from doorbell.clips.seal import whole_chunks
from doorbell.clips.store import CLIP, PART, POSTER, POSTER_PART, trouble

ASIDE: Final = "aside"
MOST_ASIDE: Final = 100
"""Strange files moved to clips/aside/; beyond that they stay where they are. None is ever deleted."""
HEADER: Final = 4096
"""Bytes from a clip's beginning that hold any header of ours: 17 recipients need 1.8 KB."""
_PIECE: Final = 1024 * 1024


@frozen
class Cut:
    """What is left of a clip whose end was not witnessed; ``bytes`` 0: nothing, and no file.

    ``size`` is bytes with the poster, the hashes are SHA-256 in hex of the sealed files, empty where there is none.
    """

    clip: str
    bytes: int
    sha256: str
    poster_sha256: str
    size: int


@frozen
class Leftovers:
    """What was found: ``cut`` to be journalled, ``vanished`` kept clips without a file, ``said`` for the owner."""

    cut: tuple[Cut, ...] = ()
    vanished: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def recover(
    folder: Path,
    *,
    started: Collection[str],
    kept: Collection[str],
    running: Collection[str] = (),
    files: Files | None = None,
) -> Leftovers:
    """Put clips/ in order. ``started``: clips whose end no entry tells; ``kept``: those with a clip or clip_cut entry,
    asked one by one, so that a hundred thousand of them need no memory.

    Files of ``running`` (clips of this very start) are left alone. Doing it again changes nothing. Raises OSError.
    """
    files = files or Files()
    said, seen = _sort_out(folder, started, kept, running, files)
    cut = []
    for clip in sorted(set(started) - set(running)):
        try:
            cut.append(settle(folder, clip, files))
        except OSError as error:  # one bad place on the card must not keep the journal shut: the next start tries again
            said.append(f"An unfinished clip cannot be put in order: {trouble(error)}")
    vanished: tuple[str, ...] = ()
    if seen != len(kept):
        vanished = tuple(clip for clip in kept if files.size(folder / (clip + CLIP)) is None)
    if vanished:
        said.append(f"{len(vanished)} clips that were kept are no longer on the card: somebody or the card lost them.")
    return Leftovers(tuple(cut), vanished, tuple(said))


def settle(folder: Path, clip: str, files: Files | None = None) -> Cut:
    """Cut what was recorded of ``clip`` to whole chunks and give it its final name. Raises OSError.

    A file that has its final name already is left as it is: it was synced before it was named.
    """
    files = files or Files()
    part, final, poster = (folder / (clip + end) for end in (PART, CLIP, POSTER))
    with contextlib.suppress(FileNotFoundError):
        files.unlink(folder / (clip + POSTER_PART))
    size = files.size(part)
    if size is not None:
        if _cut_to_whole(part, size, files):
            files.rename(part, final)
        else:
            files.unlink(part)  # not one whole chunk: there is nothing in it that opens
        files.sync_folder(folder)
    if (length := files.size(final)) is None:
        delete(folder, [clip], files)
        return Cut(clip, 0, "", "", 0)
    picture = files.size(poster)
    return Cut(
        clip,
        length,
        _sha256(final, files),
        "" if picture is None else _sha256(poster, files),
        length + (picture or 0),
    )


def delete(folder: Path, clips: Collection[str], files: Files | None = None) -> None:
    """Remove everything of ``clips`` from the card, for good when this returns. Raises OSError; then do it again.

    Only after their clip_deleted entries are durable: else a power cut would leave a clip that vanished unexplained.
    """
    files = files or Files()
    refused: OSError | None = None
    for clip in clips:
        for end in (CLIP, POSTER, PART, POSTER_PART):
            try:
                files.unlink(folder / (clip + end))
            except FileNotFoundError:
                continue
            except OSError as error:  # one bad place on the card must not keep the others there
                refused = refused or error
    if clips:
        files.sync_folder(folder)
    if refused is not None:
        raise refused


def _sort_out(
    folder: Path, started: Collection[str], kept: Collection[str], running: Collection[str], files: Files
) -> tuple[list[str], int]:
    """Remove unfinished posters, move what is strange; what to say, and how many kept clips have their file."""
    unfinished: list[str] = []
    strange: list[str] = []
    seen = 0
    for name, is_file in files.listing(folder):
        clip, _, end = name.partition(".")
        is_kept = clip in kept
        seen += is_kept and is_file and end == CLIP[1:]
        if name == ASIDE or clip in running:
            continue
        ours = is_file and (is_kept or clip in started)
        if ours and end == POSTER_PART[1:]:
            unfinished.append(name)
        elif ours and end == PART[1:] and not is_kept and files.size(folder / (clip + CLIP)) is None:
            continue
        elif not ours or end not in (CLIP[1:], POSTER[1:]):
            strange.append(name)
    for name in unfinished:
        files.unlink(folder / name)
    said = ["A poster that was not finished is removed."] * len(unfinished)
    if strange:
        try:
            said += _move_aside(folder, sorted(strange), files)
        except OSError as error:  # what is strange there must not keep the journal shut, nor the door from filming
            said.append(f"Strange files in clips/ cannot be put aside: {trouble(error)}")
    if said:
        files.sync_folder(folder)
    return said, seen


def _move_aside(folder: Path, strange: list[str], files: Files) -> list[str]:
    aside = folder / ASIDE
    files.make_folder(aside)
    taken = {name for name, _ in files.listing(aside)}
    room = max(0, MOST_ASIDE - len(taken))
    for name in strange[:room]:
        free = next(new for n in range(len(taken) + 1) if (new := f"{name}.{n}" if n else name) not in taken)
        files.rename(folder / name, aside / free)
        taken.add(free)
    files.sync_folder(aside)
    said = [f"{len(strange)} files in clips/ that no journal entry speaks of: look at clips/aside/, then delete them."]
    if len(strange) > room:
        said.append(f"clips/aside/ is full at {MOST_ASIDE}: {len(strange) - room} strange files stay in clips/.")
    return said


def _cut_to_whole(path: Path, size: int, files: Files) -> int:
    """Truncate to what opens and sync it; returns the bytes left, 0 if not even the first chunk is whole."""
    descriptor = files.open_existing(path)
    try:
        head = files.read(descriptor, HEADER)
        whole = whole_chunks(head, size)
        if whole <= whole_chunks(head, min(size, HEADER)):  # the header alone
            return 0
        files.truncate(descriptor, whole)
        files.fsync(descriptor)
        return whole
    finally:
        files.close(descriptor)


def _sha256(path: Path, files: Files) -> str:
    digest = hashlib.sha256()
    descriptor = files.open_existing(path)
    try:
        while piece := files.read(descriptor, _PIECE):
            digest.update(piece)
    finally:
        files.close(descriptor)
    return digest.hexdigest()
