"""What may go out to the broker, and when: no clock, no thread, no socket.

Why this is not left to the client library: paho keeps what is published while a link is down or stalled and sends it
whenever the link comes back, a ring hours late; bytes already written into a stalled socket arrive when the stall
ends. So a live message (alert, ring, motion) is put into a socket only when the link has just shown that it is
alive. An acknowledgement at most ``fresh_s`` old shows it; else a probe goes first (the retained ``online``, which
may arrive late or twice without harm) and the live message follows its acknowledgement. A probe or live message that
stays unacknowledged for ``ack_s`` ends the connection, hard, with everything in it. What was handed to one socket
is never handed to a second; what was handed to none goes out on the next, unless it is older than ``live_s``.

What this cannot know: whether the link dies within the ``fresh_s`` and the one round trip after its last sign of life.

Four lanes, each bounded: live (above), states (retained; the newest of each topic, all of them again at every
connection), bulk (journal entries in order, at most ``window`` unacknowledged; posters), and say (now or never).

Everything a method gives back is a list of actions to carry out in order. After ``Publish`` the caller reports what
the library made of it by ``published``; a message it did not take is treated as never handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field, frozen

from doorbell.link.messages import Message
from doorbell.link.outbox import NEVER, REST_S, Ask, Outbox

# ---- what is asked of the world


@frozen
class Open:
    """Open a connection; its events carry this generation."""

    generation: int


@frozen
class Publish:
    """Hand the message to the connection, then call ``published(key, mid, at)``."""

    key: int
    message: Message


@frozen
class Drop:
    """End the connection so that nothing still unsent in it is ever delivered; ``why`` is a sentence for the log."""

    why: str


@frozen
class Delivered:
    """The broker acknowledged this journal entry: it is due no more."""

    index: int


Action = Open | Publish | Drop | Ask | Delivered


@frozen
class Limits:
    """Every bound, in seconds (``_s``), bytes, or messages."""

    live_s: float = 10.0
    ack_s: float = 5.0
    fresh_s: float = 0.25
    late_s: float = 2.0
    """A probe's acknowledgement still counts when it was handled this much later (a busy Pi), else probe again."""
    connect_s: float = 45.0
    least_wait_s: float = 1.0
    most_wait_s: float = 60.0
    steady_s: float = 30.0
    """A connection that held this long has made good for the failures before it."""
    poster_s: float = 600.0
    held: int = 32
    window: int = 8
    posters: int = 4
    states: int = 16
    say_bytes: int = 256 * 1024
    """Unacknowledged at most: a probe must not wait behind more than a slow uplink carries within ``ack_s``."""


@define
class _Live:
    message: Message
    born: float
    urgent: bool


@define
class _Poster:
    message: Message
    born: float
    handed: bool = False


@define
class _Flight:
    """A message in the hands of the connection; ``lane`` is probe, live, state, journal, poster or say."""

    lane: str
    since: float
    message: Message
    index: int = 0
    live: _Live | None = None


@define
class Delivery:
    """``online`` is the birth message, which is also the probe; ``jitter`` gives 0 to 1, to spread reconnections."""

    online: Message
    jitter: Callable[[], float]
    limits: Limits = Limits()
    generation: int = 0
    dropped: int = 0
    """Live messages given up because they grew too old or too many, since the start."""
    denied: dict[str, bool] = field(factory=dict)
    """The kinds of message (third level of their topics) whose last the broker refused, and whether for want of room.
    A new link changes nothing."""

    _wanted: bool = False
    _phase: str = "idle"
    _since: float = 0.0
    """When this phase (idle, opening, online) began."""
    _retry: float = 0.0
    _failures: int = 0
    _confirmed: float = NEVER
    _released: bool = False
    """A probe sent after the held messages were held has come back: they may go."""
    _key: int = 0
    _held: list[_Live] = field(factory=list)
    _states: dict[str, Message] = field(factory=dict)
    _dirty: list[str] = field(factory=list)
    _posters: list[_Poster] = field(factory=list)
    _unsaid: dict[str, float] = field(factory=dict)
    """The retained topics whose last message the broker refused, and when it is said again."""
    _outbox: Outbox = field(factory=Outbox)
    _flights: dict[int, _Flight] = field(factory=dict)
    _mids: dict[int, int] = field(factory=dict)

    # ---- what the door wants to say

    def start(self, at: float) -> list[Action]:
        """Connections are wanted from now on."""
        self._wanted = True
        self._retry = at
        return self._settle(at)

    def stop(self, at: float) -> list[Action]:
        """No new connection any more; the caller closes the one there is."""
        self._wanted = False
        return self._settle(at)

    def live(self, at: float, messages: Sequence[Message], *, born: float, urgent: bool = False) -> list[Action]:
        """Alert, ring, motion: handed over within ``live_s`` of *born* or never.

        *urgent* (a press) also ends a wait to reconnect, and is the last to go when too many are held.
        """
        for message in messages:
            if len(self._held) >= self.limits.held:
                del self._held[next((n for n, one in enumerate(self._held) if not one.urgent), 0)]
                self.dropped += 1
            self._held.append(_Live(message, born, urgent))
        if urgent and self._phase == "idle":
            self._retry = min(self._retry, max(at, self._since + self.limits.least_wait_s))
        return self._settle(at)

    def expect(self, at: float) -> list[Action]:
        """A press may be coming: let the link show now that it is alive, so that the ring need not wait for it."""
        fresh = at - self._confirmed <= self.limits.fresh_s
        if self._phase != "online" or fresh or any(one.lane == "probe" for one in self._flights.values()):
            return []
        return [self._publish(at, "probe", self.online)]

    def state(self, at: float, message: Message) -> list[Action]:
        """A retained state: the newest of its topic goes out now and at every connection."""
        if message.topic not in self._states and len(self._states) >= self.limits.states:
            raise ValueError(f"more than {self.limits.states} retained topics")
        self._states[message.topic] = message
        if message.topic not in self._dirty:
            self._dirty.append(message.topic)
        return self._settle(at)

    def say(self, at: float, message: Message) -> list[Action]:
        """Replies, clip chunks, live view: now or, where the link is down or full, never (an empty list)."""
        unacknowledged = sum(len(one.message.payload) for one in self._flights.values() if one.lane == "say")
        if self._phase != "online" or unacknowledged + len(message.payload) > self.limits.say_bytes:
            return []
        return [self._publish(at, "say", message), *self._settle(at)]

    def poster(self, at: float, message: Message) -> list[Action]:
        """A sealed poster: within ``poster_s``; the oldest gives way when there are too many."""
        self._posters = [*self._posters, _Poster(message, at)][-self.limits.posters :]
        return self._settle(at)

    def kept(self, at: float) -> list[Action]:
        """The journal has a new entry."""
        self._outbox.kept()
        return self._settle(at)

    def due(self, at: float, question: int, entries: Sequence[tuple[int, Message]]) -> list[Action]:
        """The journal's answer to an Ask: entries due, oldest first; none means that it has no more."""
        self._outbox.answered(question, entries)
        return self._settle(at)

    def another_journal(self, at: float) -> list[Action]:
        """The journal begins anew: nothing of the old one is due, and what it acknowledges is not the new one's."""
        self._flights = {key: one for key, one in self._flights.items() if one.lane != "journal"}
        self._outbox.begin()
        return self._settle(at)

    # ---- what the world did

    def published(self, key: int, mid: int | None, at: float) -> list[Action]:
        """The connection took message *key* as *mid*, or with None did not take it."""
        if mid is not None:
            self._mids[mid] = key
            return []
        flight = self._flights.pop(key, None)
        if flight is None:
            return []
        if flight.live is not None:
            self._held.append(flight.live)
        elif flight.lane == "poster":
            self._forget_poster(flight)
        elif flight.lane == "journal":
            self._outbox.rest(at)
        return []

    def connected(self, at: float, generation: int, when: float) -> list[Action]:
        """Online at *when*, handled at *at*."""
        if generation != self.generation or self._phase != "opening":
            return []
        self._phase, self._since = "online", at
        self._confirmed, self._released = when, at - when <= self.limits.late_s
        self._dirty = list(self._states)
        self._outbox.begin()
        return [self._publish(at, "probe", self.online), *self._settle(at)]

    def disconnected(self, at: float, generation: int) -> list[Action]:
        """The connection ended or could not be made."""
        if not self.has_ended(generation):
            self._end(at)
        return self._settle(at)

    def acked(self, at: float, generation: int, mid: int, when: float) -> list[Action]:
        """The broker acknowledged *mid* at *when*, handled at *at*."""
        flight = self._landed(generation, mid)
        if flight is None:
            return []
        actions: list[Action] = []
        self._alive(at, flight, when)
        self.denied.pop(_kind(flight.message), None)
        self._unsaid.pop(flight.message.topic, None)
        if flight.lane == "journal":
            # Where an entry finds room an alert does, and the next one may be days away.
            self.denied = {kind: full for kind, full in self.denied.items() if not full}
            actions.append(Delivered(flight.index))
        elif flight.lane == "poster":
            self._forget_poster(flight)
        return actions + self._settle(at)

    def refused(self, at: float, generation: int, mid: int, when: float, *, full: bool = False) -> list[Action]:
        """The broker answered *mid* with a refusal: the link lives, the message is not delivered.

        What must arrive and what is retained is said again after a rest. What is live is lost: late, it were a lie.
        """
        flight = self._landed(generation, mid)
        if flight is None:
            return []
        self._alive(at, flight, when)
        self.denied[_kind(flight.message)] = full
        if flight.lane in ("probe", "state"):
            self._unsaid[flight.message.topic] = at + REST_S
        if flight.lane == "journal":
            self._outbox.rest(at)
        elif flight.lane == "poster":
            self._forget_poster(flight)
        return self._settle(at)

    def tick(self, at: float) -> list[Action]:
        """The deadline has come. Only when no event waits: an acknowledgement not yet heard must not count as none."""
        overdue = self._overdue(at)
        return [*overdue, *self._settle(at)]

    def has_ended(self, generation: int) -> bool:
        """Whether this connection was given up before: its end is no news."""
        return generation != self.generation or self._phase == "idle"

    @property
    def is_online(self) -> bool:
        return self._phase == "online"

    @property
    def is_drained(self) -> bool:
        """No journal entry waits for a broker that is there: everything due was acknowledged, or nobody listens."""
        on_its_way = any(one.lane == "journal" for one in self._flights.values())
        return self._phase != "online" or (self._outbox.is_empty and not on_its_way)

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do without an event; None for never."""
        due: list[float] = [one.born + self.limits.live_s for one in self._held]
        due += [one.born + self.limits.poster_s for one in self._posters]
        if self._phase == "idle" and self._wanted:
            due.append(self._retry)
        elif self._phase == "opening":
            due.append(self._since + self.limits.connect_s)
        elif self._phase == "online":
            due += [one.since + self.limits.ack_s for one in self._flights.values() if one.lane in ("probe", "live")]
            due += self._unsaid.values()
            if self._outbox.rest_until > NEVER:
                due.append(self._outbox.rest_until)
        return min(due, default=None)

    # ---- one place that decides

    def _settle(self, at: float) -> list[Action]:
        self._forget_old(at)
        actions: list[Action] = []
        if self._phase == "idle" and self._wanted and at >= self._retry:
            self.generation += 1
            self._phase, self._since = "opening", at
            actions.append(Open(self.generation))
        if self._phase == "online":
            actions += self._send_live(at)
            actions += self._say_again(at)
            actions += self._send_states(at)
            actions += self._send_posters(at)
            actions += self._send_journal(at)
        return actions

    def _forget_old(self, at: float) -> None:
        # Written as ``deadline`` is: rounded otherwise, a deadline could come and find nothing to do, for ever.
        young = [one for one in self._held if at < one.born + self.limits.live_s]
        self.dropped += len(self._held) - len(young)
        self._held = young
        self._posters = [one for one in self._posters if at < one.born + self.limits.poster_s]

    def _overdue(self, at: float) -> list[Action]:
        if self._phase == "opening" and at >= self._since + self.limits.connect_s:
            why = f"The connection was not made within {self.limits.connect_s:g} s."
        elif self._phase == "online" and any(
            one.lane in ("probe", "live") and at >= one.since + self.limits.ack_s for one in self._flights.values()
        ):
            why = f"The broker acknowledged nothing for {self.limits.ack_s:g} s: the connection is dropped."
        else:
            return []
        self._end(at)
        return [Drop(why)]

    def _send_live(self, at: float) -> list[Action]:
        released, self._released = self._released, False
        if not self._held:
            return []
        if released or at - self._confirmed <= self.limits.fresh_s:
            going, self._held = self._held, []
            return [self._publish(at, "live", one.message, live=one) for one in going]
        if any(one.lane == "probe" for one in self._flights.values()):
            return []
        return [self._publish(at, "probe", self.online)]

    def _say_again(self, at: float) -> list[Action]:
        due = [topic for topic, when in self._unsaid.items() if at >= when]
        for topic in due:
            del self._unsaid[topic]
        self._dirty += [topic for topic in due if topic in self._states and topic not in self._dirty]
        return [self._publish(at, "probe", self.online)] if self.online.topic in due else []

    def _send_states(self, at: float) -> list[Action]:
        # One of a topic at a time: the newest follows the acknowledgement, so a fluttering state cannot pile up.
        busy = {one.message.topic for one in self._flights.values() if one.lane == "state"}
        going = [topic for topic in self._dirty if topic not in busy]
        self._dirty = [topic for topic in self._dirty if topic in busy]
        return [self._publish(at, "state", self._states[topic]) for topic in going]

    def _send_posters(self, at: float) -> list[Action]:
        going = [one for one in self._posters if not one.handed]
        for one in going:
            one.handed = True
        return [self._publish(at, "poster", one.message) for one in going]

    def _send_journal(self, at: float) -> list[Action]:
        room = self.limits.window - sum(one.lane == "journal" for one in self._flights.values())
        going = self._outbox.take(at, room)
        actions: list[Action] = [self._publish(at, "journal", message, index) for index, message in going]
        if len(going) < room and (ask := self._outbox.question(at)) is not None:
            actions.append(ask)
        return actions

    # ---- small steps

    def _publish(self, at: float, lane: str, message: Message, index: int = 0, live: _Live | None = None) -> Publish:
        self._key += 1
        self._flights[self._key] = _Flight(lane, at, message, index, live)
        return Publish(self._key, message)

    def _landed(self, generation: int, mid: int) -> _Flight | None:
        if generation != self.generation or self._phase != "online":
            return None
        return self._flights.pop(self._mids.pop(mid, 0), None)

    def _alive(self, at: float, flight: _Flight, when: float) -> None:
        if flight.message.qos == 0:
            return  # written to the socket, not acknowledged by anybody
        self._confirmed = when
        if flight.lane == "probe" and self._held and at - when <= self.limits.late_s:
            self._released = True

    def _forget_poster(self, flight: _Flight) -> None:
        self._posters = [one for one in self._posters if one.message is not flight.message]

    def _end(self, at: float) -> None:
        """Whatever this connection held is gone; live messages in it are never handed to another."""
        steady = self._phase == "online" and at - self._since >= self.limits.steady_s
        self._failures = 0 if steady else self._failures + 1
        wait = min(self.limits.least_wait_s * 2.0 ** (self._failures - 1), self.limits.most_wait_s)
        # A link that held for long and broke is tried again at once: somebody may be pressing.
        self._retry = at if steady else at + wait * (0.5 + 0.5 * self.jitter())
        self._phase, self._since = "idle", at
        self._flights.clear()
        self._mids.clear()
        self._unsaid.clear()
        self._released = False
        for one in self._posters:
            one.handed = False


def _kind(message: Message) -> str:
    return message.topic.split("/")[2]
