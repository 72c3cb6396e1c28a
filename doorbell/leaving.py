"""How the doorman leaves: the running clip is kept, then the last entry is written and delivered, each in its time."""

from __future__ import annotations

import logging
from typing import Final, Literal

from attrs import define

from doorbell.ledger import Ledger
from doorbell.recording import Recording

log = logging.getLogger("doorman")

LEAVE_S: Final = 25.0
"""How long a stop may take until the running clip is kept; the unit's TimeoutStopSec is longer."""
GOODBYE_S: Final = 3.0
"""How long a stop may take after that, until the last entry lies on the card and at the broker."""
JOURNAL_S: Final = 10.0
LAST_WORD: Final = "last word"
"""The token by which the last entry is known again when it is kept."""


@define
class Leaving:
    """``deadline`` is None until it has begun."""

    recording: Recording
    ledger: Ledger
    failed: bool = False
    """It leaves because a thread died: the last entry says so."""
    deadline: float | None = None
    _last_word: Literal["not said", "said", "kept"] = "not said"

    @property
    def has_begun(self) -> bool:
        return self.deadline is not None

    def begin(self, at: float) -> None:
        self.deadline = at + LEAVE_S

    def kept(self, token: str) -> None:
        """An entry of this token lies on the card."""
        if token == LAST_WORD:
            self._last_word = "kept"

    def is_over(self, at: float, *, drained: bool) -> bool:
        """Whether the doorman may go; *drained*: the broker has everything that must arrive."""
        if self.deadline is None:
            return False
        if self._last_word == "not said":
            if not self.recording.idle and at < self.deadline:
                return False
            if not self.recording.idle:
                log.error("the recorder did not end within %.0f s: its clip will be cut", LEAVE_S)
                self.recording.kill()
            self._last_word, self.deadline = "said", at + GOODBYE_S
            self.ledger.write("stopped", {"failed": self.failed}, at, LAST_WORD)
        heard = self._last_word == "kept" and drained
        return heard or self.ledger.journal is None or at >= self.deadline

    def end(self) -> None:
        """The journal's thread has taken its last entry, or is given up."""
        if self.ledger.journal is not None and not self.ledger.journal.stop(JOURNAL_S):
            log.error("the card took no more entries within %.0f s", JOURNAL_S)
