"""Carries out what the household's phones ask of the door, and answers.

Whether a command counts is ``link.acceptance``'s decision; what it means to film, to ring or to seal is the doorman's.
Nothing here waits: what the card has to give or keep comes back as an event, and the answer goes out then.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import asdict, define, field, frozen

from doorbell import __version__, events, overlay, pipe, roster, schedule, transfers
from doorbell.clips import store
from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.closed import to_base64
from doorbell.config import Config
from doorbell.doorkeys import DoorKeys
from doorbell.errands import Errands, read_part
from doorbell.errors import ConfigError
from doorbell.household import Household
from doorbell.ledger import Ledger
from doorbell.link import messages
from doorbell.link.acceptance import Acceptance, Again, No, Order, Somebody
from doorbell.link.commands import MOST_PAGE
from doorbell.link.replies import Facts, reply_text
from doorbell.link.topics import topic
from doorbell.porch import Porch
from doorbell.push.pocket import Pocket, Refusal
from doorbell.roster import Roster, RosterError
from doorbell.transfers import Transfer, Transfers
from doorbell.viewing import RENEWED_S, Viewing

log = logging.getLogger("doorman")

HEARD_A_SECOND: Final = 50
"""Sealed boxes that are opened: a broker that floods the door with rubbish may not keep it from its bell."""
MOST_WAITING: Final = 32
"""Commands under way, and replies that wait for room on the link."""
CARD_S: Final = 10.0
"""How long a command waits for the card."""
CAMERA_S: Final = 60.0
"""How long a recorder that begins anew may take to its first frame."""
REPLY_S: Final = 30.0
"""How long a reply waits for the link; it is said again when the command is heard again."""


class Door(Protocol):
    """What the doorman does for its household."""

    def say(self, message: messages.Message, at: float) -> bool:
        """Whether the link took it."""

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


class _Refused(Exception):  # noqa: N818  a refusal is no error
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@frozen
class _Waiting:
    """A command that the card or the recorder still owes something."""

    order: Order
    until: float
    done: Callable[[Any, float], Mapping[str, Any] | None] = field(repr=False)
    """What came, and when, to the result of the command; None: it waits for something else now."""
    late: str
    """The word when nothing comes."""
    films: bool
    """It waits for a recorder that films by the new settings."""


@define
class _Deletion:
    order: Order
    until: float
    open: set[str]
    deleted: list[str] = field(factory=list)
    unknown: list[str] = field(factory=list)


@define
class Answers:
    """One door's answers, for one start of it (``acceptance.epoch``)."""

    door: Door
    name: str
    keys: DoorKeys
    household: Household
    ledger: Ledger
    acceptance: Acceptance
    errands: Errands
    clips: Path
    viewing: Viewing
    pocket: Pocket
    wellbeing: Callable[[], messages.Health]
    porch: Porch | None = None

    _journal: bytes = b""
    _head: tuple[int, bytes] = (0, b"")
    _budget: float = HEARD_A_SECOND
    _budget_at: float = 0.0
    _waiting: dict[str, _Waiting] = field(factory=dict)
    _deletions: list[_Deletion] = field(factory=list)
    _outgoing: deque[tuple[float, messages.Message]] = field(factory=deque)
    _transfers: Transfers = field(factory=Transfers)
    _recorder_ended: bool = False
    """Since it was last told to begin anew."""

    # ---- what happens

    @property
    def deadline(self) -> float | None:
        due = [one.until for one in self._waiting.values()] + [one.until for one in self._deletions]
        due += [born + REPLY_S for born, _ in self._outgoing]
        due += [self.viewing.deadline] if self.viewing.deadline is not None else []
        due += [self.porch.deadline] if self.porch and self.porch.deadline is not None else []
        return min(due, default=None)

    def take(self, event: object, at: float) -> None:
        """Take one event, or None at a deadline."""
        match event:
            case events.Heard() if event.topic.startswith(self._from) and not event.retained:
                self._heard(event.payload, at)
            case events.JournalReady():
                self._journal, self._head = event.journal_id, event.head
            case events.Kept():
                self._head = max(self._head, (event.index, event.hash))
                if event.kind == "clip_deleted":
                    self._deleted(event.token, at, known=True)
            case events.NoSuchClip():
                self._deleted(event.clip, at, known=False)
            case events.JournalPage():
                self._came(event.token, event, "", at)
            case events.ErrandDone(token="chunk"):
                self._read(event, at)
            case events.ErrandDone():
                self._came(event.token, event.value, event.why, at)
            case events.RecorderGone() | events.RecorderReady() | events.LiveMade() | events.StillMade():
                self._from_recorder(event, at)
            case events.Offline():
                self._transfers.clear()
        if self.porch is not None:
            self.porch.take(event, at)
        self.viewing.tick(at)
        self._late(at)
        self._pump(at)

    def _from_recorder(self, event: object, at: float) -> None:
        match event:
            case events.LiveMade():
                if member := self.viewing.of(event.session):
                    said = messages.live(self.name, phone=member, session=event.session, sealed=event.sealed)
                    self.door.say(said, at)
            case events.StillMade():
                self._came(event.token, event.sealed, "", at)
            case events.RecorderGone():
                self._recorder_ended = True
            case events.RecorderReady() if self._recorder_ended:
                confirmed = [token for token, one in self._waiting.items() if one.films]
                for token in confirmed:
                    self._came(token, None, "", at)

    @property
    def _from(self) -> str:
        return topic("from", self.name, phone="x")[:-1]

    # ---- a message from a phone

    def _heard(self, payload: bytes, at: float) -> None:
        self._budget = min(HEARD_A_SECOND, self._budget + (at - self._budget_at) * HEARD_A_SECOND)
        self._budget_at = at
        if self._budget < 1 or not self._journal:
            return
        self._budget -= 1
        match self.acceptance.hear(payload, at):
            case Order() as order:
                self._carry_out(order, at)
            case No(to, command, reason):
                self._reply(to, command, at, refused=reason)
            case Again(member, sealed):
                self._send(messages.reply(self.name, phone=member, sealed=sealed), at)

    def _carry_out(self, order: Order, at: float) -> None:
        log.debug("a member asks for %s", order.name)
        try:
            result = getattr(self, f"_do_{order.name}")(order, at, **_named(order.args))
        except _Refused as refused:
            self._reply(order.member, order.id, at, refused=refused.word)
        else:
            if result is not None:
                self._reply(order.member, order.id, at, result)

    def _reply(
        self, to: Somebody, command: bytes, at: float, result: Mapping[str, Any] | None = None, refused: str = ""
    ) -> None:
        facts = Facts(self.name, self.acceptance.epoch, self._journal, *self._head)
        text = reply_text(facts, to=to.id, command=command, uptime=at, result=dict(result or {}), refused=refused)
        sealed = seal([to.recipient], self.keys.sign("reply", text) + text)
        self.acceptance.answered(to.id, command, sealed)
        self._send(messages.reply(self.name, phone=to.id, sealed=sealed), at)

    def _send(self, message: messages.Message, at: float) -> None:
        if self._outgoing or not self.door.say(message, at):
            self._outgoing.append((at, message))
            while len(self._outgoing) > MOST_WAITING:
                self._outgoing.popleft()

    def _pump(self, at: float) -> None:
        """What waits goes out as far as the link takes it: replies first, then chunks."""
        while self._outgoing and (at >= self._outgoing[0][0] + REPLY_S or self.door.say(self._outgoing[0][1], at)):
            self._outgoing.popleft()
        while not self._outgoing and (chunk := self._transfers.first()) is not None:
            one, n, data = chunk
            if not self.door.say(
                messages.chunk(self.name, phone=one.member, request=one.request, n=n, sealed=data), at
            ):
                break
            self._transfers.sent()
        if (wanted := self._transfers.to_read()) is not None:
            path, start = self.clips / (wanted.clip + store.CLIP), wanted.next * transfers.CHUNK
            if not self.errands.send("chunk", lambda: read_part(path, start, transfers.READ_AT_ONCE * transfers.CHUNK)):
                self._fail(self._transfers.failed(), "busy", at)

    # ---- what the card owes

    def _wait(
        self, order: Order, at: float, done: Callable[[Any, float], Mapping[str, Any] | None], *, late: str = "storage",
        within: float = CARD_S, films: bool = False,
    ) -> str:  # fmt: skip
        """Remember that *order* waits for something; the token by which it will come."""
        if len(self._waiting) >= MOST_WAITING:
            raise _Refused("busy")
        token = order.member.id + order.id.hex()
        self._waiting[token] = _Waiting(order, at + within, done, late, films)
        return token

    def _errand(
        self,
        order: Order,
        at: float,
        errand: Callable[[], object],
        done: Callable[[Any, float], Mapping[str, Any] | None],
    ) -> None:
        token = self._wait(order, at, done)
        if not self.errands.send(token, errand):
            del self._waiting[token]
            raise _Refused("busy")

    def _came(self, token: str, value: object, why: str, at: float) -> None:
        one = self._waiting.pop(token, None)
        if one is None:
            return  # it was given up: its sender has been told
        result = None if why else one.done(value, at)
        if why or result is not None:
            self._reply(one.order.member, one.order.id, at, result, refused=why)

    def _late(self, at: float) -> None:
        for token in [token for token, one in self._waiting.items() if at >= one.until]:
            self._came(token, None, self._waiting[token].late, at)
        for one in [one for one in self._deletions if at >= one.until]:
            self._deletions.remove(one)
            self._reply(one.order.member, one.order.id, at, refused="storage")

    # ---- the commands, each by its name; the list of them is link.commands

    def _do_hello(self, order: Order, _: float) -> Mapping[str, Any]:
        assert self.household.roster is not None  # else nobody were a member
        return {
            "software": __version__,
            "roster": self.household.roster.document(),
            "role": order.member.role,
            "recording": self.door.is_recording_on(),
            "health": asdict(self.wellbeing()),
        }

    def _do_journal(self, order: Order, at: float, since: int) -> None:
        def page(came: events.JournalPage, _: float) -> Mapping[str, Any]:
            return {"entries": [json.loads(text) for text in came.entries], "more": came.more}

        token = self._wait(order, at, page)
        if self.ledger.journal is None or not self.ledger.journal.ask_page(since, MOST_PAGE, token):
            del self._waiting[token]
            raise _Refused("busy")

    def _do_poster(self, order: Order, at: float, clip: str) -> None:
        path = self.clips / (clip + store.POSTER)
        self._errand(
            order, at, lambda: read_part(path, 0, store.MOST_POSTER)[0], lambda read, _: {"poster": to_base64(read)}
        )

    def _do_clip(self, order: Order, _: float, clip: str, from_: int, window: int) -> None:
        if not self._transfers.add(Transfer(order.member.id, order.id, clip, from_, from_ + window)):
            raise _Refused("busy")

    def _read(self, event: events.ErrandDone, at: float) -> None:
        if event.why:
            self._fail(self._transfers.failed(), event.why, at)
            return
        data, size = event.value
        one = self._transfers.read(data, size)
        if one is not None and not one.told and (to := self.household.member(one.member)) is not None:
            one.told = True
            chunks = -(-size // transfers.CHUNK)
            self._reply(to, one.command, at, {"bytes": size, "chunks": chunks, "request": one.request})

    def _fail(self, one: Transfer | None, why: str, at: float) -> None:
        if one is not None and (to := self.household.member(one.member)) is not None:
            self._reply(to, one.command, at, refused=why)

    def _do_still(self, order: Order, at: float) -> None:
        token = self._wait(order, at, lambda sealed, _: {"still": to_base64(sealed)}, late="camera")
        if not self.viewing.send(pipe.Look(token, str(order.member.recipient))):
            del self._waiting[token]
            raise _Refused("camera")
        self.ledger.write("live", {"who": order.member.id, "what": "still"}, at)

    def _do_live(self, order: Order, at: float, do: str, session: bytes | None = None) -> Mapping[str, Any]:
        if (do == "start") != (session is None):
            raise _Refused("args")
        if session is None:
            begun = self.viewing.start(order.member.id, at)
            if begun is None:
                raise _Refused("busy" if self.viewing.is_full else "camera")
            name, secret = begun
            said = {"session": to_base64(bytes.fromhex(name)), "secret": to_base64(secret)}
            return said | {"seconds": int(RENEWED_S)}
        change = self.viewing.renew if do == "renew" else self.viewing.stop
        if not change(session.hex(), order.member.id, at):
            raise _Refused("gone")
        return {"session": to_base64(session), "seconds": int(RENEWED_S) if do == "renew" else 0}

    def _do_recording(self, order: Order, at: float, on: bool) -> Mapping[str, Any]:
        if not self.door.switch_recording(on, order.member.id, at):
            raise _Refused("storage")
        return {"recording": on}

    def _do_settings(self, order: Order, at: float, set_: object = None) -> Mapping[str, Any] | None:
        now = self.door.config
        if set_ is None:
            return self._settings(now)
        if any(one.order.name == "settings" for one in self._waiting.values()):
            raise _Refused("busy")  # one change at a time
        try:
            after = overlay.changed(now, set_)
        except (ConfigError, ValueError):
            raise _Refused("args") from None
        kept = overlay.shown(after)
        self._errand(
            order, at, lambda: overlay.keep(now.door.state, kept), lambda _, then: self._apply(order, set_, then)
        )
        return None

    def _settings(self, now: Config) -> Mapping[str, Any]:
        moment = self.ledger.clock.of_the_week()
        return {"settings": overlay.shown(now), "local": moment and schedule.spelt(moment)}

    def _apply(self, order: Order, wanted: object, at: float) -> Mapping[str, Any] | None:
        """The settings are on the card: in force now. Answered when the recorder films by them."""
        after = overlay.changed(self.door.config, wanted)
        self._recorder_ended = False
        renewed = self.door.apply(after, at)
        self.ledger.write("settings", {"set": json.loads(json.dumps(wanted)), "by": order.member.id}, at)
        said = self._settings(after)
        if not renewed:
            return said
        self._wait(order, at, lambda _, __: said, late="camera", within=CAMERA_S, films=True)
        return None

    def _do_delete(self, order: Order, at: float, clips: tuple[str, ...]) -> None:
        if len(self._deletions) >= MOST_WAITING or self.ledger.journal is None:
            raise _Refused("busy")
        self._deletions.append(_Deletion(order, at + CARD_S, set(clips)))
        for clip in dict.fromkeys(clips):
            if not self.ledger.delete(clip, "asked", at):
                self._deletions.pop()
                raise _Refused("busy")

    def _deleted(self, clip: str, at: float, *, known: bool) -> None:
        for one in [one for one in self._deletions if clip in one.open]:
            one.open.remove(clip)
            (one.deleted if known else one.unknown).append(clip)
            if not one.open:
                self._deletions.remove(one)
                result = {"deleted": sorted(one.deleted), "unknown": sorted(one.unknown)}
                self._reply(one.order.member, one.order.id, at, result)

    def _do_ring_test(self, order: Order, at: float, everywhere: bool, after: int = 0) -> Mapping[str, Any]:
        return {"visit": self.pocket.test(order.member.id, after, at, everywhere=everywhere)}

    def _do_push(self, order: Order, at: float, **args: object) -> Mapping[str, Any] | None:
        member = order.member.id
        if args == {"do": "show"}:
            return self.pocket.shown(member)
        if any(one.order.name == "push" for one in self._waiting.values()):
            raise _Refused("busy")  # one change at a time
        try:
            new = self.pocket.changed(member, args, at)
        except Refusal as refusal:
            raise _Refused(refusal.word) from None

        def done(_: object, then: float) -> Mapping[str, Any]:
            if self.household.member(member) is not None:  # else they left while the card wrote
                self.pocket.adopt(new, member, then)
            return self.pocket.shown(member)

        self._errand(order, at, lambda: self.pocket.keep(new), done)
        return None

    def _do_roster(self, order: Order, at: float, document: object) -> None:
        present = self.household.roster
        assert present is not None  # else nobody were a member
        try:
            new = roster.accept(document, present)
        except RosterError as error:
            raise _Refused(error.word) from None
        if any(one.order.name == "roster" for one in self._waiting.values()):
            raise _Refused("busy")  # one revision at a time: the next one has to name this one's hash
        self._errand(order, at, lambda: self.household.keep(new), lambda _, then: self._adopt(new, order, then))

    def _adopt(self, new: Roster, order: Order, at: float) -> Mapping[str, Any]:
        before = self.household.roster
        self.household.adopt(new)
        self.pocket.forget([one.id for one in (before.members if before else ()) if new.find(one.id) is None], at)
        for one in before.members if before else ():
            if new.find(one.id) is None:
                self._transfers.end_of(one.id)
                self.viewing.end_of(one.id, at)
        self.in_force(new, at, by=order.member.id)
        if self.porch is not None:
            self.porch.follow(new, at)
        return {"revision": new.revision}

    def in_force(self, new: Roster, at: float, by: str = roster.DOOR) -> None:
        """The household has adopted *new*: whatever is sealed follows it."""
        self.door.follow(self.household.recipients, at)
        members = [one.id for one in new.members]
        self.ledger.write("roster", {"revision": new.revision, "members": members, "by": by}, at)
        log.info("roster %d is in force, with %d members", new.revision, len(members))

    def _do_pairing(self, order: Order, at: float, open_: bool) -> Mapping[str, Any]:
        if self.porch is None:
            raise _Refused("storage")
        return self.porch.invite(open_, order.member.id, at)


def _named(args: Mapping[str, Any]) -> dict[str, Any]:
    """``from`` is a word of Python's own, and so are ``open`` and ``set``."""
    return {name + "_" * (name in ("from", "open", "set")): value for name, value in args.items()}
