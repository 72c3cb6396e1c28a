"""The state folder: where it lies, who may read it, and whether it can be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from doorbell.doctor.finding import Door, Finding, bad, good, unknown

FAT = {"vfat", "msdos", "exfat"}
MEMORY = {"tmpfs", "ramfs", "overlay"}
LEAST_FREE = 200_000_000
"""Bytes: about a quarter of an hour of clips."""


def state_folder(door: Door) -> Finding:
    state = door.config.door.state
    try:
        mode = stat.S_IMODE(state.stat().st_mode)
    except FileNotFoundError:
        return unknown(f"{state} does not exist yet: the first start makes it.")
    except OSError as error:
        return bad(f"{state} cannot be looked at ({error.strerror}).", "Try again with sudo.")
    if mode & 0o077:
        return bad(f"{state} has mode {mode:04o}: others can look into it.", f"sudo chmod 700 {state}")
    return good(f"Only the door may look into {state}.")


def file_system(door: Door) -> Finding:
    """FAT loses files that were synced and renamed when the power is cut, so no clip may lie on it."""
    place = existing(door.config.door.state)
    table = door.root / "proc/self/mounts"
    kind, options = _mounted(place, table.read_text(encoding="utf-8", errors="replace") if table.exists() else "")
    if kind in FAT:
        return bad(f"{place} is on a FAT file system, which loses clips at a power cut.", "Move door.state to ext4.")
    if "ro" in options:
        return bad(
            f"{place} is mounted read-only: nothing is kept.",
            "A card that fails turns itself read-only: look at dmesg, replace the card, or remount it rw.",
        )
    if kind in MEMORY:
        return unknown(f"{place} is on {kind}: what is kept there may not outlive a restart of the machine.")
    return good(f"{place} is on {kind}, and writable.")


def space(door: Door) -> Finding:
    place = existing(door.config.door.state)
    card = os.statvfs(place)
    free = card.f_bavail * card.f_frsize
    if free < LEAST_FREE:
        return bad(f"{free // 1_000_000} MB are free at {place}.", "Delete something else, or lower storage.quota_mb.")
    return good(f"{free / 1e9:.1f} GB are free at {place}.")


def existing(folder: Path) -> Path:
    """The folder, or what of the way to it is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.resolve()


def mounted_device(place: Path, table: str) -> str:
    """What the file system that holds *place* lies on, as the kernel names it; empty where it cannot be told."""
    return _deepest(place, table)[0]


def _mounted(place: Path, table: str) -> tuple[str, set[str]]:
    """Kind and options of the file system that holds *place*, from a table as /proc/self/mounts is."""
    _, kind, options = _deepest(place, table)
    return kind, set(options.split(","))


def _deepest(place: Path, table: str) -> tuple[str, str, str]:
    best: tuple[int, tuple[str, str, str]] = (0, ("", "unknown", ""))
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 4:
            continue
        at = fields[1].replace("\\040", " ")
        if place.is_relative_to(at) and len(at) >= best[0]:
            best = (len(at), (fields[0], fields[2], fields[3]))
    return best[1]
