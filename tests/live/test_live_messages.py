"""A live view's messages: sealed to one session, each used once, never larger than a message may be."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell import live
from doorbell.live import Sender
from tests.rigs.viewer import Viewer

FOLDER = Path(__file__).parents[1] / "vectors" / "live"
SPEC = importlib.util.spec_from_file_location("live_vectors", FOLDER / "make.py")
assert SPEC and SPEC.loader
make = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make)
VECTORS = json.loads((FOLDER / "messages.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_viewer_shows_what_the_vectors_say(case: dict[str, Any]) -> None:
    viewer = Viewer(base64.b64decode(VECTORS["secret"]), base64.b64decode(VECTORS["session"]))
    for place in case["hears"]:
        viewer.hear(base64.b64decode(VECTORS["messages"][place]))
    assert [f"{kind}:{hashlib.sha256(data).hexdigest()}" for kind, data in viewer.shown] == case["shown"]


def test_the_vectors_are_what_the_script_makes() -> None:
    for name, text in make.made().items():
        assert (FOLDER / name).read_text() == text


@given(st.lists(st.integers(0, 300_000), min_size=1, max_size=4))
def test_whatever_the_size_each_message_fits_and_nothing_is_lost(sizes: list[int]) -> None:
    sender, viewer = Sender(make.SECRET, make.SESSION), Viewer(make.SECRET, make.SESSION)
    said = [message for size in sizes for message in sender.messages(live.VIDEO, bytes(size), keyframe=True)]
    assert all(len(message) <= live.MOST_MESSAGE for message in said)
    assert [int.from_bytes(message[:8], "big") for message in said] == list(range(len(said)))
    for message in said:
        viewer.hear(message)
    assert [len(data) for _, data in viewer.shown] == sizes
