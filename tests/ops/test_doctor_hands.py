"""The doctor with a person at the door: simulated fingers press, and somebody says what they saw."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from attrs import define, evolve, field

from doorbell.alone import alone
from doorbell.config import Config, Pins
from doorbell.config import Door as DoorSettings
from doorbell.doctor.finding import Door, Finding
from doorbell.doctor.hands import tried


@define
class Person:
    """Does what is said to be done, by the pins' socket, if it is among what they *can* do."""

    runtime: Path
    can: dict[str, list[bytes]]
    says: bool = True
    read: list[str] = field(factory=list)
    asked: list[str] = field(factory=list)

    def say(self, line: str) -> None:
        self.read.append(line)
        for word, moves in self.can.items():
            if line.startswith(word):
                threading.Thread(target=self._move, args=(moves,)).start()

    def _move(self, moves: list[bytes]) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as finger:
            for move in moves:
                finger.sendto(move, str(self.runtime / "pins.sock"))
                threading.Event().wait(0.1)

    def ask(self, what: str) -> bool:
        self.asked.append(what)
        return self.says


@pytest.fixture
def door(tmp_path: Path) -> Door:
    for name in ("state", "run"):
        (tmp_path / name).mkdir()
    config = Config(
        door=DoorSettings(state=tmp_path / "state", runtime=tmp_path / "run"),
        pins=Pins(kind="simulated", pir=27, chime=22, led=23, chime_ms=50),
    )
    return Door(tmp_path / "doorbell.toml", config, "", None)


PRESS, PASS = [b"button down", b"button up"], [b"pir up", b"pir down"]


def found(door: Door, person: Person, within_s: float = 1.0) -> dict[str, Finding]:
    return dict(tried(door, person.say, person.ask, within_s))


def test_a_person_who_does_it_all_finds_it_all_good(door: Door) -> None:
    person = Person(door.config.door.runtime, {"Press": PRESS, "Walk": PASS})
    by_hand = found(door, person, 2.0)
    assert {name: one.state for name, one in by_hand.items()} == dict.fromkeys(
        ["button by hand", "PIR by hand", "LED by hand", "chime by hand"], "good"
    ), by_hand
    assert "  button: closed" in person.read
    assert "  PIR: somebody moves" in person.read
    assert person.asked == ["Does the LED blink?", "Did the chime sound 2 times?"]


def test_silence_is_bad_and_has_a_fix(door: Door) -> None:
    by_hand = found(door, Person(door.config.door.runtime, {}, says=False), 0.2)
    assert len(by_hand) == 4
    assert all(one.state == "bad" and one.fix for one in by_hand.values())


def test_what_is_not_fitted_is_not_asked_for(door: Door) -> None:
    bare = evolve(door, config=evolve(door.config, pins=Pins(kind="simulated")))
    assert list(found(bare, Person(door.config.door.runtime, {}), 0.2)) == ["button by hand"]


def test_pins_that_a_daemon_holds_are_not_touched(door: Door) -> None:
    running = evolve(door, page={"camera": "off"})
    (one,) = found(running, Person(door.config.door.runtime, {})).values()
    assert (one.state, "running daemon" in one.sentence) == ("unknown", True)
    with alone(door.config.door.state, "nobody"):
        (one,) = found(door, Person(door.config.door.runtime, {})).values()
    assert (one.state, "Another doorbell" in one.sentence) == ("bad", True)
