"""The recorder as the doorman holds it, with a child that only listens."""

from __future__ import annotations

from typing import Any

import pytest

from doorbell import pipe
from doorbell.clock import WallClock
from doorbell.config import Config
from doorbell.effects import Record
from doorbell.events import ClipKept, PosterMade, RecorderGone
from doorbell.ledger import Ledger
from doorbell.problems import Problems
from doorbell.recording import Recording
from tests.rigs.listening import Listening


@pytest.fixture
def filming() -> Recording:
    put: list[object] = []
    one = Recording(Config(), Ledger(None, WallClock(), 14, 0), Problems(), put.append, start=Listening)
    one.want(True, 0.0)
    return one


def child(one: Recording) -> Any:
    return one._child


def test_a_fluttering_pir_is_said_once_a_second(filming: Recording) -> None:
    for n in range(3000):
        filming.warmth(n / 1000)
    assert list(child(filming).heard) == [pipe.Warmth(0.0), pipe.Warmth(1.0), pipe.Warmth(2.0)]


def test_a_clip_is_settled_when_it_is_kept(filming: Recording) -> None:
    filming.begin(Record(1.0, "visit", "press"), 1.0)
    clip = filming.clip
    assert filming.poster(PosterMade(2.0, clip, b"sealed", kept=True)) == "visit"
    filming.finish()
    assert filming.clip == ""
    assert filming._clips
    filming.hear(ClipKept(3.0, clip, 10, "00", 1.0), 3.0)
    assert not filming._clips


def test_a_poster_of_a_clip_that_is_settled_is_nobodys(filming: Recording) -> None:
    assert filming.poster(PosterMade(2.0, "unknown", b"sealed", kept=True)) == ""


def test_a_dead_child_settles_its_clips_and_no_other_childs(filming: Recording) -> None:
    filming.begin(Record(1.0, "visit", "press"), 1.0)
    assert filming.hear(RecorderGone(2.0, 99, -9), 2.0) is False
    assert filming._clips
    assert filming.hear(RecorderGone(2.0, 1, -9), 2.0) is True
    assert not filming._clips
    assert filming.clip == ""


def test_a_stopped_recording_is_idle_only_when_its_child_has_ended(filming: Recording) -> None:
    filming.stop()
    assert child(filming).ended == "closed"
    assert not filming.idle
    filming.hear(RecorderGone(2.0, 1, 0), 2.0)
    assert filming.idle
