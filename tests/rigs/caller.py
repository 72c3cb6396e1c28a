"""The least that rings: a loop with an inbox, the delivery rules, and a link. And a subscriber who notes what comes."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.events import Acked, Heard, Offline, Online, Refused
from doorbell.link import messages
from doorbell.link.delivery import Action, Delivered, Delivery, Drop, Limits, Open, Publish
from doorbell.link.mqtt import Link
from doorbell.link.settings import MqttSettings

DOOR = "front"


class Caller:
    """A door of which only the link works; ``events`` is everything the link put, in order."""

    def __init__(
        self, settings: MqttSettings, *, limits: Limits | None = None, listen: tuple[tuple[str, int], ...] = ()
    ) -> None:
        self.events: list[Any] = []
        self.delivered: list[int] = []
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.link = Link(settings, DOOR, self.inbox.put, listen)
        self.delivery = Delivery(messages.availability(DOOR, online=True), lambda: 0.0, limits or Limits())
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.inbox.put(None)
        self._thread.join(10)

    def press(self, visit: str) -> None:
        ring = messages.ring(DOOR, visit=visit, wall=0)
        self.call(lambda at: self.delivery.live(at, [ring], born=at, urgent=True))

    def call(self, what: Callable[[float], list[Action]]) -> None:
        """Have the loop do this to its delivery."""
        self.inbox.put(what)

    def let_pass(self, seconds: float) -> None:
        """Nothing is waited for: the passing of this time is the happening."""
        threading.Event().wait(seconds)

    def until(self, kind: type, count: int = 1, within_s: float = 10.0) -> Any:
        """The *count*-th event of this *kind*."""

        def found() -> list[Any]:
            return [one for one in self.events if isinstance(one, kind)]

        with self._news:
            assert self._news.wait_for(lambda: len(found()) >= count, within_s), self.events
        return found()[count - 1]

    def _run(self) -> None:
        self._do(self.delivery.start(time.monotonic()))
        while True:
            deadline = self.delivery.deadline
            wait = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                event = self.inbox.get(timeout=wait)
            except queue.Empty:
                self._do(self.delivery.tick(time.monotonic()))
                continue
            if event is None:
                self.link.close()
                return
            self._do(self._step(event, time.monotonic()))
            with self._news:
                self.events.append(event)
                self._news.notify_all()

    def _step(self, event: Any, at: float) -> list[Action]:
        match event:
            case Online():
                return self.delivery.connected(at, event.generation, event.at)
            case Offline():
                return self.delivery.disconnected(at, event.generation)
            case Acked():
                return self.delivery.acked(at, event.generation, event.mid, event.at)
            case Refused():
                return self.delivery.refused(at, event.generation, event.mid, event.at, full=event.full)
            case Heard():
                return []
            case _:
                actions: list[Action] = event(at)
                return actions

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Open(generation):
                    self.link.open(generation)
                case Publish(key, message):
                    self.delivery.published(key, self.link.publish(message), time.monotonic())
                case Drop():
                    self.link.drop()
                case Delivered(index):
                    self.delivered.append(index)


class Subscriber:
    """Another client of the broker; ``got`` is what came: (monotonic seconds, topic, payload, retained)."""

    def __init__(self, port: int, *topics: str, name: str = "subscriber", login: tuple[str, str] | None = None) -> None:
        self.got: list[tuple[float, str, bytes, bool]] = []
        self._news = threading.Condition()
        self._ready = threading.Event()
        self._topics = topics
        self.client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv311)
        if login:
            self.client.username_pw_set(*login)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._message
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self.client.loop_start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def payloads(self, topic: str) -> list[bytes]:
        return [payload for _, name, payload, _ in self.got if name == topic]

    def until(self, topic: str, payload: bytes | None = None, count: int = 1, within_s: float = 15.0) -> None:
        """Wait for *count* messages on *topic* (with this *payload*)."""

        def enough() -> bool:
            return sum(payload in (None, one) for one in self.payloads(topic)) >= count

        with self._news:
            assert self._news.wait_for(enough, within_s), self.got

    def _connected(self, *_: Any) -> None:
        self.client.subscribe([(one, 1) for one in self._topics])

    def _message(self, _: Any, __: Any, message: Any) -> None:
        with self._news:
            self.got.append((time.monotonic(), message.topic, bytes(message.payload), message.retain))
            self._news.notify_all()
