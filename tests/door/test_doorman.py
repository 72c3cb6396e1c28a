"""The doorman's loop, handed its events and its time by hand: what went wrong once, or nearly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from gpiozero.pins.mock import MockFactory

from doorbell import config as configuration
from doorbell import pipe
from doorbell.bell import Bell
from doorbell.clock import WallClock
from doorbell.doorman import Doorman
from doorbell.effects import Record
from doorbell.errors import DeviceError
from doorbell.events import (
    ButtonEdge,
    ClipKept,
    ClipLost,
    Pir,
    RecorderAlive,
    RecorderGone,
    RecorderReady,
    Said,
    Saw,
)
from doorbell.health import Systemd
from doorbell.inbox import Inbox
from doorbell.leaving import Leaving
from doorbell.ledger import Ledger
from doorbell.link import messages
from doorbell.link.delivery import Delivery
from doorbell.link.mqtt import Link
from doorbell.link.settings import MqttSettings
from doorbell.problems import Problems
from doorbell.recording import LEAVE_S, MOST_UNDEAD, Recording
from doorbell.senses.pins import NoPins, Pins
from doorbell.switch import Switch
from doorbell.upkeep import Upkeep
from doorbell.voice import Voice
from tests.rigs.listening import Listening

NOWHERE = (0.0, 0.0, 0.0, 0.0)


class Hall:
    """A doorman with mock pins and children that only listen."""

    def __init__(self, folder: Path, broker: str = "") -> None:
        self.children: list[Listening] = []
        self.factory, self.inbox, self.problems = MockFactory(), Inbox(), Problems()
        config = configuration.Config(
            door=configuration.Door(state=folder, runtime=folder),
            pins=configuration.Pins(kind="simulated", button=17, chime=22, led=23),
            mqtt=configuration.Mqtt(host=broker),
        )
        ledger = Ledger(None, WallClock(), 14, 0)
        self.recording = Recording(config, ledger, self.problems, self.inbox.put, start=self.start)
        self.pins = Pins(config.pins, self.inbox.put, self.factory)
        systemd = Systemd()
        upkeep = Upkeep(config, systemd, self.inbox, ledger, self.problems, self.recording, bell_only=False)
        self.doorman = Doorman(
            config, self.inbox, Bell(self.pins, self.problems), systemd, ledger, self.problems, self.recording, upkeep,
            Switch(folder), Leaving(self.recording, ledger),
        )  # fmt: skip
        self.doorman._start(0.0)
        self.recording.want(True, 0.0)

    def start(self, *how: object) -> Listening:
        self.children.append(Listening(*how))
        return self.children[-1]

    def say(self, message: object, at: float, generation: int = 1) -> None:
        self.doorman.handle(Said(generation, message), at)
        self.drain(at)

    def drain(self, at: float) -> None:
        """What the doorman's own rooms put meanwhile."""
        while (event := self.inbox.get(0)) is not None:
            self.doorman.handle(event, at)

    def press(self, at: float) -> None:
        self.doorman.handle(ButtonEdge(at, True), at)
        self.doorman.handle(ButtonEdge(at + 0.05, False), at + 0.05)
        self.doorman.handle(None, at + 0.1)

    def begun(self, child: int = 0) -> list[object]:
        return [message for message in self.children[child].heard if isinstance(message, pipe.Begin)]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    one = Hall(tmp_path)
    yield one
    one.pins.close()


@pytest.mark.parametrize("connects", [False, True], ids=["its login cannot be read", "it does not answer"])
def test_a_broker_that_is_away_for_ten_minutes_shows_by_the_led_until_it_is_back(
    tmp_path: Path, connects: bool
) -> None:
    hall = Hall(tmp_path, broker="broker.example")
    door, config = hall.doorman, hall.doorman.config
    link = Link(MqttSettings("broker.example", 8883), "front", hall.inbox.put)
    delivery = Delivery(messages.availability("front", online=True), lambda: 0.5)
    voice = Voice(config, link, delivery, WallClock(), hall.problems, bytes(16), None, None, bytes, lambda: True)
    delivery.start(0.0)  # what it asks of the link nobody carries out: the broker never answers
    door.upkeep.voice = voice if connects else None
    door.handle(None, 1.0)
    door.handle(None, 600.9)
    assert hall.pins._led_shows == "dark"
    door.handle(None, 601.0)
    assert hall.pins._led_shows == "trouble"
    hall.recording.clip = "clip"
    door.handle(None, 602.0)
    assert hall.pins._led_shows == "steady", "whoever stands there sees that it records"
    hall.recording.clip, door.upkeep.voice = "", voice
    delivery.connected(610.0, delivery.generation, 610.0)
    door.handle(None, 611.0)
    assert hall.pins._led_shows == "dark"
    delivery.disconnected(612.0, delivery.generation)
    door.handle(None, 1211.0)
    assert hall.pins._led_shows == "dark", "ten minutes anew"
    hall.pins.close()


def test_a_door_without_a_broker_misses_none(hall: Hall) -> None:
    for at in (1.0, 10_000.0):
        hall.doorman.handle(None, at)
    assert hall.pins._led_shows == "dark"


def test_a_spike_whose_end_waits_in_the_inbox_rings_nothing(hall: Hall) -> None:
    hall.doorman.handle(ButtonEdge(10.0, True), 10.0)
    hall.inbox.put(ButtonEdge(10.005, False))
    hall.doorman.handle(None, 10.020)
    hall.drain(10.021)
    hall.doorman.handle(None, 10.1)
    assert not hall.factory.pin(22).state


def test_an_edge_the_kernel_lost_costs_ten_seconds_and_not_the_next_press(hall: Hall) -> None:
    hall.doorman.handle(ButtonEdge(10.0, True), 10.0)
    hall.doorman.handle(None, 10.1)
    hall.doorman.handle(None, 11.0)
    assert hall.doorman._rings == 1
    hall.doorman.handle(None, 21.5)  # the contact is open, though nobody said so
    hall.doorman.handle(None, 21.6)
    hall.press(80.0)
    assert hall.doorman._rings == 2


def test_a_frame_that_waits_in_the_inbox_saves_its_recorder(hall: Hall) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.inbox.put(Said(1, RecorderAlive(8.9, 1, 0)))
    hall.doorman.handle(None, 9.0)
    hall.drain(9.0)
    hall.doorman.handle(None, 9.1)
    assert hall.children[0].ended == ""


@pytest.mark.parametrize(("newest", "ended"), [(8.0, "killed"), (8.8, ""), (99.0, "")])
def test_a_stall_is_as_old_as_the_newest_frame_whenever_that_was_told(hall: Hall, newest: float, ended: str) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.say(RecorderAlive(newest, 1, 0), 8.9)
    hall.doorman.handle(None, 12.6)
    assert hall.children[0].ended == ended
    hall.doorman.handle(None, 13.5)
    assert hall.children[0].ended == "killed", "a frame of the future is none"


def test_what_a_recorder_that_was_let_go_still_sees_counts_no_more(hall: Hall) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.recording.want(False, 2.0)
    hall.drain(2.0)
    hall.say(Saw(2.1, True, 2.0, NOWHERE, 0.5), 2.1)
    assert not hall.doorman._visit.moving
    assert not hall.doorman._visit.eyes
    hall.recording.want(True, 3.0)
    hall.say(RecorderReady(3.1), 3.1, generation=1)
    hall.press(4.0)
    hall.say(RecorderReady(5.0), 5.0, generation=2)
    assert len(hall.begun(1)) == 1


def test_the_clip_of_a_recorder_that_was_let_go_is_still_kept(hall: Hall) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.press(2.0)
    clip = hall.recording.clip
    hall.recording.want(False, 3.0)
    hall.drain(3.0)
    hall.say(ClipKept(3.5, clip, 10, "0" * 64, 1.0), 3.5)
    hall.doorman.handle(RecorderGone(3.6, 1, 0), 3.6)
    assert hall.recording.idle


def test_a_recorder_that_will_not_go_is_killed(hall: Hall) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.recording.want(False, 2.0)
    hall.drain(2.0)
    hall.doorman.handle(None, 2.0 + LEAVE_S - 0.1)
    assert hall.children[0].ended == "closed"
    hall.doorman.handle(None, 2.0 + LEAVE_S)
    assert hall.children[0].ended == "killed"


def test_recorders_that_cannot_be_ended_are_not_piled_up(hall: Hall) -> None:
    at = 0.0
    for _ in range(10):
        at += 200.0
        hall.doorman.handle(None, at)
        hall.drain(at)
    assert len(hall.children) == MOST_UNDEAD
    assert any("restart the Pi" in sentence for sentence in hall.problems.sentences)
    for child in hall.children:
        hall.doorman.handle(RecorderGone(at, child.generation, -9), at)
    hall.doorman.handle(None, at + 61)
    assert len(hall.children) == MOST_UNDEAD + 1


def test_a_recorder_that_cannot_be_started_is_tried_again(hall: Hall) -> None:
    def fails(*_: object) -> Listening:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    hall.recording.want(False, 1.0)
    hall.recording.start = fails
    hall.recording.want(True, 2.0)
    assert "camera" in hall.problems
    hall.press(3.0)
    assert hall.doorman._rings == 1
    hall.recording.start = hall.start
    hall.doorman.handle(None, 10.0)
    assert len(hall.children) == 2


def test_a_clip_that_the_card_would_not_take_darkens_the_led_and_another_follows(hall: Hall) -> None:
    hall.say(RecorderReady(1.0), 1.0)
    hall.press(2.0)
    assert hall.pins._led_shows == "steady"
    hall.say(ClipLost(3.0, hall.recording.clip, "The card is full."), 3.0)
    assert hall.pins._led_shows == "dark"
    hall.press(4.0)
    assert len(hall.begun()) == 2
    hall.say(ClipKept(20.0, hall.recording.clip, 10, "0" * 64, 1.0), 20.0)
    assert "storage" not in hall.problems


def test_a_wild_pir_delays_no_press(hall: Hall) -> None:
    for n in range(100_000):
        hall.inbox.put(Pir(10 + n / 1e5, n % 2 == 0))
    hall.inbox.put(ButtonEdge(11.0, True))
    handled = 0
    while not hall.inbox.is_empty:
        hall.doorman.handle(hall.inbox.get(0), 11.0)
        handled += 1
    hall.doorman.handle(None, 11.1)
    assert hall.doorman._rings == 1
    assert handled < 10


def test_pins_that_could_not_be_had_are_tried_again(hall: Hall) -> None:
    waiting = hall.pins
    hall.doorman.bell.pins, tries = NoPins(), []

    def arm() -> Pins:
        tries.append(1)
        if len(tries) < 3:
            raise DeviceError("not yet")
        return waiting

    hall.doorman.bell.arm = arm
    for at in (10.0, 20.0, 30.0):
        hall.doorman.handle(None, at)
    assert hall.doorman.bell.pins is waiting


def test_the_chime_is_silent_when_the_door_leaves(hall: Hall) -> None:
    hall.doorman.handle(ButtonEdge(10.0, True), 10.0)
    hall.doorman.handle(None, 10.02)
    assert hall.factory.pin(22).state
    hall.doorman._end()
    assert not hall.factory.pin(22).state


class AtNoon(WallClock):
    """A door that takes it for noon on a Monday."""

    def of_the_week(self) -> tuple[int, int] | None:
        return 0, 12 * 60


def test_outside_the_hours_motion_begins_no_clip_and_a_press_does(hall: Hall) -> None:
    hall.doorman.ledger.clock = AtNoon()
    hall.doorman.config = evolve(hall.doorman.config, motion=configuration.Motion(schedule=("mon 13:00-11:00",)))
    hall.say(RecorderReady(1.0), 1.0)
    hall.say(Saw(2.0, True, 1.0, NOWHERE, 0.5), 2.0)
    assert hall.begun() == []
    hall.press(3.0)
    assert len(hall.begun()) == 1


def test_within_the_hours_motion_begins_a_clip(hall: Hall) -> None:
    hall.doorman.ledger.clock = AtNoon()
    hall.doorman.config = evolve(hall.doorman.config, motion=configuration.Motion(schedule=("mon 11:00-13:00",)))
    hall.say(RecorderReady(1.0), 1.0)
    hall.say(Saw(2.0, True, 1.0, NOWHERE, 0.5), 2.0)
    assert len(hall.begun()) == 1


def test_the_second_clip_of_a_visit_brings_no_second_poster(hall: Hall) -> None:
    from doorbell.events import PosterMade

    hall.say(RecorderReady(1.0), 1.0)
    hall.recording.begin(Record(1.0, "visit", "press"), 1.0)
    assert hall.recording.poster(PosterMade(2.0, hall.recording.clip, b"one", kept=True)) == "visit"
    hall.recording.begin(Record(3.0, "visit", "press"), 3.0)
    assert hall.recording.poster(PosterMade(4.0, hall.recording.clip, b"two", kept=True)) == ""
