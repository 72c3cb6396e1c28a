"""Lets phones join: hears the topic ``pair``, keeps the invitation that is open, and ends it in time.

What the card keeps of it is written by an errand: the loop that rings waits for no card.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from doorbell import durable, events, pairing, roster
from doorbell.clips.recipient import Recipient
from doorbell.clock import WallClock
from doorbell.closed import to_base64
from doorbell.doorkeys import DoorKeys
from doorbell.errands import Errands
from doorbell.household import Household
from doorbell.link.topics import topic
from doorbell.pairing import Invitation, Joining
from doorbell.roster import Roster

log = logging.getLogger("doorman")

HOUR_S: Final = 3600.0
HEARD_A_SECOND: Final = 10
"""Requests to join that are looked at."""


@define
class Porch:
    """``changed`` is told when the MAC in hello changed; ``begun`` when the first phone has begun the roster."""

    name: str
    state: Path
    keys: DoorKeys
    household: Household
    errands: Errands
    clock: WallClock
    write: Callable[[str, dict[str, Any], float], None]
    changed: Callable[[bytes | None, float], None]
    begun: Callable[[Roster, float], None]

    _open: Invitation | None = None
    _next_hour: float = float("inf")
    _budget: float = HEARD_A_SECOND
    _budget_at: float = 0.0
    _first: Roster | None = field(default=None)
    """Revision 1 on its way to the card."""

    def start(self, at: float) -> None:
        """Take up the invitation of enrolment, if this door was never paired."""
        path = self.state / pairing.NAME
        try:
            found = durable.read(path, pairing.MOST_FILE)
            if found is None:
                return
            if not self.household.was_never_paired:
                durable.remove(path)  # a power cut came between the roster and this
                return
            one = pairing.read(found)
        except (OSError, ValueError) as error:
            log.warning("%s cannot be used (%s): enrol the door again to pair a phone", path, error)
            return
        if self.household.configured[:1] != (_owner(one),):
            log.warning("%s names another owner than keys.recipients does: no phone can pair", path)
            return
        if one.phone is not None:
            # Five minutes, and no power cut makes them more: what was shown to the camera is taken up once.
            one.closes = at + pairing.OPEN_S
            self._drop(path)
        self._open, self._next_hour = one, at + HOUR_S
        self._tell(at)
        self._look(at)

    @property
    def deadline(self) -> float | None:
        if self._open is None:
            return None
        return self._next_hour if self._is_enrolment else self._open.closes

    @property
    def _is_enrolment(self) -> bool:
        """The invitation that is open lies on the card."""
        return self._open is not None and self._open.owner is not None and self._open.phone is None

    def take(self, event: object, at: float) -> None:
        """Take one event, or None at a deadline."""
        match event:
            case events.Heard() if event.topic == topic("pair", self.name) and not event.retained:
                self._heard(event.payload, at)
            case events.ErrandDone(token="enrolled"):
                self._enrolled(event.why, at)
        if self._open is not None and at >= (self.deadline or at):
            self._look(at)

    # ---- an admin invites

    def invite(self, wanted: bool, by: str, at: float) -> Mapping[str, Any]:
        """Open (or look at) an invitation, or withdraw it; what the command ``pairing`` answers."""
        if not wanted and self._open is not None:
            self._end("withdrawn", at)
        elif wanted and self._open is None:
            self._open = Invitation(os.urandom(pairing.SECRET), closes=at + pairing.OPEN_S)
            self.write("pairing", {"what": "opened", "by": by}, at)
            self._tell(at)
        if self._open is None:
            return {"secret": None, "seconds": 0, "joining": []}
        joining = self._open.joining
        shown = [] if joining is None else [{"member": _row(joining), "mac": to_base64(joining.mac)}]
        seconds = max(0, int(self._open.closes - at))
        return {"secret": to_base64(self._open.secret), "seconds": seconds, "joining": shown}

    def follow(self, new: Roster, at: float) -> None:
        """A roster came into force: who waited and is in it waits no longer."""
        one = self._open
        if one is not None and one.joining is not None and new.find(one.joining.member.id) is not None:
            self._end("joined", at)

    # ---- a phone asks

    def _heard(self, payload: bytes, at: float) -> None:
        self._budget = min(HEARD_A_SECOND, self._budget + (at - self._budget_at) * HEARD_A_SECOND)
        self._budget_at = at
        one = self._open
        if one is None or not one.is_open or self._budget < 1 or len(payload) > pairing.MOST_JOIN:
            return
        self._budget -= 1
        if (plain := self.keys.open_box(payload)) is None:
            return
        try:
            asked = pairing.read_join(plain)
        except ValueError:
            return
        if one.hear(asked):
            log.info("a phone showed the pairing secret")
            if one.owner is None:
                self.write("pairing", {"what": "asked", "phone": asked.member.id}, at)
                self._tell(at)
            else:
                self._begin(one.owner, asked)
        elif one.is_open:
            self._keep(one)
        else:
            self._end("wrong", at)

    def _begin(self, owner: roster.Member, asked: Joining) -> None:
        """The first phone: the owner and it are the household. The owner's own phone is nobody else."""
        phone = asked.member
        first = [owner] if phone.id == owner.id else [owner, roster.Member(phone.name, "admin", *_keys_of(phone))]
        try:
            new = self._first = roster.begin(self.name, first, self.keys.sign)
        except roster.RosterError as error:
            log.warning("a phone with the secret cannot join (%s)", error)
            self._ask_again()  # the secret is still the household's
            return
        path = self.state / pairing.NAME

        def keep() -> None:
            self.household.keep(new)
            durable.remove(path)

        if not self.errands.send("enrolled", keep):
            self._ask_again()  # the card hangs

    def _enrolled(self, why: str, at: float) -> None:
        new, self._first = self._first, None
        if new is None:
            return
        if why:
            self._ask_again()  # the card refused
            return
        self.household.adopt(new)
        self.begun(new, at)
        self._end("joined", at)

    def _ask_again(self) -> None:
        """Whoever showed the secret has not come in: it counts for the next who asks, perhaps the same phone."""
        if self._open is not None:
            self._open.joining = None

    # ---- what is open, and how it ends

    def _look(self, at: float) -> None:
        one = self._open
        if one is None:
            return
        if self._is_enrolment and at >= self._next_hour:
            self._next_hour = at + HOUR_S
            one.hours -= 1
            self._keep(one)
        wall = self.clock.wall(at) if self.clock.synced() else None
        if one.is_over(at, wall) or one.wrong >= pairing.MOST_WRONG:
            self._end("over", at)

    def _keep(self, one: Invitation) -> None:
        if self._is_enrolment:
            path, text = self.state / pairing.NAME, pairing.written(one)
            self.errands.send("pairing", lambda: durable.replace(path, text))

    def _end(self, what: str, at: float) -> None:
        ended, self._open = self._open, None
        if ended is None:
            return
        if ended.owner is not None and ended.phone is None and what != "joined":
            self._drop(self.state / pairing.NAME)
        self.write("pairing", {"what": what}, at)
        log.info("pairing is closed (%s)", what)
        self._tell(at)

    def _drop(self, path: Path) -> None:
        self.errands.send("pairing", lambda: durable.remove(path))

    def _tell(self, at: float) -> None:
        one = self._open
        mac = None
        if one is not None and one.is_open:
            mac = pairing.door_mac(one.secret, self.name, self.keys.verify_key, self.keys.box_key)
        self.changed(mac, at)


def _owner(one: Invitation) -> Recipient | None:
    return one.owner.recipient if one.owner else None


def _keys_of(member: roster.Member) -> tuple[Recipient, bytes]:
    return member.recipient, member.verify_key


def _row(joining: Joining) -> dict[str, str]:
    one = joining.member
    return {
        "name": one.name,
        "role": one.role,
        "recipient": str(one.recipient),
        "verify_key": to_base64(one.verify_key),
    }
