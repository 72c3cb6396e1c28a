"""What the household changed by its phones, kept on the card and laid over the configuration at every start.

The configuration is the owner's file and is never written here. The few settings that a signed command may change lie
in ``settings.json`` of the state folder; they win over the file until that is removed. One that cannot be read stops
the recording, because a privacy mask may have stood in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from doorbell import closed, configfile, durable
from doorbell.config import Config
from doorbell.errors import ConfigError

NAME: Final = "settings.json"
MOST_FILE: Final = 32 * 1024
CHANGEABLE: Final = {
    "privacy": ("masks",),
    "motion": ("zones", "sensitivity", "record_on", "schedule"),
    "visit": ("linger_s",),
    "storage": ("days",),
    "push": ("web", "ntfy"),
}
"""Section to keys. What is not here is changed by hand, at the door."""
FILMED: Final = {("privacy", "masks"), ("motion", "zones"), ("motion", "sensitivity")}
"""What the recorder has to begin anew for."""

Tables = Mapping[str, Mapping[str, Any]]


def shown(now: Config) -> dict[str, dict[str, Any]]:
    """The changeable settings in force."""
    whole = configfile.tables(now)
    return {section: {key: whole[section][key] for key in keys} for section, keys in CHANGEABLE.items()}


def changed(now: Config, wanted: object) -> Config:
    """*now* with the *wanted* tables laid over it; raises ConfigError or ValueError for what is not to be changed."""
    if not isinstance(wanted, dict) or not wanted:
        raise ValueError("no tables of settings")
    for section, table in wanted.items():
        if section not in CHANGEABLE or not isinstance(table, dict) or set(table) - set(CHANGEABLE[section]):
            raise ValueError("a setting that is not to be changed")
    after = configfile.with_changes(now, wanted)
    if after.push.ntfy != now.push.ntfy:
        # The token in the configuration is meant for the server named there, not for whichever a phone names.
        after = evolve(after, push=evolve(after.push, ntfy_token=""))
    if "masks" in wanted.get("privacy", {}):
        after = evolve(after, recording_refused="")
    return after


def needs_recorder(before: Config, after: Config) -> bool:
    """Whether the recorder has to begin anew for what differs."""
    old, new = shown(before), shown(after)
    return any(old[section][key] != new[section][key] for section, key in FILMED)


def keep(state: Path, settings: Tables) -> None:
    """Put the settings on the card, durably. Raises OSError."""
    durable.replace(state / NAME, closed.dump({"v": 1, "settings": settings}) + b"\n")


def read(now: Config, text: bytes) -> Config:
    """*now* with the settings file *text* laid over it; raises ValueError or ConfigError."""
    return changed(now, closed.versioned(text, MOST_FILE, {"settings": lambda value: value})["settings"])


def load(now: Config) -> Config:
    """*now* with what the household changed; where that cannot be read ``recording_refused`` says so."""
    path = now.door.state / NAME
    try:
        text = durable.read(path, MOST_FILE)
        if text is None:
            return now
        return read(now, text)
    except (OSError, ValueError, ConfigError) as error:
        why = (
            f"The household's settings {path} cannot be used ({error}): remove the file and set masks and zones again."
        )
        return evolve(now, recording_refused=why)
