"""A broker that is full, each way in which one can be: nothing is lost, the door is unmoved, its owner is told."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.journal import book
from tests.household.conftest import enrol
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.fullbroker import FullBroker
from tests.rigs.phone import Phone
from tests.rigs.proxy import Proxy
from tests.rigs.reading import bodies

ROOM = 3_000_000


def due(door: Door) -> list[int]:
    """The entries that the card holds as not delivered; acknowledgements reach it with the next entry or at the end."""
    with sqlite3.connect(f"file:{door.state}/{book.NAME}?mode=ro", uri=True) as journal:
        return [index for (index,) in journal.execute("SELECT idx FROM entry WHERE due = 1 ORDER BY idx")]


def rings(door: Door) -> None:
    """Somebody rings, and the door says so."""
    before = door.log().count("somebody rings")
    door.press()
    door.until(lambda: door.log().count("somebody rings") > before)
    pause(0.1)  # the finger is off the button for longer than it bounces


def problem(door: Door) -> str:
    return " ".join(door.status().get("problems", []))


@pytest.mark.slow
def test_a_broker_that_says_it_is_full_is_told_and_gets_everything_when_there_is_room(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    anna = Phone(broker.port, "Anna")
    with FullBroker(broker.port) as full:
        door = Door(tmp_path / "door", full.port)
        enrol(door, (anna, "admin"))
        with door, anna:
            anna.hello()
            listener.wait("journal")
            full.is_full = True
            rings(door)
            rings(door)
            door.until(lambda: "The broker is full: make room there." in problem(door))
            last = door.until(lambda: (entries := door.status()["entries"]) >= 3 and entries)
            assert {"doorbell/front/alert", "doorbell/front/ring"} <= set(full.refused)
            assert set(range(2, last + 1)) <= set(due(door))
            assert len(listener.of("journal")) == 1
            full.is_full = False
            # By itself, on the same connection: the entries and the states, and no ring that is a minute old.
            listener.wait("journal", last, 90)
            door.until(lambda: "broker" not in problem(door), 90)
            assert [b["kind"] for b in bodies(door.owner, listener.of("journal"))][:3] == ["started", "ring", "ring"]
            assert listener.of("alert") + listener.of("ring") == []
            assert door.log().count("the broker answers") == 1
            rings(door)
            anna.until(lambda: anna.of("alert"))
            assert door.stop() == 0
        assert not set(range(1, last + 1)) & set(due(door))
        assert "Traceback" not in door.log()


class Filler:
    """Fills a broker's memory: what it keeps for others first, then guests who say nothing, until it takes none."""

    def __init__(self, port: int) -> None:
        self._port, self._kept = port, 0
        self._guests: list[paho.Client] = []

    def _client(self) -> tuple[paho.Client, threading.Event] | None:
        """One that has been let in, and the event of its end; None where there is no room for it."""
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        answered, here, ended = threading.Event(), threading.Event(), threading.Event()
        client.on_connect = lambda *_: (here.set(), answered.set())
        client.on_disconnect = lambda *_: (ended.set(), answered.set())
        client.connect("127.0.0.1", self._port)
        client.loop_start()
        assert answered.wait(10)
        if here.is_set():
            return client, ended
        client.loop_stop()
        return None

    def fill(self) -> None:
        for size in (100_000, 10_000):
            found = self._client()
            assert found
            client, ended = found
            while not ended.is_set():
                said = client.publish(f"heap/{self._kept}", os.urandom(size), qos=1, retain=True)
                if said.rc:
                    break  # ended, though its event is still to come
                while not (ended.is_set() or said.is_published()):
                    ended.wait(0.005)
                self._kept += said.is_published()
            client.loop_stop()
        while found := self._client():
            self._guests.append(found[0])

    def empty(self) -> None:
        for one in self._guests:
            one.disconnect()
            one.loop_stop()
        found = self._client()
        assert found
        for n in range(self._kept):
            found[0].publish(f"heap/{n}", b"", qos=1, retain=True).wait_for_publish(10)
        found[0].disconnect()
        found[0].loop_stop()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, settings=f"memory_limit {ROOM}") as running:
        yield running


def test_a_broker_without_memory_loses_nothing_of_the_journal(tmp_path: Path, small: Mosquitto) -> None:
    """Mosquitto ends the connection of whoever says what it has no memory for."""
    door, filler = Door(tmp_path / "door", small.port), Filler(small.port)
    # Each entry is sealed to sixteen: what a guest leaves of the room is too little for one.
    enrol(door, *((Phone(0, f"Phone {n}"), "member") for n in range(15)))
    with door:
        with Listener(small.port) as listener:  # gone before it fills: what is on its way to one is room a moment later
            listener.wait("journal")
        filler.fill()
        rings(door)
        rings(door)
        door.until(lambda: "broker" in problem(door))
        last = door.until(lambda: (entries := door.status()["entries"]) >= 3 and entries)
        assert last in due(door)
        filler.empty()
        door.until(lambda: "broker" not in problem(door), 60)
        with Listener(small.port) as again:
            rings(door)
            again.wait("/ring")
        assert door.stop() == 0
    assert not set(range(1, last + 1)) & set(due(door))
    assert "Traceback" not in door.log()


def test_a_broker_that_takes_only_small_messages_is_told_and_gets_all_when_it_takes_larger_ones(tmp_path: Path) -> None:
    narrow = Mosquitto(tmp_path, settings="max_packet_size 1500")
    door = Door(tmp_path / "door", narrow.port)
    enrol(door, *((Phone(0, f"Phone {n}"), "member") for n in range(15)))
    with narrow, door:
        sentence = door.until(lambda: problem(door))
        assert "at most 1500 bytes, the door's have up to 131072" in sentence
        with Listener(narrow.port) as listener:
            rings(door)
            listener.wait("/ring")
            assert listener.of("journal") == []
        narrow.stop()
        narrow.settings = ""
        narrow.start()
        with Listener(narrow.port) as listener:
            listener.wait("journal", 2)
        door.until(lambda: not problem(door))
    assert "Traceback" not in door.log()


def test_a_broker_that_drops_what_a_slow_phone_does_not_fetch_loses_none_of_its_history(tmp_path: Path) -> None:
    """One message on its way to each client and one that waits: mosquitto drops the others and tells nobody."""
    settings = "max_inflight_messages 1\nmax_queued_messages 1"
    with Mosquitto(tmp_path, settings=settings) as broker, Proxy(broker.port) as slow:
        door, anna = Door(tmp_path / "door", broker.port), Phone(slow.port, "Anna")
        enrol(door, (anna, "admin"))
        with door, anna:
            anna.hello()
            slow.stall()
            for _ in range(4):
                rings(door)
            last = door.until(lambda: (entries := door.status()["entries"]) >= 5 and entries)
            assert broker.says(f"doorbell/front/journal/{last}'"), "the broker has taken them all"
            slow.flow()
            have = asked(anna, last)
            assert have == list(range(1, last + 1))
            heard = {json.loads(payload)["index"] for _, payload in anna.of("journal/")}
            assert heard < set(have), "nothing was dropped: this shows nothing"


def asked(anna: Phone, last: int) -> list[int]:
    """The indices of the whole journal, page by page."""
    found: list[int] = []
    while not found or found[-1] < last:
        page = anna.ask("journal", {"since": found[-1] if found else 0})["result"]
        found += [one["index"] for one in page["entries"]]
    return found
