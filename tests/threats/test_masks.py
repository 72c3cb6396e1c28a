"""What is masked is black in every frame that the encoder is given, and in every frame of the clip that is opened."""

from __future__ import annotations

import io
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import av
import numpy as np
import pytest

from doorbell import clip as running
from doorbell import pipe
from doorbell.clips.store import prepare
from doorbell.clips.writer import CardWriter
from doorbell.config import Config, Keys
from doorbell.events import ClipKept
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import unseal
from doorbell.recording import new_id
from doorbell.senses import software
from doorbell.senses.camera import Settings
from doorbell.senses.sources import open_camera
from doorbell.vision.frames import planes_of
from doorbell.vision.zones import BLOCK, blocks
from tests.endure.rows import count, show

pytestmark = [pytest.mark.endure, pytest.mark.threat("masks"), pytest.mark.timeout(900)]
MASKS = (((0.3, 0.2), (0.9, 0.35), (0.55, 0.8)), ((0.0, 0.6), (0.25, 0.6), (0.25, 1.0), (0.0, 1.0)))
SIZE = 320, 240
RIM = 24
"""Levels by which a coded picture may differ within 16 pixels of what is not masked."""


class Film:
    """The camera's sink: packets go into the clip that runs."""

    def __init__(self, clip: running.Clip, wanted: int) -> None:
        self.clip, self.wanted, self.frames, self.news = clip, wanted, 0, SimpleQueue[str]()

    def packet(self, packet: Any) -> None:
        if self.frames < self.wanted:
            self.clip.add(packet)
            self.frames += 1
            if self.frames == self.wanted:
                self.news.put("all")

    def luma(self, luma: object) -> None: ...

    def still(self, still: object) -> None: ...

    def ended(self) -> None:
        self.news.put("ended")

    def trouble(self, why: str) -> None:
        self.news.put(why)


def test_masks_are_exact_in_what_is_encoded_and_black_in_what_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = count(30, 1000)
    width, height = SIZE
    mask = np.kron(blocks(MASKS, width, height), np.ones((BLOCK, BLOCK), bool))[:height, :width]
    out = np.pad(~mask, BLOCK)
    for axis in (0, 1):
        out = np.logical_or.reduce([np.roll(out, step, axis) for step in range(-BLOCK + 1, BLOCK)])
    inside, small = ~out[BLOCK:-BLOCK, BLOCK:-BLOCK], mask[::2, ::2]
    assert inside.any()
    handed = exact = 0

    class Watched(software.Encoder):
        """The real encoder; what it is given is looked at first."""

        def encode(self, frame: av.VideoFrame, t: float) -> Any:
            nonlocal handed, exact
            y, u, v = planes_of(frame)
            handed += 1
            exact += bool((y[mask] == 16).all() and (u[small] == 128).all() and (v[small] == 128).all())
            return super().encode(frame, t)

    monkeypatch.setattr(software, "Encoder", Watched)
    owner, told = Identity.make(), SimpleQueue[object]()
    card = CardWriter(prepare(tmp_path), told.put)
    clip = running.Clip(pipe.Begin(new_id(), "visit", "press"), Config(keys=Keys((owner.recipient,))), card)
    camera = open_camera(
        Settings("scene", width=width, height=height, fps=10, bitrate_kbps=400, masks=MASKS), pace=False
    )
    film = Film(clip, wanted)
    camera.start(film)
    try:
        assert film.news.get(timeout=600) == "all"
    finally:
        camera.stop()
    clip.finish()
    assert isinstance(told.get(timeout=20), ClipKept)
    card.stop(20)
    (kept,) = tmp_path.glob("clips/*.mp4.age")
    opened = b"".join(unseal([owner], io.BytesIO(kept.read_bytes())))
    frames = rim = 0
    with av.open(io.BytesIO(opened)) as movie:
        for frame in movie.decode(video=0):
            y, u, v = planes_of(frame)
            frames += 1
            assert (y[inside] == 16).all()
            assert (u[inside[::2, ::2]] == 128).all()
            assert (v[inside[::2, ::2]] == 128).all()
            rim = max(rim, int(y[mask].max()) - 16)
            assert y[~mask].std() > 3, "the rest is to be seen"
    assert frames == wanted
    assert rim <= RIM
    assert handed >= wanted
    assert exact == handed
    figure = f"exact in {exact:,} of {handed:,} frames handed to the encoder; in {frames:,} frames of the opened clip "
    show("masks", figure + f"exact from 16 px inside, at most {rim} levels at the rim")
