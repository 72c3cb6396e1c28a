"""How the last round of copying went, for the daemon, which tells the owner when none has succeeded for days."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from doorbell import closed, durable

LAST: Final = "last.json"
MOST_PAGE: Final = 4096
SILENT_S: Final = 2 * 86400.0
"""How long a storage may be away, or refuse a file, before the owner hears of it."""
MOST_PROBLEM: Final = 1000
"""Characters of a sentence."""


def tell(workplace: Path, waiting: int = 0, problem: str = "", *, arrived: bool = False, differ: int = 0) -> None:
    """Note how a round ended: whether anything *arrived*, and how many files there *differ* from the door's.

    The first of all counts as good, or a wrong remote would never be told.
    """
    now, before = int(time.time()), _page(workplace)
    well = now if arrived or not problem else (_time(before, "well") or now)
    clean = (_time(before, "clean") or now) if problem else now
    page = {
        "v": 1, "at": now, "well": well, "clean": clean, "waiting": waiting, "differ": differ,
        "problem": problem[:MOST_PROBLEM],
    }  # fmt: skip
    durable.replace(workplace / LAST, closed.dump(page) + b"\n")


def trouble(workplace: Path, wall: float) -> str:
    """At *wall* (seconds since 1970), for the owner: what is wrong with the copies; or empty. Never raises."""
    page = _page(workplace)
    well, clean, differ = _time(page, "well"), _time(page, "clean"), _time(page, "differ")
    if well and wall - well >= SILENT_S:
        return f"Nothing was copied off-site for {(wall - well) / 86400:.0f} days: run `doorbell offsite` to see why."
    if differ:
        return f"{differ} off-site copies are not what the door sent: run `doorbell offsite`, which names them."
    if clean and wall - clean >= SILENT_S:
        days = f"{(wall - clean) / 86400:.0f} days"
        return f"Some files could not be copied off-site for {days}: run `doorbell offsite` to see which."
    return ""


def _page(workplace: Path) -> dict[str, Any]:
    try:
        return closed.load(durable.read(workplace / LAST, MOST_PAGE) or b"{}", MOST_PAGE)
    except (OSError, ValueError):
        return {}


def _time(page: dict[str, Any], name: str) -> int:
    """A time or a number of the page; 0 unknown."""
    try:
        return closed.count(page.get(name, 0))
    except ValueError:
        return 0
