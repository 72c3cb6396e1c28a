"""A real door: the daemon as its own process, on a real broker, with simulated pins; and a subscriber who notes all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
from attrs import define, field, frozen
from paho.mqtt.enums import CallbackAPIVersion

from doorbell.owner.identity import Identity

QUIET_SCENE = {"width": 320, "height": 240, "fps": 10, "bitrate_kbps": 300}


def pause(seconds: float) -> None:
    """What a person or the world does in real time: a finger that stays, a link that stalls."""
    threading.Event().wait(seconds)


@frozen
class Note:
    at: float
    topic: str
    payload: bytes
    retained: bool


class Listener:
    """Subscribes to everything; ``wait`` returns the messages so far that fit, as soon as there are enough."""

    def __init__(self, port: int, login: tuple[str, str] | None = None) -> None:
        self.notes: list[Note] = []
        self._news = threading.Condition()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if login:
            self._client.username_pw_set(*login)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self._here.set()
        self._client.on_message = self._note
        self._here = threading.Event()
        # No keepalive: a machine that stood still for a minute finds its listener still there.
        self._client.connect("127.0.0.1", port, keepalive=0)
        self._client.loop_start()
        assert self._here.wait(10)

    def _note(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        with self._news:
            self.notes.append(Note(time.monotonic(), message.topic, bytes(message.payload), message.retain))
            self._news.notify_all()

    def of(self, ending: str) -> list[Note]:
        """What came on topics that end, or that have a level, so named."""
        return [note for note in list(self.notes) if note.topic.endswith(ending) or f"/{ending}/" in note.topic]

    def wait(self, ending: str, count: int = 1, within: float = 20.0) -> list[Note]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.of(ending)) >= count, within), (
                f"{len(self.of(ending))} of {count} on {ending} within {within} s; "
                f"heard {sorted({note.topic for note in self.notes})}"
            )
        return self.of(ending)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@define
class Door:
    """``settings`` are the tables of the configuration; what is not given is small, simulated and fast."""

    folder: Path
    port: int = 0
    settings: dict[str, dict[str, Any]] = field(factory=dict)
    wrapper: list[str] = field(factory=list)
    words: list[str] = field(factory=list)
    environment: dict[str, str] = field(factory=dict)
    owner: Identity = field(factory=Identity.make)
    process: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def clips(self) -> list[Path]:
        return sorted((self.state / "clips").glob("*.mp4.age"))

    def configuration(self) -> str:
        tables: dict[str, dict[str, Any]] = {
            "door": {"state": str(self.state), "runtime": str(self.folder / "run")},
            "keys": {"recipients": [str(self.owner.recipient)]},
            # A chime that still sounds is not struck again: a short one is struck for each press.
            "pins": {"kind": "simulated", "pir": 27, "chime": 22, "chime_ms": 50, "led": 23},
            "camera": {"source": "none", **QUIET_SCENE},
            "visit": {"linger_s": 1, "longest_s": 20, "preroll_s": 5},
            "mqtt": {"host": "127.0.0.1", "port": self.port, "tls": "off"} if self.port else {},
        }
        for name, table in self.settings.items():
            tables[name] = tables.get(name, {}) | table
        return "\n".join(
            f"[{name}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
            for name, table in tables.items()
        )

    def start(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "doorbell.toml"
        file.write_text(self.configuration())
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, sys.executable, "-m", "doorbell", "run", "--config", str(file), *self.words],
                stderr=log, stdout=log, env=os.environ | self.environment, start_new_session=True,
            )  # fmt: skip
        return self

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def status(self) -> dict[str, Any]:
        try:
            return json.loads((self.folder / "run/status.json").read_bytes())
        except FileNotFoundError:
            return {}

    def until(self, what: Callable[[], object], within: float = 30.0) -> Any:
        """Look every 20 ms until *what* holds; what it gave."""
        ends = time.monotonic() + within
        while not (found := what()):
            assert time.monotonic() < ends, f"not within {within} s; the door's log:\n{self.log()}"
            pause(0.02)
        return found

    def said(self, text: str, within: float = 30.0) -> None:
        self.until(lambda: text in self.log(), within)

    def finger(self, message: bytes, socket_name: str = "pins.sock") -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hand:
            hand.sendto(message, str(self.folder / "run" / socket_name))

    def chime(self) -> tuple[int, float]:
        """How often this life's chime was struck, and when it was the last time."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            name = self.folder / "run/ear.sock"
            name.unlink(missing_ok=True)
            ear.bind(str(name))
            ear.settimeout(30)
            ear.sendto(b"chime", str(self.folder / "run/pins.sock"))
            struck, at = ear.recv(64).split()
            name.unlink()
        return int(struck), float(at)

    def chimed(self, count: int, within: float = 30.0) -> float:
        """When the chime was struck for the *count*-th time, as soon as it was."""
        struck, at = self.until(lambda: (told := self.chime())[0] >= count and told, within)
        assert struck == count, f"the chime was struck {struck} times, not {count}"
        return float(at)

    def press(self, hold: float = 0.2) -> float:
        """A finger on the button; when it came."""
        at = time.monotonic()
        self.finger(b"button down")
        pause(hold)
        self.finger(b"button up")
        return at

    def recorder(self) -> int:
        """The process id of the recorder."""
        assert self.process
        for place in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = place.read_text().rpartition(")")
            except OSError:
                continue
            if int(rest.split()[1]) == self.process.pid:
                return int(name.split()[0])
        return 0

    def stop(self, how: int = signal.SIGTERM, within: float = 40.0) -> int:
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(within)
        self.process = None
        return status

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            # A wrapper (strace) that is killed lets its daemon live on: all of them are ended.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
