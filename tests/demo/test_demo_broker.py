"""The demo's own broker: what passes through it reaches its subscribers and its eye, and it leaves when told."""

import socket
import threading
from queue import SimpleQueue

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.demo.broker import Broker, Seen
from doorbell.demo.ear import listening
from doorbell.demo.household import Told
from doorbell.errors import DeviceError

WITHIN_S = 10


def test_what_is_said_reaches_the_owner_and_the_eye() -> None:
    inbox: SimpleQueue[object] = SimpleQueue()
    broker = Broker(inbox.put)
    broker.start()
    try:
        with listening(broker.port, inbox):
            _say(broker.port, "doorbell/demo/availability", b"online")
            heard = {type(one): one for one in (inbox.get(timeout=WITHIN_S), inbox.get(timeout=WITHIN_S))}
    finally:
        broker.stop()
    assert (heard[Seen].topic, heard[Seen].payload) == ("doorbell/demo/availability", b"online")
    assert (heard[Told].topic, heard[Told].payload) == ("doorbell/demo/availability", b"online")


def test_a_stopped_broker_leaves_no_thread_and_no_port() -> None:
    broker = Broker(lambda _: None)
    broker.start()
    socket.create_connection(("127.0.0.1", broker.port), WITHIN_S).close()
    broker.stop()
    assert "demo broker" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", broker.port), WITHIN_S)


def test_it_listens_on_the_loopback_only() -> None:
    broker = Broker(lambda _: None)
    broker.start()
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.2", broker.port))  # taken, were it every address
    finally:
        broker.stop()


def test_an_owner_without_a_broker_is_told() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(DeviceError), listening(nobody.getsockname()[1], SimpleQueue()):
            pass


def _say(port: int, topic: str, payload: bytes) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="door")
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1, retain=True).wait_for_publish(WITHIN_S)
    client.disconnect()
    client.loop_stop()
