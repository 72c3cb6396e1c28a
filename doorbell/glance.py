"""A glance at the card: whether it still takes and gives bytes, asked without writing one.

An idle door writes nothing for hours, so a card that turned read-only or lost its contact would be noticed with the
next visitor. Opening a file for writing is refused by a card that takes nothing any more, and a read past the kernel's
cache by one that gives nothing. Never a file of SQLite's: closing it would drop SQLite's locks.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from attrs import define, field

from doorbell.clips.store import LOCK, trouble
from doorbell.errands import Errands

LAST_GOOD: Final = "last-good.toml"
"""The configuration that last worked, in the state folder: the one small file that every door has."""
EVERY_S: Final = 30.0
HANGS_S: Final = 10.0
"""A card that has not answered for this long hangs."""
TOKEN: Final = "glance"  # noqa: S105  the name of an errand, no secret
BYTES: Final = 4096


@define
class Glances:
    """Asks in the errands' thread, one at a time: a card that hangs holds up no more than that thread."""

    state: Path
    errands: Errands
    _asked: float | None = field(default=None, init=False)
    _said: str = field(default="", init=False)

    def ask(self, at: float) -> None:
        if self._asked is None and self.errands.send(TOKEN, lambda: glance(self.state)):
            self._asked = at

    def answered(self, said: object) -> None:
        """*said* is what ``glance`` gave."""
        self._asked, self._said = None, str(said or "")

    def why(self, at: float) -> str:
        """What is wrong with the card, or an empty text."""
        if self._asked is not None and at - self._asked > HANGS_S:
            return hangs()
        return self._said


def hangs() -> str:
    return f"The card has not answered for {HANGS_S:.0f} s and more."


def glance(state: Path) -> str:
    """What is wrong with the card that holds *state*, as a sentence with the fix, or an empty text.

    It may take as long as the card takes: nothing for the doorman's loop.
    """
    try:
        state.stat()
        for name in (LAST_GOOD, LOCK):
            _touch(state / name)
    except OSError as error:
        return str(trouble(error))
    return ""


def _touch(file: Path) -> None:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, IsADirectoryError):
        return  # a door's first seconds, or somebody's joke: nothing that a card does
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.read(descriptor, BYTES)
    finally:
        os.close(descriptor)
