"""The QR by which door and phone meet: as it was written, or refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from doorbell import ticket

CASES = json.loads((Path(__file__).parents[1] / "vectors/roster/tickets.json").read_text())["cases"]


@pytest.mark.parametrize("case", [one for one in CASES if one["good"]], ids=lambda case: case["name"])
def test_a_ticket_says_what_the_vectors_say_in_each_spelling(case: dict[str, Any]) -> None:
    one = ticket.read(bytes.fromhex(case["bytes"]))
    assert {key: value.hex() if isinstance(value, bytes) else value for key, value in asdict(one).items()} == case[
        "says"
    ]
    assert ticket.to_qr(one) == case["qr"]
    assert ticket.from_qr(case["qr"]) == one
    assert base64.urlsafe_b64decode(case["paste"] + "==") == ticket.written(one)
    assert ticket.to_paste(one) == case["paste"]
    assert one.is_for_a_door == (bytes.fromhex(case["says"]["phone"]) != bytes(32))


@pytest.mark.parametrize("case", [one for one in CASES if not one["good"]], ids=lambda case: case["name"])
def test_what_is_no_ticket_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ticket.from_qr(case["qr"]) if "qr" in case else ticket.read(bytes.fromhex(case["bytes"]))


def test_base45_is_the_one_of_the_rfc() -> None:
    for plain, text in ((b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"", "")):
        assert ticket.base45(plain) == text
        assert ticket.unbase45(text) == plain


@given(st.binary(max_size=ticket.MOST_BYTES))
def test_whatever_bytes_are_written_in_base45_are_read_again(data: bytes) -> None:
    assert ticket.unbase45(ticket.base45(data)) == data


@given(st.binary(max_size=360) | st.builds(lambda rest: b"\x01" + rest, st.binary(min_size=175, max_size=250)))
def test_whatever_bytes_come_are_a_ticket_or_a_value_error(data: bytes) -> None:
    try:
        one = ticket.read(data)
    except ValueError:
        return
    assert ticket.written(one) == data


@given(st.text(max_size=600))
def test_whatever_text_comes_is_a_ticket_or_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        ticket.from_qr(text)


def test_a_ticket_never_shows_its_secret_nor_the_password() -> None:
    one = ticket.from_qr(CASES[0]["qr"])
    assert one.password not in repr(one)
    assert repr(one.secret) not in repr(one)
