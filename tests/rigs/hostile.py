"""A broker as its worst owner runs it: it knows MQTT, passes on what it likes, when it likes, as often as it likes.

Two real brokers with this in between, so that neither the door nor the phone can tell. Everything is drawn from one
seed.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Self

import paho.mqtt.client as paho
from attrs import define, field
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey
from paho.mqtt.enums import CallbackAPIVersion

TURN_S = 0.05
MOST_KEPT = 2000


@define(order=True)
class _Late:
    at: float
    to_phone: bool = field(order=False)
    topic: str = field(order=False)
    payload: bytes = field(order=False)


class Hostile:
    """``near`` is the port of the door's broker, ``far`` that of the phones'. ``done`` counts what it did, by name.

    ``planned`` is what it does to the first alerts, in order; to the rest, and to commands, as the dice fall.
    """

    def __init__(self, near: int, far: int, seed: int, *, longest_s: float = 3.0, planned: Sequence[str] = ()) -> None:
        self._random = random.Random(seed)
        self._planned = deque(planned)
        self._longest_s = longest_s
        self.done: dict[str, int] = {}
        self.kept: list[tuple[bool, str, bytes]] = []
        """What passed, or should have: way, topic, payload."""
        self._late: list[_Late] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._box = b""
        self._door = self._client(near, to_phone=True)
        self._phones = self._client(far, to_phone=False)

    def _client(self, port: int, *, to_phone: bool) -> paho.Client:
        here = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        options = paho.SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
        client.on_connect = lambda one, *_: one.subscribe("#", options=options)
        client.on_subscribe = lambda *_: here.set()
        client.on_message = lambda _, __, said: self._take(said, to_phone=to_phone)
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert here.wait(10)
        return client

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for client in (self._door, self._phones):
            client.disconnect()
            client.loop_stop()

    def _take(self, said: paho.MQTTMessage, *, to_phone: bool) -> None:
        topic, payload = said.topic, bytes(said.payload)
        with self._lock:
            if topic.endswith("/hello"):
                import base64
                import json

                self._box = base64.b64decode(json.loads(json.loads(payload)["json"])["box_key"])
            plays = topic.rpartition("/")[2] == "alert" or "/from/" in topic
            if not plays:
                self._pass(to_phone, topic, payload, retain=said.retain)
                return
            if len(self.kept) < MOST_KEPT:
                self.kept.append((to_phone, topic, payload))
            self._play(to_phone, topic, payload)

    def _play(self, to_phone: bool, topic: str, payload: bytes) -> None:
        what = self._random.choices(
            ("pass", "swallow", "twice", "hold", "damage", "resend", "forge", "elsewhere"),
            (40, 6, 12, 16, 6, 10, 6, 4),
        )[0]
        if to_phone and self._planned:
            what = self._planned.popleft()
        self.done[what] = self.done.get(what, 0) + 1
        if what == "swallow":
            return
        if what == "hold":
            at = time.monotonic() + self._random.uniform(0.05, self._longest_s)
            self._late.append(_Late(at, to_phone, topic, payload))
            return
        if what == "damage":
            place = self._random.randrange(len(payload))
            payload = (
                payload[:place] + bytes([payload[place] ^ (1 << self._random.randrange(8))]) + payload[place + 1 :]
            )
        if what == "forge":
            self._forge(to_phone, topic)
        if what == "elsewhere":
            topic = topic[:-1] + ("a" if topic[-1] != "a" else "b") if not to_phone else topic + "s"
        for _ in range(1 + (what == "twice")):
            self._pass(to_phone, topic, payload)
        if what == "resend":
            for old in self._random.choices(self.kept, k=3):
                self._pass(*old)

    def _forge(self, to_phone: bool, topic: str) -> None:
        if not to_phone and self._box:
            text = b'{"v":1,"cmd":"ring_test","args":{"everywhere":true}}'
            signed = SigningKey.generate().sign(b"doorbell/v1/command\0" + text).signature + text
            self._pass(to_phone, topic, SealedBox(PublicKey(self._box)).encrypt(signed))
        elif to_phone:
            self._pass(to_phone, topic, self._random.randbytes(600))

    def _pass(self, to_phone: bool, topic: str, payload: bytes, *, retain: bool = False) -> None:
        (self._phones if to_phone else self._door).publish(topic, payload, qos=1, retain=retain)

    def _run(self) -> None:
        while not self._ended.wait(TURN_S):
            with self._lock:
                now = time.monotonic()
                due = [one for one in self._late if one.at <= now]
                self._late = [one for one in self._late if one.at > now]
                self._random.shuffle(due)
                for one in due:
                    self._pass(one.to_phone, one.topic, one.payload)

    def everything_again(self) -> int:
        """All that ever passed, once more and in another order; how much that was."""
        with self._lock:
            again = list(self.kept)
            self._random.shuffle(again)
            for one in again:
                self._pass(*one)
        return len(again)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """To the phones, as if the door had."""
        self._pass(True, topic, payload, retain=retain)
