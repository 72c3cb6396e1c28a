"""One picture of a visit as a small JPEG: PyAV's encoder, quality lowered until it fits a number of bytes."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from doorbell.errors import DeviceError
from doorbell.vision.frames import planes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorbell.senses.camera import Still

WIDTHS = (640, 480, 320, 160)
"""Pixels across, the next one tried when even the worst quality of the one before is too large."""

BEST, WORST = 3, 31
"""MJPEG's quantiser scale: 2 is the finest there is, 31 the coarsest."""

COMMENT = b"\xff\xfe"
START = b"\xff\xd8"


def jpeg(still: Still, limit_bytes: int, comment: Mapping[str, object]) -> bytes:
    """A JPEG of at most *limit_bytes* with *comment* as JSON in its COM segment; the finest that fits.

    The picture is scaled to at most 640 pixels across, never enlarged. Raises DeviceError if nothing fits.
    """
    segment = _comment(comment)
    room = limit_bytes - len(segment)
    own_width = still.planes[0].shape[1]
    for width in dict.fromkeys(min(width, own_width) for width in WIDTHS):
        found = _finest(_scaled(still, width), room)
        if found is not None:
            return START + segment + found[len(START) :]
    raise DeviceError(f"A poster does not fit {limit_bytes} bytes: allow more.")


def _finest(picture: av.VideoFrame, room: int) -> bytes | None:
    """By bisection, as the size falls with the scale: four or five encodings of a small picture."""
    low, high = BEST, WORST
    found = None
    while low <= high:
        middle = (low + high) // 2
        data = _encoded(picture, middle)
        if len(data) <= room:
            found, high = data, middle - 1
        else:
            low = middle + 1
    return found


def _scaled(still: Still, width: int) -> av.VideoFrame:
    y, u, v = still.planes
    frame = av.VideoFrame(y.shape[1], y.shape[0], "yuv420p")
    for mine, given in zip(planes_of(frame), (y, u, v), strict=True):
        mine[:] = given
    height = max(2, round(y.shape[0] * width / y.shape[1] / 2) * 2)
    # JPEG is full range by its standard: limited-range black would be shown as grey.
    return frame.reformat(width, height, format="yuvj420p", interpolation="AREA")


def _encoded(picture: av.VideoFrame, scale: int) -> bytes:
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = picture.width, picture.height, "yuvj420p"
    codec.time_base = Fraction(1, 1)
    codec.thread_count = 1
    codec.qmin = codec.qmax = scale
    codec.options = {"flags": "+bitexact", "huffman": "optimal"}
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*codec.encode(picture), *codec.encode(None)])


def _comment(comment: Mapping[str, object]) -> bytes:
    text = json.dumps(comment, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > 65_533:
        raise DeviceError("A poster's comment is longer than a JPEG segment holds (65,533 bytes): shorten it.")
    return COMMENT + (len(text) + 2).to_bytes(2, "big") + text
