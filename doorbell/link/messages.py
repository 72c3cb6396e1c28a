"""What the door says over MQTT, as frozen messages built from the topic table.

Nothing here knows a key: ``sign(kind, json)`` gives the 64 bytes of the door's signature over
``"doorbell/v1/<kind>" ‖ 0x00 ‖ json`` and ``seal(plain)`` an age message to the roster in force.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from attrs import asdict, frozen

from doorbell.link.topics import TABLE, TOPICS, topic

LARGEST = 128 * 1024
"""Bytes of one PUBLISH that a broker has to take: a message of the door has at most 96 KiB with its topic and a seal;
AWS IoT takes 128 KiB."""

Sign = Callable[[Literal["alert", "hello", "reply"], bytes], bytes]
Seal = Callable[[bytes], bytes]


@frozen
class Message:
    """One PUBLISH; ``expiry_s`` is MQTT 5's message expiry in seconds, None for none."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None


@frozen
class Health:
    """What the door says of itself, in clear; None for what this machine cannot measure.

    ``disk`` per cent used, ``temperature`` °C, ``rssi`` dBm, ``started`` RFC 3339, ``problems`` sentences.
    """

    started: str
    version: str
    problems: tuple[str, ...] = ()
    disk: float | None = None
    temperature: float | None = None
    throttled: bool | None = None
    rssi: int | None = None


def rfc3339(wall: float) -> str:
    """Seconds since 1970 as ``2026-11-22T18:55:56.123Z``."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def availability(door: str, *, online: bool) -> Message:
    """The birth and, with *online* false, the will and the goodbye."""
    return _message("availability", door, b"online" if online else b"offline")


def hello(
    door: str, sign: Sign, *, software: str, verify_key: bytes, box_key: bytes, epoch: bytes, journal: bytes,
    pair_mac: bytes | None = None,
) -> Message:  # fmt: skip
    """The door's public facts, signed; *pair_mac* (32 bytes) only while pairing is open."""
    facts = {
        "v": 1,
        "door": door,
        "software": software,
        "verify_key": _base64(verify_key),
        "box_key": _base64(box_key),
        "epoch": _base64(epoch),
        "journal": _base64(journal),
    }
    if pair_mac is not None:
        facts["pair_mac"] = _base64(pair_mac)
    text = _json(facts)
    return _message("hello", door, _json({"json": text.decode(), "sig": _base64(sign("hello", text))}))


def alert_text(
    door: str, *, visit: str, epoch: bytes, uptime: float, wall: float, synced: bool,
    kind: Literal["ring", "test", "check"] = "ring",
) -> bytes:  # fmt: skip
    """The JSON of an alert, which is signed; *uptime* and *wall* are the press's, in seconds."""
    return _json(
        {
            "v": 1,
            "door": door,
            "kind": kind,
            "visit": visit,
            "epoch": _base64(epoch),
            "uptime": round(uptime, 3),
            "at": rfc3339(wall),
            "clock": "synced" if synced else "unsynced",
        }
    )


def alert(
    door: str, sign: Sign, seal: Seal, *, visit: str, epoch: bytes, uptime: float, wall: float, synced: bool,
    kind: Literal["ring", "test"] = "ring",
) -> Message:  # fmt: skip
    """The ring that the app rings on: ``age(sig(64) ‖ json)``."""
    text = alert_text(door, visit=visit, epoch=epoch, uptime=uptime, wall=wall, synced=synced, kind=kind)
    return _message("alert", door, seal(sign("alert", text) + text))


def ring(door: str, *, visit: str, wall: float) -> Message:
    """The ring in clear, for Home Assistant and the like: the visit's id and the time only."""
    return _message("ring", door, _json({"event_type": "ring", "id": visit, "at": rfc3339(wall)}))


def motion(door: str, *, active: bool) -> Message:
    return _message("motion", door, _switch(active))


def recording(door: str, *, on: bool) -> Message:
    return _message("recording", door, _switch(on))


def health(door: str, values: Health) -> Message:
    return _message("health", door, _json(asdict(values)))


def poster(door: str, *, visit: str, sealed: bytes) -> Message:
    """The sealed poster (an age file) of *visit*."""
    return _message("poster", door, sealed, visit=visit)


def entry(door: str, *, index: int, encoded: bytes) -> Message:
    """Journal entry *index*, its JSON bytes exactly as the journal gives them."""
    return _message("journal", door, encoded, index=str(index))


def reply(door: str, *, phone: str, sealed: bytes) -> Message:
    return _message("to", door, sealed, phone=phone)


def chunk(door: str, *, phone: str, request: str, n: int, sealed: bytes) -> Message:
    """Chunk *n* of the sealed clip that *phone* asked for by *request*."""
    return _message("clip", door, sealed, phone=phone, request=request, n=str(n))


def live(door: str, *, phone: str, session: str, sealed: bytes) -> Message:
    """One message of a live view, as the recorder sealed it; *session* in hex."""
    return _message("live", door, sealed, phone=phone, session=session)


def silence(door: str) -> tuple[Message, ...]:
    """Empty retained messages: they take back what the broker keeps in clear when clear_events is turned off."""
    return tuple(_message(row.name, door, b"") for row in TABLE if row.clear_event and row.retained)


def _message(name: str, door: str, payload: bytes, **parts: str) -> Message:
    row = TOPICS[name]
    return Message(topic(name, door, **parts), payload, row.qos, row.retained, row.expiry_s)


def _switch(on: bool) -> bytes:
    return b"ON" if on else b"OFF"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
