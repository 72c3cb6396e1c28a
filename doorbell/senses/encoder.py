"""Pictures to H.264 packets by libx264, set up as a door wants it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorbell.senses.camera import Settings

TICKS = 90_000
"""The encoder's clock, per second: the one H.264 is used to."""

_TICK = Fraction(1, TICKS)

X264 = "repeat-headers=1:open-gop=0:scenecut=0:no-deblock=1:aq-mode=1:aq-strength=2"
"""What keeps masked blocks exactly black beside hard contrast at 300 kbit/s, where the preset alone errs by 173 levels:
no deblocking filter, which smears three pixels across a block's border, and bits moved from texture to flat blocks."""


class Encoder:
    """libx264 as a door wants it: no picture waits for the next, each GOP stands alone and lasts ``gop_s``."""

    def __init__(self, width: int, height: int, settings: Settings) -> None:
        codec = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.time_base = _TICK
        codec.framerate = Fraction(settings.fps)
        codec.bit_rate = settings.bitrate_kbps * 1000
        # The keyframes are asked for by time below; by count a source that drops frames would stretch its GOPs.
        codec.gop_size = max(1, round(2 * settings.gop_s * settings.fps))
        codec.max_b_frames = 0
        codec.thread_count = 1
        codec.profile = "Baseline"
        codec.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "maxrate": str(settings.bitrate_kbps * 1000),
            "bufsize": str(settings.bitrate_kbps * 1000),
            "x264-params": X264,
        }
        self._codec = codec
        # Half a frame early still counts: frame times are rounded and jitter.
        self._gop_s = settings.gop_s - 0.5 / settings.fps
        self._keyframe_due = 0.0

    def encode(self, frame: av.VideoFrame, t: float) -> Iterator[tuple[bytes, bool]]:
        """The packets (Annex B, whether a keyframe) that the frame at *t* seconds makes: one."""
        frame.time_base = _TICK  # a decoded frame has its stream's, and libav would convert
        frame.pts = round(t * TICKS)
        frame.pict_type = PictureType.NONE
        if t >= self._keyframe_due:
            frame.pict_type = PictureType.I
            self._keyframe_due = t + self._gop_s
        for packet in self._codec.encode(frame):
            yield bytes(packet), packet.is_keyframe
