"""The one table of every MQTT topic of the door; what is published, heard and documented is read from it."""

from __future__ import annotations

import re

from attrs import frozen

DOOR_ID = re.compile(r"[a-z0-9-]{1,32}")
PART = re.compile(r"[A-Za-z0-9-]{1,64}")
"""What may stand for ``<visit>``, ``<phone>`` and the like: no ``/``, ``+`` or ``#`` comes in from outside."""

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@frozen
class Topic:
    """One row: the template's ``<parts>`` are filled by ``topic``.

    ``sender`` is who publishes; ``expiry_s`` the MQTT 5 message expiry in seconds, None for what stays;
    ``open_to`` is ``sealed`` or ``clear``, and ``clear_event`` says that privacy.clear_events = false silences it.
    """

    name: str
    template: str
    sender: str
    qos: int
    retained: bool
    expiry_s: int | None
    open_to: str
    payload: str
    clear_event: bool = False


_BASE = "doorbell/<door>"

TABLE = (
    Topic("availability", f"{_BASE}/availability", "door, will", 1, True, None, "clear", "`online` or `offline`"),
    Topic(
        "hello", f"{_BASE}/hello", "door", 1, True, None, "clear",
        "signed JSON: v, door, software, verify_key, box_key, epoch, journal; while pairing is open also pair_mac",
    ),
    Topic(
        "alert", f"{_BASE}/alert", "door", 1, False, 60, "sealed",
        "age(roster, sig ‖ JSON v, door, kind, visit, epoch, uptime, at, clock)",
    ),
    Topic("poster", f"{_BASE}/poster/<visit>", "door", 1, False, 600, "sealed", "the sealed poster, once"),
    Topic(
        "journal", f"{_BASE}/journal/<index>", "door", 1, False, 7 * DAY_S, "sealed",
        "the entry: JSON index, prev, body, sig, base64",
    ),
    Topic("ring", f"{_BASE}/ring", "door", 1, False, 60, "clear", '`{"event_type":"ring","id":visit,"at":…}`', True),
    Topic("motion", f"{_BASE}/motion", "door", 1, False, 60, "clear", "`ON` or `OFF`", True),
    Topic(
        "health", f"{_BASE}/health", "door", 1, True, None, "clear",
        "JSON: disk, temperature, throttled, rssi, started, problems, version; each 5 min and on change", True,
    ),
    Topic("recording", f"{_BASE}/recording/state", "door", 1, True, None, "clear", "`ON` or `OFF`", True),
    Topic(
        "recording_set", f"{_BASE}/recording/set", "broker users", 1, False, None, "clear",
        "`ON` or `OFF`; heard only with homeassistant.may_switch_recording = true", True,
    ),
    Topic("from", f"{_BASE}/from/<phone>", "phone", 1, False, 30, "sealed", "a command"),
    Topic("to", f"{_BASE}/to/<phone>", "door", 1, False, 30, "sealed", "a reply"),
    Topic("pair", f"{_BASE}/pair", "joining phone", 1, False, 30, "sealed", "who wants to join, with its MAC"),
    Topic(
        "clip", f"{_BASE}/clip/<phone>/<request>/<n>", "door", 1, False, 600, "sealed",
        "at most 96 KiB of a sealed clip",
    ),
    Topic("live", f"{_BASE}/live/<phone>/<session>", "door", 0, False, 5, "sealed", "at most 96 KiB of live view"),
    Topic("talk", f"{_BASE}/talk/<phone>/<session>", "phone", 0, False, 5, "sealed", "reserved for the next version"),
    Topic(
        "discovery", "homeassistant/device/doorbell-<door>/config", "door", 1, True, None, "clear",
        "Home Assistant's device discovery", True,
    ),
    Topic(
        "homeassistant", "homeassistant/status", "Home Assistant", 1, False, None, "clear",
        "`online` when Home Assistant has started", True,
    ),
)  # fmt: skip

TOPICS = {row.name: row for row in TABLE}


def topic(name: str, door: str, **parts: str) -> str:
    """The topic of row *name* with its ``<parts>`` filled in; ValueError for a part that could change its meaning."""
    if not DOOR_ID.fullmatch(door):
        raise ValueError("a door id is 1 to 32 of a to z, 0 to 9 and -")
    for key, value in parts.items():
        if not PART.fullmatch(value):
            raise ValueError(f"<{key}> of topic {name} is 1 to 64 letters, digits and -")
    filled = TOPICS[name].template.replace("<door>", door)
    for key, value in parts.items():
        filled = filled.replace(f"<{key}>", value)
    if "<" in filled:
        raise ValueError(f"topic {name} wants {filled}")
    return filled


def subscriptions(door: str, *, may_switch_recording: bool, discovery: bool) -> tuple[tuple[str, int], ...]:
    """The topic filters with their QoS that the door listens to.

    Nothing more than what it obeys: ``recording/set`` only with *may_switch_recording*, ``homeassistant/status``
    only with *discovery*, and ``talk`` not at all in this version.
    """
    filters = [f"doorbell/{door}/from/+", topic("pair", door)]
    if may_switch_recording:
        filters.append(topic("recording_set", door))
    if discovery:
        filters.append(topic("homeassistant", door))
    return tuple((one, 1) for one in filters)


def reference() -> str:
    """The table as Markdown, which docs/formats/mqtt.md holds verbatim."""
    lines = [
        "| topic | from | QoS | retained | expiry | payload | open to the broker |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in TABLE:
        retained = "yes" if row.retained else "no"
        how = f"{row.open_to} (`clear_events`)" if row.clear_event else row.open_to
        expiry = "-" if row.expiry_s is None else _spoken(row.expiry_s)
        lines.append(f"| `{row.template}` | {row.sender} | {row.qos} | {retained} | {expiry} | {row.payload} | {how} |")
    return "\n".join(lines) + "\n"


def _spoken(seconds: int) -> str:
    for unit, size in (("d", DAY_S), ("min", 60)):
        if seconds % size == 0 and seconds > size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
