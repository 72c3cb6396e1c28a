"""What a card that was in its door already goes on with: the owner's own settings, and the key it is sealed to."""

from __future__ import annotations

import tomllib
from typing import Any

from doorbell.card.contents import DECIDED, FOLDER, SETTINGS
from doorbell.card.volume import Volume
from doorbell.errors import Mistake


def tables(volume: Volume, *, given: bool) -> dict[str, Any]:
    """The settings that lie on the volume; empty where it is no door's yet.

    A door's card without settings that can be read is refused, unless others were *given*: at the door some are in
    force, masks among them, and what is written now would replace them without a word. Raises Mistake, DeviceError.
    """
    text = volume.read(SETTINGS)
    try:
        if text is not None:
            return tomllib.loads(text.decode("utf-8-sig"))
        why = "is not on this card"
    except UnicodeDecodeError:
        why = "is no UTF-8 text"
    except (ValueError, RecursionError) as error:
        # TOML's own words name line and column, and at most one sign of the text.
        why = f"is no TOML ({str(error)[:80]})"
    if given or not volume.names(FOLDER):
        return {}
    raise Mistake(
        f"{SETTINGS} {why}, so your pins and masks are not known, and the new card would go without them: mend it, or "
        "give the settings with --settings (an empty file: none)."
    )


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
