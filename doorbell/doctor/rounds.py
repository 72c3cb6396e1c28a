"""The closed list of checks, and going through it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doorbell import config as configuration
from doorbell.config import Config
from doorbell.doctor import broker, card, certificate, devices, phones, service, settings, software
from doorbell.doctor.finding import Check, Door, Finding
from doorbell.errors import ConfigError
from doorbell.statuspage import is_running

CHECKS: dict[str, Check] = {
    "python": software.python,
    "packages": software.packages,
    "clock": software.clock,
    "configuration": settings.configuration,
    "permissions": settings.permissions,
    "recipients": settings.recipients,
    "private key": settings.no_private_key,
    "sealing": settings.sealing,
    "state folder": card.state_folder,
    "file system": card.file_system,
    "space": card.space,
    "camera": devices.camera,
    "pins": devices.pins,
    "broker": broker.broker,
    "certificate": certificate.certificate,
    "home assistant": broker.home_assistant,
    "daemon": service.daemon,
    "phones": phones.phones,
    "watchdog": service.watchdog,
}

WITHOUT_CONFIGURATION = ("python", "packages", "clock", "configuration", "permissions", "sealing", "watchdog")
"""What can be said where the configuration cannot be read: the rest would be said of defaults nobody chose."""


def look(path: Path) -> Door:
    """The door whose configuration is *path*; never raises."""
    try:
        config, why = configuration.load(path), ""
    except ConfigError as error:
        config, why = Config(), str(error)
    return Door(path, config, why, None if why else _page(config.door.runtime))


def rounds(door: Door) -> Iterator[tuple[str, Finding]]:
    """Name and finding of each check, one by one as they are made."""
    for name, check in CHECKS.items():
        if not door.why_unread or name in WITHOUT_CONFIGURATION:
            yield name, check(door)


def _page(runtime: Path) -> dict[str, Any] | None:
    try:
        page = json.loads((runtime / "status.json").read_bytes())
    except (OSError, ValueError):
        return None
    return page if isinstance(page, dict) and is_running(page) else None
