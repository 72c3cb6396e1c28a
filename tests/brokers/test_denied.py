"""A neighbour at the same broker hears nothing; and a door that its broker muzzles says so."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.brokersetup import ACL, PASSWORDS, Files, Login, password_hash
from tests.household.conftest import enrol
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door
from tests.rigs.phone import Phone

WORD = "a-word-for-all-of-them"
FILTERS = ("#", "+/+", "+/+/#", "doorbell/#", "doorbell/+/alert", "$share/all/#", "$share/x/doorbell/front/#", "$SYS/#")


def files_of(folder: Path, phone: Phone) -> Files:
    files = Files(folder)
    for login in (Login("door", "front", ("front",)), Login("phone", phone.id, ("front",))):
        files.add(login, WORD)
    return files


def broker(files: Files) -> Mosquitto:
    return Mosquitto(files.folder, settings=f"password_file {files.folder / PASSWORDS}\nacl_file {files.folder / ACL}")


def door_at(folder: Path, port: int) -> Door:
    return Door(folder / "door", port, {"mqtt": {"username": "front", "password": WORD}})


def test_a_neighbour_with_a_login_of_their_own_hears_0_messages_of_the_door(tmp_path: Path) -> None:
    anna = Phone(0, "Anna", password=WORD)
    files = files_of(tmp_path, anna)
    with (tmp_path / ACL).open("a") as acl:
        acl.write("\nuser neighbour\ntopic readwrite neighbour/#\n")
    with (tmp_path / PASSWORDS).open("a") as passwords:
        passwords.write(f"neighbour:{password_hash(WORD, bytes(12))}\n")
    with broker(files) as running:
        heard: list[str] = []
        here, mine = threading.Event(), threading.Event()
        neighbour = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        neighbour.username_pw_set("neighbour", WORD)
        neighbour.on_connect = lambda one, *_: one.subscribe([(one_filter, 1) for one_filter in FILTERS])
        neighbour.on_subscribe = lambda *_: here.set()

        def note(_: object, __: object, said: paho.MQTTMessage) -> None:
            heard.append(said.topic)
            if said.topic == "neighbour/last":
                mine.set()

        neighbour.on_message = note
        neighbour.connect("127.0.0.1", running.port)
        neighbour.loop_start()
        assert here.wait(10)
        anna.port = running.port
        door = door_at(tmp_path, running.port)
        enrol(door, (anna, "admin"))
        with door, anna:
            anna.hello()
            door.press()
            anna.until(lambda: anna.of("alert"))
            assert anna.ask("journal", {"since": 0})["result"]
            for topic in (f"from/{anna.id}", "alert", "recording/set", "pair", "hello"):
                neighbour.publish(f"doorbell/front/{topic}", b"x", qos=1, retain=True).wait_for_publish(10)
            neighbour.publish("neighbour/last", b"", qos=1)
            assert mine.wait(10)  # behind everything else on the same connection
            assert len(anna.of("alert")) == 1
        neighbour.disconnect()
        neighbour.loop_stop()
    assert {topic for topic in heard if not topic.startswith("$SYS/")} == {"neighbour/last"}


def is_told(command: str, file: str) -> bool:
    said = subprocess.run(
        [sys.executable, "-m", "doorbell", command, "--config", file, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "give its login the door's topics" in json.dumps(json.loads(said.stdout)) and said.returncode in (1, 2)


@pytest.mark.parametrize(
    "denied", ["alert", pytest.param("hello", marks=pytest.mark.slow), pytest.param("ring", marks=pytest.mark.slow)]
)
def test_a_broker_that_denies_what_the_door_says_is_told(tmp_path: Path, denied: str) -> None:
    anna = Phone(0, "Anna", password=WORD)
    files = files_of(tmp_path, anna)
    acl = (tmp_path / ACL).read_text()
    allowed = [one for one in ("availability", "hello", "alert", "ring", "health", "recording/state") if one != denied]
    lines = "\n".join(f"topic write doorbell/front/{one}" for one in allowed)
    (tmp_path / ACL).write_text(acl.replace("topic write doorbell/front/#", lines))
    with broker(files) as running:
        door = door_at(tmp_path, running.port)
        enrol(door, (anna, "admin"))
        file = str(door.folder / "doorbell.toml")
        with door:
            door.until(lambda: door.status().get("broker"))
            door.press()
            door.until(lambda: "give its login the door's topics" in " ".join(door.status()["problems"]))
            for command in ("status", "doctor"):
                assert is_told(command, file), command
