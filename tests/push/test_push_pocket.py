"""Who is woken how: what one phone changes takes nothing back that happened to the others meanwhile."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorbell import events
from doorbell.config import Push
from doorbell.errands import Errands
from doorbell.problems import Problems
from doorbell.push import book
from doorbell.push.book import Subscription
from doorbell.push.letters import Done
from doorbell.push.pocket import CHECK_S, CONFIRM_S, FIRST_CHECK_S, KEPT, Pocket, Refusal
from tests.push.test_office import READY, Carrier

ANNA, BEN = "a" * 26, "b" * 26
CHROME = "https://fcm.googleapis.com/fcm/send/abc"
APPLE = "https://web.push.apple.com/abc"


class Home:
    def __init__(self, folder: Path, push: Push, *, clear_events: bool = True) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.carriers: list[Carrier] = []
        self.problems = Problems()
        self.rung: list[tuple[str, bool]] = []
        names = iter("cdefghijklmnop")
        self.pocket = Pocket(
            folder, push, Errands(self.inbox.put), self.problems, lambda at: at,
            lambda kind, visit, _: f"{kind} {visit}",
            lambda visit, everywhere, _: self.rung.append((visit, everywhere)), lambda: next(names) * 26,
            put=self.inbox.put, clear_events=clear_events,
        )  # fmt: skip
        self.pocket.office.start = self._start  # type: ignore[assignment]
        self.pocket.start(None, 0.0)

    def _start(self, _: object, generation: int, __: Callable[[object], None]) -> Carrier:
        self.carriers.append(Carrier(generation))
        return self.carriers[-1]

    def ready(self) -> None:
        self.pocket.take(events.PostmanSaid(self.carriers[-1].generation, READY), 1.0)

    def chooses(self, member: str, endpoint: str = CHROME, at: float = 1.0) -> None:
        self.pocket.adopt(self.wants(member, endpoint, at), member, at)

    def wants(self, member: str, endpoint: str = CHROME, at: float = 1.0) -> book.Book:
        one = Subscription(endpoint, b"\x04" + bytes(64), bytes(16))
        return self.pocket.changed(member, {"do": "choose", "way": "web", "subscription": one}, at)

    def said(self, at: float = 2.0) -> list[Any]:
        """The letters that the postman has been given since the last look."""
        found, self.carriers[-1].letters[:] = list(self.carriers[-1].letters), []
        return found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    one = Home(tmp_path, Push(web=True))
    one.ready()
    return one


def test_who_left_while_the_card_wrote_is_not_woken_again(home: Home) -> None:
    home.chooses(BEN)
    new = home.wants(ANNA)  # on its way to the card
    home.pocket.forget([BEN], 2.0)
    home.pocket.adopt(new, ANNA, 3.0)
    home.ready()
    home.pocket.ring("v" * 26, 4.0, 4.0)
    assert len(home.said()) == 1
    assert home.pocket.summary == "1 not confirmed"


def test_a_subscription_that_ended_while_the_card_wrote_stays_ended(home: Home) -> None:
    home.chooses(BEN)
    home.pocket.ring("v" * 26, 2.0, 2.0)
    new = home.wants(ANNA)
    letter = home.said()[0]
    home.pocket.take(events.PostmanSaid(1, Done(letter.token, 410, "refused")), 3.0)
    home.pocket.adopt(new, ANNA, 4.0)
    assert home.pocket.shown(BEN)["ended"] is True
    assert "push" in home.problems


def test_once_a_day_each_subscription_is_asked_after_but_no_iphone(home: Home) -> None:
    home.chooses(ANNA)
    home.chooses(BEN, APPLE)
    home.pocket.take(None, FIRST_CHECK_S)
    assert [(one.endpoint, one.text.split()[0]) for one in home.said()] == [(CHROME, "check")]
    assert home.pocket.deadline <= FIRST_CHECK_S + CHECK_S
    home.pocket.take(None, FIRST_CHECK_S + CHECK_S)
    assert len(home.said()) == 1


def test_a_test_rings_when_it_is_due_and_can_be_confirmed_for_ten_minutes(home: Home) -> None:
    home.chooses(ANNA)
    visit = home.pocket.test(ANNA, 10, 100.0, everywhere=False)
    confirm = {"do": "confirm", "visit": visit}
    with pytest.raises(Refusal, match="gone"):
        home.pocket.changed(ANNA, confirm, 109.0)
    assert home.pocket.deadline == 110.0 and home.rung == []
    home.pocket.take(None, 110.0)
    assert home.rung == [(visit, False)]
    assert home.pocket.changed(ANNA, confirm, 111.0).phones[ANNA].confirmed
    with pytest.raises(Refusal, match="args"):
        home.pocket.changed(BEN, confirm, 111.0)
    home.pocket.take(None, 110.0 + CONFIRM_S)
    with pytest.raises(Refusal, match="gone"):
        home.pocket.changed(ANNA, confirm, 111.0 + CONFIRM_S)


def test_another_subscription_has_to_be_confirmed_afresh(home: Home) -> None:
    home.chooses(ANNA)
    visit = home.pocket.test(ANNA, 0, 1.0, everywhere=False)
    home.pocket.adopt(home.pocket.changed(ANNA, {"do": "confirm", "visit": visit}, 2.0), ANNA, 2.0)
    assert home.pocket.summary == "1 confirmed"
    home.chooses(ANNA)  # the app looked after it: the same one
    assert home.pocket.summary == "1 confirmed"
    home.chooses(ANNA, CHROME + "d")
    assert home.pocket.summary == "1 not confirmed"


def test_a_book_that_cannot_be_read_is_told_and_a_card_that_refuses_too(tmp_path: Path) -> None:
    (tmp_path / "push.json").write_text("{")
    home = Home(tmp_path, Push())
    assert "push" in home.problems
    well = Home(tmp_path / "well", Push())
    well.pocket.take(events.ErrandDone(KEPT, None, "storage"), 1.0)
    assert "push" in well.problems
    well.pocket.take(events.ErrandDone(KEPT, None, ""), 2.0)
    assert "push" not in well.problems


def test_no_subscription_is_written_to_once_push_is_turned_off(home: Home) -> None:
    home.chooses(ANNA)
    home.pocket.follow(Push(), 2.0)
    home.pocket.ring("v" * 26, 3.0, 3.0)
    assert home.carriers[-1].killed and home.said() == []
    home.pocket.follow(Push(web=True), 4.0)
    home.ready()
    home.pocket.ring("w" * 26, 5.0, 5.0)
    assert len(home.said()) == 1


def test_home_assistant_wakes_nobody_where_it_hears_no_rings(tmp_path: Path) -> None:
    wanted = {"do": "choose", "way": "homeassistant"}
    deaf = Home(tmp_path, Push(), clear_events=False)
    assert deaf.pocket.shown(ANNA)["homeassistant"] is False
    with pytest.raises(Refusal, match="off"):
        deaf.pocket.changed(ANNA, wanted, 1.0)
    hears = Home(tmp_path, Push())
    assert hears.pocket.shown(ANNA)["homeassistant"] is True
    assert hears.pocket.changed(ANNA, wanted, 1.0).phones[ANNA].way == "homeassistant"
