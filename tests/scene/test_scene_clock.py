"""The clock in the picture can be read back exactly."""

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell.scene import Scene, Script, read_clock
from doorbell.scene.clock import draw_clock


def planes(width, height):
    return (np.full((height, width), 120, np.uint8), *(np.full((height // 2, width // 2), 90, np.uint8) for _ in "uv"))


@given(
    ms=st.integers(0, 10**8 - 1),
    size=st.sampled_from([(160, 120), (320, 180), (320, 240), (642, 362), (1280, 720)]),
)
def test_any_time_reads_back_at_any_size(ms, size):
    y, u, v = planes(*size)
    draw_clock(y, u, v, ms / 1000)
    assert read_clock(y) == ms


def test_no_clock_reads_as_none():
    assert read_clock(Scene(320, 180).frame(3).y) is None
    assert read_clock(np.full((180, 320), 235, np.uint8)) is None


def test_one_wrong_digit_is_noticed():
    y, u, v = planes(320, 180)
    draw_clock(y, u, v, 12.345)
    other = y.copy()
    draw_clock(other, u, v, 12.346)
    last = slice(round((0.02 + 7 * 0.062) * 320), round((0.02 + 8 * 0.062) * 320))
    y[:, last] = other[:, last]
    assert read_clock(y) is None


@pytest.mark.parametrize("bit_rate", [300_000, 2_000_000])
def test_the_clock_survives_the_encoder(bit_rate):
    door = Scene(640, 360, script=Script(noise=2.0, clock=True))
    coder = av.CodecContext.create("libx264", "w")
    coder.width, coder.height, coder.pix_fmt, coder.bit_rate = 640, 360, "yuv420p", bit_rate
    coder.framerate = 15
    coder.options = {"preset": "veryfast", "tune": "zerolatency"}
    reader = av.CodecContext.create("h264", "r")
    read = []
    for k in [*range(15), None]:
        picture = None
        if k is not None:
            frame = door.frame(k / 15)
            i420 = np.concatenate([frame.y.ravel(), frame.u.ravel(), frame.v.ravel()]).reshape(540, 640)
            picture = av.VideoFrame.from_ndarray(i420, format="yuv420p")
        packets = coder.encode(picture)
        for packet in packets:
            read += [read_clock(f.to_ndarray()[:360]) for f in reader.decode(packet)]
    read += [read_clock(f.to_ndarray()[:360]) for f in reader.decode(None)]
    assert read == [round(k / 15 * 1000) for k in range(15)]
