"""The labelled footage beside the checkout, where there is any: every event found, nobody told of nobody."""

import json
import sys
from pathlib import Path

import pytest

from doorbell.replay.decode import pictures
from doorbell.vision.motion import Motion
from doorbell.vision.zones import watch

FOOTAGE = Path(__file__).parents[2].parent / "shared" / "footage"
LABELS = json.loads((FOOTAGE / "labels.json").read_text()) if (FOOTAGE / "labels.json").exists() else {}

pytestmark = pytest.mark.skipif(not LABELS, reason="no labelled footage at ../shared/footage")


@pytest.mark.parametrize("name", sorted(LABELS) or [None])
def test_every_labelled_event_is_found_and_nothing_else(name, monkeypatch):
    monkeypatch.syspath_prepend(str(FOOTAGE))
    import score

    clip = LABELS[name]
    zone = (tuple(map(tuple, clip["zone"])),) if clip["zone"] else ()
    core, frames = None, []
    for index, picture in enumerate(pictures(FOOTAGE / clip["file"], None)):
        if core is None:
            height, width = picture.luma.shape
            core = Motion(width, height, clip["fps"], watch(zone, width, height))
        if core.feed(picture.luma, picture.at).active:
            frames.append(index)
    result = score.score(frames, clip)
    assert (result["hits"], result["false"]) == (result["events"], [])
    sys.modules.pop("score", None)
