"""The recorder's side of live view: a film that begins at a keyframe, and goes on behind a gap with the next one."""

from __future__ import annotations

import io
import json

import av
import pytest

from doorbell.screening import INIT_S, Screening
from tests.clips.test_mux import film as packets
from tests.live.test_live_messages import make
from tests.rigs.viewer import Viewer


class Pipe:
    """Takes everything, but what is asked for while ``full``."""

    def __init__(self) -> None:
        self.viewer = Viewer(make.SECRET, make.SESSION)
        self.full = False
        self.taken = 0

    def offer(self, message: bytes) -> bool:
        if not self.full:
            self.taken += 1
            self.viewer.hear(message)
        return not self.full


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def screening(pipe: Pipe) -> Screening:
    return Screening(make.SECRET, make.SESSION, pipe.offer)


def pictures(pipe: Pipe) -> int:
    """What a player decodes of everything shown."""
    film = b"".join(data for kind, data in pipe.viewer.shown if kind in ("init", "video"))
    with av.open(io.BytesIO(film)) as opened:
        return sum(1 for _ in opened.decode(video=0))


def test_a_viewer_sees_from_the_last_keyframe_on(screening: Screening, pipe: Pipe) -> None:
    held = packets(25)
    screening.begin(held)
    last = max(n for n, packet in enumerate(held) if packet.keyframe)
    assert pipe.viewer.shown[0][0] == "init"
    assert pictures(pipe) == len(held) - last - 1


def test_the_film_says_when_it_began_by_the_doors_uptime(screening: Screening, pipe: Pipe) -> None:
    held = packets(25)
    screening.begin(held)
    with av.open(io.BytesIO(b"".join(data for _, data in pipe.viewer.shown))) as opened:
        said = json.loads(opened.metadata["comment"])
    assert said == {"v": 1, "at": round(max(packet.at for packet in held if packet.keyframe), 3)}


def test_a_session_that_begins_between_two_keyframes_waits_for_the_next(screening: Screening, pipe: Pipe) -> None:
    screening.begin([])
    film = packets(25)
    for packet in film[1:]:
        screening.add(packet)
    first = next(n for n, packet in enumerate(film) if n and packet.keyframe)
    assert pictures(pipe) == len(film) - first - 1


def test_behind_a_full_pipe_nothing_goes_out_before_the_next_keyframe(screening: Screening, pipe: Pipe) -> None:
    film = packets(35)
    keyframes = [n for n, packet in enumerate(film) if packet.keyframe]
    for n, packet in enumerate(film):
        pipe.full = n == keyframes[1] + 3
        screening.add(packet)
    lost = keyframes[2] - (keyframes[1] + 3 - 1)
    assert pictures(pipe) == len(film) - 1 - lost
    assert screening.dropped == lost


def test_the_beginning_is_said_again_every_few_seconds(screening: Screening, pipe: Pipe) -> None:
    film = packets(130)
    for packet in film:
        screening.add(packet)
    inits = [data for kind, data in pipe.viewer.shown if kind == "init"]
    assert len(inits) == 1 + int((film[-1].at - film[0].at) // INIT_S)
    assert len(set(inits)) == 1
    assert pictures_without_repeats(pipe) == len(film) - 1


def pictures_without_repeats(pipe: Pipe) -> int:
    film = [data for kind, data in pipe.viewer.shown if kind == "video"]
    with av.open(io.BytesIO(pipe.viewer.shown[0][1] + b"".join(film))) as opened:
        return sum(1 for _ in opened.decode(video=0))


def test_the_end_is_said(screening: Screening, pipe: Pipe) -> None:
    screening.begin(packets(5))
    screening.end()
    assert pipe.viewer.shown[-1] == ("end", b"")


def test_every_fragment_is_one_picture(screening: Screening, pipe: Pipe) -> None:
    film = packets(12)
    screening.begin(film)
    assert len([1 for kind, _ in pipe.viewer.shown if kind == "video"]) == pictures(pipe)
