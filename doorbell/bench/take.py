"""A take of the synthetic door: coded as the door's camera codes, in memory or as a video file."""

from __future__ import annotations

import sys
from pathlib import Path

import av
from attrs import frozen

from doorbell.clips.mux import Muxer
from doorbell.scene import Leaves, Scene, Script, Visitor
from doorbell.senses.camera import Packet, Settings, Still
from doorbell.senses.encoder import Encoder
from doorbell.vision.frames import planes_of

SCRIPT = Script((Visitor(at=-9.0, stay_s=3600), Leaves()), noise=1.5)
"""Somebody at the mat, leaves that move, a sensor's noise: what fills the bitrate that the door asks for."""


@frozen
class Take:
    """Packets at the camera's pace from second 0 on, and the last picture."""

    packets: list[Packet]
    still: Still


def film(width: int, height: int, fps: int, kbps: int, seconds: float) -> Take:
    """Draw and encode *seconds* of the scene; about 20 ms of CPU a picture at 1280x720."""
    settings = Settings("scene", width, height, fps, kbps)
    scene, encoder = Scene(width, height, 1, SCRIPT), Encoder(width, height, settings)
    canvas = av.VideoFrame(width, height, "yuv420p")
    planes = planes_of(canvas)
    packets = []
    for number in range(round(seconds * fps)):
        t = number / fps
        drawn = scene.frame(t)
        for mine, given in zip(planes, (drawn.y, drawn.u, drawn.v), strict=True):
            mine[:] = given
        packets += [Packet(t, data, keyframe) for data, keyframe in encoder.encode(canvas, t)]
    y, u, v = planes
    return Take(packets, Still(seconds, (y.copy(), u.copy(), v.copy())))


def longer(packets: list[Packet], seconds: float, times: int) -> list[Packet]:
    """The take *times* over, one after the other: each begins with a keyframe, so the whole is one stream."""
    return [Packet(one.at + seconds * n, one.data, one.keyframe) for n in range(times) for one in packets]


def save(packets: list[Packet], path: Path) -> None:
    """An MP4 of the packets."""
    muxer = Muxer(packets[0], {}, "2000-01-01T00:00:00Z")
    path.write_bytes(b"".join(muxer.add(packet) for packet in packets) + muxer.finish())


if __name__ == "__main__":
    # In a process of its own: who measures memory does not hold the libraries it measures.
    width, height, seconds = sys.argv[2:]
    save(film(int(width), int(height), 15, 2000, float(seconds)).packets, Path(sys.argv[1]))
