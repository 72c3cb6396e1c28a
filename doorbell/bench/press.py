"""From a press to its message at a subscriber, beside a bare publish, while the door is recording.

The door is the real one, in its own two processes, filming the synthetic scene at the default size; the press is made
at its simulated pin. The reference is a bare paho client in a process of its own. Both reach the same mosquitto and the
same subscriber by QoS 1 and take turns, so both pay for the same load. Every clock is CLOCK_MONOTONIC of this host.

Half of the presses come when the link has been silent for longer than the door trusts it, as nearly every press at a
real door does: then a probe goes to the broker and back before the ring may go. The others follow at once.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from attrs import frozen

from doorbell.bench.door import Door, door, mosquitto
from doorbell.bench.publisher import TOPIC
from doorbell.bench.rows import Row, Say
from doorbell.bench.subscriber import Subscriber
from doorbell.debounce import STABLE_S
from doorbell.errors import DeviceError
from doorbell.link.topics import topic

BAR = 3.0
SILENCE_S = 0.35
"""Longer than the 0.25 s for which the door trusts its link after an acknowledgement."""
RELEASED_S = 0.04
LOST_S = 5.0

_RING, _ALERT, _PROBE = (topic(name, "front") for name in ("ring", "alert", "availability"))


@frozen
class Heard:
    at: float
    topic: str


@frozen
class Pair:
    """Seconds from the decision to ring and alert, and from ``publish`` to the bare message; whether a probe went."""

    ring: float
    alert: float
    bare: float
    probed: bool


def measure(pairs: int, say: Say, camera: dict[str, Any] | None = None) -> list[Row]:
    """Rows in milliseconds; the first one, the median over all presses, has the bar. Raises DeviceError."""
    tables = {
        "camera": {"source": "scene", **(camera or {})},
        "visit": {"linger_s": 60, "longest_s": 600},
    }
    with TemporaryDirectory() as name, mosquitto(Path(name)) as port:
        tables["mqtt"] = {"host": "127.0.0.1", "port": port, "tls": "off"}
        with (
            door(Path(name) / "door", tables, "doorbell.bench.stamped", (), subprocess.PIPE) as front,
            _Ear(port) as ear,
        ):
            front.sees()
            measured = _Turns(front, ear, port).take(pairs, say)
            if not front.status().get("recording"):
                raise DeviceError("The door was not recording while it was measured.")
    return _rows(measured)


def _rows(pairs: list[Pair]) -> list[Row]:
    probed, fresh = [one for one in pairs if one.probed], [one for one in pairs if not one.probed]
    rows = [
        _row(f"press to ring at a subscriber, recording, {len(pairs)} pairs: median", pairs, _median, bar=BAR),
        _row("  the same: p99", pairs, _p99),
        _row("press to sealed alert at a subscriber: median", pairs, _median, ours=lambda one: one.alert),
        _row("  the same: p99", pairs, _p99, ours=lambda one: one.alert),
    ]
    for what, some in (("after silence, the link probed first", probed), ("soon after another message", fresh)):
        if some:
            rows.append(_row(f"press to ring, {what}, {len(some)} pairs: median", some, _median))
            rows.append(_row("  the same: p99", some, _p99))
    return rows


def _row(
    what: str, pairs: list[Pair], of: Callable[[list[float]], float], *, bar: float | None = None,
    ours: Callable[[Pair], float] = lambda one: one.ring,
) -> Row:  # fmt: skip
    mine, theirs = of([ours(one) for one in pairs]), of([one.bare for one in pairs])
    return Row(what, round(mine * 1e3, 3), round(theirs * 1e3, 3), round(mine / theirs, 2), bar, "ms")


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.99 * len(values)))]


class _Ear(Subscriber):
    """The subscriber: each message with the moment at which paho gave it."""

    def __init__(self, port: int) -> None:
        self._got: SimpleQueue[Heard] = SimpleQueue()
        self.last_of_the_door = 0.0
        super().__init__(port, ["#"], lambda message: self._got.put(Heard(time.monotonic(), message.topic)), LOST_S)

    def hear(self, until: float) -> Heard | None:
        """The next message, or None at *until*."""
        try:
            heard = self._got.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return None
        if heard.topic != TOPIC:
            self.last_of_the_door = heard.at
        return heard

    def silence(self, seconds: float) -> None:
        """Return when the door has said nothing for so long."""
        while time.monotonic() < self.last_of_the_door + seconds:
            self.hear(self.last_of_the_door + seconds)


class _Turns:
    """The door and the bare client, by turns."""

    def __init__(self, front: Door, ear: _Ear, port: int) -> None:
        self._front, self._ear, self._port = front, ear, port
        self._decided: SimpleQueue[float] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._front.process.stdout is not None
        for line in self._front.process.stdout:
            self._decided.put(float(line))

    def take(self, count: int, say: Say) -> list[Pair]:
        """So many pairs; one that a visitor of the scene disturbed, who presses as well, is taken again."""
        pairs: list[Pair] = []
        command = [sys.executable, "-m", "doorbell.bench.publisher", str(self._port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bare:
            self._bare(bare)
            self._press()  # the clip begins
            while len(pairs) < count:
                silence = SILENCE_S if len(pairs) % 2 else 0.0
                first_bare = len(pairs) % 4 < 2
                pair = self._pair(bare, silence, first_bare=first_bare)
                if pair is not None:
                    pairs.append(pair)
                    if len(pairs) % 100 == 0:
                        say(f"{len(pairs)} of {count} pairs")
            assert bare.stdin is not None
            bare.stdin.close()
        return pairs

    def _pair(self, bare: subprocess.Popen[bytes], silence: float, *, first_bare: bool) -> Pair | None:
        took = self._bare(bare) if first_bare else None
        self._ear.silence(silence)
        pressed = self._press()
        if took is None:
            took = self._bare(bare)
        return None if pressed is None else Pair(pressed[0], pressed[1], took, pressed[2])

    def _press(self) -> tuple[float, float, bool] | None:
        """Seconds to the ring and to the alert, and whether a probe went first; None where another hand pressed too."""
        while not self._decided.empty():
            self._decided.get()
        self._front.finger(b"button down")
        heard: dict[str, float] = {}
        ends = time.monotonic() + LOST_S
        while not {_RING, _ALERT} <= set(heard):
            one = self._ear.hear(ends)
            if one is None:
                break
            heard.setdefault(one.topic, one.at)
        self._front.finger(b"button up")
        self._let_pass(RELEASED_S)
        if self._decided.qsize() != 1 or len(set(heard) & {_RING, _ALERT}) != 2:
            self._let_pass(1.0)
            return None
        decided = self._decided.get()
        probed = decided - STABLE_S <= heard.get(_PROBE, 0.0) <= heard[_RING]
        return heard[_RING] - decided, heard[_ALERT] - decided, probed

    def _bare(self, bare: subprocess.Popen[bytes]) -> float:
        assert bare.stdin is not None
        assert bare.stdout is not None
        bare.stdin.write(b"\n")
        bare.stdin.flush()
        at = float(bare.stdout.readline())
        while (heard := self._ear.hear(at + LOST_S)) is not None:
            if heard.topic == TOPIC:
                return heard.at - at
        raise DeviceError("A bare message was lost on the way through mosquitto.")

    def _let_pass(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._ear.hear(ends)
