"""What a card that was in its door already goes on with: the owner's own settings, and the key it is sealed to."""

from __future__ import annotations

import tomllib
from typing import Any

from doorbell.card.contents import DECIDED, SETTINGS
from doorbell.card.volume import Volume
from doorbell.errors import Mistake


def tables(volume: Volume) -> dict[str, Any]:
    """The settings that lie on the volume; empty where there are none, or they cannot be read. Raises DeviceError."""
    try:
        return tomllib.loads((volume.read(SETTINGS) or b"").decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}


def own(before: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of *before* what this command does not decide itself: pins, camera, masks."""
    kept: dict[str, dict[str, Any]] = {}
    for section, table in before.items():
        decided = DECIDED.get(section, ())
        if decided is not None and isinstance(table, dict):
            kept[section] = {key: value for key, value in table.items() if key not in decided}
    return {section: table for section, table in kept.items() if table}


def same_owner(before: dict[str, Any], recipient: str) -> None:
    """Raises Mistake where the door seals to another key first: its phones and clips belong to that one."""
    keys = before.get("keys")
    first = keys.get("recipients") if isinstance(keys, dict) else None
    if isinstance(first, list) and first and first[0] != recipient:
        raise Mistake(
            "This card is sealed to another key than yours here: give that key with --identity, or delete the folder "
            "doorbell on the card to begin anew."
        )
