"""One who hears a broker: what the benches' ears have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event
from typing import Any, Final, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion


class Subscriber:
    """Hears *filters* at QoS 1 and gives each message to *came*, in paho's own thread; ``with`` ends it.

    It waits *patience_s* for the broker to grant them.
    """

    def __init__(
        self,
        port: int,
        filters: Iterable[str],
        came: Callable[[paho.MQTTMessage], None],
        patience_s: float,
        opened: Callable[[Any, Any, Any], None] | None = None,
    ) -> None:
        ready, wanted = Event(), [(one, 1) for one in filters]
        self.client: Final = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_message = lambda _, __, message: came(message)
        self.client.on_connect = lambda client, *_: client.subscribe(wanted)
        self.client.on_subscribe = lambda *_: ready.set()
        if opened is not None:
            self.client.on_socket_open = opened
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        ready.wait(patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()
