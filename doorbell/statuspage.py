"""The page that the daemon keeps for ``doorbell status`` in its runtime folder (memory, not the card)."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

FRESH_S = 30.0
"""The daemon renews its page at least this often, in seconds."""


def write(runtime: Path, page: dict[str, Any]) -> None:
    """Put the page in place of the one before, whole or not at all; raises OSError."""
    new = runtime / "status.json.new"
    uptime = math.floor(time.monotonic() * 10) / 10  # rounded up, a page just written would be one of the future
    new.write_text(json.dumps({**page, "pid": os.getpid(), "uptime": uptime}), encoding="utf-8")
    new.chmod(0o640)
    new.replace(runtime / "status.json")


def is_running(page: dict[str, Any]) -> bool:
    """Whether the daemon that wrote this page still renews it."""
    alive = Path(f"/proc/{page.get('pid', 0)}").exists()
    return alive and 0 <= time.monotonic() - float(page.get("uptime", 0)) < 2 * FRESH_S
