"""An archive for whoever helps: what the doctor found, the settings, the log; and nothing that is anybody's business.

Two nets, because one is never tight: settings go through a closed list, and then every text through one sieve that
takes out what was chosen for a setting, what this door knows to be private (private.py: its broker, login, names,
members, keys) and what looks like it (addresses, keys, ids). The owner reads the very bytes before they are written.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from doorbell import __version__
from doorbell.config import Config
from doorbell.configfile import tables
from doorbell.doctor.finding import Door, Finding
from doorbell.doctor.machine import text
from doorbell.doctor.private import words
from doorbell.errors import DeviceError, Mistake

LOG_LINES: Final = 300
LOG_S: Final = 5.0
MOST_TEXT: Final = 256 * 1024
"""Bytes of each file in the archive."""
SHORT: Final = 3
"""Letters; a private word of so few stands in every other word, so it is taken out only where it stands alone."""
_SHOWN: Final[dict[str, tuple[str, ...] | None]] = {
    "pins": None,
    "camera": ("width", "height", "fps", "bitrate_kbps", "rotation", "flip"),
    "privacy": ("clear_events", "clear_snapshot"),
    "motion": ("record_on", "sensitivity"),
    "visit": None,
    "storage": None,
    "mqtt": ("port", "tls"),
    "homeassistant": None,
}
"""Section to the settings that are shown; None: all of it. Everything else is only said to be set or not."""
_SETTING: Final = rf"(?P<section>{'|'.join(tables(Config()))})\.(?P<name>\w+) = "
_CHOSEN: Final = (
    re.compile(_SETTING + r"(?P<value>.{1,80}?)(?=: give )"),
    re.compile(_SETTING + r"(?P<value>'[^'\n]*'|\"[^\"\n]*\"|[^\s'\"\[{]\S*)(?=: )"),
)
"""How an error shows what was chosen: `mqtt.host = 'x': give …`, cut off after 60 letters, so no word list finds it."""
_END: Final = r"[\"',]*(?:\s|$)"
_LOOKS_PRIVATE: Final = (
    (re.compile(r"AGE-SECRET-KEY-1\w+", re.IGNORECASE), "(private key)"),
    (re.compile(r"\bage1[02-9a-z]{20,}"), "(recipient)"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+"), "(mail address)"),
    (re.compile(r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b"), "(hardware address)"),
    (re.compile(r"\b(?!127\.)(?:\d{1,3}\.){3}\d{1,3}\b"), "(address)"),
    (re.compile(r"\b(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{0,4}\b"), "(address)"),
    (re.compile(r"\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4})*::[0-9a-fA-F:]*"), "(address)"),
    (
        re.compile(rf"(?i)(psk|ssid|password|passwd|secret)([^\w\n]{{1,8}}+)(?!(not )?set\){_END})\S+"),
        r"\1\2(removed)",
    ),
    (re.compile(r"(/home/|/media/)[^/\s]+"), r"\1(name)"),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b|\b[a-z2-7]{26}\b"), "(id)"),
    (re.compile(r"[A-Za-z0-9+/]{40,}={0,2}"), "(bytes)"),
)


def files(door: Door, found: Iterable[tuple[str, Finding]]) -> dict[str, str]:
    """Names and texts of the archive's files, all of them through the sieve. Never raises for what is not there."""
    lines = [f"{finding.state:8}{name:18}{finding.sentence} {finding.fix}".rstrip() for name, finding in found]
    # Escapes would hide an umlaut's word from the sieve.
    settings = {"unread": door.why_unread.splitlines()} if door.why_unread else shown(door.config)
    raw = {
        "findings.txt": "\n".join(lines),
        "settings.json": json.dumps(settings, indent=1, ensure_ascii=False),
        "status.json": json.dumps(door.page or {}, indent=1, ensure_ascii=False),
        "machine.txt": _machine(door),
        "log.txt": _log(),
    }
    private = words(door)
    return {name: _bounded(sieved(content, private)) for name, content in raw.items()}


def write(path: Path, content: dict[str, str]) -> int:
    """The archive (tar.gz, 0600, never over another file); returns its bytes. Raises Mistake, DeviceError."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        for name, one in content.items():
            entry = tarfile.TarInfo(f"doorbell-doctor/{name}")
            data = one.encode()
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            return file.write(memory.getvalue())
    except FileExistsError:
        raise Mistake(f"{path} exists and is not overwritten: choose another name.") from None
    except OSError as error:
        raise DeviceError(f"{path} cannot be written ({error.strerror}): choose another place.") from None


def shown(config: Config) -> dict[str, dict[str, Any]]:
    """The settings with values where they are nobody's business, else with whether they are set."""
    told: dict[str, dict[str, Any]] = {}
    for section, table in tables(config).items():
        clear = _SHOWN.get(section, ())
        told[section] = {
            key: value if clear is None or key in clear else "(set)" if value else "(not set)"
            for key, value in table.items()
        }
    return told


def sieved(content: str, private: Iterable[str]) -> str:
    """*content* without what was chosen for a setting, the *private* words, and what looks private."""
    for pattern in _CHOSEN:
        content = pattern.sub(_without_value, content)
    for word in sorted(private, key=len, reverse=True):
        alone = len(word) <= SHORT
        found = rf"(?<!\w){re.escape(word)}(?!\w)" if alone else re.escape(word)
        content = re.sub(found, "(removed)", content, flags=re.IGNORECASE)
    for pattern, instead in _LOOKS_PRIVATE:
        content = pattern.sub(instead, content)
    return content


def _without_value(found: re.Match[str]) -> str:
    """A number stays where the setting is shown anyway: it is what somebody helps by."""
    section, name, value = found["section"], found["name"], found["value"]
    clear = _SHOWN.get(section, ())
    stays = (clear is None or name in clear) and re.fullmatch(r"-?[\d.]+|true|false", value)
    return found[0] if stays else f"{section}.{name} = (removed)"


def _machine(door: Door) -> str:
    names = (
        "etc/os-release",
        "proc/device-tree/model",
        "proc/meminfo",
        "proc/loadavg",
        "proc/uptime",
        "proc/self/mounts",
    )
    parts = [f"doorbell {__version__}", *(f"--- /{name}\n{text(door.root / name)}" for name in names)]
    return "\n".join(parts).replace("\0", "")


def _log() -> str:
    words = [
        "journalctl",
        "--unit=doorbell",
        f"--lines={LOG_LINES}",
        "--no-pager",
        "--output=short-iso-precise",
        "--no-hostname",
    ]
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=LOG_S, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "no log could be read"


def _bounded(content: str) -> str:
    data = content.encode()
    return content if len(data) <= MOST_TEXT else data[-MOST_TEXT:].decode(errors="ignore")
