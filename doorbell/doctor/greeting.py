"""One short visit to the broker: does it answer, take the login, what does it say of itself, is Home Assistant there?

Under a name of its own, with no will and nothing published: it neither throws a running daemon off the broker nor says
that the door is offline.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from attrs import define, field, frozen
from paho.mqtt.enums import CallbackAPIVersion

from doorbell import login
from doorbell.doctor.finding import Door
from doorbell.errors import DoorbellError
from doorbell.link import reasons, tls
from doorbell.link.settings import MqttSettings

CONNECT_S = 10.0
"""For TCP, for TLS, and for the broker's answer, each."""
LISTEN_S = 1.5
"""For what is retained on the two topics that are asked for."""
VERSION, BIRTH = "$SYS/broker/version", "homeassistant/status"
PROTOCOLS = {4: "3.1.1", 5: "5"}


@frozen
class Greeting:
    """What the broker said; ``why`` is a sentence where there was no greeting."""

    why: str = ""
    protocol: int = 0
    largest: int | None = None
    """Bytes of the largest packet it takes; None where it names no limit."""
    version: str = ""
    home_assistant: str = ""
    """What is retained as Home Assistant's birth message, if anything."""


def greeting(door: Door) -> Greeting:
    """The broker's answer, asked for once a round; takes a minute at the most."""
    if "greeting" not in door.known:
        door.known["greeting"] = _greet(door)
    found: Greeting = door.known["greeting"]
    return found


def _greet(door: Door) -> Greeting:
    try:
        settings = login.settings(door.config)
        reasons.check_name(settings.host)
        found = _visit(settings, 5)
        if found is None:  # a broker of MQTT 3.1.1 refuses the newer version, or is silent about it
            found = _visit(settings, 4)
    except OSError as error:
        return Greeting(why=reasons.sentence(error, f"{door.config.mqtt.host}:{door.config.mqtt.port or 'its port'}"))
    except DoorbellError as error:
        return Greeting(why=str(error))
    return found or Greeting(why=f"The broker at {settings.host}:{settings.port} does not answer as a broker does.")


@define
class _Heard:
    code: Any = None
    largest: int | None = None
    retained: dict[str, str] = field(factory=dict)

    def connected(self, _: object, __: object, ___: object, code: Any, properties: Any) -> None:  # noqa: ANN401
        self.code, self.largest = code, getattr(properties, "MaximumPacketSize", None)

    def message(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        self.retained[message.topic] = bytes(message.payload)[:200].decode(errors="replace")


def _visit(settings: MqttSettings, protocol: int) -> Greeting | None:
    """None where the broker may only not know this protocol. Raises OSError, DoorbellError."""
    heard = _Heard()
    client = _client(settings, protocol, heard)
    client.connect(settings.host, settings.port, keepalive=30)
    try:
        _loop(client, CONNECT_S, lambda: heard.code is not None)
        if heard.code is None or heard.code.value == reasons.UNSUPPORTED_VERSION:
            return None
        if heard.code.is_failure:
            return Greeting(why=reasons.refusal(heard.code, f"{settings.host}:{settings.port}"))
        client.subscribe([(VERSION, 0), (BIRTH, 0)])
        _loop(client, LISTEN_S, lambda: len(heard.retained) == 2)
    finally:
        client.disconnect()
        client.loop(0.1)
    return Greeting("", protocol, heard.largest, heard.retained.get(VERSION, ""), heard.retained.get(BIRTH, ""))


def _client(how: MqttSettings, protocol: int, heard: _Heard) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"doctor-{secrets.token_hex(4)}",
        protocol=paho.MQTTv5 if protocol == 5 else paho.MQTTv311,
        clean_session=None if protocol == 5 else True,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_S
    if how.tls == "pin":
        client.tls_set_context(tls.pinned_context(how.host, how.port, how.pin_sha256, CONNECT_S))
    elif how.tls == "ca":
        client.tls_set_context(tls.authority_context(how.ca_file))
    if how.username:
        client.username_pw_set(how.username, how.password or None)
    client.on_connect, client.on_message = heard.connected, heard.message
    return client


def _loop(client: paho.Client, seconds: float, done: Callable[[], bool]) -> None:
    ends = time.monotonic() + seconds
    while not done() and time.monotonic() < ends:
        if client.loop(0.2) != paho.MQTT_ERR_SUCCESS:
            return
