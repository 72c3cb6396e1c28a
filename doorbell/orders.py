"""Carries out the household's commands, each by its name; the list of them is ``link.commands``.

What a command means to film, to ring or to seal is the doorman's. Nothing here waits: what the card or the camera has
to give first comes back through ``owed``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import asdict, define, field

from doorbell import __version__, events, overlay, pipe, schedule
from doorbell.clips import store
from doorbell.clips.recipient import Recipient
from doorbell.closed import to_base64
from doorbell.config import Config
from doorbell.errands import Errands, read_part
from doorbell.errors import ConfigError
from doorbell.household import Household
from doorbell.ledger import Ledger
from doorbell.link import messages
from doorbell.link.acceptance import Order
from doorbell.link.commands import MOST_PAGE
from doorbell.owed import Owed, Refused
from doorbell.porch import Porch
from doorbell.push.pocket import Pocket, Refusal
from doorbell.roster import DOOR, Roster, RosterError, accept
from doorbell.transfers import Transfer, Transfers
from doorbell.viewing import RENEWED_S, Viewing

log = logging.getLogger("doorman")

CAMERA_S: Final = 60.0
"""How long a recorder that begins anew may take to its first frame."""


class Door(Protocol):
    """What the doorman does for its household."""

    def is_recording_on(self) -> bool: ...

    def switch_recording(self, on: bool, by: str, at: float) -> bool:
        """Whether the switch could be kept."""

    @property
    def config(self) -> Config:
        """What is in force."""

    def apply(self, after: Config, at: float) -> bool:
        """These settings are in force; whether the recorder begins anew for them."""

    def follow(self, recipients: tuple[Recipient, ...], at: float) -> None:
        """The household changed: whatever is sealed from now on is sealed to *recipients*."""


@define
class Orders:
    """What the members of one household may have done. A command gives its result, or None where ``owed`` holds it."""

    door: Door
    household: Household
    ledger: Ledger
    errands: Errands
    clips: Path
    viewing: Viewing
    pocket: Pocket
    wellbeing: Callable[[], messages.Health]
    porch: Porch | None = None

    owed: Owed = field(factory=Owed)
    transfers: Transfers = field(factory=Transfers)

    def carry_out(self, order: Order, at: float) -> Mapping[str, Any] | None:
        """Raises Refused."""
        log.debug("a member asks for %s", order.name)
        return DOES[order.name](self, order, at, **_named(order.args))

    def _errand(
        self,
        order: Order,
        at: float,
        errand: Callable[[], object],
        done: Callable[[Any, float], Mapping[str, Any] | None],
        *,
        lasts: bool = False,
    ) -> None:
        token = self.owed.wait(order, at, done, lasts=lasts)
        if not self.errands.send(token, errand):
            self.owed.forget(token)
            raise Refused("busy")

    def hello(self, order: Order, _: float) -> Mapping[str, Any]:
        assert self.household.roster is not None  # else nobody were a member
        return {
            "software": __version__,
            "roster": self.household.roster.document(),
            "role": order.member.role,
            "recording": self.door.is_recording_on(),
            "health": asdict(self.wellbeing()),
        }

    def journal(self, order: Order, at: float, since: int) -> None:
        def page(came: events.JournalPage, _: float) -> Mapping[str, Any]:
            return {"entries": [json.loads(text) for text in came.entries], "more": came.more}

        token = self.owed.wait(order, at, page)
        if self.ledger.journal is None or not self.ledger.journal.ask_page(since, MOST_PAGE, token):
            self.owed.forget(token)
            raise Refused("busy")

    def poster(self, order: Order, at: float, clip: str) -> None:
        path = self.clips / (clip + store.POSTER)
        self._errand(
            order, at, lambda: read_part(path, 0, store.MOST_POSTER)[0], lambda read, _: {"poster": to_base64(read)}
        )

    def clip(self, order: Order, _: float, clip: str, from_: int, window: int) -> None:
        if not self.transfers.add(Transfer(order.member.id, order.id, clip, from_, from_ + window)):
            raise Refused("busy")

    def still(self, order: Order, at: float) -> None:
        token = self.owed.wait(order, at, lambda sealed, _: {"still": to_base64(sealed)}, late="camera")
        if not self.viewing.send(pipe.Look(token, str(order.member.recipient))):
            self.owed.forget(token)
            raise Refused("camera")
        self.ledger.write("live", {"who": order.member.id, "what": "still"}, at)

    def live(self, order: Order, at: float, do: str, session: bytes | None = None) -> Mapping[str, Any]:
        if (do == "start") != (session is None):
            raise Refused("args")
        if session is None:
            begun = self.viewing.start(order.member.id, at)
            if begun is None:
                raise Refused("busy" if self.viewing.is_full else "camera")
            name, secret = begun
            said = {"session": to_base64(bytes.fromhex(name)), "secret": to_base64(secret)}
            return said | {"seconds": int(RENEWED_S)}
        change = self.viewing.renew if do == "renew" else self.viewing.stop
        if not change(session.hex(), order.member.id, at):
            raise Refused("gone")
        return {"session": to_base64(session), "seconds": int(RENEWED_S) if do == "renew" else 0}

    def recording(self, order: Order, at: float, on: bool) -> Mapping[str, Any]:
        if not self.door.switch_recording(on, order.member.id, at):
            raise Refused("storage")
        return {"recording": on}

    def settings(self, order: Order, at: float, set_: object = None) -> Mapping[str, Any] | None:
        now = self.door.config
        if set_ is None:
            return self._shown(now)
        if self.owed.is_waiting("settings"):
            raise Refused("busy")  # one change at a time
        try:
            after = overlay.changed(now, set_)
        except (ConfigError, ValueError):
            raise Refused("args") from None
        kept = overlay.shown(after)
        self._errand(
            order, at, lambda: overlay.keep(now.door.state, kept), lambda _, then: self._apply(order, set_, then),
            lasts=True,
        )  # fmt: skip
        return None

    def _shown(self, now: Config) -> Mapping[str, Any]:
        moment = self.ledger.clock.of_the_week()
        return {"settings": overlay.shown(now), "local": moment and schedule.spelt(moment)}

    def _apply(self, order: Order, wanted: object, at: float) -> Mapping[str, Any] | None:
        """The settings are on the card: in force now. Answered when the recorder films by them."""
        after = overlay.changed(self.door.config, wanted)
        renewed = self.door.apply(after, at)
        self.ledger.write("settings", {"set": json.loads(json.dumps(wanted)), "by": order.member.id}, at)
        said = self._shown(after)
        if not renewed:
            return said
        self.owed.wait(order, at, lambda _, __: said, late="camera", within=CAMERA_S, films=True)
        return None

    def delete(self, order: Order, at: float, clips: tuple[str, ...]) -> None:
        if self.ledger.journal is None:
            raise Refused("busy")
        self.owed.delete(order, clips, at)
        for clip in dict.fromkeys(clips):
            if not self.ledger.delete(clip, "asked", at):
                self.owed.forget_deletion()
                raise Refused("busy")

    def ring_test(self, order: Order, at: float, everywhere: bool, after: int = 0) -> Mapping[str, Any]:
        return {"visit": self.pocket.test(order.member.id, after, at, everywhere=everywhere)}

    def push(self, order: Order, at: float, **args: object) -> Mapping[str, Any] | None:
        member = order.member.id
        if args == {"do": "show"}:
            return self.pocket.shown(member)
        if self.owed.is_waiting("push"):
            raise Refused("busy")  # one change at a time
        try:
            new = self.pocket.changed(member, args, at)
        except Refusal as refusal:
            raise Refused(refusal.word) from None

        def done(_: object, then: float) -> Mapping[str, Any]:
            if self.household.member(member) is not None:  # else they left while the card wrote
                self.pocket.adopt(new, member, then)
            return self.pocket.shown(member)

        self._errand(order, at, lambda: self.pocket.keep(new), done, lasts=True)
        return None

    def roster(self, order: Order, at: float, document: object) -> None:
        present = self.household.roster
        assert present is not None  # else nobody were a member
        try:
            new = accept(document, present)
        except RosterError as error:
            raise Refused(error.word) from None
        if self.owed.is_waiting("roster"):
            raise Refused("busy")  # one revision at a time: the next one has to name this one's hash
        self._errand(
            order, at, lambda: self.household.keep(new), lambda _, then: self._adopt(new, order, then), lasts=True
        )

    def _adopt(self, new: Roster, order: Order, at: float) -> Mapping[str, Any]:
        before = self.household.roster
        self.household.adopt(new)
        self.pocket.forget([one.id for one in (before.members if before else ()) if new.find(one.id) is None], at)
        for one in before.members if before else ():
            if new.find(one.id) is None:
                self.transfers.end_of(one.id)
                self.viewing.end_of(one.id, at)
        self.in_force(new, at, by=order.member.id)
        if self.porch is not None:
            self.porch.follow(new, at)
        return {"revision": new.revision}

    def in_force(self, new: Roster, at: float, by: str = DOOR) -> None:
        """The household has adopted *new*: whatever is sealed follows it."""
        self.door.follow(self.household.recipients, at)
        members = [one.id for one in new.members]
        self.ledger.write("roster", {"revision": new.revision, "members": members, "by": by}, at)
        log.info("roster %d is in force, with %d members", new.revision, len(members))

    def pairing(self, order: Order, at: float, open_: bool) -> Mapping[str, Any]:
        if self.porch is None:
            raise Refused("storage")
        return self.porch.invite(open_, order.member.id, at)


DOES: Final[Mapping[str, Callable[..., Mapping[str, Any] | None]]] = {
    "hello": Orders.hello,
    "journal": Orders.journal,
    "poster": Orders.poster,
    "clip": Orders.clip,
    "still": Orders.still,
    "live": Orders.live,
    "recording": Orders.recording,
    "settings": Orders.settings,
    "delete": Orders.delete,
    "ring_test": Orders.ring_test,
    "push": Orders.push,
    "roster": Orders.roster,
    "pairing": Orders.pairing,
}
"""Every command of the list; a test holds the two together."""


def _named(args: Mapping[str, Any]) -> dict[str, Any]:
    """``from`` is a word of Python's own, and so are ``open`` and ``set``."""
    return {name + "_" * (name in ("from", "open", "set")): value for name, value in args.items()}
