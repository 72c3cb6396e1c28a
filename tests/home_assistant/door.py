"""A door as far as Home Assistant can see it: the project's own messages over a real MQTT connection.

Pins, camera and doorman are left out; what is said, on which topic and how, is the daemon's.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from doorbell.link import messages
from doorbell.link.homeassistant import BIRTH, Device, discovery, removal
from doorbell.link.messages import Health, Message
from doorbell.link.topics import subscriptions, topic

HEALTH = Health(
    disk=12.3,
    temperature=48.5,
    throttled=False,
    rssi=-61,
    started="2026-11-22T07:30:00Z",
    problems=(),
    version="0.1.0",
)


class Door:
    """Connected from ``__enter__`` to ``__exit__``; says everything at each connection, as the doorman does."""

    def __init__(self, port: int, door: str, name: str, **may: Any) -> None:
        self.device = Device(door_id=door, name=name, model="Raspberry Pi Zero 2 W", version="0.1.0", **may)
        self.id = door
        self.health, self.recording, self.motion = HEALTH, True, False
        self.births = threading.Semaphore(0)
        self.asked: list[str] = []
        self._port = port
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"door-{door}", protocol=paho.MQTTv5)
        will = messages.availability(door, online=False)
        self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        self._client.reconnect_delay_set(1, 2)
        self._client.on_connect = lambda *_: self._connected()
        self._client.on_message = lambda _client, _data, message: self._hear(message)

    def __enter__(self) -> Self:
        self._client.connect_async("127.0.0.1", self._port, keepalive=15)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say_everything(self) -> None:
        """What a connection and Home Assistant's birth are answered with; never a ring."""
        self.say(discovery(self.device))
        self.say(messages.availability(self.id, online=True))
        self.say(messages.recording(self.id, on=self.recording))
        self.say(messages.motion(self.id, active=self.motion))
        self.say(messages.health(self.id, self.health))

    def become(self, device: Device) -> None:
        """The same door with another configuration."""
        self.device = device
        self.say(discovery(device))

    def withdraw(self) -> None:
        self.say(removal(self.id))

    def feel(self, health: Health) -> None:
        self.health = health
        self.say(messages.health(self.id, health))

    def move(self, active: bool) -> None:
        self.motion = active
        self.say(messages.motion(self.id, active=active))

    def ring(self, visit: str) -> None:
        self.say(messages.ring(self.id, visit=visit, wall=time.time()))

    def say(self, message: Message) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if message.expiry_s:
            properties.MessageExpiryInterval = message.expiry_s
        self._client.publish(message.topic, message.payload, message.qos, message.retain, properties)

    def lose_the_network(self) -> None:
        """Without a word: the broker sends the will."""
        connection = self._client.socket()
        assert isinstance(connection, socket.socket)
        connection.shutdown(socket.SHUT_RDWR)

    def _connected(self) -> None:
        asked = subscriptions(self.id, may_switch_recording=self.device.may_switch_recording, discovery=True)
        self._client.subscribe(list(asked))
        self.say_everything()

    def _hear(self, message: paho.MQTTMessage) -> None:
        if message.topic == topic("homeassistant", self.id):
            if message.payload == BIRTH and not message.retain:
                self.births.release()
        elif message.topic == topic("recording_set", self.id):
            self.asked.append(message.payload.decode())
            self.recording = message.payload == b"ON"
            self.say(messages.recording(self.id, on=self.recording))
