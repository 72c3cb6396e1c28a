"""Which clips to forget: the too old, then the oldest until there is room.

What always holds (tests/store/test_retention.py): what goes is a prefix by journal index, so a clip newer than one
that stays is never forgotten, whatever the wall clock did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from attrs import frozen

RESERVE: Final = 32 * 1000 * 1000
"""Bytes of the quota, and of the card, that stay free: one longest clip, and the entries that say what was deleted."""


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
    held: Iterable[Held], *, used: int, today: int, days: int, quota: int, free: int, most: int, before: int = 0
) -> tuple[Forget, ...]:
    """At most ``most`` of the kept clips, in the order to delete them; as many as that: ask again when they are gone.

    ``held`` comes by rising index and is read no further than the answer needs. ``today`` is the UTC day, 0 while the
    clock is not to be trusted: then nothing is too old. ``used`` is what all clips hold, the one being recorded too
    (it cannot be chosen), ``quota`` bounds it, ``free`` is what the card has left. All in bytes. ``before`` is the
    highest day, up to today, of anything older than the first of ``held``; 0 unknown.
    """
    chosen: list[Forget] = []
    for clip, is_old in _oldest(held, today, days, most, before):
        room = used <= quota - RESERVE and free >= RESERVE
        if len(chosen) == most or (room and not is_old):
            break
        chosen.append(Forget(clip.clip, "age" if is_old else "room"))
        used -= clip.bytes
        free += clip.bytes
    return tuple(chosen)


def _oldest(held: Iterable[Held], today: int, days: int, most: int, before: int) -> Iterator[tuple[Held, bool]]:
    """The first clips, each with whether it is too old; at least ``most``, unless there are fewer.

    The order of the journal is certain, days are not. A clip without a day (or with one in the future, from a clock
    that was wrong) is no newer than the next clip that has one, and only by that known to be old; a day that falls
    behind an earlier clip's says nothing. So a wrong clock can make a clip stay too long, never go too early.
    """
    waiting: list[Held] = []
    clips, young = iter(held), not today or before + days >= today
    for clip in clips:
        if young:
            yield clip, False
            continue
        dated = 0 < clip.day <= today
        young = dated and clip.day + days >= today
        if len(waiting) < most:
            waiting.append(clip)
        if dated:
            yield from ((one, not young) for one in waiting)
            waiting.clear()
    yield from ((one, False) for one in waiting)
