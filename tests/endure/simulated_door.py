"""The real doorman, pins, inbox and journal line in a time that the test counts: an hour takes seconds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attrs import define, field
from gpiozero.pins import mock

from doorbell.bell import Bell
from doorbell.clips.seal import seal
from doorbell.clock import WallClock
from doorbell.config import Config, Pins
from doorbell.configfile import structure
from doorbell.doorkeys import DoorKeys
from doorbell.doorman import Doorman
from doorbell.health import Systemd
from doorbell.inbox import Inbox
from doorbell.journal.requests import Request, Write
from doorbell.journal.thread import JournalThread
from doorbell.leaving import Leaving
from doorbell.ledger import Ledger
from doorbell.owner.identity import Identity
from doorbell.problems import Problems
from doorbell.recording import Recording
from doorbell.senses import pins as pins_room
from doorbell.switch import Switch
from doorbell.upkeep import Upkeep

BUTTON, PIR, CHIME, LED = 17, 27, 22, 23


@define
class Clock:
    """Stands where a room looks for the module ``time``, and gpiozero for its stamps."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@define
class SimulatedDoor:
    """``run_until`` is the doorman's loop: it takes what waits, and wakes at its deadlines."""

    folder: Path
    monkeypatch: Any
    clock: Clock = field(factory=Clock)
    requests: list[Request] = field(factory=list)
    doorman: Doorman = field(init=False)
    chip: mock.MockFactory = field(init=False)
    journal: JournalThread = field(init=False)
    edges: int = 0

    def __attrs_post_init__(self) -> None:
        self.monkeypatch.setattr(pins_room, "time", self.clock)
        self.monkeypatch.setattr(mock, "monotonic", self.clock.monotonic)
        config: Config = structure({"door": {"state": str(self.folder), "runtime": str(self.folder)}})
        inbox, problems = Inbox(), Problems()
        self.chip = mock.MockFactory()
        fitted = Pins(kind="simulated", button=BUTTON, pir=PIR, chime=CHIME, led=LED)
        pins = pins_room.Pins(fitted, inbox.put, self.chip)
        keys, owner = DoorKeys(os.urandom(32), os.urandom(32)), Identity.make()
        wall = WallClock()
        self.journal = JournalThread(  # never started: what the door asks of it is looked at here
            self.folder, verify_key=keys.verify_key, sign_entry=keys.sign_entry, put=inbox.put,
            seal=lambda plain: seal([owner.recipient], plain), started=wall.stamp(0.0), clock=self.clock.monotonic,
        )  # fmt: skip
        ledger = Ledger(self.journal, wall, 14, 1000)
        recording = Recording(config, ledger, problems, inbox.put)
        systemd = Systemd()
        upkeep = Upkeep(config, systemd, inbox, ledger, problems, recording, bell_only=False)
        self.doorman = Doorman(
            config, inbox, Bell(pins, problems), systemd, ledger, problems, recording, upkeep,
            Switch(self.folder), Leaving(recording, ledger),
        )  # fmt: skip
        self.doorman._start(self.clock.now)

    @property
    def rings(self) -> list[float]:
        """When each press was decided."""
        self._take()
        return [one.stamp.uptime for one in self.requests if isinstance(one, Write) and one.kind == "ring"]

    def _take(self) -> None:
        while batch := self.journal._line.take(500):
            self.requests += batch
            self.journal._line.done()

    def button(self, down: bool) -> None:
        self.edges += 1
        pin = self.chip.pin(BUTTON)
        pin.drive_low() if down else pin.drive_high()

    def pir(self, active: bool) -> None:
        self.edges += 1
        pin = self.chip.pin(PIR)
        pin.drive_high() if active else pin.drive_low()

    def run_until(self, at: float) -> None:
        """Let the loop work until *at*; it was asleep or busy up to now."""
        while True:
            self.handle_waiting()
            due = self.doorman._deadline()
            if due > at:
                break
            self.clock.now = max(self.clock.now, due)
            self.doorman.handle(None, self.clock.now)
        self.clock.now = at

    def handle_waiting(self) -> None:
        while not self.doorman.inbox.is_empty:
            self.doorman.handle(self.doorman.inbox.get(0.0), self.clock.now)
        if len(self.journal._line) > 500:
            self._take()

    def forget_edges(self) -> None:
        """gpiozero's simulated pins remember every edge."""
        for number in (BUTTON, PIR):
            self.chip.pin(number).clear_states()

    def close(self) -> None:
        self.doorman.bell.close()
