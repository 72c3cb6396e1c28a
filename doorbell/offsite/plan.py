"""What to copy next, and in which order: what happened, then what a ring showed, then the rest, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from attrs import frozen

from doorbell.clips.store import CLIP, POSTER

MOST_FILES = 25
MOST_BYTES = 64_000_000
"""Of one batch: after each, what is safely there is noted, and a later round does not send it again."""
BATCH_S = 600
"""So long a batch may take where the way there is capped: else an hour's work would be noted at its end alone."""
LEAST_BYTES = 1_000_000


@frozen
class Piece:
    """One file to copy: its name below the folder that is copied, its size, its place in the order (smaller first)."""

    name: str
    bytes: int
    rank: int = 0


ENTRIES, RING, REST = 0, 1, 2


def of_clips(held: Iterable[tuple[str, dict[str, int]]], rings: Collection[str]) -> list[Piece]:
    """Posters and clips of *held* (clip id, sizes by ending; oldest first) as pieces, in the order to copy them.

    *rings* are the clips that a press began. Of one clip the poster goes first: it is small, and it shows who it was.
    """
    found = []
    for clip, sizes in held:
        rank = RING if clip in rings else REST
        found.append([Piece(clip + ending, sizes[ending], rank) for ending in (POSTER, CLIP) if ending in sizes])
    found.reverse()
    found.sort(key=lambda pieces: pieces[0].rank if pieces else REST)
    return [piece for pieces in found for piece in pieces]


def most_bytes(bytes_s: int) -> int:
    """Of one batch, where *bytes_s* are let through a second (0: no cap)."""
    return min(MOST_BYTES, max(LEAST_BYTES, bytes_s * BATCH_S)) if bytes_s else MOST_BYTES


def batches(pieces: Iterable[Piece], copied: Collection[str], most: int = MOST_BYTES) -> Iterator[list[Piece]]:
    """What is not *copied* yet, in pieces' order, as batches of at most MOST_FILES files and *most* bytes (or one
    file), never of two ranks."""
    batch: list[Piece] = []
    for piece in pieces:
        if piece.name in copied:
            continue
        full = len(batch) == MOST_FILES or sum(one.bytes for one in batch) + piece.bytes > most
        if batch and (full or batch[0].rank != piece.rank):
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch
