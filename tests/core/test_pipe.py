"""What doorman and recorder say to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell import pipe
from doorbell.events import ClipKept, HeldBack, PosterMade, Saw

MESSAGES = [
    pipe.Setup({"door": {"id": "front"}}),
    pipe.Begin("a" * 26, "b" * 26, "press"),
    pipe.End("a" * 26),
    Saw(12.5, True, 12.0, (0.1, 0.2, 0.3, 0.4), 0.5),
    HeldBack(1.0, {"rain": 3}),
    PosterMade(1.0, "a" * 26, b'\n{"is":1}\n\x00' * 100, kept=True),
    ClipKept(3.0, "a" * 26, 1234, "00" * 32, 9.5),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent(message: object) -> None:
    assert pipe.decode(pipe.encode(message)) == message


@given(st.binary(max_size=24 * 1024))
def test_a_poster_of_any_bytes_arrives_unchanged(sealed: bytes) -> None:
    assert pipe.decode(pipe.encode(PosterMade(1.0, "c", sealed, kept=False))).sealed == sealed


@given(st.binary(max_size=300))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        pipe.decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"is":"End"}',
        b'{"is":"End","clip":5}',
        b'{"is":"End","clip":"a","more":1}',
        b'{"is":"Stop","at":1.0}',
        b'{"is":"Saw","at":1.0,"active":1,"began":0.0,"box":[0,0,0,0],"strength":0.5}',
        b'{"is":"Saw","at":"1","active":true,"began":0.0,"box":[0,0,0,0],"strength":0.5}',
    ],
)
def test_a_message_outside_the_schema_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        pipe.decode(data)


def test_a_message_that_does_not_fit_is_never_sent() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        pipe.encode(PosterMade(1.0, "c", bytes(pipe.LARGEST), kept=True))
