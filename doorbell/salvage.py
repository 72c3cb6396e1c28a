"""What can still be read of settings that cannot be read: the bell's pins, and what there is that may not be told.

TOML is read whole or not at all, and the schema is closed; a door whose settings have one mistake would know none of
them. Here each line is taken for itself. Nothing of this is ever believed but where nothing better is had: who may see
what, and who opens what, is decided by settings that were read as they should be, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from doorbell.config import Config, Door, Pins, Unfit

WIRED: Final = {"chime": 22, "led": 23}
"""BCM numbers of the outputs, as hardware/pins.toml has them: what the bell tries where no settings name others."""
_PARTS: Final = ("pir", "chime", "led")
"""Who keeps a number that two claim: what is an input, first; and before all of them the button."""
_SECTION: Final = re.compile(r"\s*\[\[?\s*([\w.\"' -]*?)\s*\]{0,2}\s*(?:#.*)?")
_SETTING: Final = re.compile(r"\s*([\w.\"' -]+?)\s*=\s*(.*)")
_NUMBER: Final = re.compile(r"[\"']?\s*(\d{1,5})\s*[\"']?\s*(?:#.*)?")
_TEXT: Final = re.compile(r"[\"']([^\"'\n]*)[\"']?\s*(?:#.*)?")


def lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Section, name and what stands right of the ``=``; a line without one goes on with the name before it."""
    section = name = ""
    for line in text.splitlines():
        if found := _SETTING.fullmatch(line):
            *sections, name = [part.strip(" \"'") for part in (f"{section}." * bool(section) + found[1]).split(".")]
            yield ".".join(sections), name, found[2]
        elif found := _SECTION.fullmatch(line):
            section, name = found[1].strip(" \"'"), ""
        elif line.strip():
            yield section, name, line


def decoded(raw: bytes) -> str:
    """Whatever an editor saved: UTF-8 with what is none left out, or UTF-16 by its mark."""
    kind = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(kind, errors="replace")


def for_the_bell(raw: bytes) -> Config:
    """A configuration with the pins and folders that *raw* still names, and WIRED where it names no output.

    Driving a pin that nothing is wired to is harmless: it is a piece of copper at 0 V, and at 3.3 V for the moment of a
    ring. What is not is to drive a pin that something else drives, so no number that the file has for the button or the
    PIR becomes an output; and where the file says nothing at all, 1 kOhm stands in the way of both on our board (R2 and
    R4: 3.3 mA, where a pin bears 16).
    """
    said = _said(raw)
    return Config(door=_door(said), pins=_pins(said))


def _said(raw: bytes) -> dict[tuple[str, str], Any]:
    """(section, name) to the value, by TOML where it is TOML, else as the text of its line."""
    import tomllib  # noqa: PLC0415  as in configfile

    text = decoded(raw)
    with suppress(ValueError, RecursionError):
        tables = tomllib.loads(text.replace("\r\n", "\n"))
        return {
            (section, name): repr(value) if isinstance(value, str) else str(value)
            for section, table in tables.items()
            if isinstance(table, dict)
            for name, value in table.items()
        }
    # The first of a name counts: what follows may only go on with it.
    return {(section, name): rest for section, name, rest in reversed(list(lines(text)))}


def _pins(said: dict[tuple[str, str], str]) -> Pins:
    chosen: dict[str, Any] = {}
    if (kind := _TEXT.fullmatch(said.get(("pins", "kind"), ""))) and kind[1] in ("gpio", "simulated", "none"):
        chosen["kind"] = kind[1]
    if (lasts := _number(said, "chime_ms")) is not None:
        chosen["chime_ms"] = lasts
    button = _number(said, "button")
    chosen["button"] = Pins().button if button is None else button
    named = {part: _number(said, part) for part in _PARTS}
    for part, number in [*named.items(), *WIRED.items()]:
        free = number is not None and number not in chosen.values()
        if number == 0 or (free and part not in chosen):
            chosen[part] = number
    return Pins(**chosen)


def _number(said: dict[tuple[str, str], str], name: str) -> int | None:
    """What the setting may be, None for what it may not. A number in quotes is a number here."""
    found = _NUMBER.fullmatch(said.get(("pins", name), ""))
    if found is None:
        return None
    tried: dict[str, Any] = {name: int(found[1])}
    try:
        Pins(**tried)
    except Unfit:
        return None
    return int(found[1])


def _door(said: dict[tuple[str, str], str]) -> Door:
    door = Door()
    for name in ("state", "runtime"):
        found = _TEXT.fullmatch(said.get(("door", name), ""))
        with suppress(Unfit):
            if found is not None:
                changes: dict[str, Any] = {name: Path(found[1])}
                door = evolve(door, **changes)
    return door
