"""The owner's MQTT client: everything the demo's door says, put into one inbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.demo.folder import DOOR
from doorbell.demo.household import Told
from doorbell.errors import DeviceError


@contextmanager
def listening(port: int, inbox: SimpleQueue[object]) -> Iterator[None]:
    """Connected for as long as the context lasts; raises DeviceError where the demo's broker does not answer."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="owner")
    client.on_connect = lambda connected, *_: connected.subscribe(f"doorbell/{DOOR}/#", qos=1)
    client.on_message = lambda _, __, heard: inbox.put(Told(time.monotonic(), heard.topic, bytes(heard.payload)))
    try:
        client.connect("127.0.0.1", port)
    except OSError as error:
        raise DeviceError(f"The demo's own broker does not answer on the loopback ({error.strerror}).") from None
    client.loop_start()
    try:
        yield
    finally:
        client.disconnect()
        client.loop_stop()
