"""Python, the packages the door runs on, and the clock."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec

from doorbell.clock import WallClock
from doorbell.doctor.finding import Door, Finding, bad, good, unknown

OLDEST = (3, 11)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LEAST = re.compile(r">=([0-9.]+)")
_WITHOUT_METADATA = {"zxing-cpp": "zxingcpp"}
"""Distribution to module, of what Debian builds without telling Python its version; apt saw to that."""


def python(_: Door) -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        return bad(f"Python {found} is too old.", "Use Debian 12, Raspberry Pi OS 12 or later: Python 3.11.")
    return good(f"Python {found}.")


def packages(_: Door) -> Finding:
    """What the package's own metadata asks for is there; versions are compared by their leading numbers."""
    try:
        asked = [line for line in requires("doorbell") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        return unknown("The doorbell runs from a folder, not installed: its packages were not checked.")
    missing, old = [], []
    for line in asked:
        name, least = _NAME.match(line), _LEAST.search(line)
        assert name is not None
        try:
            found = version(name.group())
        except PackageNotFoundError:
            module = _WITHOUT_METADATA.get(name.group())
            if module is None or find_spec(module) is None:
                missing.append(name.group())
            continue
        if least and _numbers(found) < _numbers(least.group(1)):
            old.append(f"{name.group()} {found}, {least.group(1)} is needed")
    if missing or old:
        what = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"too old: {'; '.join(old)}"] * bool(old)
        return bad(
            f"Packages are {' and '.join(what)}.", "Install the doorbell again: docs/dependencies.md names both ways."
        )
    return good(f"All {len(asked)} packages are there and new enough.")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def clock(_: Door) -> Finding:
    if WallClock().synced():
        return good("The clock is synchronised.")
    return bad(
        "The clock is not synchronised: clips and history carry no sure time.",
        "Turn it on: sudo timedatectl set-ntp true; then wait a minute, with the network up.",
    )
