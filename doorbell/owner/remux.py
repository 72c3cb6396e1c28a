"""Turns an opened clip (fragmented MP4) into an ordinary faststart MP4 without re-encoding, whole fragments only."""

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO, Final

import av

from doorbell.errors import DamagedError

_LARGE: Final = 1  # box size field: the real size follows in 64 bits
_TO_THE_END: Final = 0  # box size field: the box ends with the file


def is_mp4(beginning: bytes) -> bool:
    """Whether a file with this beginning (8 bytes or more) is an MP4."""
    return beginning[4:8] == b"ftyp"


def whole_fragments(file: BinaryIO) -> int:
    """How many bytes from the start are whole: up to the end of the last `moov` or of an `mdat` behind it; 0 without
    `moov`.

    Walks the top-level boxes (ISO/IEC 14496-12, 4.2); what is cut or nonsense ends the walk.
    """
    size = file.seek(0, os.SEEK_END)
    at = whole = 0
    seen_moov = False
    while (box := _box(file, at, size)) is not None:
        kind, at = box
        seen_moov = seen_moov or kind == b"moov"
        if seen_moov and kind in (b"moov", b"mdat"):
            whole = at
    return whole


def _box(file: BinaryIO, at: int, size: int) -> tuple[bytes, int] | None:
    """Kind and end of the box at `at`, None if it is not whole."""
    file.seek(at)
    head = file.read(16)
    if len(head) < 8:
        return None
    length, kind = struct.unpack(">I4s", head[:8])
    least = 8
    if length == _LARGE and len(head) == 16:
        least, length = 16, struct.unpack(">Q", head[8:])[0]
    elif length == _TO_THE_END:
        length = size - at
    end = at + length
    return (kind, end) if length >= least and end <= size else None


def video_seconds(path: Path) -> float | None:
    """How long the whole fragments in `path` last, None if there is no picture among them."""
    times = _Times()
    try:
        with path.open("rb") as file, av.open(_Whole(file), "r") as video:
            for packet in video.demux(video.streams.video[0]):
                times.add(packet)
    except (av.FFmpegError, IndexError):
        return None
    return times.seconds()


def remux(draft: Path, plain: Path) -> float:
    """Write the whole fragments of `draft` to `plain` as a faststart MP4 with the same metadata; returns its seconds.

    Raises DamagedError if there is no picture among them.
    """
    times = _Times()
    try:
        with (
            draft.open("rb") as file,
            av.open(_Whole(file), "r") as video,
            av.open(str(plain), "w", format="mp4", options=_FASTSTART) as out,
        ):
            out.metadata.update(video.metadata)
            # opaque: PyAV 14 otherwise opens an encoder for the copy and writes a file without pictures
            copies = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in _media(video)}
            for packet in video.demux(_media(video)):
                if packet.dts is None:
                    continue  # the demuxer's mark of the end
                times.add(packet)
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    except (av.FFmpegError, IndexError) as error:
        raise _no_picture() from error
    seconds = times.seconds()
    if seconds is None:
        raise _no_picture()
    return seconds


def _no_picture() -> DamagedError:
    return DamagedError("The clip opens, but no whole piece of video is in it to repack: open it without --plain.")


class _Whole:
    """The whole fragments of a file, as a file that ends there: a torn picture would be shown torn."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = whole_fragments(file)
        file.seek(0)

    def read(self, size: int) -> bytes:
        return self._file.read(max(0, min(size, self._end - self._file.tell())))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            return self._file.seek(self._end + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


_FASTSTART: Final = {"movflags": "+faststart"}


def _media(video: "av.container.InputContainer") -> list["av.VideoStream | av.AudioStream"]:
    return [*video.streams.video, *video.streams.audio]


class _Times:
    """First and last moment of the packets seen, in seconds."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def add(self, packet: "av.Packet[Any]") -> None:
        if packet.pts is None or packet.time_base is None:
            return
        start = float(packet.pts * packet.time_base)
        self._first = start if self._first is None else min(self._first, start)
        self._last = max(self._last, start + float((packet.duration or 0) * packet.time_base))

    def seconds(self) -> float | None:
        return None if self._first is None else self._last - self._first
