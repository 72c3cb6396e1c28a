"""What a command waits for, without a door: each ends once, with what came or with a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell.clips.recipient import Recipient
from doorbell.link.acceptance import Order
from doorbell.owed import CARD_S, MOST_WAITING, Owed, Refused
from doorbell.roster import Member

ANNA = Member("Anna", "member", Recipient(b"\x09" + bytes(31)), bytes(32))


def order(number: int, name: str = "poster") -> Order:
    return Order(ANNA, number.to_bytes(16), name, {})


def test_what_comes_ends_its_command_once() -> None:
    owed = Owed()
    token = owed.wait(order(1), 0, lambda value, at: {"value": value, "at": at})
    assert [one.result for one in owed.came(token, "a poster", "", 3)] == [{"value": "a poster", "at": 3}]
    assert owed.came(token, "a poster", "", 4) == []
    assert owed.deadline is None


def test_what_does_not_come_is_refused_with_its_word() -> None:
    owed = Owed()
    owed.wait(order(1), 0, lambda *_: {}, late="camera")
    assert owed.late(CARD_S - 0.1) == []
    assert owed.deadline == CARD_S
    assert [(one.result, one.refused) for one in owed.late(CARD_S)] == [(None, "camera")]


def test_what_a_slow_card_did_after_all_is_in_force_and_nobody_is_told_twice() -> None:
    owed, in_force = Owed(), []
    token = owed.wait(order(1, "roster"), 0, lambda value, _: in_force.append(value) or {}, lasts=True)
    assert [one.refused for one in owed.late(CARD_S)] == ["storage"]
    assert owed.late(CARD_S + 1) == []
    assert owed.is_waiting("roster"), "the next revision has to name this one's hash"
    assert owed.came(token, "revision 2", "", CARD_S + 2) == []
    assert in_force == ["revision 2"]
    assert not owed.is_waiting("roster")


def test_no_more_wait_than_there_is_room_for() -> None:
    owed = Owed()
    for number in range(MOST_WAITING):
        owed.wait(order(number), 0, lambda *_: {})
        owed.delete(order(number, "delete"), ["a"], 0)
    with pytest.raises(Refused, match="busy"):
        owed.wait(order(99), 0, lambda *_: {})
    with pytest.raises(Refused, match="busy"):
        owed.delete(order(99, "delete"), ["a"], 0)


def test_new_settings_are_confirmed_by_the_recorder_that_was_begun_for_them() -> None:
    owed = Owed()
    owed.wait(order(1, "settings"), 0, lambda *_: {"settings": "new"}, films=True)
    assert owed.recorder_films(1) == [], "a first frame of the old recorder says nothing about the new mask"
    owed.recorder_ended()
    assert [one.result for one in owed.recorder_films(2)] == [{"settings": "new"}]


@given(st.permutations("abcdef"), st.sets(st.sampled_from("abcdef")))
def test_a_deletion_ends_with_its_last_clip_and_tells_what_was_there(clips: list[str], there: set[str]) -> None:
    owed = Owed()
    owed.delete(order(1, "delete"), clips, 0)
    told = [owed.deleted(clip, known=clip in there) for clip in clips]
    assert [len(one) for one in told] == [0] * 5 + [1]
    assert told[-1][0].result == {"deleted": sorted(there), "unknown": sorted(set(clips) - there)}
    assert owed.deadline is None
