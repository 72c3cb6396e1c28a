"""The closed list of checks, and going through it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doorbell import configfile
from doorbell.config import Config
from doorbell.doctor import broker, card, certificate, devices, machine, phones, service, settings, software, wear
from doorbell.doctor.finding import Check, Door, Finding
from doorbell.errors import ConfigError
from doorbell.light import kept
from doorbell.statuspage import is_running

CHECKS: dict[str, Check] = {
    "system": machine.system,
    "python": software.python,
    "packages": software.packages,
    "clock": software.clock,
    "power": machine.power,
    "heat": machine.heat,
    "configuration": settings.configuration,
    "permissions": settings.permissions,
    "recipients": settings.recipients,
    "privacy": settings.privacy,
    "private key": settings.no_private_key,
    "sealing": settings.sealing,
    "state folder": card.state_folder,
    "file system": card.file_system,
    "space": card.space,
    "wear": wear.wear,
    "camera": devices.camera,
    "camera memory": machine.camera_memory,
    "frames": devices.frames,
    "pins": devices.pins,
    "wi-fi": machine.wifi,
    "broker": broker.broker,
    "encryption": broker.encryption,
    "packets": broker.packets,
    "broker version": broker.version,
    "websocket": broker.websocket,
    "certificate": certificate.certificate,
    "home assistant": broker.home_assistant,
    "daemon": service.daemon,
    "phones": phones.phones,
    "watchdog": service.watchdog,
    "hardware watchdog": machine.watchdog,
}

WITHOUT_CONFIGURATION = (
    "system", "python", "packages", "clock", "power", "heat", "configuration", "permissions", "sealing",
    "camera memory", "wi-fi", "watchdog", "hardware watchdog",
)  # fmt: skip
"""What can be said where the configuration cannot be read: the rest would be said of defaults nobody chose."""


def look(path: Path, root: Path = Path("/")) -> Door:
    """The door whose configuration is *path*; the machine's own files are looked for below *root*. Never raises."""
    try:
        config, why = kept.load(configfile.load(path))
    except ConfigError as error:
        config, why = Config(), str(error)
    return Door(path, config, why, None if why else _page(config.door.runtime), root)


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
