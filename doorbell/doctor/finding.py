"""What a check is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from doorbell.config import Config

State = Literal["good", "bad", "unknown"]


@frozen
class Finding:
    """One line of the report. ``sentence`` says what was seen, ``fix`` what to do; neither holds a key or password."""

    state: State
    sentence: str
    fix: str = ""


@frozen
class Door:
    """What is looked at. ``why_unread`` is the configuration's own error; ``config`` is then the defaults.

    ``page`` is what the running daemon says of itself, or None where none runs. ``root`` is /, or a tree that stands
    for the machine's files. ``known`` keeps what more than one check asks of the world.
    """

    path: Path
    config: Config
    why_unread: str
    page: dict[str, Any] | None
    root: Path = Path("/")
    known: dict[str, Any] = field(factory=dict, eq=False, repr=False)


Check = Callable[[Door], Finding]


def good(sentence: str) -> Finding:
    return Finding("good", sentence)


def bad(sentence: str, fix: str) -> Finding:
    return Finding("bad", sentence, fix)


def unknown(sentence: str, fix: str = "") -> Finding:
    return Finding("unknown", sentence, fix)
