"""The link against a real mosquitto."""

import asyncio
import gc
import queue
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.events import Acked, Heard, Offline, Online, Refused
from doorbell.link import messages
from doorbell.link.connection import LARGEST_HEARD
from doorbell.link.delivery import Limits
from doorbell.link.messages import Message
from doorbell.link.mqtt import STUCK, Link
from doorbell.link.settings import MqttSettings
from doorbell.link.sockets import SEND_BUFFER, prompt
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.caller import DOOR, Caller, Subscriber

AVAILABILITY = f"doorbell/{DOOR}/availability"
RING = f"doorbell/{DOOR}/ring"


def plain(port: int, **more: str) -> MqttSettings:
    return MqttSettings("127.0.0.1", port, tls="off", **more)


def test_a_ring_reaches_a_subscriber_and_is_not_kept_by_the_broker(broker: Mosquitto) -> None:
    with Subscriber(broker.port, RING) as home, Caller(plain(broker.port)) as door:
        assert door.until(Online).protocol == 5
        door.press("a")
        home.until(RING)
        with Subscriber(broker.port, RING, AVAILABILITY, name="late") as late:
            late.until(AVAILABILITY, b"online")
            assert late.payloads(RING) == []


def test_a_ring_carries_its_expiry_for_whoever_reads_it_from_the_broker_later(broker: Mosquitto) -> None:
    inbox: queue.SimpleQueue[paho.MQTTMessage] = queue.SimpleQueue()
    ready = threading.Event()
    home = paho.Client(CallbackAPIVersion.VERSION2, "five", protocol=paho.MQTTv5)
    home.on_subscribe = lambda *_: ready.set()
    home.on_message = lambda _, __, message: inbox.put(message)
    home.connect("127.0.0.1", broker.port)
    home.subscribe(RING, 1)
    home.loop_start()
    with Caller(plain(broker.port)) as door:
        assert ready.wait(10)
        door.until(Online)
        door.press("a")
        assert 0 < inbox.get(timeout=10).properties.MessageExpiryInterval <= 60  # type: ignore[union-attr]
    home.disconnect()
    home.loop_stop()


def test_the_door_says_when_it_leaves(broker: Mosquitto) -> None:
    with Subscriber(broker.port, AVAILABILITY) as home:
        with Caller(plain(broker.port)) as door:
            door.until(Online)
            home.until(AVAILABILITY, b"online")
        home.until(AVAILABILITY, b"offline")
    assert broker.says("disconnected") and "due to" not in broker.log()


@pytest.mark.slow
def test_a_door_that_was_cut_off_is_told_gone_ten_seconds_later(broker: Mosquitto) -> None:
    with Subscriber(broker.port, AVAILABILITY) as home, Caller(plain(broker.port)) as door:
        door.until(Online)
        home.until(AVAILABILITY, b"online")
        cut = time.monotonic()
        door.call(door.delivery.stop)
        door.link.drop()
        home.until(AVAILABILITY, b"offline", within_s=20)
        assert home.got[-1][0] - cut > 5, "a door that is back within moments is not told gone"


def test_a_wrong_password_is_told_with_the_fix(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, logins={"front": "right"}) as broker:
        with Caller(plain(broker.port, username="front", password="wrong")) as door:
            why = door.until(Offline).why
        assert "refused the login" in why and "mqtt.username" in why and "wrong" not in why
        with Caller(plain(broker.port, username="front", password="right")) as door:
            door.until(Online)


def test_a_refused_message_is_not_told_as_acknowledged(tmp_path: Path) -> None:
    acl = f"user front\ntopic write doorbell/{DOOR}/availability\n"
    with (
        Mosquitto(tmp_path, logins={"front": "x"}, acl=acl) as broker,
        Caller(plain(broker.port, username="front", password="x")) as door,
    ):
        door.until(Acked)
        door.press("a")
        door.until(Refused)
        entry = messages.entry(DOOR, index=1, encoded=b"{}")
        door.call(lambda at: door.delivery.due(at, 1, [(1, entry)]))
        door.until(Refused, 2)
        assert door.delivered == []


@pytest.mark.parametrize("host", ["", ".example", "a..b", "x" * 70, "a\0b"])
def test_a_host_that_is_none_is_a_sentence_not_a_dead_thread(host: str) -> None:
    with Caller(MqttSettings(host, 1883, tls="off")) as door:
        assert "mqtt.host" in door.until(Offline).why


def test_a_name_nobody_knows_and_a_port_nobody_listens_at_are_told_with_the_fix() -> None:
    with Caller(MqttSettings("no-such-host.invalid", 1883, tls="off")) as door:
        assert "cannot be found" in door.until(Offline, within_s=60).why
    with Caller(plain(free_port())) as door:
        assert "Nothing listens" in door.until(Offline).why


@pytest.fixture
def babbler() -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers every connection's first bytes with the next of a list, then waits."""
    answers: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            near.settimeout(10)
            near.recv(4096)
            for answer in answers:
                near.sendall(answer)
            kept.append(near)

    kept: list[socket.socket] = []
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], answers
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for one in kept:
        one.close()


CONNACK = bytes([0x20, 0x03, 0, 0, 0])


@pytest.mark.parametrize(
    "babble",
    [
        CONNACK + b"\x30\x02\xff\xff",
        CONNACK + b"\x30\x05\x00\x02\xff\xfe\x00",
        CONNACK + b"\x40\x01\x00",
        CONNACK + b"\x90\x00",
        CONNACK + b"\xff\xff\xff\xff\xff\xff",
        CONNACK + b"\x32\x03\x00\x00\x00",
        b"\x20\x00",
        b"\x20\x05\x00\x00\x02\x7f\x00",
    ],
)
def test_whatever_a_broker_babbles_ends_the_connection_and_no_thread_dies_of_it(
    babbler: tuple[int, list[bytes]], babble: bytes
) -> None:
    port, answers = babbler
    answers.append(babble)
    with Caller(plain(port)) as door:
        assert door.until(Offline).why


class Peer:
    """A server that says yes to one connection and notes how it ends."""

    def __init__(self) -> None:
        self.said, self.ended = b"", ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        near, _ = self._listener.accept()
        self._listener.close()
        near.settimeout(10)
        near.recv(4096)
        near.sendall(CONNACK)
        try:
            while data := near.recv(4096):
                self.said += data
                while data and data[0] & 0xF0 == 0x30:  # each PUBLISH gets its PUBACK
                    name = 4 + int.from_bytes(data[2:4], "big")
                    near.sendall(b"\x40\x02" + data[name : name + 2])
                    data = data[2 + data[1] :]
            self.ended = "closed"
        except ConnectionResetError:
            self.ended = "reset"
        near.close()


def test_a_dropped_connection_is_reset_so_that_nothing_unsent_arrives_later() -> None:
    peer = Peer()
    with Caller(plain(peer.port)) as door:
        door.until(Online)
        door.link.drop()
        peer.thread.join(10)
    assert peer.ended == "reset"


def test_a_connection_that_fell_silent_is_reset_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorbell.link.connection.KEEPALIVE_S", 1)
    peer = Peer()
    with Caller(plain(peer.port)) as door:
        assert "Keep alive" in door.until(Offline).why
        peer.thread.join(10)
    assert peer.ended == "reset"


def test_a_door_that_leaves_says_so_in_good_order() -> None:
    peer = Peer()
    with Caller(plain(peer.port)) as door:
        door.until(Online)
    peer.thread.join(10)
    assert peer.ended == "closed" and b"offline" in peer.said
    assert peer.said[-2:] == b"\xe0\x00" or peer.said[-3:-1] == b"\xe0\x01", "DISCONNECT is the last word"


def test_leaving_waits_two_seconds_at_most_for_a_broker_that_says_nothing(babbler: tuple[int, list[bytes]]) -> None:
    port, answers = babbler
    answers.append(CONNACK)
    link = Link(plain(port), DOOR, (inbox := queue.SimpleQueue[object]()).put)
    link.open(1)
    assert isinstance(inbox.get(timeout=10), Online)
    began = time.monotonic()
    link.close()
    assert time.monotonic() - began < 4


def test_a_ring_does_not_wait_for_others_in_the_socket(broker: Mosquitto) -> None:
    with Caller(plain(broker.port)) as door:
        door.until(Online)
        sock = door.link._current._client.socket()  # type: ignore[union-attr]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1  # type: ignore[union-attr]
        # Told after every read; the kernel forgets it as it likes, so it can be asked only right after it was told.
        prompt(sock)  # type: ignore[arg-type]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1  # type: ignore[union-attr]
        # Linux doubles what it is given, for its own bookkeeping.
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER  # type: ignore[union-attr]


def test_threads_that_hang_in_a_lookup_or_a_connect_do_not_pile_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        port = listener.getsockname()[1]
        for _ in range(3):  # fills the backlog: whoever comes now gets no answer at all
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        link = Link(plain(port), DOOR, inbox.put)
        for generation in range(1, STUCK + 2):
            link.open(generation)
        gone = inbox.get(timeout=5)
        assert isinstance(gone, Offline) and gone.generation == STUCK + 1 and "still hang" in gone.why


def test_a_message_without_end_is_not_collected(babbler: tuple[int, list[bytes]]) -> None:
    port, answers = babbler
    answers += [CONNACK, b"\x30\xff\xff\xff\x7f" + bytes(1000)]
    with Caller(plain(port)) as door:
        assert "more than" in door.until(Offline).why


def test_what_the_door_listens_to_is_heard_and_too_much_of_it_is_not(broker: Mosquitto) -> None:
    topic = f"doorbell/{DOOR}/pair"
    with Subscriber(broker.port, "none") as phone, Caller(plain(broker.port), listen=((topic, 1),)) as door:
        door.until(Acked)
        phone.client.publish(topic, bytes(LARGEST_HEARD + 1), 1)
        phone.client.publish(topic, b"hello", 1)
        heard = door.until(Heard)
        assert (heard.topic, heard.payload, heard.retained) == (topic, b"hello", False)


def test_a_message_larger_than_the_broker_takes_is_not_sent(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, settings="max_packet_size 2000") as broker, Caller(plain(broker.port)) as door:
        door.until(Acked)
        large = Message(f"doorbell/{DOOR}/to/p", bytes(2000), 1, False, None)
        assert door.link.publish(large) is None
        assert door.link.publish(Message(large.topic, bytes(1000), 1, False, None)) is not None


def test_without_a_connection_nothing_is_taken(broker: Mosquitto) -> None:
    link = Link(plain(broker.port), DOOR, lambda _: None)
    assert link.publish(messages.ring(DOOR, visit="a", wall=0)) is None
    link.close()


def test_a_broker_that_speaks_only_version_three_is_spoken_to_in_it() -> None:
    amqtt = pytest.importorskip("amqtt.broker")
    port, stop = free_port(), threading.Event()
    started = threading.Event()

    async def serve() -> None:
        broker = amqtt.Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        started.set()
        await asyncio.to_thread(stop.wait)
        await broker.shutdown()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(10)
        with Subscriber(port, RING) as home, Caller(plain(port)) as door:
            assert door.until(Online, within_s=15).protocol == 4
            assert door.link._protocol == 4, "the next connection loses no time"
            door.press("a")
            home.until(RING)
    finally:
        stop.set()
        thread.join(10)


def test_a_broker_that_starts_again_finds_the_door_back_and_gets_no_old_ring(broker: Mosquitto) -> None:
    limits = Limits(live_s=1.0, least_wait_s=0.2, most_wait_s=0.5)
    with Caller(plain(broker.port), limits=limits) as door:
        door.until(Online)
        broker.kill()
        door.until(Offline)
        door.press("old")
        door.until(Offline, 5)
        broker.start()
        with Subscriber(broker.port, RING, AVAILABILITY) as home:
            home.until(AVAILABILITY, b"online")
            door.until(Online, 2)
            door.press("new")
            home.until(RING)
            assert [b'"new"' in one for one in home.payloads(RING)] == [True]


def test_a_link_that_ended_leaves_nothing_behind(broker: Mosquitto) -> None:
    got: queue.SimpleQueue[object] = queue.SimpleQueue()
    link = Link(plain(broker.port), DOOR, got.put)
    gc.disable()
    try:
        link.open(1)
        assert isinstance(got.get(timeout=10), Online)
        (thread,) = link._threads
        client = weakref.ref(thread._client)
        link.drop()
        thread.join(10)
        assert client() is None
    finally:
        gc.enable()
