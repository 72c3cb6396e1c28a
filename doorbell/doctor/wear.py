"""How worn the card is, where it tells: eMMC does by JEDEC's EXT_CSD registers, SD cards hardly ever do."""

from __future__ import annotations

import re
from pathlib import Path

from doorbell.doctor.card import existing, mounted_device
from doorbell.doctor.finding import Door, Finding, bad, good, unknown
from doorbell.doctor.machine import text

WORN = 9
"""Of ten steps: 0x09 says that 80 to 90 % of its life are used, 0x0B that it lives beyond it."""
_DISK = re.compile(r"(mmcblk\d+|nvme\d+n\d+)(?:p\d+)?|([a-z]+?)\d*")
_PRE_EOL = {2: "80 % of its reserve blocks are used", 3: "nearly all of its reserve blocks are used"}
REPLACE = "Make a backup (doorbell backup), and replace the card by one of high endurance."


def wear(door: Door) -> Finding:
    device = mounted_device(existing(door.config.door.state), text(door.root / "proc/self/mounts"))
    found = _DISK.fullmatch(Path(device).name) if device.startswith("/dev/") else None
    if found is None:
        return unknown("What the state lies on is no card of this machine's own: it tells no wear.")
    disk = found.group(1) or found.group(2)
    folder = door.root / "sys/block" / disk / "device"
    steps, reserve = _hex(text(folder / "life_time")), _hex(text(folder / "pre_eol_info"))
    if not any(steps) and not any(reserve):
        return unknown(f"{disk} does not tell how worn it is, as most SD cards: replace it after some years.")
    used = max(steps, default=0)
    if reserve and reserve[0] in _PRE_EOL:
        return bad(f"{disk}: {_PRE_EOL[reserve[0]]}.", REPLACE)
    if used > 10:
        return bad(f"{disk} is worn out by its own count.", REPLACE)
    if used >= WORN:
        return bad(f"{disk}: {10 * (used - 1)} to {10 * used} % of its life are used.", REPLACE)
    return good(f"{disk}: at most {10 * used} % of its life are used." if used else f"{disk} is not near its end.")


def _hex(said: str) -> list[int]:
    try:
        return [int(word, 16) for word in said.split()]
    except ValueError:
        return []
