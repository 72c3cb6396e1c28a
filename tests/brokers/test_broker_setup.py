"""A real mosquitto with the files that broker-setup writes: everybody gets theirs, and nobody anything else."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.brokersetup import ACL, HEADER, PASSWORDS, Files, Login, checked, password_hash
from doorbell.errors import Mistake
from tests.endure.rows import show
from tests.household.conftest import enrol
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door
from tests.rigs.phone import Phone

ANNA, BEN = "a" * 26, "b" * 26
WORDS = {name: secrets.token_urlsafe(9) for name in ("front", "back", ANNA, BEN, "homeassistant", "neighbour")}


class Client:
    """One login; ``heard`` are the topics of what was delivered to it."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self.heard: list[str] = []
        self.refused = False
        self._news = threading.Condition()
        self._here = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if name:
            self._client.username_pw_set(name, password)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._here.set()
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._here.wait(10)

    def _connected(self, client: paho.Client, _: object, __: object, reason: paho.ReasonCode, ___: object) -> None:
        self.refused = reason.is_failure
        if self.refused:
            self._here.set()
            client.disconnect()
        else:
            client.subscribe([("#", 1), ("+/+", 1), ("+/+/+", 1), ("doorbell/+/#", 1)])

    def _note(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        with self._news:
            self.heard.append(message.topic)
            self._news.notify_all()

    def say(self, topic: str) -> None:
        """Publish and wait until the broker has acknowledged it, whether it passes it on or not."""
        self._client.publish(topic, b"x", qos=1).wait_for_publish(10)

    def wait(self, topic: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: topic in self.heard, 10), self.heard

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path)
    for login in (
        Login("door", "front", ("front",)),
        Login("door", "back", ("back",)),
        Login("phone", ANNA, ("front",)),
        Login("phone", BEN, ("front", "back")),
        Login("homeassistant", "homeassistant", ("front",), switch=True),
    ):
        files.add(login, WORDS[login.name])
    return files


def broker(files: Files) -> Mosquitto:
    settings = f"password_file {files.folder / PASSWORDS}\nacl_file {files.folder / ACL}"
    return Closed(files.folder, settings=settings)


class Closed(Mosquitto):
    """No anonymous client."""

    def _configuration(self) -> str:
        return super()._configuration().replace("allow_anonymous true", "allow_anonymous false")


@pytest.fixture
def clients(files: Files) -> Iterator[dict[str, Client]]:
    with ExitStack() as stack:
        running = stack.enter_context(broker(files))
        names = ["front", "back", ANNA, BEN, "homeassistant"]
        yield {name: stack.enter_context(Client(running.port, name, WORDS[name])) for name in names}


EVERYTHING = [
    f"doorbell/{door}/{rest}"
    for door in ("front", "back", "side")
    for rest in (
        "availability", "hello", "alert", "poster/v", "journal/1", "ring", "motion", "health", "recording/state",
        "recording/set", "pair", *(f"{way}/{who}" for way in ("from", "to") for who in (ANNA, BEN)),
        *(f"{way}/{who}/x" for way in ("live", "talk") for who in (ANNA, BEN)),
        *(f"clip/{who}/x/0" for who in (ANNA, BEN)),
    )
] + [
    "homeassistant/device/doorbell-front/config", "homeassistant/device/doorbell-back/config", "homeassistant/status",
]  # fmt: skip

BROADCAST = ("availability", "hello", "alert", "poster/v", "journal/1")
CLEAR = ("availability", "hello", "ring", "motion", "health", "recording/state")


def to_phone(who: str, door: str) -> set[str]:
    return {f"doorbell/{door}/{one}" for one in (*BROADCAST, f"to/{who}", f"clip/{who}/x/0", f"live/{who}/x")}


def to_door(door: str) -> set[str]:
    phones = [f"{way}/{who}{rest}" for way, rest in (("from", ""), ("talk", "/x")) for who in (ANNA, BEN)]
    return {f"doorbell/{door}/{one}" for one in (*phones, "pair", "recording/set")} | {"homeassistant/status"}


READS = {
    "front": to_door("front"),
    "back": to_door("back"),
    ANNA: to_phone(ANNA, "front"),
    BEN: to_phone(BEN, "front") | to_phone(BEN, "back"),
    "homeassistant": {f"doorbell/front/{one}" for one in CLEAR} | {"homeassistant/device/doorbell-front/config"},
}
WRITES = {
    "front": {one for one in EVERYTHING if one.startswith("doorbell/front/") or "doorbell-front" in one},
    "back": {one for one in EVERYTHING if one.startswith("doorbell/back/") or "doorbell-back" in one},
    ANNA: {f"doorbell/front/{one}" for one in (f"from/{ANNA}", f"talk/{ANNA}/x", "pair")},
    BEN: {f"doorbell/{door}/{one}" for door in ("front", "back") for one in (f"from/{BEN}", f"talk/{BEN}/x", "pair")},
    "homeassistant": {"doorbell/front/recording/set", "homeassistant/status"},
}


RIGHTS = "`#` and {said} messages on every topic, by each of the logins: {foreign} foreign ones heard or written; an "
RIGHTS += "empty ACL denies all"


@pytest.mark.endure
@pytest.mark.threat("rights at the broker", parts=True)
def test_whoever_subscribes_to_everything_gets_what_is_theirs_and_0_foreign_messages(
    clients: dict[str, Client],
) -> None:
    wanted: dict[str, set[str]] = {name: set() for name in clients}
    for sender, client in clients.items():
        for topic in EVERYTHING:
            client.say(topic)
            if topic in WRITES[sender]:
                for name, reads in READS.items():
                    wanted[name] |= {topic} & reads
    for name, client in clients.items():
        for topic in wanted[name]:
            client.wait(topic)
    foreign = {name: set(client.heard) - READS[name] for name, client in clients.items()}
    assert foreign == {name: set() for name in clients}
    # Nobody but who may has said anything: what nobody may write was heard by nobody.
    allowed = set().union(*WRITES.values())
    assert all(set(client.heard) <= allowed for client in clients.values())
    assert wanted[ANNA] == READS[ANNA]
    said = len(clients) * len(EVERYTHING)
    show("rights at the broker", RIGHTS, said=said, foreign=sum(len(topics) for topics in foreign.values()))


@pytest.mark.endure
@pytest.mark.threat("rights at the broker", parts=True)
def test_each_may_write_their_own_and_nothing_else(clients: dict[str, Client]) -> None:
    for sender, client in clients.items():
        before = {name: len(one.heard) for name, one in clients.items()}
        for topic in EVERYTHING:
            if topic not in WRITES[sender]:
                client.say(topic)
        clients["front"].say("doorbell/front/alert")  # behind them all, on the same broker
        clients[ANNA].wait("doorbell/front/alert")
        for name, one in clients.items():
            assert set(one.heard[before[name] :]) <= {"doorbell/front/alert"}, (sender, name)
    said = sum(topic not in WRITES[sender] for sender in clients for topic in EVERYTHING)
    show("rights at the broker", RIGHTS, said=said, foreign=0)


@pytest.mark.endure
@pytest.mark.threat("rights at the broker", parts=True)
def test_with_an_empty_acl_everything_is_denied(files: Files) -> None:
    (files.folder / ACL).write_text("")
    with (
        broker(files) as running,
        Client(running.port, "front", WORDS["front"]) as door,
        Client(running.port, ANNA, WORDS[ANNA]) as anna,
    ):
        for topic in EVERYTHING:
            door.say(topic)
        assert anna.heard == door.heard == []
    show("rights at the broker", RIGHTS, said=len(EVERYTHING), foreign=0)


@pytest.mark.parametrize(
    ("name", "password"),
    [("", ""), ("front", "wrong"), ("neighbour", WORDS["neighbour"])],
    ids=["no name", "a wrong password", "a name that nobody gave"],
)
def test_nobody_else_gets_in(files: Files, name: str, password: str) -> None:
    with broker(files) as running, Client(running.port, name, password) as stranger:
        assert stranger.refused


def test_a_removed_phone_is_out_when_the_broker_has_read_its_files(files: Files) -> None:
    with broker(files) as running, ExitStack() as stack:
        front, anna, ben = (
            stack.enter_context(Client(running.port, name, WORDS[name])) for name in ("front", ANNA, BEN)
        )
        files.remove(ANNA)
        assert running._process
        os.kill(running._process.pid, signal.SIGHUP)
        ends = time.monotonic() + 10
        while "Reloading config" not in running.log():
            assert time.monotonic() < ends
        seen = len(anna.heard)
        front.say("doorbell/front/alert")
        ben.wait("doorbell/front/alert")
        assert anna.heard[seen:] == []
        assert stack.enter_context(Client(running.port, ANNA, WORDS[ANNA])).refused


def test_a_door_and_its_phones_work_through_a_broker_that_denies_by_default(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with broker_of(files, tmp_path) as running:
        phone = Phone(running.port, "Anna", password=WORDS[ANNA])
        files.add(Login("door", "front", ("front",)), WORDS["front"])
        files.add(Login("phone", phone.id, ("front",)), WORDS[ANNA])
        running.stop()
        running.start()
        door = Door(tmp_path / "door", running.port, {"mqtt": {"username": "front", "password": WORDS["front"]}})
        enrol(door, (phone, "admin"))
        with door, phone:
            assert phone.hello()["result"]["role"] == "admin"
            door.press()
            phone.until(lambda: phone.of("alert"))


def broker_of(files: Files, folder: Path) -> Mosquitto:
    (folder / ACL).write_text(HEADER)
    (folder / PASSWORDS).touch()
    return broker(files)


def test_our_hash_is_mosquittos(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.touch(0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(file), "anna", "geheim"], check=True)
    _, kind, rounds, salt, _ = file.read_text().strip().split("$")
    import base64

    assert (kind, rounds) == ("7", "101")
    assert file.read_text() == f"anna:{password_hash('geheim', base64.b64decode(salt))}\n"


@pytest.mark.parametrize(
    "login",
    [
        Login("phone", "front", ("front",)),
        Login("door", ANNA, (ANNA,)),
        Login("homeassistant", ANNA, ("front",)),
        Login("door", "a/b", ("a/b",)),
        Login("door", "front\nuser eve", ("front",)),
        Login("phone", ANNA, ()),
        Login("phone", ANNA, ("#",)),
        Login("phone", ANNA, ("front\ntopic read #",)),
        Login("homeassistant", "home assistant", ("front",)),
    ],
)
def test_a_name_that_would_get_anothers_rights_is_refused(login: Login) -> None:
    with pytest.raises(Mistake):
        checked(login)


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / ACL).write_text("user me\ntopic readwrite #\n")
    with pytest.raises(Mistake, match="somebody else"):
        Files(tmp_path).add(Login("door", "front", ("front",)), "x")
    assert not (tmp_path / PASSWORDS).exists()


def say(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "doorbell", "broker-setup", *words], capture_output=True, text=True, check=False
    )


def test_the_command_prints_a_password_once_and_keeps_only_its_hash(tmp_path: Path) -> None:
    place = ["--folder", str(tmp_path)]
    said = say("add", "phone", ANNA, "--door", "front", *place)
    password = re.search("Password: (.+)", said.stdout)
    assert password and len(password[1]) == 32
    kept = "".join(path.read_text() for path in tmp_path.iterdir())
    assert password[1] not in kept
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o640 for path in tmp_path.iterdir())
    assert json.loads(say("show", "--json", *place).stdout)[0]["name"] == ANNA
    assert say("remove", ANNA, *place).returncode == 0
    assert (tmp_path / PASSWORDS).read_text() == ""
    again = say("remove", ANNA, *place)
    assert (again.returncode, "show" in again.stderr) == (1, True)
    bad = say("add", "phone", "anna", "--door", "front", *place)
    assert (bad.returncode, "Traceback" in bad.stderr) == (1, False)
