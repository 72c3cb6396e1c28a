"""Looks for plaintext on the disk: clips are made by the recorder's own rooms, and their folder is searched.

Every keyframe carries a marker in an H.264 user-data SEI, the MP4's and the JPEG's comment another. The search knows
these, the words of MP4's boxes, the beginning of a JPEG, and the very SPS and PPS of this run. The control makes the
same clips with sealing replaced by identity, in this process only: a search that finds nothing there is no search.

Three bytes occur in random ones too: once in 17 MB. A needle of up to eight bytes that is found is looked for again in
clips sealed afresh, at most three times; what leaks is there every time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from doorbell import clip as running
from doorbell import pipe, recorder
from doorbell.bench.door import RECIPIENT
from doorbell.bench.rows import Row, Say
from doorbell.bench.take import Take, film
from doorbell.clips.recipient import Recipient
from doorbell.clips.store import prepare
from doorbell.clips.writer import CardWriter
from doorbell.config import Config, Keys
from doorbell.errors import DeviceError
from doorbell.events import ClipKept, PosterMade
from doorbell.recording import new_id
from doorbell.senses.camera import Packet

SHORT = 8
AGAIN = 3
_SEI_MARKER = b"marker in the user data of every keyframe"
_COMMENT_MARKER = "marker-in-the-comments"
_START = b"\x00\x00\x00\x01"


def measure(clips: int, say: Say) -> list[Row]:
    """Two rows: hits among the sealed clips (bar 0), and the needles that the same search finds in the control."""
    say("drawing the scene")
    marked, needles = marked_take()
    hits = _hits(marked, needles, clips)
    for _ in range(AGAIN):
        if not any(hits[name] for name, needle in needles.items() if len(needle) <= SHORT):
            break
        say("a short needle was found, which may be chance: once more, sealed afresh")
        afresh = _hits(marked, needles, clips)
        hits = {name: min(hits[name], afresh[name]) if len(needles[name]) <= SHORT else hits[name] for name in hits}
    say("the control: sealing replaced by identity")
    with sealing_replaced():
        control = _hits(marked, needles, clips)
    found = sum(count > 0 for count in control.values())
    total = sum(hits.values())
    return [
        Row(f"plaintext in the state folder after {clips} clips: hits of {len(needles)} needles",
            total, 0, float(total), 0, "hits"),
        Row("  the same search, sealing replaced by identity: needles found",
            found, len(needles), found / len(needles), 1, "needles", at_least=True),
    ]  # fmt: skip


def marked_take() -> tuple[Take, dict[str, bytes]]:
    """A short film with a marker in every keyframe, and what to look for."""
    take = film(160, 120, 10, 300, 1.0)
    return Take([_marked(packet) for packet in take.packets], take.still), _needles(take.packets[0].data)


def _needles(keyframe: bytes) -> dict[str, bytes]:
    parameters = {unit[0] & 31: unit for unit in _units(keyframe)}
    return {
        "SEI": _SEI_MARKER, "comment": _COMMENT_MARKER.encode(), "ftyp": b"ftyp", "moof": b"moof",
        "SPS": parameters[7], "PPS": parameters[8], "JPEG": b"\xff\xd8\xff",
    }  # fmt: skip


def _units(data: bytes) -> list[bytes]:
    """The NAL units of Annex B."""
    return [unit.rstrip(b"\x00") for unit in data.split(b"\x00\x00\x01") if unit.rstrip(b"\x00")]


def _marked(packet: Packet) -> Packet:
    if not packet.keyframe:
        return packet
    body = b"doorbell's bench" + _SEI_MARKER  # 16 bytes of UUID first: H.264, D.1.7, user_data_unregistered
    sei = _START + b"\x06\x05" + bytes([len(body)]) + body + b"\x80"
    return Packet(packet.at, sei + packet.data, keyframe=True)


def _hits(take: Take, needles: Mapping[str, bytes], clips: int) -> dict[str, int]:
    """How often each needle is found, in a fresh state folder: while the last clip runs, and after it is kept."""
    counts = dict.fromkeys(needles, 0)

    def search(state: Path) -> None:
        for path in state.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                for name, needle in needles.items():
                    counts[name] += data.count(needle) + path.name.encode().count(needle)

    with TemporaryDirectory() as name:
        state = Path(name)
        record(state, take, clips, lambda: search(state))
        search(state)
    return counts


def record(state: Path, take: Take, clips: int, before_the_end: Callable[[], None]) -> None:
    """Film *take* so many times into the state folder; *before_the_end* is called while the last clip runs."""
    config = Config(keys=Keys((RECIPIENT,)))
    told: SimpleQueue[object] = SimpleQueue()
    card = CardWriter(prepare(state), told.put)
    try:
        for number in range(clips):
            order = pipe.Begin(new_id(), _COMMENT_MARKER, "press")
            clip = running.Clip(order, config, card)
            card.poster(order.clip, running.sealed_poster(take.still, order, config))
            for packet in take.packets:
                clip.add(packet)
            if number == clips - 1:
                _wait(told, PosterMade, clips)
                before_the_end()
            clip.finish()
        _wait(told, ClipKept, clips)
    finally:
        card.stop(recorder.LAST_SYNC_S)


def _wait(told: SimpleQueue[object], kind: type, count: int) -> None:
    others = []
    while count:
        event = told.get(timeout=recorder.LAST_SYNC_S)
        if isinstance(event, kind):
            count -= 1
        elif isinstance(event, PosterMade | ClipKept):
            others.append(event)
        else:
            raise DeviceError("The card did not keep a clip of the measurement: is it full?")
    for event in others:
        told.put(event)


class _Identity:
    """A sealer that does not seal."""

    def __init__(self, _: Sequence[Recipient]) -> None:
        self.header = os.urandom(200)

    def update(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


@contextmanager
def sealing_replaced() -> Iterator[None]:
    """The control: while this lasts, this process seals by identity."""
    room: Any = running
    sealer, seal = room.Sealer, room.seal
    room.Sealer, room.seal = _Identity, lambda _, plain: bytes(plain)
    try:
        yield
    finally:
        room.Sealer, room.seal = sealer, seal
