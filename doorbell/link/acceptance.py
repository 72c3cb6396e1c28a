"""Which commands the door obeys, when every message between it and the phones goes through a broker it does not trust.

The broker may keep a command and deliver it tomorrow, twice, or after a later one. So a command is bound to this start
of the daemon (epoch), to a minute of the door's own uptime (expires), and to its place among its sender's (counter);
no wall clock is involved. The same command heard again gets the same reply again, because replies get lost too, and is
not carried out again. A command carries its counter whatever becomes of it: one that was refused for its arguments is
spent as well.

Whoever cannot show a member's signature hears nothing: a reply would tell a stranger that the door lives, and who lives
behind it. Whoever can, is told why.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, Protocol

from attrs import define, field, frozen
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import CryptoError

from doorbell import closed
from doorbell.clips.recipient import Recipient
from doorbell.link.commands import COMMANDS, LONGEST_S, MOST_COMMAND, read_args
from doorbell.roster import MEMBER_ID, Member, Roster

KNOWN: Final = 32
"""Commands of a member whose replies are kept for a redelivery."""
KEPT_BYTES: Final = 1024 * 1024
"""Bytes of all replies that are kept; a page of the journal that made room is asked for again under a new id."""
HELLO_S: Final = 1.0
REFUSALS: Final = 8
"""Refusals and repeated replies a member may have at once; one more each second."""
_LABEL: Final = b"doorbell/v1/command\x00"


class Somebody(Protocol):
    """A reply can be sealed to them: a member, or one who was."""

    @property
    def id(self) -> str: ...
    @property
    def recipient(self) -> Recipient: ...
    @property
    def verify_key(self) -> bytes: ...


class InForce(Protocol):
    """The household, as far as acceptance asks it."""

    @property
    def roster(self) -> Roster | None: ...
    def member(self, member: str) -> Member | None: ...
    def was_member(self, member: str) -> Somebody | None: ...


@frozen
class Order:
    """Carry this out, once, and answer it."""

    member: Member
    id: bytes
    name: str
    args: dict[str, Any]
    phone: str = ""
    """On whose topic it came, if that is not its sender's own: the answer goes back there."""


@frozen
class Again:
    """Heard before: say the same reply again."""

    member: str
    sealed: bytes


@frozen
class No:
    """Refuse, signed: *reason* is a word of ``commands.REASONS``."""

    to: Somebody
    id: bytes
    reason: str


@frozen
class _Command:
    """A command as its sender signed it."""

    v: int
    door: str
    sender: str
    roster: int
    epoch: bytes
    expires: float
    counter: int
    id: bytes
    cmd: str
    args: object


@define
class _Heard:
    digest: bytes
    reply: bytes = b""


@define
class _Past:
    """What is remembered of one member within this epoch."""

    highest: int = 0
    heard: OrderedDict[bytes, _Heard] = field(factory=OrderedDict)
    hello_at: float = float("-inf")
    refusals: float = REFUSALS
    refused_at: float = 0.0
    last: float = 0.0


_SHAPE: Final[dict[str, closed.Kind]] = {
    "v": closed.count,
    "door": closed.text,
    "from": closed.matching(MEMBER_ID),
    "roster": closed.count,
    "epoch": closed.base64_of(16),
    "expires": closed.seconds,
    "counter": closed.count,
    "id": closed.base64_of(16),
    "cmd": closed.text,
    "args": lambda value: value,
}


@define
class Acceptance:
    """``open_box`` opens a sealed box or gives None; ``epoch`` has 16 bytes. Every ``at`` is the door's uptime."""

    door: str
    epoch: bytes
    household: InForce
    open_box: Callable[[bytes], bytes | None]
    _pasts: dict[str, _Past] = field(factory=dict)

    def hear(self, payload: bytes, at: float) -> Order | Again | No | None:
        """What to do about *payload*, heard at *at*; None: nothing, not even an answer."""
        if len(payload) > MOST_COMMAND or (plain := self.open_box(payload)) is None:
            return None
        sig, text = plain[:crypto_sign_BYTES], plain[crypto_sign_BYTES:]
        try:
            command = _read(text)
        except ValueError:
            return None
        sender = self.household.member(command.sender) or self.household.was_member(command.sender)
        if sender is None or not _signed(sig, text, sender.verify_key):
            return None
        past = self._past(sender.id, at)
        verdict = self._judge(command, hashlib.sha256(plain).digest(), past, at)
        if isinstance(verdict, Order | None):
            return verdict
        if not _may_answer(past, at):
            return None
        return No(sender, command.id, verdict) if isinstance(verdict, str) else verdict

    def answered(self, member: str, command: bytes, sealed: bytes) -> None:
        """The reply to *command* (its id), for the case that it is heard again."""
        past = self._pasts.get(member)
        if past is None or command not in past.heard:
            return
        past.heard[command].reply = sealed
        kept = [one for each in self._pasts.values() for one in each.heard.values() if one.reply]
        room = KEPT_BYTES - sum(len(one.reply) for one in kept)
        for one in sorted(kept, key=lambda one: -len(one.reply)):
            if room >= 0:
                break
            room += len(one.reply)
            one.reply = b""

    # ---- one command whose signature is right

    def _judge(self, command: _Command, digest: bytes, past: _Past, at: float) -> Order | Again | str | None:
        member = self.household.member(command.sender)
        if command.door != self.door:
            return "door"
        if member is None:
            return "member"
        if command.cmd == "hello":
            return self._hello(command, member, past, at)
        if (known := past.heard.get(command.id)) is not None:
            return _known(known, digest, member)
        if reason := self._stale(command, past, at):
            return reason
        past.highest = command.counter
        past.heard[command.id] = _Heard(digest)
        while len(past.heard) > KNOWN:
            past.heard.popitem(last=False)
        return self._allowed(command, member)

    def _hello(self, command: _Command, member: Member, past: _Past, at: float) -> Order | str | None:
        if at - past.hello_at < HELLO_S:
            return None
        past.hello_at = at
        return Order(member, command.id, "hello", {}) if command.args == {} else "args"

    def _stale(self, command: _Command, past: _Past, at: float) -> str:
        if command.epoch != self.epoch:
            return "epoch"
        if not at < command.expires:
            return "expired"
        if not command.expires <= at + LONGEST_S:
            return "too_far"
        return "counter" if command.counter <= past.highest else ""

    def _allowed(self, command: _Command, member: Member) -> Order | str:
        roster = self.household.roster
        if roster is None or command.roster > roster.revision:
            return "roster"
        if (wanted := COMMANDS.get(command.cmd)) is None:
            return "unknown"
        if wanted.role == "admin" and member.role != "admin":
            return "role"
        try:
            return Order(member, command.id, command.cmd, read_args(wanted, command.args))
        except ValueError:
            return "args"

    def _past(self, member: str, at: float) -> _Past:
        # Whoever left the household may be forgotten once all that they said has expired.
        for other in [other for other, past in self._pasts.items() if at - past.last > 2 * LONGEST_S]:
            if not self.household.member(other) and not self.household.was_member(other):
                del self._pasts[other]
        past = self._pasts.setdefault(member, _Past(refused_at=at))
        past.last = at
        return past


def _known(known: _Heard, digest: bytes, member: Member) -> Again | str | None:
    if known.digest != digest:
        return "id"
    return Again(member.id, known.reply) if known.reply else None


def _read(text: bytes) -> _Command:
    found = closed.fields(closed.load(text, MOST_COMMAND), _SHAPE)
    if found["v"] != 1:
        raise ValueError("another version")
    found["sender"] = found.pop("from")
    return _Command(**found)


def _signed(sig: bytes, text: bytes, verify_key: bytes) -> bool:
    try:
        crypto_sign_open(sig + _LABEL + text, verify_key)
    except (CryptoError, ValueError):
        return False
    return True


def _may_answer(past: _Past, at: float) -> bool:
    past.refusals = min(REFUSALS, past.refusals + at - past.refused_at)
    past.refused_at = at
    if past.refusals < 1:
        return False
    past.refusals -= 1
    return True
