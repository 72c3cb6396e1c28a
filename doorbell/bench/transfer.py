"""A clip from the card to a phone through mosquitto, beside a bare paho transfer of the same bytes.

The door is the real one. The phone is a paho client in this process that asks as the app asks (`transfer.ts`) and
counts what comes; it opens nothing, as the reference's does not. The reference is a bare paho client in a process of
its own that publishes the same file in messages of the same size, QoS 1, to the same subscriber. They take turns.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import IPPROTO_TCP, TCP_NODELAY
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from attrs import frozen
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey

from doorbell.bench.door import door, mosquitto, until
from doorbell.bench.paired import DOOR, pair
from doorbell.bench.rows import Row, Say
from doorbell.bench.sender import TOPIC
from doorbell.bench.subscriber import Subscriber
from doorbell.clips import store
from doorbell.errors import DeviceError
from doorbell.link.topics import topic
from doorbell.owner.identity import Identity
from doorbell.roster import member_id
from doorbell.transfers import CHUNK

if TYPE_CHECKING:
    import paho.mqtt.client as paho

BAR = 0.5
SIZE = 10_000_000
WINDOW, MOST, AHEAD = 8, 32, 4
"""Chunks that the first command grants; each later one grants as many as those before it together, so many at most,
when so many are still to come (transfer.ts)."""
REST_S = 0.5
"""Before each: the door hears 50 commands a second, and this phone would give more than any phone does."""
LOST_S = 60.0
CLIP = "a" * 26


@frozen
class _Came:
    at: float
    topic: str
    size: int


def measure(rounds: int, say: Say, size: int = SIZE) -> list[Row]:
    """One row in MB/s, the medians; its ratio has the bar. Raises DeviceError."""
    with TemporaryDirectory() as name, mosquitto(Path(name)) as port:
        owner, folder = Identity.make(), Path(name) / "door"
        pair(folder / "state", owner)
        tables: dict[str, dict[str, Any]] = {
            "keys": {"recipients": [str(owner.recipient)]},
            "camera": {"source": "none"},
            "mqtt": {"host": "127.0.0.1", "port": port, "tls": "off"},
        }
        with door(folder, tables), _Phone(port, owner) as phone:
            until(phone.hello, "The door said no hello")
            clip = folder / "state" / store.FOLDER / (CLIP + store.CLIP)
            until(clip.parent.is_dir, "The door made no folder for its clips")
            clip.write_bytes(os.urandom(size))
            command = [sys.executable, "-m", "doorbell.bench.sender", str(port), str(clip), str(CHUNK)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bare:
                chunks = -(-size // CHUNK)
                phone.fetch(chunks)
                _bare(phone, bare, chunks)
                pairs = []
                for n in range(rounds):
                    time.sleep(REST_S)
                    pairs.append((phone.fetch(chunks), _bare(phone, bare, chunks)))
                    say(f"{n + 1} of {rounds}: {pairs[-1][0] * 1e3:.0f} ms, bare {pairs[-1][1] * 1e3:.0f} ms")
                assert bare.stdin is not None
                bare.stdin.close()
    ours, theirs = (size / 1e6 / statistics.median(one) for one in zip(*pairs, strict=True))
    ratio = statistics.median(bare / ours for ours, bare in pairs)
    what = f"a clip of {size / 1e6:g} MB through mosquitto, {rounds} rounds: median"
    return [Row(what, round(ours, 1), round(theirs, 1), round(ratio, 2), BAR, "MB/s", at_least=True)]


class _Phone(Subscriber):
    """The owner's phone, as far as a transfer goes. The door runs on this machine: its uptime is this clock."""

    def __init__(self, port: int, owner: Identity) -> None:
        self._signing, self.id = SigningKey(owner.signing_key), member_id(owner.verify_key)
        self._got: SimpleQueue[_Came] = SimpleQueue()
        self._facts: dict[str, Any] = {}
        self._counter = 0
        wanted = [topic("hello", DOOR), f"doorbell/{DOOR}/clip/{self.id}/#", f"{TOPIC}/#"]
        super().__init__(port, wanted, self._came, LOST_S, _as_browsers_do)

    def _came(self, message: paho.MQTTMessage) -> None:
        if message.topic == topic("hello", DOOR):
            self._facts = json.loads(json.loads(message.payload)["json"])
        else:
            self._got.put(_Came(time.monotonic(), message.topic, len(message.payload)))

    def hello(self) -> bool:
        """Whether the door has said who it is."""
        return bool(self._facts)

    def fetch(self, chunks: int) -> float:
        """The whole clip; seconds from the first command to its last chunk."""
        began, asked, last = time.monotonic(), 0, 0.0
        for came in range(chunks):
            while asked < chunks and asked - came <= AHEAD:
                window = min(max(asked, WINDOW), MOST)
                self._ask(asked, window)
                asked += window
            last = self.next()
        return last - began

    def next(self) -> float:
        """When the next message was here. Raises DeviceError where none comes."""
        try:
            return self._got.get(timeout=LOST_S).at
        except Empty:
            raise DeviceError(f"A transfer stood still for {LOST_S:.0f} s.") from None

    def _ask(self, first: int, window: int) -> None:
        self._counter += 1
        fields = {
            "v": 1, "door": DOOR, "from": self.id, "roster": 1, "epoch": self._facts["epoch"],
            "expires": int(time.monotonic()) + 30, "counter": self._counter,
            "id": base64.b64encode(os.urandom(16)).decode(), "cmd": "clip",
            "args": {"clip": CLIP, "from": first, "window": window},
        }  # fmt: skip
        text = json.dumps(fields).encode()
        box = SealedBox(PublicKey(base64.b64decode(self._facts["box_key"])))
        signature = self._signing.sign(b"doorbell/v1/command\0" + text).signature
        self.client.publish(topic("from", DOOR, phone=self.id), box.encrypt(signature + text), qos=1)


def _as_browsers_do(_: object, __: object, sock: Any) -> None:  # noqa: ANN401  paho's own types say no more
    sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)


def _bare(phone: _Phone, bare: subprocess.Popen[bytes], chunks: int) -> float:
    assert bare.stdin is not None
    assert bare.stdout is not None
    began, last = time.monotonic(), 0.0
    bare.stdin.write(b"\n")
    bare.stdin.flush()
    for _ in range(chunks):
        last = phone.next()
    bare.stdout.readline()
    return last - began
