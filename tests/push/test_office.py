"""The postman's office: a postman where one is wanted, back-off where none stays, and no letter older than a minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field

from doorbell import events
from doorbell.errors import DeviceError
from doorbell.push.letters import Done, Ready, Setup, Shout
from doorbell.push.office import MOST_WAITING, Office

SETUP = Setup(bytes(32), "", "https://ntfy.sh", "t", "", "")
READY = Ready(b"\x04" + bytes(64))


@define
class Carrier:
    """At the seam of push.held.Held: notes what it is given."""

    generation: int
    letters: list[object] = field(factory=list)
    killed: bool = False
    is_full: bool = False

    def send(self, letter: object) -> bool:
        if self.is_full:
            return False
        self.letters.append(letter)
        return True

    def kill(self) -> None:
        self.killed = True


class Street:
    def __init__(self) -> None:
        self.carriers: list[Carrier] = []
        self.said: list[object] = []
        self.trouble = ""
        self.broken = False
        self.office = Office(lambda _: None, lambda said, _: self.said.append(said), self._tell, self._start)

    def _tell(self, why: str) -> None:
        self.trouble = why

    def _start(self, _: Setup, generation: int, __: Callable[[object], None]) -> Any:
        if self.broken:
            raise DeviceError("No room.")
        self.carriers.append(Carrier(generation))
        return self.carriers[-1]

    def ready(self, at: float) -> None:
        self.office.hear(events.PostmanSaid(self.carriers[-1].generation, READY), at)

    def dies(self, at: float, status: int = 1) -> None:
        self.office.hear(events.PostmanGone(at, self.carriers[-1].generation, status), at)


@pytest.fixture
def street() -> Street:
    return Street()


def test_letters_wait_until_the_postman_is_ready_and_no_longer_than_a_minute(street: Street) -> None:
    street.office.send(Shout("0", 0.0))
    street.office.want(SETUP, 0.0)
    street.office.send(Shout("1", 0.0))
    street.office.send(Shout("2", 30.0))
    assert street.carriers[0].letters == []
    street.office.tick(60.0 - 0.001)
    street.ready(59.9)
    assert [one.token for one in street.carriers[0].letters] == ["1", "2"]
    street.dies(59.95)
    street.office.send(Shout("3", 60.0))
    assert street.office.deadline == pytest.approx(60.95)
    street.office.tick(120.0)
    street.ready(120.0)
    assert street.carriers[-1].letters == []


def test_at_most_32_letters_wait_and_the_newest_stay(street: Street) -> None:
    street.office.want(SETUP, 0.0)
    for number in range(100):
        street.office.send(Shout(str(number), 0.0))
    street.ready(1.0)
    assert [one.token for one in street.carriers[0].letters] == [str(n) for n in range(100 - MOST_WAITING, 100)]


def test_a_postman_that_dies_is_replaced_ever_more_slowly(street: Street) -> None:
    at, waits = 0.0, []
    street.office.want(SETUP, at)
    for _ in range(9):
        street.dies(at)
        assert "not at work" in street.trouble
        waits.append(street.office.deadline - at)
        at = street.office.deadline
        street.office.tick(at)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    street.ready(at)
    assert street.trouble == ""
    street.dies(at + 61)
    assert street.office.deadline == at + 62


def test_one_that_does_not_begin_its_work_is_given_up(street: Street) -> None:
    street.office.want(SETUP, 0.0)
    street.office.tick(60.0)
    assert street.carriers[0].killed and "begin" in street.trouble
    street.dies(60.5)  # the end of one that was given up changes nothing
    street.office.tick(61.0)
    assert len(street.carriers) == 2


def test_what_an_old_postman_still_says_is_not_heard(street: Street) -> None:
    street.office.want(SETUP, 0.0)
    street.ready(0.0)
    street.office.want(Setup(bytes(32), "", "", "t", "", ""), 1.0)
    assert street.carriers[0].killed and len(street.carriers) == 2
    street.office.hear(events.PostmanSaid(1, Done("1", 201, "")), 2.0)
    street.office.hear(events.PostmanGone(2.0, 1, -9), 2.0)
    assert street.said == [READY] and not street.carriers[1].killed


def test_nobody_is_at_work_where_nobody_is_wanted(street: Street) -> None:
    street.office.want(SETUP, 0.0)
    street.office.want(None, 1.0)
    street.office.tick(1000.0)
    assert street.carriers[0].killed and len(street.carriers) == 1
    assert (street.office.deadline, street.trouble) == (float("inf"), "")


def test_a_machine_without_room_is_asked_again(street: Street) -> None:
    street.broken = True
    street.office.want(SETUP, 0.0)
    assert "No room" in street.trouble
    street.broken = False
    street.office.tick(street.office.deadline)
    assert len(street.carriers) == 1


def test_one_that_answers_for_no_letter_hangs_and_is_replaced(street: Street) -> None:
    street.office.want(SETUP, 0.0)
    street.ready(0.0)
    street.office.send(Shout("1", 1.0))
    street.office.send(Shout("2", 2.0))
    street.office.hear(events.PostmanSaid(1, Done("1", 200, "")), 3.0)
    street.office.tick(121.9)
    assert not street.carriers[0].killed and street.office.deadline == 122.0
    street.office.tick(122.0)
    assert street.carriers[0].killed and "hung" in street.trouble
    street.office.tick(street.office.deadline)
    street.ready(124.0)
    assert street.trouble == "" and street.carriers[1].letters == []


def test_a_letter_that_found_no_room_goes_out_behind_the_next_answer(street: Street) -> None:
    street.office.want(SETUP, 0.0)
    street.ready(0.0)
    street.carriers[0].is_full = True
    street.office.send(Shout("1", 1.0))
    street.carriers[0].is_full = False
    street.office.hear(events.PostmanSaid(1, Done("0", 200, "")), 2.0)
    assert [one.token for one in street.carriers[0].letters] == ["1"]
