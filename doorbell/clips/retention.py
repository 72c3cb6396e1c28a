"""Which clips to forget: the too old, then the oldest until there is room.

What always holds (tests/store/test_retention.py): what goes is a prefix by journal index, so a clip newer than one
that stays is never forgotten, whatever the wall clock did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

RESERVE: Final = 32 * 1000 * 1000
"""Bytes of the quota, and of the card, that stay free: one longest clip, and the entries that say what was deleted."""
NEVER: Final = 2**31
"""The day of a clip of which nothing says how old it is."""


@frozen
class Held:
    """A kept clip: ``index`` of its clip_started entry, ``bytes`` with poster, UTC ``day`` since 1970, 0 unknown."""

    clip: str
    index: int
    bytes: int
    day: int


@frozen
class Forget:
    """``why`` is age or room, as the clip_deleted entry says it."""

    clip: str
    why: str


SHARE: Final = 0.8
"""Of what is free for clips, where the owner chose no quota."""


def share(free: int, used: int) -> int:
    """The quota where the owner chose none: bytes, of what the card has *free* and the clips have *used* already."""
    return int(SHARE * (free + used))


def to_forget(
    held: Sequence[Held], *, today: int, days: int, quota: int, free: int, running: int = 0
) -> tuple[Forget, ...]:
    """Choose among the kept clips, in the order to delete them.

    ``today`` is the UTC day, 0 while the clock is not to be trusted: then nothing is too old. ``quota`` bounds the
    bytes of all clips, ``free`` is what the card has left, ``running`` what the clip being recorded holds by now
    (it cannot be chosen). All in bytes.
    """
    clips = sorted(held, key=lambda clip: clip.index)
    old = sum(day + days < today for day in ages(clips, today)) if today else 0
    used = running + sum(clip.bytes for clip in clips[old:])
    free += sum(clip.bytes for clip in clips[:old])
    chosen = [Forget(clip.clip, "age") for clip in clips[:old]]
    for clip in clips[old:]:
        if used <= quota - RESERVE and free >= RESERVE:
            break
        chosen.append(Forget(clip.clip, "room"))
        used -= clip.bytes
        free += clip.bytes
    return tuple(chosen)


def ages(clips: Sequence[Held], today: int) -> list[int]:
    """The latest day on which each clip can have been made, never falling with the index.

    The order of the journal is certain, days are not. A clip without a day (or with one in the future, from a clock
    that was wrong) is no newer than the next clip that has one; a day that falls behind an earlier clip's is lifted to
    it. So a wrong clock can make a clip stay too long, never go too early.
    """
    latest: list[int] = []
    following = NEVER
    for clip in reversed(clips):
        following = clip.day if 0 < clip.day <= today else following
        latest.append(following)
    latest.reverse()
    highest = 0
    for place, day in enumerate(latest):
        highest = max(highest, day)
        latest[place] = highest
    return latest
