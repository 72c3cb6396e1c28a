"""What every camera promises the recorder. In the lab the same promises are put to the real picamera2."""

from __future__ import annotations

import itertools
import threading
import time

import av
import numpy as np
import pytest
from attrs import evolve

from doorbell.errors import DeviceError, DoorbellError
from doorbell.senses.camera import Packet, Settings
from doorbell.vision.frames import planes_of
from doorbell.vision.zones import BLOCK, Painter, blocks
from tests.rigs.cameras import Heard, Open

PLAIN = Settings("", width=640, height=480, fps=15, bitrate_kbps=1000)
MASKED = evolve(
    PLAIN, masks=(((0.3, 0.2), (0.9, 0.35), (0.55, 0.8)), ((0.0, 0.6), (0.25, 0.6), (0.25, 1.0), (0.0, 1.0)))
)


def units(data: bytes) -> list[int]:
    """The kinds of the NAL units in an Annex B stretch: 1 and 5 pictures, 6 SEI, 7 SPS, 8 PPS."""
    assert data.startswith((b"\0\0\1", b"\0\0\0\1"))
    return [part[0] & 31 for part in data.split(b"\0\0\1")[1:]]


def decoded(packets: list[Packet]) -> list[av.VideoFrame]:
    codec = av.CodecContext.create("h264", "r")
    codec.thread_count = 1
    return [frame for packet in [*(av.Packet(one.data) for one in packets), None] for frame in codec.decode(packet)]


def luma_of(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray(format="yuv420p")[: frame.height]


def hidden(settings: Settings) -> np.ndarray:
    grid = blocks(settings.masks, settings.width, settings.height)
    return np.kron(grid, np.ones((BLOCK, BLOCK), bool))[: settings.height, : settings.width]


def deep(mask: np.ndarray) -> np.ndarray:
    """The pixels of a mask that are at least 16 pixels away from what is not masked."""
    out = np.pad(~mask, BLOCK, constant_values=False)
    for axis in (0, 1):
        out = np.logical_or.reduce([np.roll(out, step, axis) for step in range(-BLOCK + 1, BLOCK)])
    return ~out[BLOCK:-BLOCK, BLOCK:-BLOCK]


def test_it_begins_with_a_keyframe_and_every_keyframe_carries_its_headers(opened: Open, heard: Heard) -> None:
    opened(PLAIN, pace=False).start(heard)
    heard.until(lambda: len(heard.packets) >= 50)
    assert heard.packets[0].keyframe
    for packet in list(heard.packets):
        kinds = units(packet.data)
        assert packet.keyframe == (5 in kinds)
        if packet.keyframe:
            assert {7, 8} <= set(kinds[: kinds.index(5)])


def test_its_times_rise_and_are_those_of_the_monotonic_clock(opened: Open, heard: Heard) -> None:
    before = time.monotonic()
    opened(PLAIN).start(heard)
    heard.until(lambda: len(heard.packets) >= 8 and len(heard.lumas) >= 3)
    after = time.monotonic()
    for times in ([packet.at for packet in heard.packets], [luma.at for luma in heard.lumas]):
        assert all(one < other for one, other in itertools.pairwise(times))
        assert before - 1 <= times[0] <= times[-1] <= after + 1


def test_its_gops_last_what_they_should_and_stand_alone(opened: Open, heard: Heard) -> None:
    opened(PLAIN, pace=False).start(heard)
    heard.until(lambda: sum(packet.keyframe for packet in heard.packets) >= 4)
    packets = list(heard.packets)
    starts = [number for number, packet in enumerate(packets) if packet.keyframe]
    lengths = [packets[other].at - packets[one].at for one, other in itertools.pairwise(starts)]
    pictures = {other - one for one, other in itertools.pairwise(starts)}
    # A Pi's encoder counts pictures, which is the same as long as the camera keeps its rate; a virtual one does not.
    assert all(abs(length - PLAIN.gop_s) < 1.5 / PLAIN.fps for length in lengths) or pictures == {
        round(PLAIN.gop_s * PLAIN.fps)
    }
    alone = [luma_of(frame) for frame in decoded(packets[starts[1] : starts[2]])]
    along = [luma_of(frame) for frame in decoded(packets[: starts[2]])][starts[1] :]
    assert len(alone) == starts[2] - starts[1]
    assert all((one == other).all() for one, other in zip(alone, along, strict=True))


def test_no_picture_waits_in_the_encoder_for_the_next(opened: Open, heard: Heard) -> None:
    opened(PLAIN, pace=False).start(heard)
    heard.until(lambda: len(heard.packets) >= 20)
    assert len(decoded(heard.packets[:20])) == 20
    assert {int(frame.pict_type) for frame in decoded(heard.packets[:20])} <= {1, 2}, "I and P pictures only"


def test_luma_comes_small_and_no_more_often_than_asked(opened: Open, heard: Heard) -> None:
    opened(evolve(PLAIN, lores_fps=5), pace=False).start(heard)
    heard.until(lambda: len(heard.lumas) >= 11)
    assert all(luma.plane.shape == (240, 320) and luma.plane.dtype == np.uint8 for luma in heard.lumas)
    assert heard.lumas[10].at - heard.lumas[0].at >= 10 / 5 - 2 / PLAIN.fps


def test_the_small_picture_shows_what_the_large_one_shows(opened: Open, heard: Heard) -> None:
    camera = opened(PLAIN, pace=False)
    camera.want_still()
    camera.start(heard)
    heard.until(lambda: bool(heard.stills) and any(luma.at >= heard.stills[0].at for luma in heard.lumas))
    still = heard.stills[0]
    small = next(luma.plane for luma in heard.lumas if luma.at >= still.at)
    averaged = still.planes[0].reshape(240, 2, 320, 2).mean((1, 3))
    assert np.abs(small - averaged).mean() < 6


def test_a_still_is_the_main_picture_and_each_wish_gives_one(opened: Open, heard: Heard) -> None:
    camera = opened(PLAIN)
    camera.start(heard)
    for wish in (1, 2):
        camera.want_still()
        heard.until(lambda wish=wish: len(heard.stills) >= wish)  # type: ignore[misc]
    seen = len(heard.packets)
    heard.until(lambda: len(heard.packets) >= seen + 5)
    assert len(heard.stills) == 2
    sizes = (camera.height, camera.width), (camera.height // 2, camera.width // 2)
    assert [plane.shape for plane in heard.stills[0].planes] == [sizes[0], sizes[1], sizes[1]]


def test_what_is_masked_reaches_neither_luma_nor_still(opened: Open, heard: Heard) -> None:
    camera = opened(MASKED, pace=False)
    camera.want_still()
    camera.start(heard)
    heard.until(lambda: len(heard.lumas) >= 10 and bool(heard.stills))
    mask = hidden(MASKED)
    y, u, v = heard.stills[0].planes
    assert (y[mask] == 16).all() and (u[mask[::2, ::2]] == 128).all() and (v[mask[::2, ::2]] == 128).all()
    assert y[~mask].std() > 5, "the rest is to be seen"
    small = np.zeros((240, 320), np.uint8)
    Painter.lores(MASKED.masks, (640, 480), (320, 240)).paint_luma(small)
    assert all((luma.plane[small == 16] == 16).all() for luma in heard.lumas)
    assert (small == 16)[mask[::2, ::2]].all()


def test_what_is_masked_stays_black_in_every_coded_picture(opened: Open, heard: Heard) -> None:
    camera = opened(MASKED, pace=False)
    camera.start(heard)
    heard.until(lambda: len(heard.packets) >= opened.frames)
    camera.stop()
    mask = hidden(MASKED)
    inside = deep(mask)
    assert inside.sum() > 1000
    frames = decoded(heard.packets[: opened.frames])
    assert len(frames) == opened.frames
    small, small_inside = mask[::2, ::2], inside[::2, ::2]
    for frame in frames:
        y, u, v = planes_of(frame)
        assert (y[inside] == 16).all()
        assert y[mask].max() <= 16 + 24
        for chroma in (u, v):
            assert (chroma[small_inside] == 128).all()
            assert 128 - 24 <= chroma[small].min() <= chroma[small].max() <= 128 + 24


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rotation", [0, 180])
def test_a_camera_that_hangs_upside_down_shows_an_upright_picture(opened: Open, rotation: int, flip: bool) -> None:
    stills = []
    for settings in (PLAIN, evolve(MASKED, rotation=rotation, flip=flip)):
        heard = Heard()
        try:
            camera = opened(settings, pace=False)
        except DeviceError as error:
            if "cannot turn" not in str(error):
                raise
            pytest.skip(str(error))
        camera.want_still()
        camera.start(heard)
        heard.until(lambda heard=heard: bool(heard.stills))  # type: ignore[misc]
        camera.stop()
        stills.append(heard.stills[0].planes)
    upright, turned = stills
    mask = hidden(MASKED)
    for one, other, there in zip(upright, turned, (mask, mask[::2, ::2], mask[::2, ::2]), strict=True):
        expected = one[::-1, ::-1] if rotation else one
        expected = expected[:, ::-1] if flip else expected
        assert (expected[~there] == other[~there]).all()


def test_stop_ends_its_thread_and_nothing_is_heard_after_it(opened: Open, heard: Heard) -> None:
    before = set(threading.enumerate())
    camera = opened(PLAIN, pace=False)
    camera.start(heard)
    heard.until(lambda: len(heard.packets) >= 5)
    began = time.monotonic()
    camera.stop()
    assert time.monotonic() - began < 2.5
    calls = heard.calls
    assert {thread for thread in set(threading.enumerate()) - before if thread.name == "camera"} == set()
    camera.stop()
    assert (heard.calls, heard.last_words) == (calls, [])
    assert len(heard.threads) == 1, "every call to the sink comes from one thread"


def test_a_camera_starts_once(opened: Open, heard: Heard) -> None:
    camera = opened(PLAIN)
    camera.start(heard)
    with pytest.raises(DoorbellError, match="open it anew"):
        camera.start(heard)
    camera.stop()
    with pytest.raises(DoorbellError, match="open it anew"):
        camera.start(heard)


def test_a_camera_that_never_started_can_be_stopped(opened: Open, heard: Heard) -> None:
    camera = opened(PLAIN)
    camera.stop()
    with pytest.raises(DoorbellError, match="open it anew"):
        camera.start(heard)
