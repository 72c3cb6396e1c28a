"""What ``doorbell demo --once`` believes and what it does not: each check fails when it should."""

import base64
import json
import secrets
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from attrs import evolve

from doorbell.clips.seal import seal
from doorbell.demo import checks, pictures
from doorbell.demo.broker import Seen
from doorbell.demo.household import Poster, Ring
from doorbell.demo.pictures import Film, watch
from doorbell.errors import DamagedError
from doorbell.owner.identity import Identity
from doorbell.scene import Scene, Script, Visitor

WIDTH, HEIGHT, FPS = 640, 360, 5
PRESS_S = 6.0
OWNER = Identity.make()
RING = Ring("visit", pressed=100.0, wall=1000.0, heard=100.02)


def _film(path: Path, script: Script, begins: float, seconds: float) -> Path:
    scene = Scene(WIDTH, HEIGHT, 3, script)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(int(seconds * FPS)):
            drawn = scene.frame(begins + number / FPS)
            frame = av.VideoFrame.from_ndarray(np.vstack([drawn.y, *(_rows(p) for p in (drawn.u, drawn.v))]), "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _rows(plane: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(plane).reshape(-1, WIDTH)


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """A clip whose visitor presses PRESS_S after its beginning."""
    who = Visitor(at=0.0)
    path = tmp_path_factory.mktemp("film") / "visited.mp4"
    return watch(_film(path, Script((who,)), who.at_the_door - PRESS_S, PRESS_S + 2), PRESS_S + 0.5)


def _sealed(topic: str, plain: bytes) -> Seen:
    return Seen(0.0, f"doorbell/demo/{topic}", seal([OWNER.recipient], plain))


def _entry(body: bytes) -> Seen:
    fields = {"index": 1, "prev": "", "body": base64.b64encode(body).decode(), "sig": ""}
    return Seen(0.0, "doorbell/demo/journal/1", json.dumps(fields).encode())


# ---- the visitor in the picture


def test_a_visitor_on_the_doorstep_is_found(visited: Film) -> None:
    assert checks.visitor(visited).good


def test_an_empty_doorstep_is_no_visitor(tmp_path: Path) -> None:
    assert not checks.visitor(watch(_film(tmp_path / "empty.mp4", Script(noise=1.5), 0.0, 2), 1.0)).good


def test_a_light_that_changes_everywhere_is_no_visitor(visited: Film) -> None:
    darker = evolve(visited, then=(visited.empty // 2).astype(np.uint8))
    assert pictures.changed(darker.empty, darker.then, pictures.DOORSTEP) > checks.VISITOR_COVERS
    assert not checks.visitor(darker).good


# ---- the clip's beginning and end


def test_a_clip_that_begins_before_the_press_is_good(visited: Film) -> None:
    assert checks.begins_before(created=1000.0 - PRESS_S, pressed=1000.0, film=visited).good


def test_a_clip_that_begins_late_is_found_out(visited: Film) -> None:
    assert not checks.begins_before(created=1000.0 - 4.9, pressed=1000.0, film=visited).good


def test_the_cut_second_of_the_creation_time_counts_against_the_clip(visited: Film) -> None:
    assert checks.begins_before(created=995.0, pressed=1000.0, film=visited).figure.startswith("at least 4.0 s")


def test_a_clip_that_ends_before_the_press_is_found_out(visited: Film) -> None:
    assert not checks.begins_before(created=990.0, pressed=1000.0, film=evolve(visited, reached=False)).good


def test_no_press_is_no_beginning_before_it(visited: Film) -> None:
    assert not checks.begins_before(created=990.0, pressed=None, film=visited).good


def test_a_whole_clip_decodes_to_its_last_picture(visited: Film) -> None:
    assert visited.frames == 40
    assert checks.decodes(visited, 8.0).good


def test_a_packet_without_a_picture_is_found_out(visited: Film) -> None:
    assert not checks.decodes(evolve(visited, packets=visited.frames + 1), 8.0).good


def test_a_clip_shorter_than_its_entry_is_found_out(visited: Film) -> None:
    assert not checks.decodes(visited, 9.0).good


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"nothing of the kind" * 50)
    with pytest.raises(DamagedError):
        watch(tmp_path / "no.mp4", 1.0)


def test_a_still_is_a_jpeg_of_the_whole_picture(tmp_path: Path) -> None:
    still = tmp_path / "still.jpg"
    watch(_film(tmp_path / "film.mp4", Script(), 0.0, 1), 0.5, still)
    assert pictures.size(still.read_bytes()) == (WIDTH, HEIGHT)


def test_another_clip_than_the_journal_names_is_found_out() -> None:
    assert checks.digest("ab" * 32, "ab" * 32).good
    assert not checks.digest("ab" * 32, "ac" * 32).good
    assert not checks.digest("", "").good


# ---- what the household heard


def test_a_ring_that_came_is_told_with_its_latency() -> None:
    assert checks.ring([RING]).good
    assert checks.ring([RING]).figure.startswith("20 ms")


def test_silence_is_no_ring_and_no_poster() -> None:
    assert not checks.ring([]).good
    assert not checks.poster([]).good


def test_a_poster_that_is_no_jpeg_is_found_out() -> None:
    assert not checks.poster([Poster("visit", b"\xff\xd8 not really")]).good


# ---- what the broker saw


def test_sealed_messages_are_ciphertext() -> None:
    seen = [_sealed("alert", b'{"kind":"ring"}'), _sealed("poster/abc", b"\xff\xd8\xff\xfe" * 99), _entry(
        seal([OWNER.recipient], b"{}"))]  # fmt: skip
    assert checks.nothing_but_ciphertext(seen).good


@pytest.mark.parametrize("topic", ["alert", "poster/abc", "journal/1", "clip/a/b/1", "something/new"])
def test_plaintext_on_a_sealed_topic_is_found_out(topic: str) -> None:
    good = _sealed("alert", b"{}")
    bare = Seen(0.0, f"doorbell/demo/{topic}", b'{"kind":"ring"}')
    assert not checks.nothing_but_ciphertext([good, bare]).good


@pytest.mark.parametrize("topic", ["from/phone", "pair", "live/phone/session", "clip/phone/request/1"])
def test_what_a_phone_says_and_hears_is_sealed_though_it_is_no_age_file(topic: str) -> None:
    sealed = Seen(0.0, f"doorbell/demo/{topic}", bytes(7) + b"\x01" + secrets.token_bytes(300))
    assert checks.nothing_but_ciphertext([sealed]).good
    for bare in (b"", b'{"v":1,"cmd":"hello"}' * 5, bytes(8) + b"\xff\xd8\xff\xe0" + bytes(300)):
        assert not checks.nothing_but_ciphertext([Seen(0.0, f"doorbell/demo/{topic}", bare)]).good


def test_the_first_piece_of_a_clip_is_the_beginning_of_an_age_file() -> None:
    bare = Seen(0.0, "doorbell/demo/clip/phone/request/0", secrets.token_bytes(300))
    assert not checks.nothing_but_ciphertext([bare]).good


def test_a_picture_behind_an_age_header_is_found_out() -> None:
    header = seal([OWNER.recipient], b"").rpartition(b"\n")[0] + b"\n"
    assert not checks.nothing_but_ciphertext([Seen(0.0, "doorbell/demo/alert", header + b"\xff\xd8\xff\xfe" * 20)]).good


def test_an_entry_whose_body_is_not_sealed_is_found_out() -> None:
    assert not checks.nothing_but_ciphertext([_entry(b'{"v":1,"kind":"ring"}')]).good


def test_clear_topics_may_be_clear() -> None:
    seen = [Seen(0.0, "doorbell/demo/ring", b"{}"), Seen(0.0, "homeassistant/device/doorbell-demo/config", b"{}")]
    assert not any(checks.is_sealed(one.topic) for one in seen)


def test_a_broker_that_saw_nothing_proves_nothing() -> None:
    assert not checks.nothing_but_ciphertext([]).good
