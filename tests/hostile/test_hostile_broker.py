"""The real door and the app's own bell; between them a broker that replays, reorders, delays, damages and forges."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.household.conftest import enrol
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.hostile import Hostile
from tests.rigs.phone import Phone

REPOSITORY = Path(__file__).resolve().parents[2]
PHONE = REPOSITORY / "phone"
COMMANDS = 40
SOON_S = 2.0
"""How long a command of this test is good for: some that are held come too late."""


class Recorder:
    """What reached the phone, for the app's bell to judge."""

    def __init__(self, port: int) -> None:
        self.heard: list[dict[str, Any]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        here = threading.Event()
        topics = [("doorbell/front/hello", 1), ("doorbell/front/alert", 1)]
        self._client.on_connect = lambda one, *_: one.subscribe(topics)
        self._client.on_subscribe = lambda *_: here.set()
        self._client.on_message = lambda _, __, said: self._note(said)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert here.wait(10)

    def _note(self, said: paho.MQTTMessage) -> None:
        payload = base64.b64encode(said.payload).decode()
        self.heard.append({"at": time.monotonic(), "topic": said.topic.rpartition("/")[2], "payload": payload})

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def two_brokers(tmp_path: Path) -> tuple[Mosquitto, Mosquitto]:
    for name in ("near", "far"):
        (tmp_path / name).mkdir()
    return Mosquitto(tmp_path / "near"), Mosquitto(tmp_path / "far")


def commands(anna: Phone, number: int) -> dict[str, float]:
    """Ask for test rings without waiting for answers: each command's id, and when it expires."""
    sent = {}
    for _ in range(number):
        expires = round(anna.uptime() + SOON_S, 3)
        sent[anna.send("ring_test", {"everywhere": False}, expires=expires)] = expires
        pause(0.03)
    return sent


def test_no_command_is_carried_out_late_twice_or_forged_and_no_alert_rings_twice(tmp_path: Path, seed: int) -> None:
    near, far = two_brokers(tmp_path)
    with near, far:
        door = Door(tmp_path / "door", near.port)
        anna = Phone(far.port, "Anna")
        enrol(door, (anna, "admin"))
        with Listener(near.port) as truth, Hostile(near.port, far.port, seed) as broker, door, anna:
            recorder = Recorder(far.port)
            anna.within = 30
            anna.hello()
            epoch = anna.facts["epoch"]
            sent = commands(anna, COMMANDS)
            pause(3.2)  # whatever was held has been let go
            old_hello = truth.of("hello")[-1].payload
            broker.everything_again()
            # A second start of the door: all of the first one is a replay now.
            assert door.stop() == 0
            door.start()
            anna.until(lambda: anna.facts["epoch"] != epoch)
            anna.hello()
            first = broker.everything_again()
            assert first >= COMMANDS
            sent |= commands(anna, COMMANDS // 2)
            pause(3.2)
            broker.everything_again()
            broker.say("doorbell/front/hello", old_hello)  # and the hello of the start before
            broker.everything_again()
            pause(1.0)
            recorder.close()
            alerts = [anna.document("alert", note.payload) for note in truth.of("alert")]
            answers = [note.payload for note in truth.of("to")]
        assert "Traceback" not in door.log()
    judge_door(anna, alerts, answers, sent)
    assert {"twice", "hold", "damage", "resend", "forge"} <= set(broker.done), broker.done
    judge_app(anna, alerts, recorder.heard, tmp_path)


def judge_door(anna: Phone, alerts: list[dict[str, Any]], answers: list[bytes], sent: dict[str, float]) -> None:
    """Each test ring was asked for, once, in time, in the order in which it was asked for."""
    carried: dict[str, set[str]] = {}
    for sealed in answers:
        reply = anna.document("reply", sealed)
        if visit := reply.get("result", {}).get("visit"):
            carried.setdefault(visit, set()).add(reply["id"])
    rung = [one["visit"] for one in alerts]
    assert len(rung) == len(set(rung)), "an alert twice"
    asked = [next(iter(carried[visit])) for visit in rung]
    assert all(len(ids) == 1 for ids in carried.values())
    assert len(asked) == len(set(asked)), "a command was carried out twice"
    assert set(asked) <= set(sent), "a command that nobody gave"
    late = [one["visit"] for one, name in zip(alerts, asked, strict=True) if one["uptime"] >= sent[name]]
    assert late == []
    order = list(sent)
    places = [order.index(name) for name in asked]
    assert places == sorted(places), "carried out in another order than given"
    assert len(asked) >= len(sent) / 4, "the door obeys nobody any more: this shows nothing"


def judge_app(anna: Phone, alerts: list[dict[str, Any]], heard: list[dict[str, Any]], folder: Path) -> None:
    """The app's own bell over what the phone was given, now and once more an hour later."""
    if not (PHONE / "node_modules").exists() or not shutil.which("node"):
        pytest.skip("the app's side needs node and phone/node_modules: make app")
    session = {"identity": str(anna.identity), "verifyKey": anna.facts["verify_key"], "heard": heard}
    (folder / "session.json").write_text(json.dumps(session))
    done = subprocess.run(
        ["node", "node_modules/.bin/vite-node", "tests/bell.mjs", str(folder / "session.json")],
        cwd=PHONE, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    real = {one["visit"] for one in alerts}
    assert set(said["rung"]) <= real, "an alert that the door never gave"
    assert len(said["rung"]) == len(set(said["rung"])), "an alert rang twice"
    assert said["hourLater"] == [], "an alert rang an hour late"
    assert len(said["rung"]) >= len(real) / 4
    assert said["refused"].get("again", 0) > 0 and said["refused"].get("epoch", 0) > 0, said["refused"]
