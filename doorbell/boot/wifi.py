"""Reloads the Wi-Fi driver when the link is dead: the firmware of a Pi's radio crashes, and only that brings it back.

Dead is a radio without a default route, or whose router answers nothing, while the broker is not heard either: a
router that ignores pings, or a broker that is down, is no dead radio. Reloads are rare by a bound, because a router
that is off for a week is no reason to tear at the driver each minute.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from attrs import evolve, frozen

from doorbell.boot import files, tell
from doorbell.boot.places import RADIO, Places
from doorbell.errors import Mistake

DEAD_S: Final = 300.0
FIRST_S: Final = 600.0
LONGEST_S: Final = 6 * 3600.0
"""Seconds between two reloads: the first wait, doubled after each reload in vain up to this."""
UNLOAD: Final = ("brcmfmac_wcc", "brcmfmac_cyw", "brcmfmac_bca", "brcmfmac")
DRIVER: Final = "brcmfmac"

Run = Callable[[Sequence[str]], int]
"""Runs a program; its exit status."""


@frozen
class Radio:
    """``dead_since`` and ``next_reload`` in seconds of uptime; ``wait``: how long after the next reload."""

    dead_since: float | None = None
    next_reload: float = 0.0
    wait: float = FIRST_S


def step(before: Radio, alive: bool, at: float) -> tuple[Radio, bool]:
    """What is known now, and whether to reload. Pure."""
    if alive:
        return Radio(next_reload=before.next_reload if before.next_reload > at else 0.0), False
    since = at if before.dead_since is None else before.dead_since
    if at - since < DEAD_S or at < before.next_reload:
        return evolve(before, dead_since=since), False
    wait = min(before.wait * 2, LONGEST_S)
    return Radio(dead_since=since, next_reload=at + before.wait, wait=wait), True


def look_after(places: Places, at: float, run: Run | None = None) -> bool:
    """One look at the radio; whether the driver was reloaded. Nothing happens without this driver. Raises OSError."""
    run = run or _run
    if not (places.root / "sys/module" / DRIVER).is_dir():
        return False
    after, reload = step(_remembered(places), _is_alive(places, run), at)
    text = json.dumps([after.dead_since, after.next_reload, after.wait]).encode()
    files.put(places.run / RADIO, text, 0o600, None)
    if reload:
        for module in UNLOAD:
            if (places.root / "sys/module" / module).is_dir():
                run(["modprobe", "-r", module])
        run(["modprobe", DRIVER])
    return reload


def _is_alive(places: Places, run: Run) -> bool:
    now = tell.look(places)
    if now.broker and now.runs:
        return True
    gateway = _gateway(places)
    if gateway is None:
        return tell.look(places).network and not now.has_wifi
    return run(["ping", "-c", "3", "-W", "2", "-q", gateway]) == 0


def _gateway(places: Places) -> str | None:
    """The router's IPv4 address, from the kernel's table (hex, lowest byte first: proc(5))."""
    try:
        rows = (places.root / "proc/net/route").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    for row in map(str.split, rows):
        if len(row) > 3 and row[1] == "00000000" and int(row[3], 16) & 2:
            return ".".join(str(byte) for byte in reversed(bytes.fromhex(row[2])))
    return None


def _run(command: Sequence[str]) -> int:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 1


def _remembered(places: Places) -> Radio:
    try:
        since, following, wait = json.loads(files.read(places.run / RADIO) or b"null")
        return Radio(None if since is None else float(since), float(following), float(wait))
    except (OSError, ValueError, TypeError, Mistake):
        return Radio()
