"""A clip in the making: every piece that is handed out can be sealed at once, and played wherever it is cut."""

from __future__ import annotations

import gc
import io
import itertools
import json
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

from doorbell.clips.mux import Muxer
from doorbell.errors import DeviceError
from doorbell.senses.camera import Packet, Settings
from doorbell.senses.software import Encoder
from doorbell.vision.frames import planes_of

REPOSITORY = Path(__file__).resolve().parents[2]
CREATED = "2026-11-22T18:00:00.000000Z"


@cache
def film(count=45, fps=15, jitter=0.0, dropped=()):
    """Packets of a moving pattern, 160x120, a keyframe a second."""
    settings = Settings("scene", width=160, height=120, fps=fps, bitrate_kbps=300)
    encoder, frame = Encoder(160, 120, settings), av.VideoFrame(160, 120, "yuv420p")
    y, u, v = planes_of(frame)
    u[:], v[:] = 100, 150
    random = np.random.default_rng(5)
    packets = []
    for number in range(count):
        if number in dropped:
            continue
        t = number / fps + random.uniform(0, jitter)
        y[:] = (np.arange(160) * 2 + number * 7)[None, :] % 200 + 20
        packets += [Packet(5000.25 + t, data, keyframe) for data, keyframe in encoder.encode(frame, t)]
    return tuple(packets)


def muxed(packets, metadata=None):
    """The pieces: one for each packet added, and what ``finish`` gives."""
    muxer = Muxer(packets[0], metadata or {"door": "front"}, CREATED)
    return [*(muxer.add(packet) for packet in packets), muxer.finish()]


def boxes(data, begin=0, end=None):
    """(type, begin of the content, end) of the boxes in a stretch of an ISO base media file."""
    end = len(data) if end is None else end
    while begin < end:
        size, kind = struct.unpack_from(">I4s", data, begin)
        assert size >= 8 and begin + size <= end, "a box is longer than what holds it"
        yield kind.decode(), begin + 8, begin + size
        begin += size


def inside(data, *path):
    begin, end = 0, len(data)
    for kind in path:
        begin, end = next((b, e) for k, b, e in boxes(data, begin, end) if k == kind)
    return begin, end


def fragments(data):
    """(time of decoding, durations of its samples, end of its mdat) of every fragment, in ticks."""
    found = []
    for kind, begin, end in boxes(data):
        if kind == "moof":
            traf = next((b, e) for k, b, e in boxes(data, begin, end) if k == "traf")
            parts = {k: (b, e) for k, b, e in boxes(data, *traf)}
            at = parts["tfdt"][0]
            time = struct.unpack_from(">Q" if data[at] else ">I", data, at + 4)[0]
            found.append([time, durations(data, parts["tfhd"][0], parts["trun"][0]), None])
        elif kind == "mdat":
            found[-1][2] = end
    return found


def durations(data, tfhd, trun):
    flags = int.from_bytes(data[tfhd + 1 : tfhd + 4])
    offset = tfhd + 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
    default = struct.unpack_from(">I", data, offset)[0] if flags & 8 else 0
    flags = int.from_bytes(data[trun + 1 : trun + 4])
    count = struct.unpack_from(">I", data, trun + 4)[0]
    offset = trun + 8 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
    width = 4 * (flags & 0xF00).bit_count()
    if not flags & 0x100:
        return [default] * count
    return [struct.unpack_from(">I", data, offset + number * width)[0] for number in range(count)]


def synced(data):
    """Whether each fragment's only sample is one to seek to: from the flags in trun, else tfhd."""
    found = []
    for kind, begin, end in boxes(data):
        if kind == "moof":
            traf = next((b, e) for k, b, e in boxes(data, begin, end) if k == "traf")
            parts = {k: b for k, b, _ in boxes(data, *traf)}
            found.append(not sample_flags(data, parts["tfhd"], parts["trun"]) & 0x10000)
    return found


def sample_flags(data, tfhd, trun):
    flags = int.from_bytes(data[trun + 1 : trun + 4])
    at = trun + 8 + (4 if flags & 1 else 0)
    if flags & 4:
        return struct.unpack_from(">I", data, at)[0]
    if flags & 0x400:
        return struct.unpack_from(">I", data, at + (4 if flags & 0x100 else 0) + (4 if flags & 0x200 else 0))[0]
    flags = int.from_bytes(data[tfhd + 1 : tfhd + 4])
    assert flags & 0x20, "no flags anywhere"
    at = tfhd + 8 + sum(width for bit, width in ((1, 8), (2, 4), (8, 4), (0x10, 4)) if flags & bit)
    return struct.unpack_from(">I", data, at)[0]


def played(data):
    """Times of the pictures that PyAV decodes, in seconds."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.time for frame in container.decode(video=0)]


def times(packets):
    return [packet.at - packets[0].at for packet in packets]


def test_a_clip_is_ftyp_moov_then_pairs_of_moof_and_mdat() -> None:
    data = b"".join(muxed(film()))
    kinds = [kind for kind, _, _ in boxes(data)]
    assert kinds == ["ftyp", "moov", *["moof", "mdat"] * 45, "mfra"]


@pytest.mark.parametrize("shape", [{}, {"jitter": 0.05}, {"dropped": (7, 8, 30)}, {"fps": 4}, {"fps": 30}], ids=str)
def test_no_fragment_lasts_longer_than_250_ms(shape) -> None:
    packets = film(**shape)
    cut = fragments(b"".join(muxed(packets)))
    assert max(sum(lasts) for _, lasts, _ in cut) <= 22_500
    assert [round(time / 90_000, 3) for time, _, _ in cut] == [round(time, 3) for time in times(packets)]
    for (time, lasts, _), (following, _, _) in itertools.pairwise(cut):
        assert time + sum(lasts) == following, "a picture lasts until the next one"
    assert 0 < sum(cut[-1][1]) <= 22_500


def test_keyframes_and_no_others_are_marked_for_seeking() -> None:
    packets = film()
    assert synced(b"".join(muxed(packets))) == [packet.keyframe for packet in packets]


def test_each_fragment_is_handed_out_with_the_picture_after_it() -> None:
    pieces = muxed(film())
    assert [kind for kind, _, _ in boxes(pieces[1])][-2:] == ["moof", "mdat"]
    assert all([kind for kind, _, _ in boxes(piece)] == ["moof", "mdat"] for piece in pieces[2:-1])


def test_a_clip_cut_after_any_fragment_plays_up_to_there() -> None:
    packets = film(count=20)
    pieces = muxed(packets)
    for whole in range(2, len(packets)):
        shown = played(b"".join(pieces[: whole + 1]))
        assert [round(t, 3) for t in shown] == [round(t, 3) for t in times(packets[:whole])]


def test_the_pictures_keep_their_times() -> None:
    packets = film(jitter=0.05, dropped=(3, 20))
    shown = played(b"".join(muxed(packets)))
    assert shown == pytest.approx(times(packets), abs=1 / 45_000)


def test_times_that_stand_still_or_fall_are_told_apart() -> None:
    one, *rest = film(count=5)
    packets = [one, *(Packet(one.at - number, packet.data, packet.keyframe) for number, packet in enumerate(rest))]
    shown = played(b"".join(muxed(packets)))
    assert shown == pytest.approx([number / 90_000 for number in range(5)], abs=1e-6)


def test_a_clip_of_one_picture_lasts_a_quarter_of_a_second() -> None:
    data = b"".join(muxed(film(count=1)))
    assert [lasts for _, lasts, _ in fragments(data)] == [[22_500]]
    assert len(played(data)) == 1


def test_the_clip_tells_when_and_why_it_was_made() -> None:
    metadata = {"door": "front", "visit": "abc", "trigger": "press", "note": "Tür — 門"}
    with av.open(io.BytesIO(b"".join(muxed(film(), metadata)))) as container:
        assert json.loads(container.metadata["comment"]) == metadata
        assert container.metadata["creation_time"] == CREATED


def test_ffmpeg_decodes_every_picture_without_a_word(tmp_path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"".join(muxed(film(jitter=0.02))))
    decoded = subprocess.run(
        ["ffmpeg", "-v", "warning", "-i", clip, "-f", "null", "-"], capture_output=True, text=True, check=False
    )
    probe = ["ffprobe", "-v", "warning", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]
    probed = subprocess.run([*probe, clip], capture_output=True, text=True, check=False)
    assert (decoded.returncode, decoded.stdout, decoded.stderr) == (0, "", "")
    assert (probed.stdout.strip(), probed.stderr) == ("45", "")


def test_fragments_cost_little() -> None:
    packets = film(count=45)
    coded = sum(len(packet.data) for packet in packets)
    assert (len(b"".join(muxed(packets))) - coded) / 45 < 150, "bytes a picture"


def test_a_clip_cannot_begin_without_a_keyframe() -> None:
    with pytest.raises(DeviceError, match="no keyframe"):
        Muxer(film()[1], {}, CREATED)


def test_a_clip_cannot_begin_without_sps_and_pps() -> None:
    first = film()[0]
    picture = first.data[first.data.index(b"\0\0\1\x65") :]
    for data in (picture, b"", b"\0\0\0\1"):
        with pytest.raises(DeviceError, match="SPS and PPS"):
            Muxer(Packet(first.at, data, True), {}, CREATED)


def test_a_film_that_nobody_ends_is_ended_when_it_is_dropped_not_by_the_garbage_collector() -> None:
    muxer = Muxer(film()[0], {}, CREATED)
    for packet in film(5):
        muxer.add(packet)
    written = muxer._out
    gc.disable()
    try:
        del muxer
        assert b"mfra" in written.take()
    finally:
        gc.enable()


def test_films_that_nobody_ends_do_not_end_the_recorder() -> None:
    """Under PyAV 14 and Python 3.13, a Pi's, this was a segmentation fault each time."""
    program = """
import gc
from tests.clips.test_mux import CREATED, Muxer, film
for _ in range(50):
    muxer = Muxer(film(5)[0], {}, CREATED)
    for packet in film(5):
        muxer.add(packet)
    muxer.itself = muxer  # a circle: the collector has to find it
    del muxer
gc.collect()
"""
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True, timeout=60)
