"""H.264 packets to the bytes of a fragmented MP4, each fragment as soon as it is complete.

``ftyp moov (moof mdat)* mfra``, written by libavformat into a Python object that cannot seek, so that a clip can be
sealed while it is recorded. Each picture is a fragment of its own: then no fragment lasts longer than a picture is
shown, whatever the camera dropped, and what a power cut leaves ends at most one picture early. That costs about
100 bytes a picture, 0.6 % at 2 Mbit/s and 15 pictures a second. (Fragments by duration close only with the picture
that makes them too long, so with one dropped frame they pass any limit.)

A picture's duration is known when the next one comes, so ``add`` gives the fragment of the picture before.

No encoder is opened: the stream's description is read from the first keyframe, which carries its SPS and PPS.
"""

from __future__ import annotations

import contextlib
import io
import json
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from doorbell.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorbell.senses.camera import Packet

TICKS = 90_000
"""The file's clock, per second."""

LONGEST_S = 0.25
"""The last picture of a clip has no next one: it lasts as long as the one before, at most this."""


class Muxer:
    """One clip. ``metadata`` becomes the comment, as JSON; ``creation_time`` is RFC 3339 UTC text.

    Raises DeviceError if the first packet is no keyframe with SPS and PPS.
    """

    def __init__(self, first: Packet, metadata: Mapping[str, object], creation_time: str) -> None:
        self._out = _Collected()
        self._origin = first.at
        self._last = -1
        self._step = round(LONGEST_S * TICKS)
        self._container = av.open(
            self._out,
            "w",
            format="mp4",
            options={"movflags": "+empty_moov+default_base_moof+frag_every_frame"},
        )
        with _described_by(first) as source:
            self._stream = self._container.add_stream_from_template(source.streams.video[0])
        self._stream.time_base = Fraction(1, TICKS)
        self._container.metadata["creation_time"] = creation_time
        self._container.metadata["comment"] = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))

    def add(self, packet: Packet) -> bytes:
        """The next picture, the first one included; gives the bytes that are ready now: the picture's before it."""
        ticks = max(round((packet.at - self._origin) * TICKS), self._last + 1)
        if self._last >= 0:
            self._step = ticks - self._last
        self._last = ticks
        coded = av.Packet(packet.data)
        coded.is_keyframe = packet.keyframe
        coded.stream = self._stream
        coded.time_base = Fraction(1, TICKS)
        coded.pts = coded.dts = ticks
        # Only the last picture's is believed: libavformat takes any other from the time of the next one.
        coded.duration = min(self._step, round(LONGEST_S * TICKS))
        self._container.mux_one(coded)
        return self._out.take()

    def finish(self) -> bytes:
        """The last fragment and the index; nothing may be added after it."""
        self._container.close()
        return self._out.take()

    def __del__(self) -> None:
        # Container and stream hold each other, so an unfinished one is left to the garbage collector, which takes the
        # file away first; PyAV then still writes the end of the film into it, and Python 3.13 dies of that. This runs
        # before: nothing in that circle holds a Muxer.
        if (container := getattr(self, "_container", None)) is not None:
            with contextlib.suppress(av.FFmpegError):
                container.close()


class _Collected:
    """The file that libavformat believes to write: it can be written, not sought."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _described_by(first: Packet) -> av.container.InputContainer:
    if not first.keyframe:
        raise DeviceError("A clip cannot begin here: its first packet is no keyframe.")
    try:
        source = av.open(io.BytesIO(first.data), "r", format="h264")
        if source.streams.video[0].codec_context.width:
            return source
        source.close()
    except (av.FFmpegError, IndexError):
        pass
    raise DeviceError("A clip cannot begin here: its first keyframe carries no SPS and PPS.")
