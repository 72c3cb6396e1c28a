"""The household in force: the roster on the card, and where there is none yet the recipients of the configuration.

A door that was set up by its configuration alone has ``keys.recipients``; the first of them is the owner. The first
phone that pairs begins the roster, and from then on the roster alone says who opens what is sealed: it can say who no
longer does, which a line in a file that nobody reads again cannot.

A roster that lies on the card but cannot be read is never taken for none. The door then seals to the owner alone,
obeys nobody and lets nobody join: the worst that a damaged card does is to ask for the owner.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

from doorbell import closed, durable, roster
from doorbell.clips.recipient import Recipient
from doorbell.errors import DeviceError, DoorbellError
from doorbell.roster import Member, Roster, member_id

log = logging.getLogger("doorman")

NAME: Final = "roster.json"
MOST_FILE: Final = 32 * 1024
MOST_FORMER: Final = 64
"""Former members that are still told why the door does not obey them; then the longest gone are forgotten."""


@frozen
class Known:
    """Somebody a reply can be sealed to: a member, or one who was."""

    recipient: Recipient
    verify_key: bytes

    @property
    def id(self) -> str:
        return member_id(self.verify_key)


@define
class Household:
    """Owned by the doorman; the journal's thread reads ``recipients`` whenever it seals."""

    door: str
    state: Path
    configured: tuple[Recipient, ...]
    roster: Roster | None = None
    former: tuple[Known, ...] = ()
    damaged: str = ""
    """Why the roster on the card cannot be read, a sentence with the fix; or empty."""

    recipients: tuple[Recipient, ...] = field(init=False)
    """To whom everything is sealed from now on. Assigned whole: another thread sees the old or the new."""

    def __attrs_post_init__(self) -> None:
        self.recipients = self._in_force()

    def _in_force(self) -> tuple[Recipient, ...]:
        if self.roster is not None:
            return self.roster.recipients
        return self.configured[:1] if self.damaged else self.configured

    def member(self, member: str) -> Member | None:
        return self.roster.find(member) if self.roster else None

    def was_member(self, member: str) -> Known | None:
        return next((one for one in self.former if one.id == member), None)

    @property
    def was_never_paired(self) -> bool:
        return self.roster is None and not self.damaged

    def keep(self, new: Roster) -> None:
        """Put *new* on the card, durably, before it is adopted. Changes nothing here; raises DeviceError."""
        rows = [
            {"recipient": str(one.recipient), "verify_key": closed.to_base64(one.verify_key)}
            for one in self._former_after(new)
        ]
        try:
            durable.replace(self.state / NAME, closed.dump({"v": 1, "roster": new.document(), "former": rows}) + b"\n")
        except OSError as error:
            raise DeviceError(f"The roster cannot be kept ({error.strerror}): check the card.") from None

    def adopt(self, new: Roster) -> None:
        """From here on *new*, which was kept, is in force."""
        self.roster, self.former = new, self._former_after(new)
        self.recipients = self._in_force()

    def _former_after(self, new: Roster) -> tuple[Known, ...]:
        gone = [one for one in (self.roster.members if self.roster else ()) if new.find(one.id) is None]
        former = [one for one in self.former if new.find(one.id) is None]
        return (*former, *(Known(one.recipient, one.verify_key) for one in gone))[-MOST_FORMER:]


def load(door: str, state: Path, configured: tuple[Recipient, ...]) -> Household:
    """The household as the card in *state* knows it. Never raises: a card that cannot be read is ``damaged``."""
    try:
        found = durable.read(state / NAME, MOST_FILE)
        if found is None:
            return Household(door, state, configured)
        members, former = read(found)
        if members.door != door:
            raise ValueError(f"it is the roster of door {members.door}")  # noqa: TRY301
    except (OSError, ValueError, DoorbellError) as error:
        why = f"The roster {state / NAME} cannot be used ({error}): put it back from a backup, or enrol the door again."
        return Household(door, state, configured, damaged=why)
    if configured and configured[0] != members.owner.recipient:
        log.warning("keys.recipients names another owner than the roster does: the roster is in force")
    return Household(door, state, configured, members, former)


def read(text: bytes) -> tuple[Roster, tuple[Known, ...]]:
    """The roster file: who is in it, and who was. Raises ValueError, or Mistake for a roster of the wrong shape."""
    # Who wrote it was checked when it was adopted. A card that somebody else wrote to holds the door's own keys too.
    shape: dict[str, Any] = {
        "roster": roster.read,
        "former": closed.list_of(_known, 0, MOST_FORMER),
    }
    found = closed.versioned(text, MOST_FILE, shape)
    return found["roster"], found["former"]


def _known(value: object) -> Known:
    found = closed.fields(value, {"recipient": closed.text, "verify_key": closed.base64_of(32)})
    return Known(Recipient.parse(found["recipient"]), found["verify_key"])
