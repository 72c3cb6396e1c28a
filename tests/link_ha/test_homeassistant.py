"""What Home Assistant is told: held to its rules, which it enforces partly in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from doorbell.link.homeassistant import Device, birth_delay, discovery, entity_id, removal
from doorbell.link.messages import Health, health
from doorbell.link.topics import TABLE

FRONT = Device(door_id="front", name="Front door", model="Raspberry Pi Zero 2 W", version="1.2.3")
EVERY = [evolve(FRONT, may_switch_recording=switch) for switch in (False, True)]

# Home Assistant 2026.2, homeassistant/components/mqtt: schemas.py, config.py and each platform's own module. A key that
# is not listed there is fatal at the top and dropped without a word in a component.
TOP = {
    "device",
    "origin",
    "components",
    "availability",
    "availability_mode",
    "state_topic",
    "command_topic",
    "encoding",
}
DEVICE = {
    "identifiers",
    "connections",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "hw_version",
    "serial_number",
    "suggested_area",
    "sw_version",
    "via_device",
    "configuration_url",
}
ORIGIN = {"name", "sw_version", "support_url"}
ENTITY = {
    "platform",
    "unique_id",
    "default_entity_id",
    "name",
    "icon",
    "entity_category",
    "enabled_by_default",
    "entity_picture",
    "availability",
    "json_attributes_topic",
    "json_attributes_template",
    "qos",
    "encoding",
}
PLATFORM = {
    "event": {"state_topic", "event_types", "device_class", "value_template"},
    "binary_sensor": {
        "state_topic",
        "device_class",
        "value_template",
        "off_delay",
        "expire_after",
        "force_update",
        "payload_on",
        "payload_off",
    },
    "sensor": {
        "state_topic",
        "device_class",
        "value_template",
        "expire_after",
        "force_update",
        "state_class",
        "unit_of_measurement",
        "suggested_display_precision",
        "options",
        "last_reset_value_template",
    },
    "switch": {
        "state_topic",
        "command_topic",
        "device_class",
        "value_template",
        "payload_on",
        "payload_off",
        "state_on",
        "state_off",
        "optimistic",
        "retain",
        "command_template",
    },
    "image": {"image_topic", "url_topic", "url_template", "content_type", "image_encoding"},
}
REQUIRED = {
    "event": {"state_topic", "event_types"},
    "binary_sensor": {"state_topic"},
    "sensor": {"state_topic"},
    "switch": {"command_topic"},
    "image": {"image_topic"},
}
# Of the device classes and units of each platform, those that a door could use.
UNITS: dict[str | None, set[str | None]] = {
    "temperature": {"°C", "°F", "K"},
    "signal_strength": {"dB", "dBm"},
    "timestamp": {None},
    None: {"%", None},
}
CLASSES: dict[str, set[str | None]] = {
    "event": {"doorbell", "button", "motion"},
    "binary_sensor": {"motion", "problem", "running", "connectivity", "occupancy", None},
    "sensor": set(UNITS),
    "switch": {"switch", "outlet", None},
    "image": {None},
}
CATEGORIES: dict[str, set[str | None]] = {
    "event": {"diagnostic", None},
    "binary_sensor": {"diagnostic", None},
    "sensor": {"diagnostic", None},
}


def told(device: Device) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(discovery(device).payload)
    return document


def entities(device: Device) -> dict[str, dict[str, Any]]:
    """The components that are more than a removal."""
    return {key: one for key, one in told(device)["components"].items() if set(one) != {"platform"}}


def lint(document: dict[str, Any]) -> list[str]:
    """What Home Assistant would refuse or drop."""
    found = [f"top: {key}" for key in set(document) - TOP]
    found += [f"device: {key}" for key in set(document["device"]) - DEVICE]
    found += [f"origin: {key}" for key in set(document["origin"]) - ORIGIN]
    found += [] if document["origin"].get("name") and document["device"].get("identifiers") else ["nameless"]
    for name, one in document["components"].items():
        platform = one.get("platform")
        if platform not in PLATFORM:
            found.append(f"{name}: platform {platform}")
        elif set(one) != {"platform"}:
            found += [f"{name}: {key}" for key in set(one) - ENTITY - PLATFORM[platform]]
            found += [f"{name}: no {key}" for key in ({"unique_id"} | REQUIRED[platform]) - set(one)]
            found += _lint_classes(name, platform, one)
    return found


def _lint_classes(name: str, platform: str, one: dict[str, Any]) -> list[str]:
    found = []
    if one.get("device_class") not in CLASSES[platform]:
        found.append(f"{name}: class")
    if one.get("entity_category") not in CATEGORIES.get(platform, {"config", "diagnostic", None}):
        found.append(f"{name}: category")
    if platform == "sensor" and one.get("unit_of_measurement") not in UNITS.get(one.get("device_class"), set()):
        found.append(f"{name}: unit")
    if one.get("device_class") == "timestamp" and "state_class" in one:
        found.append(f"{name}: a time has no state class")
    return found


@pytest.mark.parametrize("device", EVERY)
def test_home_assistant_finds_nothing_to_refuse_or_drop(device: Device) -> None:
    assert lint(told(device)) == []


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ((), "qos", 1),
        (("origin",), "url", "x"),
        (("device",), "serial", "x"),
        (("components", "disk"), "unit", "%"),
        (("components", "disk"), "device_class", "storage"),
        (("components", "temperature"), "unit_of_measurement", "C"),
        (("components", "problem"), "entity_category", "config"),
        (("components", "ring"), "platform", "doorbell"),
        (("components", "ring"), "unique_id", None),
    ],
)
def test_the_rules_notice_what_breaks_them(where: tuple[str, ...], key: str, value: object) -> None:
    document = told(FRONT)
    place = document
    for step in where:
        place = place[step]
    if value is None:
        del place[key]
    else:
        place[key] = value
    assert lint(document)


def test_the_door_shows_a_bell_motion_recording_and_how_it_is() -> None:
    assert list(entities(FRONT)) == ["ring", "motion", "disk", "temperature", "rssi", "started", "problem", "recording"]


def test_a_ring_is_called_ring() -> None:
    ring = entities(FRONT)["ring"]
    assert (ring["platform"], ring["device_class"], ring["event_types"]) == ("event", "doorbell", ["ring"])


def test_motion_ends_by_itself_after_a_minute() -> None:
    assert entities(FRONT)["motion"]["off_delay"] == 60


def test_old_measurements_expire_and_the_start_does_not() -> None:
    expiring = {key: one["expire_after"] for key, one in entities(FRONT).items() if "expire_after" in one}
    assert expiring == {"disk": 900, "temperature": 900, "rssi": 900}


def test_the_signal_strength_is_off_until_somebody_wants_it() -> None:
    off = [key for key, one in entities(FRONT).items() if one.get("enabled_by_default") is False]
    assert off == ["rssi"]


def test_nobody_can_command_the_door_unless_its_owner_said_so() -> None:
    assert "command_topic" not in discovery(FRONT).payload.decode()
    assert not {one["platform"] for one in entities(FRONT).values()} & {"switch", "button", "update"}
    assert told(FRONT)["components"]["recording_switch"] == {"platform": "switch"}


def test_the_switch_takes_the_place_of_the_sensor() -> None:
    may = evolve(FRONT, may_switch_recording=True)
    switch = entities(may)["recording_switch"]
    assert switch["command_topic"] == "doorbell/front/recording/set"
    assert switch["entity_category"] == "config"
    assert told(may)["components"]["recording"] == {"platform": "binary_sensor"}
    assert not {one["platform"] for one in entities(may).values()} & {"button", "update"}


@pytest.mark.parametrize("device", EVERY)
def test_no_picture_is_offered(device: Device) -> None:
    assert not {one["platform"] for one in entities(device).values()} & {"image", "camera"}


@pytest.mark.parametrize("device", EVERY)
def test_each_entity_asks_for_qos_1_and_has_ids_of_its_own(device: Device) -> None:
    shown = entities(device)
    assert {one["qos"] for one in shown.values()} == {1}
    assert len({one["unique_id"] for one in shown.values()}) == len(shown)
    assert len({one["default_entity_id"] for one in shown.values()}) == len(shown)
    assert all(one["default_entity_id"].split(".")[0] == one["platform"] for one in shown.values())


@given(st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True))
@example("-")
@example("a--b-")
def test_every_door_id_gives_ids_that_home_assistant_takes(door: str) -> None:
    for one in entities(evolve(FRONT, door_id=door)).values():
        domain, name = one["default_entity_id"].split(".")
        # Its own rule (core.py, VALID_ENTITY_ID): no underscore at either end, never two in a row.
        assert name.strip("_") == name
        assert "__" not in name
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
        assert domain == one["platform"]


def test_the_entity_ids_are_those_of_the_owners_page() -> None:
    assert entity_id("front", "event", "ring") == "event.doorbell_front_ring"
    assert entity_id("garden-gate", "event", "ring") == "event.doorbell_garden_gate_ring"


@pytest.mark.parametrize("device", EVERY)
def test_only_clear_topics_of_this_door_are_named(device: Device) -> None:
    clear = {row.template.replace("<door>", "front") for row in TABLE if row.open_to == "clear"}
    named = {
        value
        for one in [*told(device)["components"].values(), *told(device)["availability"]]
        for key, value in one.items()
        if key.endswith("topic")
    }
    assert named <= clear


def test_nothing_of_the_household_is_in_it_but_the_doors_id_and_name() -> None:
    """What differs between two doors is what the owner chose, and nothing else."""
    other = Device(door_id="xyzzy", name="Plugh", model="Raspberry Pi 5", version="9.9.9")
    text = discovery(other).payload.decode()
    for mine, theirs in (
        ("xyzzy", "front"),
        ("Plugh", "Front door"),
        ("Raspberry Pi 5", FRONT.model),
        ("9.9.9", "1.2.3"),
    ):
        text = text.replace(mine, theirs)
    assert text == discovery(FRONT).payload.decode()


def test_a_name_in_any_script_stays_as_it_is() -> None:
    assert told(evolve(FRONT, name='Haustür "Süd" 玄関'))["device"]["name"] == 'Haustür "Süd" 玄関'


def test_the_largest_message_fits_a_quarter_of_a_clip_chunk() -> None:
    largest = Device("a" * 32, "玄" * 64, "Raspberry Pi Compute Module 4 Rev 1.1", "1.2.3", may_switch_recording=True)
    assert len(discovery(largest).payload) < 24 * 1024


def test_it_is_retained_with_qos_1_and_never_expires() -> None:
    message = discovery(FRONT)
    assert message.topic == "homeassistant/device/doorbell-front/config"
    assert (message.qos, message.retain, message.expiry_s) == (1, True, None)


def test_an_empty_retained_message_takes_the_door_away() -> None:
    message = removal("front")
    assert message.topic == discovery(FRONT).topic
    assert (message.payload, message.qos, message.retain) == (b"", 1, True)


def test_every_template_reads_what_health_says() -> None:
    said = set(json.loads(health("front", Health(started="2026-11-22T07:30:00Z", version="1.2.3")).payload))
    text = discovery(FRONT).payload.decode()
    read = {part.split(" ")[0].split("}")[0].split(",")[0] for part in text.split("value_json.")[1:]}
    assert read == {"disk", "temperature", "rssi", "started", "problems", "throttled"}
    assert read <= said


@given(st.binary(max_size=64))
def test_a_birth_is_answered_after_one_to_ten_seconds(seed: bytes) -> None:
    assert 1.0 <= birth_delay(seed) < 10.0
    assert birth_delay(seed) == birth_delay(seed)


def test_doors_do_not_answer_a_birth_all_at_once() -> None:
    delays = sorted(birth_delay(b"door-%d" % number) for number in range(100))
    assert delays[10] < 3.0 < delays[50] < 8.0 < delays[90]
