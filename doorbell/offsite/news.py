"""How the last round of copying went, for the daemon, which tells the owner when none has succeeded for days."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from doorbell import closed, durable

LAST: Final = "last.json"
MOST_PAGE: Final = 4096
SILENT_S: Final = 2 * 86400.0
"""How long a storage may be away before the owner hears of it."""


def tell(workplace: Path, waiting: int = 0, problem: str = "") -> None:
    """Note how a round ended. The first of all counts as good, or a wrong remote would never be told."""
    now = int(time.time())
    well = (_well(workplace) or now) if problem else now
    page = {"v": 1, "at": now, "well": well, "waiting": waiting, "problem": problem}
    durable.replace(workplace / LAST, closed.dump(page) + b"\n")


def trouble(workplace: Path, wall: float) -> str:
    """At *wall* (seconds since 1970), for the owner: that nothing was copied for days; or empty. Never raises."""
    well = _well(workplace)
    if not well or wall - well < SILENT_S:
        return ""
    return f"Nothing was copied off-site for {(wall - well) / 86400:.0f} days: run `doorbell offsite` to see why."


def _well(workplace: Path) -> int:
    """When a round last succeeded, 0 unknown."""
    try:
        found = closed.load(durable.read(workplace / LAST, MOST_PAGE) or b"{}", MOST_PAGE)
        return closed.count(found.get("well", 0))
    except (OSError, ValueError):
        return 0
