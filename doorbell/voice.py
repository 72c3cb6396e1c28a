"""What the door says to the world, through the one connection it has: what is told, sealed or clear, live or retained.

When it may go out is ``link.delivery``'s decision, how it gets out is ``link.mqtt``'s; here is what is said.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from attrs import define, field

from doorbell import __version__, events
from doorbell.clock import WallClock
from doorbell.closed import dump
from doorbell.config import Config
from doorbell.doorkeys import DoorKeys
from doorbell.health import machine, model
from doorbell.journal.thread import JournalThread
from doorbell.link import delivery as lanes
from doorbell.link import homeassistant, messages
from doorbell.link.mqtt import Link
from doorbell.link.outbox import Ask
from doorbell.problems import Problems

log = logging.getLogger("doorman")

LET_THROUGH_S = 0.005
"""How long the alert waits for the ring to be written."""
DENIED = "The broker refuses what the door says: give its login the door's topics."
FULL = "The broker is full: make room there. The journal keeps what it does not take."
NARROW = (
    "The broker takes messages of at most {} bytes, the door's have up to {}: what is larger does not reach anybody. "
    "Raise its limit (mosquitto: max_packet_size)."
)
NO_JOURNAL = bytes(16)
"""The journal id of a door whose journal cannot be opened: what it says is still signed, and rings."""


@define
class Voice:
    """One door's voice. ``keys`` None: nothing can be signed or sealed, the clear topics still work."""

    config: Config
    link: Link
    delivery: lanes.Delivery
    clock: WallClock
    problems: Problems
    epoch: bytes
    keys: DoorKeys | None
    journal: JournalThread | None
    seal: Callable[[bytes], bytes]
    recording: Callable[[], bool]
    """Whether a person has the recording switched on."""
    started: float = field(factory=time.monotonic)
    pair_mac: bytes | None = None
    """Shown in hello while pairing is open."""
    journal_id: bytes = b""
    """Empty until the journal is open; until then there is no hello."""
    _largest: int = sys.maxsize
    """Bytes of one message that the broker takes."""

    def start(self, at: float) -> None:
        self._carry_out(self.delivery.start(at))

    def tick(self, at: float) -> None:
        self._carry_out(self.delivery.tick(at))

    @property
    def is_online(self) -> bool:
        return self.delivery.is_online

    @property
    def deadline(self) -> float | None:
        return self.delivery.deadline

    # ---- live: within ten seconds or never

    def expect(self, at: float) -> None:
        """The button's contact closed: while it settles, the link proves that it is alive."""
        self._carry_out(self.delivery.expect(at))

    def ring(self, visit: str, pressed: float, at: float) -> None:
        """The clear ring first: while the link proves that it is alive, the alert is signed and sealed."""
        door, wall = self.config.door.id, self.clock.wall(pressed)
        if self.config.privacy.clear_events:
            ring = messages.ring(door, visit=visit, wall=wall)
            self._carry_out(self.delivery.live(at, [ring], born=pressed, urgent=True))
            # Sealing keeps the interpreter busy for a millisecond: first the ring is on its way.
            self.link.let_through(LET_THROUGH_S)
        if self.keys is not None and self.config.keys.recipients:
            alert = messages.alert(
                door, self.keys.sign, self.seal, visit=visit, epoch=self.epoch, uptime=pressed, wall=wall,
                synced=self.clock.synced(),
            )  # fmt: skip
            self._carry_out(self.delivery.live(at, [alert], born=pressed, urgent=True))

    def letter(self, kind: Literal["ring", "test", "check"], visit: str, happened: float) -> str:
        """The alert as a phone's own push letter holds it: ``{"json", "sig"}``; empty where nothing can be signed."""
        if self.keys is None:
            return ""
        text = messages.alert_text(
            self.config.door.id, visit=visit, epoch=self.epoch, uptime=happened, wall=self.clock.wall(happened),
            synced=self.clock.synced(), kind=kind,
        )  # fmt: skip
        return dump(self.keys.signed_document("alert", text.decode())).decode()

    def test_ring(self, visit: str, at: float, *, everywhere: bool) -> None:
        """As ``ring``, but the app knows it for a test; in clear only where a person asked for it."""
        door, wall = self.config.door.id, self.clock.wall(at)
        if self.config.privacy.clear_events and everywhere:
            self._carry_out(self.delivery.live(at, [messages.ring(door, visit=visit, wall=wall)], born=at))
        if self.keys is not None and self.config.keys.recipients:
            alert = messages.alert(
                door, self.keys.sign, self.seal, visit=visit, epoch=self.epoch, uptime=at, wall=wall,
                synced=self.clock.synced(), kind="test",
            )  # fmt: skip
            self._carry_out(self.delivery.live(at, [alert], born=at))

    def say(self, message: messages.Message, at: float) -> bool:
        """To one phone, now or never: whether the link took it."""
        actions = self.delivery.say(at, message)
        self._carry_out(actions)
        return bool(actions)

    def motion(self, active: bool, at: float) -> None:
        if self.config.privacy.clear_events:
            said = messages.motion(self.config.door.id, active=active)
            self._carry_out(self.delivery.live(at, [said], born=at))

    # ---- retained: what is true until something else is said

    def states(self, at: float) -> None:
        """Everything that is retained, afresh: at every connection, and when Home Assistant was born."""
        door, home = self.config.door, self.config.homeassistant
        self._hello(at)
        if not self.config.privacy.clear_events:
            for nothing in messages.silence(door.id):
                self._state(nothing, at)
            return
        self._state(messages.recording(door.id, on=self.recording()), at)
        self.health(at)
        if not home.discovery:
            self._state(homeassistant.removal(door.id), at)
        else:
            device = homeassistant.Device(
                door.id, door.name, model(), version=__version__, may_switch_recording=home.may_switch_recording
            )
            self._state(homeassistant.discovery(device), at)

    def again(self, moves: bool, at: float) -> None:
        """What may not have been heard the first time. With the card dead there is no journal: hello says so."""
        self.motion(moves, at)
        if not self.journal_id:
            self.journal_id = NO_JOURNAL
            self._hello(at)

    def _hello(self, at: float) -> None:
        if self.keys is not None and self.journal_id:
            said = messages.hello(
                self.config.door.id, self.keys.sign, software=__version__, verify_key=self.keys.verify_key,
                box_key=self.keys.box_key, epoch=self.epoch, journal=self.journal_id, pair_mac=self.pair_mac,
            )  # fmt: skip
            self._state(said, at)

    def pairing(self, mac: bytes | None, at: float) -> None:
        """Pairing opened, with the MAC that a phone knows the door by, or closed."""
        if mac != self.pair_mac:
            self.pair_mac = mac
            self._hello(at)

    def health(self, at: float) -> None:
        if self.config.privacy.clear_events:
            self._state(messages.health(self.config.door.id, self.wellbeing()), at)

    def wellbeing(self) -> messages.Health:
        """What the door says of itself: in clear on its topic, and sealed to a member who says hello."""
        now = machine(self.config.door.state)
        # To the second: the same start must not read differently each time it is told.
        started = messages.rfc3339(round(self.clock.wall(self.started)))
        return messages.Health(
            started, __version__, self.problems.parts, now.disk, now.temperature, now.throttled, now.rssi
        )

    def _state(self, message: messages.Message, at: float) -> None:
        self._carry_out(self.delivery.state(at, message))

    # ---- what must arrive

    def journal_opened(self, journal_id: bytes, at: float) -> None:
        """It can be told which journal this is; another one than before begins at its first entry."""
        if journal_id != self.journal_id:
            self.journal_id = journal_id
            self._carry_out(self.delivery.another_journal(at))
        self.states(at)

    def poster(self, visit: str, sealed: bytes, at: float) -> None:
        poster = messages.poster(self.config.door.id, visit=visit, sealed=sealed)
        self._carry_out(self.delivery.poster(at, poster))

    def kept(self, at: float) -> None:
        """The journal has a new entry."""
        self._carry_out(self.delivery.kept(at))

    def due(self, question: int, entries: Sequence[tuple[int, bytes]], at: float) -> None:
        """The journal's answer: entries to deliver."""
        door = self.config.door.id
        said = [(index, messages.entry(door, index=index, encoded=text)) for index, text in entries]
        self._carry_out(self.delivery.due(at, question, said))

    # ---- what the connection does

    def hear(self, event: object, at: float) -> None:
        match event:
            case events.Online():
                log.info("the broker answers (MQTT %s)", "5" if event.protocol == 5 else "3.1.1")
                self._largest = event.largest
                self._tell_broker()
                self.states(at)
                self._carry_out(self.delivery.connected(at, event.generation, event.at))
            case events.Offline():
                if not self.delivery.has_ended(event.generation):
                    self.problems.tell("broker", event.why)
                self._carry_out(self.delivery.disconnected(at, event.generation))
            case events.Acked():
                was_denied = bool(self.delivery.denied)
                actions = self.delivery.acked(at, event.generation, event.mid, event.at)
                if was_denied:
                    self._tell_broker()
                self._carry_out(actions)
            case events.Refused():
                actions = self.delivery.refused(at, event.generation, event.mid, event.at, full=event.full)
                self._tell_broker()
                self._carry_out(actions)

    def _tell_broker(self) -> None:
        refused = self.delivery.denied.values()
        narrow = NARROW.format(self._largest, messages.LARGEST) if self._largest < messages.LARGEST else ""
        self.problems.tell("broker", narrow if not refused else FULL if all(refused) else DENIED)

    def birth_delay(self) -> float:
        """How long to wait after Home Assistant's birth: not all doors of a house at once."""
        return homeassistant.birth_delay(self.config.door.id.encode())

    def close(self) -> None:
        self.link.close()

    def _carry_out(self, actions: Iterable[lanes.Action]) -> None:
        todo = deque(actions)
        while todo:
            match todo.popleft():
                case lanes.Open(generation=generation):
                    self.link.open(generation)
                case lanes.Publish(key=key, message=message):
                    mid = self.link.publish(message)
                    todo.extendleft(reversed(self.delivery.published(key, mid, time.monotonic())))
                case lanes.Drop(why=why):
                    self.problems.tell("broker", why)
                    self.link.drop()
                case Ask(after=after, question=question) if self.journal is not None:
                    self.journal.ask_due(after, question)
                case Ask(question=question):
                    todo.extend(self.delivery.due(time.monotonic(), question, []))
                case lanes.Delivered(index=index) if self.journal is not None:
                    self.journal.acked(index)
