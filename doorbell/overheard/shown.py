"""The report as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from doorbell.overheard.guesses import clock
from doorbell.overheard.report import Report

ALSO = (
    "The broker itself also sees what a subscriber cannot: from which addresses the door and the phones connect, their "
    "logins, and when they come and go."
)


SHOWN: Final = 5
WIDTH: Final = 160


def lines(found: Report, *, whole: bool = False) -> Iterator[str]:
    """What is readable (a sample of each, or with *whole* all that is kept), what can be guessed, and the verdict."""
    seconds = found.ended - found.began
    yield f"Heard from {clock(found.began)} to {clock(found.ended)} UTC ({seconds:.0f} s)."
    yield f"Doors: {', '.join(found.doors) or 'none'}."
    yield ""
    yield f"{'topic':<44} {'meant':<7} {'messages':>8} {'bytes':>11} {'readable':>11}"
    for row in found.rows:
        yield f"{row.topic:<44} {row.meant:<7} {row.messages:>8,} {row.bytes:>11,} {row.readable:>11,}"
    yield ""
    yield "What can be read:"
    for row in found.rows:
        for sample in row.samples if whole else row.samples[:SHOWN]:
            yield f"  {row.topic}: {sample if whole or len(sample) <= WIDTH else sample[:WIDTH] + '…'}"
        if not whole and len(row.samples) > SHOWN:
            yield f"  {row.topic}: {len(row.samples) - SHOWN} more (--all shows them)"
    for door, guessed in found.guesses.items():
        yield ""
        yield f"What sizes and times of {door} tell:"
        yield from (f"  {one.what}: {one.says}" for one in guessed)
    yield ""
    yield ALSO
    yield ""
    if not found.rows:
        yield "Nothing at all was heard: is the door on, and may this login read everything (#)?"
        return
    if found.is_tight:
        yield "Nothing but the clear topics could be read; everything sealed looks like ciphertext."
        return
    yield f"READABLE, and it should not be ({len(found.leaks)}):"
    yield from (f"  {clock(one.at)} {one.topic}: {one.why}" for one in found.leaks)
