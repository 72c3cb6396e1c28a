"""What doorman and recorder say to each other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell import pipe
from doorbell.events import (
    CameraEnded,
    ClipKept,
    ClipLost,
    HeldBack,
    LiveMade,
    PosterMade,
    RecorderAlive,
    RecorderReady,
    RecorderTrouble,
    Saw,
    StillMade,
    Tampered,
    TicketShown,
)

CLIP, VISIT = "a" * 26, "b" * 26
SENT_DOWN = [
    pipe.Setup({"door": {"id": "front"}}),
    pipe.SealTo(("age1" + "q" * 58,)),
    pipe.Begin(CLIP, VISIT, "motion-and-pir"),
    pipe.End(CLIP),
    pipe.Warmth(1.5),
    pipe.Go(),
    pipe.Watch("0f" * 16, bytes(range(32))),
    pipe.Unwatch("0f" * 16),
    pipe.Look("token", "age1" + "q" * 58),
    pipe.Seek(on=True),
]
SENT_UP = [
    RecorderReady(1.0),
    RecorderAlive(2.0, 10, 0),
    Saw(12.5, True, 12.0, (0.1, 0.2, 0.3, 1.0), 0.5),
    Tampered(3.0, False),
    HeldBack(1.0, {"rain": 3}),
    PosterMade(1.0, CLIP, b'\n{"is":1}\n\x00' * 100, kept=True),
    ClipKept(3.0, CLIP, 1234, "0f" * 32, 9.5),
    ClipLost(3.0, CLIP, "The card is full."),
    RecorderTrouble(3.0, "storage", ""),
    CameraEnded(4.0),
    LiveMade("0f" * 16, b"\n" * 100),
    StillMade("token", b"sealed"),
    TicketShown(5.0, b"A" * 525),
]


@pytest.mark.parametrize("message", SENT_UP, ids=lambda message: type(message).__name__)
def test_what_the_recorder_says_arrives_and_nobody_may_say_it_to_the_recorder(message: object) -> None:
    assert pipe.decode(pipe.encode(message), pipe.UP) == message
    with pytest.raises(ValueError, match="no message"):
        pipe.decode(pipe.encode(message), pipe.DOWN)


@pytest.mark.parametrize("message", SENT_DOWN, ids=lambda message: type(message).__name__)
def test_what_the_doorman_says_arrives_and_no_recorder_may_say_it(message: object) -> None:
    assert pipe.decode(pipe.encode(message), pipe.DOWN) == message
    with pytest.raises(ValueError, match="no message"):
        pipe.decode(pipe.encode(message), pipe.UP)


def test_every_message_there_is_was_sent_above() -> None:
    assert {type(one) for one in SENT_UP} == set(pipe.UP)
    assert {type(one) for one in SENT_DOWN} == set(pipe.DOWN)


@given(st.binary(max_size=24 * 1024))
def test_a_poster_of_any_bytes_arrives_unchanged(sealed: bytes) -> None:
    assert pipe.decode(pipe.encode(PosterMade(1.0, CLIP, sealed, kept=False)), pipe.UP).sealed == sealed


@given(st.binary(max_size=300))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        pipe.decode(data, (*pipe.UP, *pipe.DOWN))


WRONG: list[tuple[type, dict[str, Any]]] = [
    (pipe.End, {"clip": 5}),
    (pipe.End, {"clip": "a"}),
    (pipe.End, {"clip": CLIP + "\n"}),
    (pipe.End, {"clip": "../../etc/passwd/aaaaaaaaa"}),
    (pipe.End, {"more": 1}),
    (Saw, {"active": 1}),
    (Saw, {"at": "1"}),
    (Saw, {"at": -1.0}),
    (Saw, {"at": float("nan")}),
    (Saw, {"began": float("inf")}),
    (Saw, {"box": [0, 0, 0, 1.5]}),
    (Saw, {"box": [0, 0, 0, -0.5]}),
    (Saw, {"box": [0, 0, 0]}),
    (Saw, {"strength": 1.5}),
    (Saw, {"strength": float("nan")}),
    (RecorderAlive, {"frames": -1}),
    (RecorderAlive, {"frames": 2**60}),
    (RecorderAlive, {"dropped": 1.5}),
    (ClipKept, {"bytes": -1}),
    (ClipKept, {"seconds": -0.5}),
    (ClipKept, {"seconds": float("-inf")}),
    (ClipKept, {"sha256": "0f" * 31}),
    (ClipKept, {"sha256": "0F" * 32}),
    (ClipLost, {"why": "x" * 501}),
    (ClipLost, {"clip": "A" * 26}),
    (RecorderTrouble, {"part": "broker"}),
    (RecorderTrouble, {"why": "x" * 501}),
    (RecorderTrouble, {"why": "\ud800"}),
    (HeldBack, {"gates": {f"gate {n}": 1 for n in range(33)}}),
    (HeldBack, {"gates": {"g" * 33: 1}}),
    (HeldBack, {"gates": {"rain": -1}}),
    (HeldBack, {"gates": ["rain"]}),
    (pipe.Begin, {"trigger": "x" * 33}),
    (pipe.SealTo, {"recipients": ["AGE-SECRET-KEY-1"]}),
    (pipe.Setup, {"config": []}),
]


@pytest.mark.parametrize(("kind", "change"), WRONG, ids=lambda one: getattr(one, "__name__", None))
def test_a_message_outside_the_schema_is_refused(kind: type, change: dict[str, Any]) -> None:
    whole = next(one for one in (*SENT_UP, *SENT_DOWN) if type(one) is kind)
    head = json.loads(pipe.encode(whole).partition(b"\n")[0])
    assert pipe.decode(json.dumps(head).encode(), (kind,)) == whole
    with pytest.raises(ValueError, match="no message"):
        pipe.decode(json.dumps(head | change).encode(), (kind,))


@pytest.mark.parametrize(
    "data",
    [
        b'{"is":"End"}',
        b'{"is":"Stop","at":1.0}',
        b'{"is":"Go"}\nbytes',
        b'{"is":"Go","is":"Go"}',
        b'{"is":["Go"]}',
        b"[" * 100_000,
        b'{"is":"Warmth","at":' + b"1" * 5000 + b"}",
        b'{"is":"PosterMade","at":1.0,"clip":"aaaaaaaaaaaaaaaaaaaaaaaaaa","kept":true}',
        b'{"is":"PosterMade","at":1.0,"clip":"aaaaaaaaaaaaaaaaaaaaaaaaaa","kept":true}\n' + bytes(24 * 1024 + 1),
    ],
    ids=lambda data: data[:12].decode(),
)
def test_bytes_that_are_nearly_a_message_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        pipe.decode(data, (*pipe.UP, *pipe.DOWN))


@given(st.text(max_size=2000), st.sampled_from(["camera", "storage"]))
def test_whatever_has_gone_wrong_its_sentence_fits_the_pipe(words: str, part: str) -> None:
    said = RecorderTrouble(1.0, part, pipe.sentence(words + "\udcff"))
    assert pipe.decode(pipe.encode(said), pipe.UP) == said


def test_a_message_that_does_not_fit_is_never_sent() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        pipe.encode(PosterMade(1.0, CLIP, bytes(pipe.LARGEST), kept=True))
