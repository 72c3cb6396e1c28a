"""Who watches, for how long, and that it is always told."""

from __future__ import annotations

from typing import Any

import pytest

from doorbell import pipe
from doorbell.viewing import MOST, RENEWED_S, Viewing


class Around:
    """What a Viewing tells the recorder, the journal and the LED."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.entries: list[dict[str, Any]] = []
        self.blinks: list[bool] = []
        self.films = True
        self.viewing = Viewing(self.send, lambda _, what, __: self.entries.append(what), self.changed)

    def send(self, message: object) -> bool:
        self.sent.append(message)
        return self.films

    def changed(self) -> None:
        self.blinks.append(self.viewing.is_watched)

    def start(self, member: str = "anna", at: float = 0.0) -> str:
        begun = self.viewing.start(member, at)
        assert begun
        return begun[0]


@pytest.fixture
def around() -> Around:
    return Around()


def test_a_session_ends_60_s_after_its_last_renewal(around: Around) -> None:
    session = around.start()
    assert around.viewing.renew(session, "anna", 50)
    around.viewing.tick(50 + RENEWED_S - 0.1)
    assert around.viewing.is_watched
    assert around.viewing.deadline == 50 + RENEWED_S
    around.viewing.tick(50 + RENEWED_S)
    assert not around.viewing.is_watched
    assert around.sent[-1] == pipe.Unwatch(session)
    assert around.viewing.deadline is None
    assert not around.viewing.renew(session, "anna", 111)


def test_the_led_blinks_from_the_first_viewer_to_the_last(around: Around) -> None:
    first, second = around.start(), around.start("ben")
    around.viewing.stop(first, "anna", 5)
    around.viewing.stop(second, "ben", 6)
    assert around.blinks == [True, True, True, False]


def test_every_session_is_told_as_it_begins_and_as_it_ends(around: Around) -> None:
    session = around.start(at=10)
    around.viewing.end_all(12.5)
    assert around.entries == [
        {"who": "anna", "session": session, "what": "began"},
        {"who": "anna", "session": session, "what": "ended", "seconds": 2.5},
    ]


def test_nobody_renews_or_stops_anothers_session(around: Around) -> None:
    session = around.start()
    assert not around.viewing.renew(session, "ben", 1)
    assert not around.viewing.stop(session, "ben", 1)
    assert around.viewing.is_watched


def test_no_more_than_four_watch(around: Around) -> None:
    for _ in range(MOST):
        around.start()
    assert around.viewing.start("ben", 0) is None
    assert around.viewing.is_full
    assert len(around.sent) == MOST


def test_without_a_recorder_nobody_watches_and_nothing_is_told(around: Around) -> None:
    around.films = False
    assert around.viewing.start("anna", 0) is None
    assert (around.entries, around.blinks) == ([], [])


def test_the_last_word_still_goes_out_but_not_to_who_was_removed(around: Around) -> None:
    session, other = around.start(), around.start("ben")
    around.viewing.stop(session, "anna", 1)
    assert around.viewing.of(session) == "anna"
    around.viewing.end_of("ben", 2)
    assert around.viewing.of(other) == ""


def test_secrets_are_fresh_and_not_shown(around: Around) -> None:
    begun = [around.viewing.start("anna", 0) for _ in range(2)]
    assert begun[0] and begun[1]
    assert begun[0][1] != begun[1][1]
    assert len(begun[0][1]) == 32
    assert repr(begun[0][1]) not in repr(around.sent)
