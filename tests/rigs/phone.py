"""A small phone that speaks to the door what docs/formats says, through a real broker, with none of the door's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import bech32
import paho.mqtt.client as paho
import pyrage
from attrs import define, field
from nacl.public import PublicKey, SealedBox
from nacl.signing import SigningKey, VerifyKey
from paho.mqtt.enums import CallbackAPIVersion

BROADCAST = ("availability", "hello", "alert", "poster/#", "journal/#")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@define(eq=False)
class Phone:
    """One member's phone; ``wait`` and ``ask`` give up after ``within`` seconds."""

    port: int
    name: str = "phone"
    door: str = "front"
    password: str = ""
    signing: SigningKey = field(factory=SigningKey.generate)
    identity: Any = field(factory=pyrage.x25519.Identity.generate)
    through: str = ""
    """The phone whose topics it uses, when that is another's."""
    within: float = 15.0
    facts: dict[str, Any] = field(factory=dict)
    """The door's hello."""
    notes: list[tuple[str, bytes]] = field(factory=list)
    revision: int = 0
    counter: int = 0
    _uptime: tuple[float, float] = (0.0, 0.0)
    _news: threading.Condition = field(factory=threading.Condition)
    _client: Any = None
    _last: Any = None

    # ---- who it is

    @property
    def verify_key(self) -> bytes:
        return bytes(self.signing.verify_key)

    @property
    def id(self) -> str:
        return base64.b32encode(hashlib.sha256(self.verify_key).digest()).decode().lower()[:26]

    def member(self, role: str = "member") -> dict[str, str]:
        return {
            "name": self.name, "role": role, "recipient": str(self.identity.to_public()),
            "verify_key": b64(self.verify_key),
        }  # fmt: skip

    def sign(self, kind: str, text: bytes) -> bytes:
        return self.signing.sign(f"doorbell/v1/{kind}".encode() + b"\0" + text).signature

    # ---- the broker

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def connect(self) -> None:
        here = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if self.password:
            self._client.username_pw_set(self.id, self.password)
        base, me = f"doorbell/{self.door}", self.through or self.id
        wanted = [*BROADCAST, f"to/{me}", f"clip/{me}/#", f"live/{me}/#"]
        self._client.on_connect = lambda client, *_: client.subscribe([(f"{base}/{one}", 1) for one in wanted])
        self._client.on_subscribe = lambda *_: here.set()
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert here.wait(10)

    def disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        with self._news:
            topic = message.topic.removeprefix(f"doorbell/{self.door}/")
            self.notes.append((topic, bytes(message.payload)))
            if topic == "hello":
                self.facts = json.loads(json.loads(message.payload)["json"])
            self._news.notify_all()

    def until(self, what: Callable[[], Any]) -> Any:
        with self._news:
            found: list[Any] = []

            def look() -> bool:
                found[:] = [what()]
                return bool(found[0])

            assert self._news.wait_for(look, self.within), f"heard {[topic for topic, _ in self.notes]}"
            return found[0]

    def of(self, prefix: str) -> list[tuple[str, bytes]]:
        return [note for note in list(self.notes) if note[0].startswith(prefix)]

    # ---- what it says

    def publish(self, topic: str, payload: bytes) -> None:
        self._last = self._client.publish(f"doorbell/{self.door}/{topic}", payload, qos=1)

    def delivered(self) -> None:
        """Wait until the broker has all that was published: whatever another phone says now comes behind it."""
        self._last.wait_for_publish(self.within)
        assert self._last.is_published()

    def uptime(self) -> float:
        """The door's uptime now, by its last reply."""
        said, heard = self._uptime
        return said + time.monotonic() - heard

    def command(self, cmd: str, args: dict[str, Any], **changed: Any) -> tuple[str, bytes]:
        """The id and the sealed bytes of a command; *changed* keys differ."""
        self.counter += 1
        fields = {
            "v": 1, "door": self.door, "from": self.id, "roster": self.revision, "epoch": self.facts["epoch"],
            "expires": round(self.uptime() + 30, 3), "counter": self.counter, "id": b64(os.urandom(16)), "cmd": cmd,
            "args": args,
        } | changed  # fmt: skip
        text = json.dumps(fields).encode()
        box = SealedBox(PublicKey(base64.b64decode(self.facts["box_key"])))
        return fields["id"], box.encrypt(self.sign("command", text) + text)

    def send(self, cmd: str, args: dict[str, Any] | None = None, **changed: Any) -> str:
        """Send a command; its id."""
        wanted, sealed = self.command(cmd, args or {}, **changed)
        self.publish(f"from/{self.through or self.id}", sealed)
        return wanted

    def ask(self, cmd: str, args: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
        """Send a command and wait for the reply."""
        wanted = self.send(cmd, args, **changed)
        return self.until(lambda: self.replies(wanted))[0]

    def hello(self) -> dict[str, Any]:
        """Say hello, again each second, until the door answers."""
        self.until(lambda: self.facts)
        ends = time.monotonic() + self.within
        while time.monotonic() < ends:
            wanted = self.send("hello")
            with self._news:
                if self._news.wait_for(lambda wanted=wanted: self.replies(wanted), 1.1):
                    reply = self.replies(wanted)[0]
                    if "result" in reply:
                        self.revision = json.loads(reply["result"]["roster"]["json"])["revision"]
                    return reply
        raise AssertionError(f"the door did not answer; heard {[topic for topic, _ in self.notes]}")

    # ---- what it hears

    def opened(self, sealed: bytes) -> bytes:
        return pyrage.decrypt(sealed, [self.identity])

    def can_open(self, sealed: bytes) -> bool:
        try:
            self.opened(sealed)
        except pyrage.DecryptError:
            return False
        return True

    def document(self, kind: str, sealed: bytes) -> dict[str, Any]:
        """What the door signed and sealed to this phone."""
        plain = self.opened(sealed)
        key = VerifyKey(base64.b64decode(self.facts["verify_key"]))
        key.verify(f"doorbell/v1/{kind}".encode() + b"\0" + plain[64:], plain[:64])
        return json.loads(plain[64:])

    def replies(self, wanted: str) -> list[dict[str, Any]]:
        """The replies so far to the command with this id; another door's would not verify."""
        found = []
        for _, payload in self.of(f"to/{self.through or self.id}"):
            reply = self.document("reply", payload)
            assert reply["to"] == self.id
            assert len(payload) <= 98_304
            if reply["id"] == wanted:
                if reply["uptime"] > self._uptime[0]:
                    self._uptime = (reply["uptime"], time.monotonic())
                found.append(reply)
        return found

    def chunks(self, request: str) -> dict[int, bytes]:
        """The chunks so far of this request, by their number."""
        return {int(topic.rpartition("/")[2]): data for topic, data in self.of(f"clip/{self.id}/{request}/")}

    def roster(self, now: dict[str, str], members: list[dict[str, str]], **changed: Any) -> dict[str, str]:
        """The revision behind the document *now*, with these members, signed by this phone."""
        revision = json.loads(now["json"])["revision"] + 1
        fields = {
            "door": self.door, "revision": revision, "prev": b64(hashlib.sha256(now["json"].encode()).digest()),
            "members": members, "signer": self.id,
        } | changed  # fmt: skip
        text = json.dumps(fields)
        return {"json": text, "sig": b64(self.sign("roster", text.encode()))}

    # ---- joining

    def knows(self, secret: bytes) -> bool:
        """Whether the hello that is shown comes from a door that knows the secret."""
        if "pair_mac" not in self.facts:
            return False
        keys = base64.b64decode(self.facts["verify_key"]) + base64.b64decode(self.facts["box_key"])
        wanted = hmac.digest(secret, b"doorbell/v1/pair-door\0" + self.door.encode() + keys, "sha256")
        return wanted == base64.b64decode(self.facts["pair_mac"])

    def join(self, secret: bytes) -> None:
        """Ask to be let in."""
        text = json.dumps({"member": self.member(), "mac": b64(self.mac(secret))}).encode()
        self.publish("pair", SealedBox(PublicKey(base64.b64decode(self.facts["box_key"]))).encrypt(text))

    def mac(self, secret: bytes) -> bytes:
        _, recipient = bech32.bech32_decode(str(self.identity.to_public()))
        raw = bytes(bech32.convertbits(recipient, 5, 8, False))
        return hmac.digest(secret, b"doorbell/v1/pair-phone\0" + raw + self.verify_key, "sha256")
