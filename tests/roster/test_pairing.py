"""A secret that is good once, for a time, and for five tries."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell import pairing
from doorbell.pairing import Invitation, Joining
from tests.roster.test_roster import make

SECRET = bytes(range(16))
VECTORS = json.loads((Path(__file__).parents[1] / "vectors/roster/pairing.json").read_text())


def joining(secret: bytes = SECRET) -> Joining:
    ben = make.BEN
    return Joining(ben, pairing.phone_mac(secret, ben.recipient.key, ben.verify_key))


def test_the_macs_are_those_of_the_vectors() -> None:
    keys = {name: bytes.fromhex(value) for name, value in VECTORS.items() if name not in ("door", "joins")}
    door_mac = pairing.door_mac(keys["secret"], VECTORS["door"], keys["door_verify_key"], keys["box_key"])
    assert door_mac == keys["door_mac"]
    assert pairing.phone_mac(keys["secret"], keys["recipient"], keys["verify_key"]) == keys["phone_mac"]


@pytest.mark.parametrize("case", VECTORS["joins"], ids=lambda case: case["name"])
def test_a_request_to_join_is_read_or_refused_as_the_vectors_say(case: dict[str, object]) -> None:
    text = str(case["json"]).encode()
    if case["good"]:
        assert Invitation(bytes.fromhex(VECTORS["secret"])).hear(pairing.read_join(text))
        return
    with suppress(ValueError):
        assert not Invitation(bytes.fromhex(VECTORS["secret"])).hear(pairing.read_join(text))


def test_the_secret_is_good_once() -> None:
    one = Invitation(SECRET)
    assert one.hear(joining())
    assert not one.hear(joining())
    assert not one.is_open


def test_the_fifth_wrong_mac_closes_it_for_the_right_one_too() -> None:
    one = Invitation(SECRET)
    assert [one.hear(joining(bytes(16))) for _ in range(5)] == [False] * 5
    assert not one.hear(joining())


def test_an_admins_invitation_ends_by_uptime_alone() -> None:
    one = Invitation(SECRET, closes=1300.0)
    assert not one.is_over(1299.9, 1e12)
    assert one.is_over(1300.0, None)


def test_enrolments_ends_by_the_calendar_if_that_is_known_and_by_the_hours_it_ran() -> None:
    one = Invitation(SECRET, make.OWNER, until=1000)
    assert not one.is_over(1e9, None)
    assert not one.is_over(0, 999)
    assert one.is_over(0, 1000)
    one.hours = 0
    assert one.is_over(0, None)


def test_enrolments_file_is_read_as_it_was_written() -> None:
    one = Invitation(SECRET, make.OWNER, until=1_800_000_000, wrong=3)
    assert pairing.read(pairing.written(one)) == one


@given(st.binary(max_size=300))
def test_whatever_bytes_come_are_a_request_or_a_value_error(text: bytes) -> None:
    for read in (pairing.read_join, pairing.read):
        with pytest.raises(ValueError):
            read(text)
