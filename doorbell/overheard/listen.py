"""Listens at a broker as its owner would: to everything, for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Final

import paho.mqtt.client as paho
from attrs import frozen
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.errors import DeviceError
from doorbell.link.settings import MqttSettings
from doorbell.link.tls import authority_context, pinned_context
from doorbell.overheard.session import Heard

CONNECT_S: Final = 15.0
FILTERS: Final = ("#",)


@frozen
class _Ended:
    why: str


@frozen
class _Begun:
    pass


def listen(
    settings: MqttSettings, for_s: float, begun: Callable[[], None], waiting: SimpleQueue[Any]
) -> Iterator[Heard]:
    """Everything that passes for *for_s* seconds, retained messages first. *begun* is called once it is heard.

    It all comes by *waiting*; whoever puts None there ends it.

    Raises DeviceError where the broker cannot be reached or does not let this login listen to everything.
    """
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    client.on_message = lambda _, __, said: waiting.put(
        Heard(time.time(), said.topic, bytes(said.payload), retained=bool(said.retain))
    )
    client.on_connect = lambda *given: _connected(waiting, *given)
    client.on_subscribe = lambda *given: _subscribed(waiting, given[3])
    client.on_disconnect = lambda *given: waiting.put(_Ended(f"the connection ended ({given[3]})"))
    try:
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        if settings.tls != "off":
            client.tls_set_context(
                authority_context(settings.ca_file)
                if settings.tls == "ca"
                else pinned_context(settings.host, settings.port, settings.pin_sha256, CONNECT_S)
            )
        client.connect(settings.host, settings.port)
    except OSError as error:
        raise DeviceError(
            f"The broker {settings.host} cannot be reached ({error.strerror or error}): check --host, --port and --tls."
        ) from None
    client.loop_start()
    try:
        yield from _heard(waiting, for_s, begun)
    finally:
        client.on_disconnect = None
        client.disconnect()
        client.loop_stop()


def _connected(waiting: SimpleQueue[Any], client: paho.Client, *given: Any) -> None:  # noqa: ANN401  paho's shape
    reason = given[2]
    if reason.is_failure:
        waiting.put(_Ended(f"it refuses the login ({reason})"))
    else:
        client.subscribe([(one, 1) for one in FILTERS])


def _subscribed(waiting: SimpleQueue[Any], reasons: list[Any]) -> None:
    refused = any(one.is_failure for one in reasons)
    waiting.put(_Ended("it does not let this login listen to everything") if refused else _Begun())


def _heard(waiting: SimpleQueue[Any], for_s: float, begun: Callable[[], None]) -> Iterator[Heard]:
    ends = time.monotonic() + CONNECT_S
    is_begun = False
    while (left := ends - time.monotonic()) > 0:
        try:
            one = waiting.get(timeout=left)
        except Empty:
            break
        match one:
            case None:
                return
            case Heard():
                yield one
            case _Begun():
                is_begun, ends = True, time.monotonic() + for_s
                begun()
            case _Ended(why):
                raise DeviceError(f"Nothing more can be heard at the broker: {why}.")
    if not is_begun:
        raise DeviceError(f"The broker did not answer within {CONNECT_S:.0f} s.")
