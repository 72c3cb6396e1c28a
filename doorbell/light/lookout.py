"""Pairing by light, as the doorman decides it: when the camera looks for a phone's QR, and what becomes of it.

A finger that stays on the button for five seconds begins it, at a door that was never paired; the press itself has
rung by then. It ends with a ticket, or after five minutes. Nothing on the street side does anything to a door that
has a household.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import define

from doorbell import events, pipe, ticket
from doorbell.clips.recipient import Recipient
from doorbell.config import Config
from doorbell.errands import Errands
from doorbell.errors import Mistake
from doorbell.household import Household
from doorbell.light import kept
from doorbell.problems import Problems
from doorbell.ticket import Ticket

log = logging.getLogger("doorman")

LOOK_S: Final = 300.0
LEARNT: Final = "by light"
"""The token of the errand that keeps a ticket."""


@define
class Lookout:
    """``film`` starts or ends the recorder as ``is_looking`` wants it; ``again`` starts the door afresh with what it
    has learnt. ``send`` tells the recorder."""

    config: Config
    household: Household
    problems: Problems
    errands: Errands
    send: Callable[[object], bool]
    film: Callable[[float], None]
    again: Callable[[float], None]

    _until: float | None = None
    _keeping: bool = False

    @property
    def is_looking(self) -> bool:
        return self._until is not None

    @property
    def deadline(self) -> float | None:
        return None if self._keeping else self._until

    def take(self, event: object, at: float) -> None:
        """Take one event, or None at a deadline."""
        match event:
            case events.Held():
                self._begin(at)
            case events.RecorderReady() if self.is_looking:
                self.send(pipe.Seek(on=True))
            case events.TicketShown() if self.is_looking and not self._keeping:
                self._shown(event.text)
            case events.ErrandDone(token=token) if token == LEARNT:
                self._learnt(event.why, at)
        if (due := self.deadline) is not None and at >= due:
            log.info("no phone showed its QR: the camera looks no longer")
            self._end(at)

    def _begin(self, at: float) -> None:
        if not self.household.was_never_paired or self.is_looking:
            return
        if self.config.camera.source == "none" or self.config.recording_refused:
            log.warning("the button was held to pair, but no camera may look")
            return
        log.info("the button was held: the camera looks for a phone's QR for %.0f minutes", LOOK_S / 60)
        self._until = at + LOOK_S
        self.film(at)
        self.send(pipe.Seek(on=True))

    def _end(self, at: float) -> None:
        self._until = None
        self.send(pipe.Seek(on=False))
        self.problems.tell("light", "")
        self.film(at)

    def _shown(self, text: bytes) -> None:
        try:
            one = ticket.from_qr(text.decode("ascii"))
            why = self._why_not(one)
        except (ValueError, Mistake):
            why = "The camera sees a QR code that is none of a doorbell's: show the one of the app."
        self.problems.tell("light", why)
        if why:
            return
        state: Path = self.config.door.state
        self._keeping = self.errands.send(LEARNT, lambda: kept.keep(state, one))

    def _why_not(self, one: Ticket) -> str:
        """Why this ticket is not for this door, a sentence with the fix; or empty. Raises ValueError, Mistake."""
        if not one.is_for_a_door:
            return "The camera sees the QR code by which a phone joins: show the one that the app shows to a door."
        Recipient(one.phone)
        known = self._owner_by_hand()
        if known is not None and known != Recipient(one.owner):
            return "The QR code names another owner than keys.recipients does: mend one of them."
        try:
            kept.settings(one)
        except ValueError:
            return "The QR code names no broker that a door can use: enter mqtts://HOST in the app."
        return ""

    def _owner_by_hand(self) -> Recipient | None:
        """Whom the configuration itself names; who was learnt by light before may be replaced by light."""
        return self.config.keys.recipients[0] if self.config.keys.recipients else None

    def _learnt(self, why: str, at: float) -> None:
        self._keeping = False
        if why or not self.is_looking:
            return  # the card refused: the phone is still held up, and read again
        log.info("a phone showed its QR: the door starts afresh with its owner and its broker")
        self._end(at)
        self.again(at)
