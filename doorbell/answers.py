"""Hears what the household's phones ask of the door, and answers.

Whether a command counts is ``link.acceptance``'s decision, carrying it out is ``orders``'s. Nothing here waits: what is
owed to a command comes back as an event, and the answer goes out then.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from attrs import define, evolve, field

from doorbell import events, transfers
from doorbell.clips import store
from doorbell.clips.seal import seal
from doorbell.doorkeys import DoorKeys
from doorbell.errands import read_part
from doorbell.link import messages
from doorbell.link.acceptance import Acceptance, Again, No, Order, Somebody
from doorbell.link.replies import Facts, reply_text
from doorbell.link.topics import topic
from doorbell.orders import Orders
from doorbell.owed import Outcome, Owed, Refused
from doorbell.porch import Porch
from doorbell.roster import MEMBER_ID
from doorbell.transfers import Transfer
from doorbell.viewing import Viewing

HEARD_A_SECOND: Final = 50
"""Sealed boxes that are opened: a broker that floods the door with rubbish may not keep it from its bell."""
MOST_WAITING: Final = 32
"""Replies that wait for room on the link."""
REPLY_S: Final = 30.0
"""How long a reply waits for the link; it is said again when the command is heard again."""


@define
class Answers:
    """One door's answers, for one start of it (``acceptance.epoch``)."""

    name: str
    keys: DoorKeys
    acceptance: Acceptance
    orders: Orders
    say: Callable[[messages.Message, float], bool]
    """Whether the link took it."""

    _journal: bytes = b""
    _head: tuple[int, bytes] = (0, b"")
    _budget: float = HEARD_A_SECOND
    _budget_at: float = 0.0
    _outgoing: deque[tuple[float, messages.Message]] = field(factory=deque)

    @property
    def viewing(self) -> Viewing:
        """Who looks through the camera now."""
        return self.orders.viewing

    @property
    def _owed(self) -> Owed:
        return self.orders.owed

    @property
    def _porch(self) -> Porch | None:
        return self.orders.porch

    # ---- what happens

    @property
    def deadline(self) -> float | None:
        porch = self._porch.deadline if self._porch else None
        due = [self._owed.deadline, self.viewing.deadline, porch, *(born + REPLY_S for born, _ in self._outgoing)]
        return min((one for one in due if one is not None), default=None)

    def take(self, event: object, at: float) -> None:
        """Take one event, or None at a deadline."""
        match event:
            case events.Heard() if event.topic.startswith(self._from) and not event.retained:
                self._heard(event.topic.removeprefix(self._from), event.payload, at)
            case events.JournalReady():
                self._journal, self._head = event.journal_id, event.head
            case events.Kept():
                self._head = max(self._head, (event.index, event.hash))
                if event.kind == "clip_deleted":
                    self._settle(self._owed.deleted(event.token, known=True), at)
            case events.NoSuchClip():
                self._settle(self._owed.deleted(event.clip, known=False), at)
            case events.JournalPage():
                self._settle(self._owed.came(event.token, event, "", at), at)
            case events.ErrandDone(token="chunk"):
                self._read(event, at)
            case events.ErrandDone():
                self._settle(self._owed.came(event.token, event.value, event.why, at), at)
            case events.RecorderGone() | events.RecorderReady() | events.LiveMade() | events.StillMade():
                self._from_recorder(event, at)
            case events.Online():  # the end of an earlier link may be heard late, and is no reason
                self.orders.transfers.clear()
        if self._porch is not None:
            self._porch.take(event, at)
        self.viewing.tick(at)
        self._settle(self._owed.late(at), at)
        self._pump(at)

    def _from_recorder(self, event: object, at: float) -> None:
        match event:
            case events.LiveMade():
                if member := self.viewing.of(event.session):
                    said = messages.live(self.name, phone=member, session=event.session, sealed=event.sealed)
                    self.say(said, at)
            case events.StillMade():
                self._settle(self._owed.came(event.token, event.sealed, "", at), at)
            case events.RecorderGone():
                self._owed.recorder_ended()
            case events.RecorderReady():
                self._settle(self._owed.recorder_films(at), at)

    @property
    def _from(self) -> str:
        return topic("from", self.name, phone="x")[:-1]

    # ---- a message from a phone

    def _heard(self, phone: str, payload: bytes, at: float) -> None:
        # The owner has words on paper and no login at the broker: the phone in which they were typed speaks for them.
        # Wherever an answer goes, it is sealed to who asked.
        phone = phone if re.fullmatch(MEMBER_ID, phone) else ""
        self._budget = min(HEARD_A_SECOND, self._budget + (at - self._budget_at) * HEARD_A_SECOND)
        self._budget_at = at
        if self._budget < 1 or not self._journal:
            return
        self._budget -= 1
        match self.acceptance.hear(payload, at):
            case Order() as order:
                self._carry_out(evolve(order, phone=phone), at)
            case No(to, command, reason):
                self._reply(to, command, at, refused=reason, phone=phone)
            case Again(member, sealed):
                self._send(messages.reply(self.name, phone=phone or member, sealed=sealed), at)

    def _carry_out(self, order: Order, at: float) -> None:
        try:
            result = self.orders.carry_out(order, at)
        except Refused as refused:
            self._settle([Outcome(order, None, refused.word)], at)
        else:
            if result is not None:
                self._settle([Outcome(order, result)], at)

    def _settle(self, outcomes: Iterable[Outcome], at: float) -> None:
        for one in outcomes:
            self._reply(one.order.member, one.order.id, at, one.result, refused=one.refused, phone=one.order.phone)

    def _reply(
        self, to: Somebody, command: bytes, at: float, result: Mapping[str, Any] | None = None, *, refused: str = "",
        phone: str = "",
    ) -> None:  # fmt: skip
        facts = Facts(self.name, self.acceptance.epoch, self._journal, *self._head)
        text = reply_text(facts, to=to.id, command=command, uptime=at, result=dict(result or {}), refused=refused)
        sealed = seal([to.recipient], self.keys.sign("reply", text) + text)
        self.acceptance.answered(to.id, command, sealed)
        self._send(messages.reply(self.name, phone=phone or to.id, sealed=sealed), at)

    def _send(self, message: messages.Message, at: float) -> None:
        if self._outgoing or not self.say(message, at):
            self._outgoing.append((at, message))
            while len(self._outgoing) > MOST_WAITING:
                self._outgoing.popleft()

    def _pump(self, at: float) -> None:
        """What waits goes out as far as the link takes it: replies first, then chunks."""
        while self._outgoing and (at >= self._outgoing[0][0] + REPLY_S or self.say(self._outgoing[0][1], at)):
            self._outgoing.popleft()
        while not self._outgoing and (chunk := self.orders.transfers.first()) is not None:
            one, n, data = chunk
            if not self.say(messages.chunk(self.name, phone=one.member, request=one.request, n=n, sealed=data), at):
                break
            self.orders.transfers.sent()
        if (wanted := self.orders.transfers.to_read()) is not None:
            path, start = self.orders.clips / (wanted.clip + store.CLIP), wanted.next * transfers.CHUNK
            most = transfers.READ_AT_ONCE * transfers.CHUNK
            if not self.orders.errands.send("chunk", lambda: read_part(path, start, most)):
                self._fail(self.orders.transfers.failed(), "busy", at)

    # ---- clips on their way

    def _read(self, event: events.ErrandDone, at: float) -> None:
        if event.why:
            self._fail(self.orders.transfers.failed(), event.why, at)
            return
        data, size = event.value
        one = self.orders.transfers.read(data, size)
        if one is not None and not one.told and (to := self.orders.household.member(one.member)) is not None:
            one.told = True
            chunks = -(-size // transfers.CHUNK)
            self._reply(to, one.command, at, {"bytes": size, "chunks": chunks, "request": one.request})

    def _fail(self, one: Transfer | None, why: str, at: float) -> None:
        if one is not None and (to := self.orders.household.member(one.member)) is not None:
            self._reply(to, one.command, at, refused=why)
