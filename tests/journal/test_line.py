"""Who waits, and who is given up first when the card is dead."""

from __future__ import annotations

import time

from doorbell.journal.requests import MOST_ROUTINE, MOST_WAITING, AskDue, ClipStarted, Line, Write
from tests.rigs.journal import stamp


def routine(number: int) -> Write:
    return Write("visit", {"n": number}, stamp())


def ring(number: int) -> Write:
    return Write("ring", {"n": number}, stamp())


def test_routine_leaves_room_for_rings() -> None:
    line = Line()
    taken = [line.put(routine(number)) for number in range(MOST_WAITING)]
    assert sum(taken) == MOST_ROUTINE
    assert all(line.put(ring(number)) for number in range(MOST_WAITING - MOST_ROUTINE))
    assert line.dropped() == MOST_WAITING - MOST_ROUTINE


def test_a_ring_pushes_out_the_oldest_routine_and_never_another_ring() -> None:
    line = Line()
    for number in range(MOST_ROUTINE):
        line.put(routine(number))
    assert all(line.put(ring(number)) for number in range(MOST_WAITING))
    assert len(line) == MOST_WAITING
    assert not line.put(ring(-1))
    assert line.dropped() == MOST_ROUTINE + 1
    assert line.dropped() == 0
    assert [request.fields["n"] for request in line.take(MOST_WAITING)] == list(range(MOST_WAITING))  # type: ignore[union-attr]


def test_what_is_in_hand_still_counts() -> None:
    line = Line()
    for number in range(MOST_ROUTINE):
        line.put(routine(number))
    line.take(200)
    assert not line.put(routine(0))
    line.done()
    assert line.put(routine(0))


def test_only_the_newest_question_is_answered() -> None:
    line = Line()
    first, second = AskDue(0, 1), AskDue(5, 2)
    line.ask(first)
    line.ask(second)
    line.answered(first)
    assert line.asked() is second
    line.answered(second)
    assert line.asked() is None


def test_acknowledgements_have_a_bound() -> None:
    line = Line()
    for index in range(20_000):
        line.acknowledge(index)
    assert len(line.acknowledged()) == 10_000


def test_clips_that_begin_are_known_before_they_are_written() -> None:
    line = Line()
    line.put(ClipStarted("a" * 26, {}, stamp()))
    assert line.starting() == {"a" * 26}


def test_a_question_waits_for_no_commit_and_a_card_that_refuses_is_not_asked() -> None:
    line = Line()
    line.put(routine(1))
    line.ask(AskDue(0, 1))
    line.wait(60, for_questions=True, for_requests=False)
    began = time.monotonic()
    line.wait(0.05, for_questions=False, for_requests=False)
    assert time.monotonic() - began >= 0.05
