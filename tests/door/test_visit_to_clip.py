"""From a visitor in front of the camera to a clip that only the owner opens."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.rigs.broker import Mosquitto
from tests.rigs.door import QUIET_SCENE, Door, Listener, pause
from tests.rigs.reading import bodies, opened

FOOTAGE = Path(__file__).parents[3] / "shared/footage"
SCENE = {"camera": {"source": "scene"}}


def seen(door: Door) -> None:
    door.until(lambda: door.status().get("camera") == "sees")


def test_a_visitor_becomes_a_clip_that_begins_before_the_ring(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    settings = {"camera": {"source": "scene"}, "visit": {"linger_s": 4, "longest_s": 60, "preroll_s": 5}}
    with Door(tmp_path / "door", broker.port, settings) as door:
        seen(door)
        pause(5)  # so much has to be there before the visitor
        door.finger(b"visitor", "scene.sock")
        visit = json.loads(listener.wait("/ring", within=90)[0].payload)["id"]
        said = door.until(
            lambda: [body for body in told(door, listener, "clip") if body.get("visit") == visit and "sha256" in body],
            60,
        )
        ring = next(body for body in bodies(door.owner, listener.of("journal")) if body["kind"] == "ring")
        clip = said[0]
        file = door.state / "clips" / f"{clip['id']}.mp4.age"
        picture = next(note.payload for note in listener.wait("poster") if note.topic.endswith(visit))
        assert door.stop() == 0
    sealed, poster = file.read_bytes(), opened(door.owner, picture)
    assert clip["sha256"] == hashlib.sha256(sealed).hexdigest()
    assert clip["bytes"] == len(sealed)
    assert clip["visit"] == ring["visit"]
    assert poster.startswith(b"\xff\xd8\xff")
    assert poster.endswith(b"\xff\xd9")
    assert clip["poster_sha256"] == hashlib.sha256(picture).hexdigest()
    key, movie = tmp_path / "key.txt", tmp_path / "clip.mp4"
    key.write_text(door.owner.line() + "\n")
    key.chmod(0o600)
    checked = [sys.executable, "-m", "doorbell", "check", "--thorough", "--state", door.state, "--identity", key]
    assert subprocess.run(checked, check=False).returncode == 0
    with movie.open("wb") as plain:
        subprocess.run(["age", "-d", "-i", key, file], stdout=plain, check=True)
    complaints = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-i", movie, "-f", "null", "-"], capture_output=True, check=True
    )
    assert complaints.stderr == b""
    about = json.loads(av.open(str(movie)).metadata["comment"])
    assert (about["visit"], about["trigger"]) == (ring["visit"], "motion")
    assert clip["uptime"] - 4 - clip["seconds"] < ring["uptime"] - 4
    assert holds_a_visitor(movie)


def holds_a_visitor(movie: Path) -> bool:
    """The first picture shows an empty mat, and a later one does not."""
    with av.open(str(movie)) as file:
        mats = [frame.to_ndarray(format="gray")[-80:, 120:200].astype(int) for frame in file.decode(video=0)]
    return bool(
        np.abs(mats[len(mats) // 2] - mats[0]).mean() > 15 or max(np.abs(m - mats[0]).mean() for m in mats) > 15
    )


def test_a_stop_in_the_middle_of_a_clip_leaves_it_whole(tmp_path: Path, broker: Mosquitto, listener: Listener) -> None:
    with Door(tmp_path / "door", broker.port, SCENE) as door:
        seen(door)
        door.press()
        listener.wait("/ring")
        door.until(lambda: list((door.state / "clips").glob("*.part")))
        assert door.stop() == 0
        movie = opened(door.owner, door.clips[0].read_bytes())
        assert movie[4:8] == b"ftyp"
        door.start()
        said = bodies(door.owner, listener.wait("journal", 7))
    assert sorted(body["kind"] for body in said[:6]) == ["clip", "clip_started", "ring", "started", "stopped", "visit"]


def test_a_stop_while_somebody_moves_begins_no_clip_that_nobody_records(tmp_path: Path) -> None:
    with Door(tmp_path / "door", 0, SCENE) as door:
        seen(door)
        door.finger(b"visitor", "scene.sock")
        door.until(lambda: door.status().get("recording"))
        pause(1)
        assert door.stop() == 0
    key = tmp_path / "key.txt"
    key.write_text(door.owner.line() + "\n")
    key.chmod(0o600)
    shown = [sys.executable, "-m", "doorbell", "journal", "--json", "--state", door.state, "--identity", key]
    told = subprocess.run(shown, check=True, capture_output=True, text=True).stdout
    assert told.count('"clip_started"') == told.count('"clip"') == 1
    assert '"clip_cut"' not in told


def test_a_recorder_that_dies_in_the_middle_leaves_a_clip_that_is_said_to_be_cut(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    settings = {"camera": {"source": "scene", **QUIET_SCENE, "bitrate_kbps": 4000}}
    with Door(tmp_path / "door", broker.port, settings) as door:
        seen(door)
        pause(4)
        door.press()
        part = door.until(lambda: list((door.state / "clips").glob("*.part")))[0]
        door.until(lambda: part.stat().st_size > 200_000 if part.exists() else True)
        os.kill(door.recorder(), signal.SIGKILL)
        door.until(lambda: door.clips)
        said = door.until(lambda: [b for b in bodies(door.owner, listener.of("journal")) if b["kind"] == "clip_cut"])
        cut = door.clips[0].read_bytes()
    assert said[0]["bytes"] == len(cut)


def test_a_killed_daemon_puts_its_card_in_order_at_the_next_start(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    with Door(tmp_path / "door", broker.port, {**SCENE, "visit": {"linger_s": 15, "longest_s": 60}}) as door:
        seen(door)
        door.press()
        door.until(lambda: list((door.state / "clips").glob("*.part")))
        listener.wait("journal", 3)
        child = door.recorder()
        os.kill(child, signal.SIGKILL)
        door.stop(signal.SIGKILL)
        door.start()
        door.until(lambda: not list((door.state / "clips").glob("*.part")))
        door.until(lambda: [b for b in bodies(door.owner, listener.of("journal")) if b["kind"] == "clip_cut"])


def test_a_recorder_outlives_its_doorman_by_no_more_than_it_takes_to_finish_the_clip(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Door(tmp_path / "door", broker.port, SCENE) as door:
        seen(door)
        door.press()
        door.until(lambda: list((door.state / "clips").glob("*.part")))
        child = door.recorder()
        door.stop(signal.SIGKILL)
        door.until(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text(), 10)
        assert len(door.clips) == 1
        assert opened(door.owner, door.clips[0].read_bytes())[4:8] == b"ftyp"


def test_the_recorder_has_no_internet_socket_and_nothing_that_runs_listens(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    if os.geteuid():
        pytest.skip("only root may look at the sockets of a process that forbids core dumps")
    with Door(tmp_path / "door", broker.port, SCENE) as door:
        seen(door)
        listener.wait("hello")
        assert door.process
        assert not inet_sockets(door.recorder())
        ours = inet_sockets(door.process.pid)
    listening = "0A"
    assert [state for state in ours if state == listening] == []
    assert len(ours) == 1


def inet_sockets(pid: int) -> list[str]:
    """The states of this process's TCP and UDP sockets, as /proc names them."""
    inodes = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(one.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                found.append(fields[3])
    return found


def test_recording_switched_off_ends_the_camera_and_stays_off(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    import paho.mqtt.publish as say

    settings = {"camera": {"source": "scene"}, "homeassistant": {"may_switch_recording": True}}
    with Door(tmp_path / "door", broker.port, settings) as door:
        seen(door)
        say.single("doorbell/front/recording/set", "OFF", qos=1, port=broker.port)
        door.until(lambda: door.recorder() == 0)
        door.press()
        listener.wait("/ring")
        assert listener.wait("recording/state")[-1].payload == b"OFF"
        assert door.stop() == 0
        door.start()
        door.until(lambda: door.log().count("the broker answers") == 2)
        door.until(lambda: door.status().get("camera") == "off")
        pause(0.5)  # until it has subscribed
        say.single("doorbell/front/recording/set", "ON", qos=1, port=broker.port)
        seen(door)


def test_nobody_switches_the_recording_where_the_owner_did_not_allow_it(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    import paho.mqtt.publish as say

    with Door(tmp_path / "door", broker.port, SCENE) as door:
        seen(door)
        listener.wait("hello")
        say.single("doorbell/front/recording/set", "OFF", qos=1, port=broker.port)
        door.press()
        listener.wait("/ring")
        assert door.recorder()
        assert listener.of("recording/state")[-1].payload == b"ON"


def test_a_full_card_is_told_and_the_bell_rings_on(tmp_path: Path, broker: Mosquitto, listener: Listener) -> None:
    card = tmp_path / "card"
    card.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", card], check=False).returncode:
        pytest.skip("mounting a small card needs root")
    try:
        settings = {
            "door": {"state": str(card), "runtime": str(tmp_path / "door/run")},
            "camera": {"source": "scene", **QUIET_SCENE, "bitrate_kbps": 6000},
            "visit": {"linger_s": 10, "longest_s": 20, "preroll_s": 5},
        }
        with Door(tmp_path / "door", broker.port, settings) as door:
            seen(door)
            (card / "leftover").write_bytes(bytes(1_600_000))
            door.press()
            listener.wait("/ring")
            door.until(lambda: any("card" in one or "full" in one for one in door.status().get("problems", [])))
            door.press()
            listener.wait("/ring", 2)
            listener.wait("/alert", 2)
            assert "Traceback" not in door.log(), door.log()
            assert door.stop() == 0
    finally:
        subprocess.run(["umount", "-l", card], check=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("linger", "visits", "words"), [(10, 1, ["--once"]), (1, 5, ["--once", "--fast"])])
def test_six_visits_of_real_footage_are_all_kept_from_before_they_began(
    tmp_path: Path, broker: Mosquitto, listener: Listener, linger: int, visits: int, words: list[str]
) -> None:
    if not (FOOTAGE / "labels.json").exists():
        pytest.skip("the labelled footage is not beside this checkout")
    footage = json.loads((FOOTAGE / "labels.json").read_text())["r01_onebyone"]
    video = FOOTAGE / footage["file"]
    settings = {
        "camera": {"source": f"file:{video}", "width": 640, "height": 360, "fps": 10, "bitrate_kbps": 2000},
        "visit": {"linger_s": linger, "longest_s": 120, "preroll_s": 5},
    }
    with Door(tmp_path / "door", broker.port, settings, words=words) as door:
        assert door.process
        assert door.process.wait(200) == 0
        spans = sorted(place_of(opened(door.owner, clip.read_bytes()), grey(video)) for clip in door.clips)
        door.words, door.settings["camera"] = [], {"source": "none"}
        door.start()
        said = door.until(lambda: told(door, listener, "stopped"), 60)
    began = [event["f0"] for event in footage["events"]]
    print("clips cover the frames", spans, "of visits that begin at", began)
    for f0 in began:
        assert any(first <= f0 - 4 * footage["fps"] and f0 <= last for first, last in spans), f0
    kinds = [body["kind"] for body in said]
    assert len(spans) == kinds.count("clip") == kinds.count("clip_started") >= visits
    assert kinds.count("visit") == len(spans)
    assert len(listener.of("poster")) == len(spans)
    assert {note.payload for note in listener.of("/motion")} == {b"ON", b"OFF"}


def told(door: Door, listener: Listener, last: str) -> list[dict[str, Any]]:
    """Every entry so far, once one of kind *last* is among them."""
    said = bodies(door.owner, listener.of("journal"))
    return said if last in [body["kind"] for body in said] else []


def grey(movie: Path | io.BytesIO) -> list[np.ndarray]:
    with av.open(movie if isinstance(movie, io.BytesIO) else str(movie)) as file:
        return [frame.to_ndarray(format="gray").astype(np.int16) for frame in file.decode(video=0)]


def place_of(clip: bytes, video: list[np.ndarray]) -> tuple[int, int]:
    """The frames of *video* that the first and the last picture of *clip* are, by the least difference."""
    pictures = grey(io.BytesIO(clip))

    def nearest(picture: np.ndarray) -> int:
        return int(np.argmin([np.abs(picture - other).mean() for other in video]))

    return nearest(pictures[0]), nearest(pictures[-1])


def test_where_both_must_agree_a_visitor_is_recorded_when_the_pir_feels_him(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    settings = {"camera": {"source": "scene"}, "motion": {"record_on": "motion-and-pir"}}
    with Door(tmp_path / "door", broker.port, settings) as door:
        seen(door)
        door.finger(b"visitor", "scene.sock")
        listener.wait("/motion", within=30)  # the camera sees him, the PIR does not yet
        assert not list((door.state / "clips").iterdir())
        assert listener.of("/ring") == []
        door.finger(b"pir up")
        door.until(lambda: list((door.state / "clips").glob("*.part")), 5)
        door.finger(b"pir down")
        started = door.until(
            lambda: [b for b in bodies(door.owner, listener.of("journal")) if b["kind"] == "clip_started"]
        )
    assert [body["trigger"] for body in started] == ["motion-and-pir"]
