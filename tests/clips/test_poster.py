"""A poster fits its bytes whatever the camera saw, and says what it shows."""

from __future__ import annotations

import io
import json
import struct

import av
import numpy as np
import pytest

from doorbell.clips.poster import jpeg
from doorbell.errors import DeviceError
from doorbell.senses.camera import Still

LIMIT = 24 * 1024 - 500
SAYS = {"door": "front", "visit": "xyz", "trigger": "press"}


def still(kind: str, width: int = 1280, height: int = 720) -> Still:
    random = np.random.default_rng(3)
    shapes = (height, width), (height // 2, width // 2), (height // 2, width // 2)
    if kind == "noise":
        y, u, v = (random.integers(16, 236, shape, np.uint8) for shape in shapes)
    elif kind == "black":
        y, u, v = (np.full(shape, level, np.uint8) for shape, level in zip(shapes, (16, 128, 128), strict=True))
    else:
        y = (np.add.outer(np.arange(height), np.arange(width)) * 219 // (height + width) + 16).astype(np.uint8)
        u, v = np.full(shapes[1], 90, np.uint8), np.full(shapes[2], 160, np.uint8)
    return Still(7.0, (y, u, v))


def segments(data: bytes) -> list[tuple[int, bytes]]:
    """(marker, content) of a JPEG's segments up to its scan."""
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    found, at = [], 2
    while data[at + 1] != 0xDA:
        size = struct.unpack_from(">H", data, at + 2)[0]
        found.append((data[at + 1], data[at + 4 : at + 2 + size]))
        at += 2 + size
    return found


def shown(data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data), format="mjpeg") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.parametrize("kind", ["noise", "black", "slope"])
@pytest.mark.parametrize("limit", [LIMIT, 9_000, 3_000])
def test_a_poster_fits_whatever_it_shows(kind: str, limit: int) -> None:
    data = jpeg(still(kind), limit, SAYS)
    assert len(data) <= limit
    assert shown(data).shape[1] <= 640


def test_a_quiet_picture_is_640_across_and_finely_drawn() -> None:
    picture = still("slope")
    seen = shown(jpeg(picture, LIMIT, SAYS))
    assert seen.shape == (360, 640, 3)
    small = av.VideoFrame.from_ndarray(
        np.concatenate([plane.reshape(-1) for plane in picture.planes]).reshape(1080, 1280), format="yuv420p"
    )
    wanted = small.reformat(640, 360, "rgb24", interpolation="AREA").to_ndarray()
    assert np.abs(seen.astype(int) - wanted).mean() < 3


def test_more_bytes_give_a_finer_picture() -> None:
    picture = still("noise", 320, 240)
    assert len(jpeg(picture, 20_000, SAYS)) < len(jpeg(picture, 40_000, SAYS))


def test_black_is_black() -> None:
    assert shown(jpeg(still("black"), LIMIT, SAYS)).max() <= 2


def test_a_poster_says_what_it_shows_and_no_more() -> None:
    data = jpeg(still("slope"), LIMIT, {**SAYS, "note": "Tür"})
    comments = [json.loads(content) for marker, content in segments(data) if marker == 0xFE]
    assert comments == [{**SAYS, "note": "Tür"}]


def test_a_small_camera_gives_a_small_poster() -> None:
    assert shown(jpeg(still("slope", 322, 182), LIMIT, SAYS)).shape == (182, 322, 3)


def test_what_cannot_fit_is_refused() -> None:
    with pytest.raises(DeviceError, match="does not fit"):
        jpeg(still("noise"), 300, SAYS)
    with pytest.raises(DeviceError, match="shorten"):
        jpeg(still("black"), 10**6, {"note": "x" * 70_000})
