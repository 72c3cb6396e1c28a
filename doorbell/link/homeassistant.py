"""What Home Assistant is told, so that the door appears in it by itself.

One retained message describes the device and all its entities (MQTT device discovery,
https://www.home-assistant.io/integrations/mqtt/#discovery-payload). It names the clear topics only, and holds nothing
of the household but the door's id and the name that the owner gave it.

Home Assistant is strict and silent in turn, which shapes this file (all of it tried by `make test-ha`):
- An unknown key at the top rejects the whole device; inside a component it is dropped without a word.
- ``qos`` at the top does nothing: it stands in each component, or the ring would come with QoS 0.
- A component left out of a later message stays. What is no longer offered is named with its platform alone, which
  removes it: a recording switch that the owner took back must not linger as a switch that does nothing.
- An entity id made from a name changes with the language of Home Assistant; ``default_entity_id`` does not, so an
  automation copied from the documentation works everywhere.

No restart button and no update entity: whoever has a login at the broker could press them.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from attrs import frozen

from doorbell.link.messages import Message
from doorbell.link.topics import TOPICS, topic

BIRTH = b"online"
"""What Home Assistant says on homeassistant/status, not retained, once it listens: it wants to hear all again."""

OFF_DELAY_S = 60
"""Motion ends by itself in Home Assistant after this long, should the door's OFF be lost."""
EXPIRE_AFTER_S = 900
"""Three health messages missing, and a measurement is unavailable rather than old."""
SAID_AGAIN_AFTER_S = 10.0
"""Home Assistant subscribes to a device's topics only after it has read its discovery. What is not retained (motion)
and was said right behind the discovery is lost on it, so it is said once more after this long."""


@frozen
class Device:
    """The door as Home Assistant shows it. ``model`` is the computer's (as /proc/device-tree/model says)."""

    door_id: str
    name: str
    model: str
    version: str
    may_switch_recording: bool = False


def discovery(device: Device) -> Message:
    """What makes the door appear; to be sent at each connection and, ``birth_delay`` later, at each birth."""
    door = device.door_id
    components = _components(device)
    payload = {
        "device": {
            "identifiers": [f"doorbell-{door}"],
            "name": device.name,
            "manufacturer": "doorbell",
            "model": device.model,
            "sw_version": device.version,
        },
        "origin": {"name": "doorbell", "sw_version": device.version},
        "availability": [{"topic": topic("availability", door)}],
        "components": {
            **{key: component | _ids(door, key, component["platform"]) for key, component in components.items()},
            **{key: {"platform": platform} for key, platform in _OPTIONAL.items() if key not in components},
        },
    }
    return _message(door, _json(payload))


def removal(door_id: str) -> Message:
    """What takes the door out of Home Assistant again, for ``clear_events = false`` and ``discovery = false``.

    Sent at each connection while it is to stay away: the broker may still keep what an earlier configuration said.
    """
    return _message(door_id, b"")


def birth_delay(seed: bytes) -> float:
    """Seconds, 1 to 10, between Home Assistant's birth message and the answer.

    Home Assistant is busy at its start, and all devices of a home hear the same birth: *seed* (the door's id with
    something of the moment) spreads them.
    """
    return 1.0 + 9.0 * int.from_bytes(hashlib.sha256(seed).digest()[:6]) / 2**48


def entity_id(door_id: str, domain: str, key: str) -> str:
    """The id that Home Assistant gives the entity unless the owner renames it: ``event.doorbell_front_ring``."""
    words = [word for word in door_id.split("-") if word]
    return f"{domain}.{'_'.join(['doorbell', *words, key])}"


_OPTIONAL = {"recording": "binary_sensor", "recording_switch": "switch"}
"""Components that come and go with the configuration, with their platforms: named alone, each is removed."""


def _components(device: Device) -> dict[str, dict[str, Any]]:
    door = device.door_id
    recording = {"name": "Recording", "icon": "mdi:record-rec", "state_topic": topic("recording", door)}
    shown: dict[str, dict[str, Any]] = {
        "ring": {
            "platform": "event",
            "device_class": "doorbell",
            # Any other word stops working as a doorbell in Home Assistant 2027.4.
            "event_types": ["ring"],
            "state_topic": topic("ring", door),
        },
        "motion": {
            "platform": "binary_sensor",
            "device_class": "motion",
            "state_topic": topic("motion", door),
            "off_delay": OFF_DELAY_S,
        },
        **_diagnostics(topic("health", door)),
    }
    if device.may_switch_recording:
        switch = {"platform": "switch", "command_topic": topic("recording_set", door)}
        # The category keeps it out of "turn off everything in the hall".
        shown["recording_switch"] = recording | switch | {"entity_category": "config"}
    else:
        shown["recording"] = recording | {"platform": "binary_sensor"}
    return shown


def _diagnostics(health: str) -> dict[str, dict[str, Any]]:
    said: dict[str, Any] = {"state_topic": health, "entity_category": "diagnostic"}
    measured = {"platform": "sensor", "state_class": "measurement", "expire_after": EXPIRE_AFTER_S, **said}
    return {
        "disk": {
            **measured,
            "name": "Storage used",
            "icon": "mdi:micro-sd",
            "unit_of_measurement": "%",
            "suggested_display_precision": 0,
            "value_template": "{{ value_json.disk }}",
        },
        "temperature": {
            **measured,
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "suggested_display_precision": 0,
            "value_template": "{{ value_json.temperature }}",
        },
        "rssi": {
            **measured,
            "device_class": "signal_strength",
            "unit_of_measurement": "dBm",
            "enabled_by_default": False,
            "value_template": "{{ value_json.rssi }}",
        },
        "started": {
            **said,
            "platform": "sensor",
            "name": "Started",
            "device_class": "timestamp",
            "value_template": "{{ value_json.started }}",
        },
        "problem": {
            **said,
            "platform": "binary_sensor",
            "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.problems else 'OFF' }}",
            # Two of the seven: the others are entities, and each attribute that changes is a row in its database.
            "json_attributes_topic": health,
            "json_attributes_template": (
                "{{ {'problems': value_json.problems, 'throttled': value_json.throttled} | tojson }}"
            ),
        },
    }


def _ids(door: str, key: str, platform: str) -> dict[str, Any]:
    return {
        "unique_id": f"doorbell-{door}-{key}",
        "default_entity_id": entity_id(door, platform, key.removesuffix("_switch")),
        "qos": 1,
    }


def _message(door: str, payload: bytes) -> Message:
    row = TOPICS["discovery"]
    return Message(topic("discovery", door), payload, row.qos, row.retained, row.expiry_s)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
