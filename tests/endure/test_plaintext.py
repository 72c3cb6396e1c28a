"""Row 16: the raw bytes of the card hold nothing of a picture: not its files, its journal or its free blocks.

Two ways. The recorder's own rooms write clips whose every keyframe carries a marker; and the whole daemon lives on the
card with its runtime and temporary folders, and what is looked for is what its clips turn out to hold once their owner
opens them.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from doorbell.bench.plaintext import AGAIN, SHORT, marked_take, record, sealing_replaced
from tests.endure.rows import FULL, count, tell
from tests.rigs.door import Door, pause
from tests.rigs.ext4 import Card
from tests.rigs.reading import opened

pytestmark = [pytest.mark.endure, pytest.mark.row(16), pytest.mark.timeout(900)]


@pytest.fixture
def cards(tmp_path: Path) -> Iterator[Path]:
    with Card(tmp_path / "try"):
        yield tmp_path


def hits(raw: bytes, needles: dict[str, bytes]) -> dict[str, int]:
    return {name: raw.count(needle) for name, needle in needles.items()}


def test_a_raw_card_holds_no_marker_of_any_clip_and_the_control_holds_each(cards: Path) -> None:
    take, needles = marked_take()
    clips = count(2, 50)

    def written(number: int) -> dict[str, int]:
        """What is found on a fresh card: while the last clip runs, and after the end."""
        with Card(cards / f"card{number}") as card:
            during: list[dict[str, int]] = []

            def look() -> None:
                os.sync()
                during.append(hits(card.raw(), needles))

            record(card.place / "state", take, clips, look)
            card.unmount()
            found = hits(card.raw(), needles)
            return {name: found[name] + during[0][name] for name in needles}

    found = written(0)
    for more in range(1, AGAIN + 1):  # three bytes are found in random ones too: what leaks is there every time
        if not any(found[name] for name, needle in needles.items() if len(needle) <= SHORT):
            break
        afresh = written(more)
        found = {name: min(found[name], afresh[name]) if len(needles[name]) <= SHORT else found[name] for name in found}
    with sealing_replaced():
        control = written(99)
    assert found == dict.fromkeys(needles, 0)
    assert all(control.values()), control
    figure = f"{clips} clips: 0 hits of {len(needles)} needles in the raw image; the control: {len(control)} of "
    figure += f"{len(needles)}, {sum(control.values()):,} hits"
    tell(
        16,
        "the recorder's rooms on a raw ext4 image (its journal and free blocks too), marker in every keyframe",
        figure,
    )


def of_this_run(film: bytes) -> dict[str, bytes]:
    """What only this very clip holds: its headers, its comment, its encoder's words, stretches of its pictures."""
    with av.open(io.BytesIO(film)) as movie:
        extra = bytes(movie.streams.video[0].codec_context.extradata or b"")
        about = json.loads(movie.metadata["comment"])
        packets = [bytes(packet) for packet in movie.demux(video=0) if packet.size > 100]
    sps = re.search(rb"\x67.{8,}?(?=\x00\x00|\x01\x00\x04\x68|$)", extra, re.DOTALL)
    needles = {
        "comment": f'"visit":"{about["visit"]}"'.encode(),
        "SPS": (sps[0] if sps else extra)[:12],
        **{f"picture {number}": packets[number][40:72] for number in range(0, len(packets), max(1, len(packets) // 8))},
    }
    return {name: needle for name, needle in needles.items() if needle in film or name == "comment"}


@pytest.mark.skipif(not FULL, reason="the rooms that write are looked at above")
def test_the_whole_daemon_leaves_nothing_of_its_pictures_on_card_swap_or_in_temporary_files(cards: Path) -> None:
    settings = {"camera": {"source": "scene"}, "motion": {"record_on": "press"}}
    with Card(cards / "card") as card:
        places = card.place / "tmp", card.place / "door"
        for place in places:
            place.mkdir()
        inside = {name: str(places[0]) for name in ("TMPDIR", "TMP", "TEMP", "HOME")}
        swapped = 0
        with Door(places[1], settings=settings, environment=inside) as door:
            door.until(lambda: door.status().get("camera") == "sees", 60)
            for number in range(1, 5 + 1):
                door.press()
                door.until(lambda number=number: len(door.clips) >= number, 60)
                pause(0.2)
            for pid in (door.process.pid if door.process else 0, door.recorder()):
                swap = re.search(r"^VmSwap:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
                swapped += int(swap[1]) if swap else 0
            door.stop()
        films = [opened(door.owner, clip.read_bytes()) for clip in door.clips]
        strays = [path for path in places[0].rglob("*") if path.is_file()]
        card.unmount()
        raw = card.raw()
    needles: dict[str, bytes] = {}
    for number, film in enumerate(films):
        needles |= {f"{number} {name}": needle for name, needle in of_this_run(film).items()}
    needles |= {"ftyp": b"ftypiso", "moof": b"moof\x00\x00\x00\x10mfhd", "x264": b"x264 - core"}
    assert len(needles) > 8
    assert all(any(needle in film for film in films) for name, needle in needles.items() if "comment" not in name)
    found = {name: number for name, number in hits(raw, needles).items() if number}
    assert found == {}
    assert strays == []
    assert swapped == 0
    figure = f"{len(films)} clips of the daemon: 0 hits of {len(needles)} needles taken from the opened clips, "
    figure += f"0 temporary files, {swapped} kB swapped"
    tell(16, "the daemon with state, runtime, log, home and TMPDIR on a raw ext4 image", figure)
