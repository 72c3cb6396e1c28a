"""What a real Home Assistant makes of the door. Run by `make test-ha` only: no pytest run collects this name by itself.

One Home Assistant and one broker for the whole run; each test has a door of its own, so any order will do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import report
from attrs import evolve
from daemon import Daemon
from door import Door
from house import House, free_port, why_not
from mosquitto import Broker

from doorbell.link import messages
from doorbell.link.homeassistant import SAID_AGAIN_AFTER_S, birth_delay

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("HA_BUILD", REPOSITORY / "build" / "ha")).resolve()
PAGE = REPOSITORY / "docs" / "owner" / "home-assistant.md"
GONE = ("unavailable",)
TOO_NEW = "Invalid trigger 'doorbell.rang' specified"

pytestmark = [
    pytest.mark.skipif(bool(why_not(BUILD)), reason=f"Home Assistant: {why_not(BUILD)}"),
    pytest.mark.timeout(200),
]


SHELF = REPOSITORY / "docs" / "home-assistant"
BLUEPRINTS = ("ring", "rang")
"""By a guarded state trigger, and by the doorbell trigger of newer versions: doorbell-….yaml."""
FROM_BLUEPRINT = """
alias: from doorbell-{name}
use_blueprint:
  path: doorbell/doorbell-{name}.yaml
  input:
    doorbell: event.doorbell_form_{name}_ring
    notify: notify.mobile_app_your_phone
    app: https://doorbell.example/
    pause: 5
    what:
      - event: blueprint_ran
"""
SILENCED = """
alias: silenced, doorbell-{name}
use_blueprint:
  path: doorbell/doorbell-{name}.yaml
  input:
    doorbell: event.doorbell_hush_{name}_ring
    notify: notify.mobile_app_your_phone
    pause: 1
    snooze: 5
"""
UNGUARDED = """
alias: unguarded
mode: queued
max: 100
triggers:
  - trigger: state
    entity_id: event.doorbell_front_ring
actions:
  - event: unguarded_ran
"""


def printed_automations() -> dict[str, str]:
    """The automations of the owner's page, word for word, by alias; without those that this Home Assistant lacks."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    known = [block for block in blocks if knows_doorbell_rang() or "trigger: doorbell.rang" not in block]
    return {block.partition("alias: ")[2].partition("\n")[0]: block for block in known}


def as_yaml_list(automations: Iterable[str]) -> str:
    return "".join(
        f"- id: automation_{number}\n{textwrap.indent(text.strip(), '  ')}\n" for number, text in enumerate(automations)
    )


def knows_doorbell_rang() -> bool:
    return any((BUILD / "root/opt/ha/lib").glob("python3*/site-packages/homeassistant/components/doorbell/trigger.py"))


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Broker, House]]:
    folder = Path(tempfile.mkdtemp(prefix="test-ha-"))
    broker = Broker(folder, free_port())
    # An older Home Assistant is given the newer blueprint as well, and has to say what it lacks.
    forms = [text.format(name=name) for name in BLUEPRINTS for text in (FROM_BLUEPRINT, SILENCED)]
    automations = as_yaml_list([*printed_automations().values(), *forms, UNGUARDED])
    house = House(BUILD / "root", folder / "conf", automations)
    shelf = folder / "conf/blueprints/automation/doorbell"
    shelf.mkdir(parents=True)
    for name in BLUEPRINTS:
        shutil.copy(SHELF / f"doorbell-{name}.yaml", shelf)
    try:
        broker.start()
        house.start()
        house.join_broker(broker.port)
        yield broker, house
        report.write(house, BUILD.parent / "home-assistant-report.json")
    finally:
        house.stop()
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(world: tuple[Broker, House]) -> House:
    return world[1]


@pytest.fixture
def broker(world: tuple[Broker, House]) -> Broker:
    return world[0]


def test_the_door_appears_by_itself(broker: Broker, house: House) -> None:
    with Door(broker.port, "east-gate", "East gate"):
        house.until_state("sensor.doorbell_east_gate_disk", "12.3")
        house.until_state("binary_sensor.doorbell_east_gate_problem", "off")
        seen = {
            entity: (
                row["name"] or row["original_name"],
                row["device_class"] or row["original_device_class"],
                row["entity_category"],
            )
            for entity, row in house.entities("east-gate").items()
        }
        assert seen == {
            "event.doorbell_east_gate_ring": ("Doorbell", "doorbell", None),
            "binary_sensor.doorbell_east_gate_motion": ("Motion", "motion", None),
            "binary_sensor.doorbell_east_gate_recording": ("Recording", None, None),
            "binary_sensor.doorbell_east_gate_problem": ("Problem", "problem", "diagnostic"),
            "sensor.doorbell_east_gate_disk": ("Storage used", None, "diagnostic"),
            "sensor.doorbell_east_gate_temperature": ("Temperature", "temperature", "diagnostic"),
            "sensor.doorbell_east_gate_started": ("Started", "timestamp", "diagnostic"),
            "sensor.doorbell_east_gate_rssi": ("Signal strength", "signal_strength", "diagnostic"),
        }
        device = house.device("east-gate")
        assert device is not None
        assert (device["name"], device["model"], device["sw_version"]) == (
            "East gate",
            "Raspberry Pi Zero 2 W",
            "0.1.0",
        )


def test_the_states_are_what_the_door_said(broker: Broker, house: House) -> None:
    with Door(broker.port, "states", "States") as door:
        house.until_state("sensor.doorbell_states_temperature", "48.5")
        house.until_state("sensor.doorbell_states_started", "2026-11-22T07:30:00+00:00")
        house.until_state("binary_sensor.doorbell_states_recording", "on")
        assert house.state("event.doorbell_states_ring") == "unknown"
        assert house.state("sensor.doorbell_states_rssi") is None  # there, and off until somebody turns it on
        assert house.attributes("sensor.doorbell_states_temperature")["unit_of_measurement"] == "°C"
        door.move(True)
        house.until_state("binary_sensor.doorbell_states_motion", "on")
        door.move(False)
        house.until_state("binary_sensor.doorbell_states_motion", "off")
        door.feel(evolve(door.health, problems=("camera_lost",), temperature=None))
        house.until_state("binary_sensor.doorbell_states_problem", "on")
        assert house.attributes("binary_sensor.doorbell_states_problem")["problems"] == ["camera_lost"]
        house.until_state("sensor.doorbell_states_temperature", "unknown")


def test_what_is_not_retained_is_heard_once_it_is_said_again(broker: Broker, house: House) -> None:
    with Door(broker.port, "twice", "Twice") as door:
        house.until_state("sensor.doorbell_twice_disk", "12.3")
        # Home Assistant subscribed after it had read the discovery, and motion was said right behind that.
        assert house.state("binary_sensor.doorbell_twice_motion") == "unknown"
        house.listen(SAID_AGAIN_AFTER_S)
        door.move(False)
        house.until_state("binary_sensor.doorbell_twice_motion", "off")


def test_home_assistant_asks_for_every_topic_with_qos_1(broker: Broker, house: House) -> None:
    with Door(broker.port, "qos", "QoS"):
        house.until_state("sensor.doorbell_qos_disk", "12.3")
        asked = broker.subscriptions("doorbell/qos/", but_not_by="door-qos")
        assert asked == dict.fromkeys(
            (f"doorbell/qos/{tail}" for tail in ("availability", "ring", "motion", "recording/state", "health")), 1
        )


def test_a_ring_runs_the_automation_of_the_page_once(broker: Broker, house: House) -> None:
    with Door(broker.port, "front", "Front door") as door:
        house.until_state("event.doorbell_front_ring", "unknown", *stamps(house))
        known = list(printed_automations())
        before, told = {alias: house.runs(alias) for alias in known}, len(house.notifications())
        door.ring("visit-1")
        house.until("each ran", lambda: all(house.runs(alias) > before[alias] for alias in known))
        house.until("the phone was told", lambda: len(house.notifications()) >= told + len(known))
        house.listen(1.0)
        assert {alias: house.runs(alias) - before[alias] for alias in known} == dict.fromkeys(known, 1)
        assert house.attributes("event.doorbell_front_ring")["event_type"] == "ring"
        assert house.attributes("event.doorbell_front_ring")["id"] == "visit-1"


def stamps(house: House) -> list[str]:
    """The event's state as it is, if it is a time: another test may have rung before."""
    now = house.state("event.doorbell_front_ring")
    return [now] if now and now not in GONE else []


def test_a_door_that_comes_back_rings_nobody(broker: Broker, house: House) -> None:
    with Door(broker.port, "front", "Front door") as door:
        house.until("the door is there", lambda: stamps(house))
        printed = next(iter(printed_automations()))
        rings, naive = house.runs(printed), house.runs("unguarded")
        door.ring("visit-2")
        house.until("it rang", lambda: house.runs(printed) > rings)
        door.say(messages.availability("front", online=False))
        house.until_state("event.doorbell_front_ring", *GONE)
        door.say(messages.availability("front", online=True))
        house.until("the unguarded automation was fooled", lambda: house.runs("unguarded") >= naive + 3)
        assert house.runs(printed) == rings + 1


@pytest.fixture(params=BLUEPRINTS)
def blueprint(request: pytest.FixtureRequest) -> str:
    if request.param == "rang" and not knows_doorbell_rang():
        pytest.skip("this Home Assistant has no doorbell trigger: HA_VERSION=2026.7.0 or later")
    return str(request.param)


@pytest.mark.skipif(knows_doorbell_rang(), reason="this Home Assistant has the doorbell trigger")
def test_an_older_home_assistant_says_what_the_newer_blueprint_wants_and_runs_nothing(house: House) -> None:
    assert [line for line in house.complaints() if TOO_NEW in line]
    assert house.runs("from doorbell-rang") == 0


def test_the_blueprint_acts_once_within_its_pause(broker: Broker, house: House, blueprint: str) -> None:
    form, runs = f"event.doorbell_form_{blueprint}_ring", f"from doorbell-{blueprint}"
    with Door(broker.port, f"form-{blueprint}", "Form") as door:
        house.until_state(form, "unknown")
        door.ring("first")
        house.until("it ran", lambda: house.runs(runs) == 1)
        told = house.until("the phone was told", lambda: said_to_phone(house, form))
        assert len(told) == 1
        assert (told[0]["message"], told[0]["data"]["url"]) == ("Somebody is at the door.", "https://doorbell.example/")
        assert told[0]["data"]["clickAction"] == "https://doorbell.example/"
        door.ring("second")
        house.until("it rang", lambda: house.attributes(form).get("id") == "second")
        house.listen(1.0)
        assert house.runs(runs) == 1


def said_to_phone(house: House, doorbell: str) -> list[dict[str, Any]]:
    """What a blueprint gave to the phone's companion app, for this doorbell."""
    calls = [one["data"] for one in house.heard if one["event_type"] == "call_service"]
    said = [one["service_data"] for one in calls if one["service"] == "mobile_app_your_phone"]
    return [one for one in said if one.get("data", {}).get("tag") == doorbell]


def test_a_door_that_comes_back_does_not_run_the_blueprint(broker: Broker, house: House, blueprint: str) -> None:
    form, runs, door_id = f"event.doorbell_form_{blueprint}_ring", f"from doorbell-{blueprint}", f"form-{blueprint}"
    with Door(broker.port, door_id, "Form") as door:
        door.feel(evolve(door.health, disk=20.0))
        house.until_state(f"sensor.doorbell_form_{blueprint}_disk", "20.0")  # its connection has said all it says
        house.until("the door is there", lambda: house.state(form) not in (None, *GONE))
        before = house.runs(runs)
        door.say(messages.availability(door_id, online=False))
        house.until_state(form, *GONE)
        door.say(messages.availability(door_id, online=True))
        house.until("it is back", lambda: house.state(form) not in (None, *GONE))
        house.listen(1.0)
        assert house.runs(runs) == before


def test_the_notification_s_button_silences_the_blueprint(broker: Broker, house: House, blueprint: str) -> None:
    hush = f"event.doorbell_hush_{blueprint}_ring"
    with Door(broker.port, f"hush-{blueprint}", "Hush") as door:
        house.until_state(hush, "unknown")
        door.ring("first")
        told = house.until("the phone was told", lambda: said_to_phone(house, hush))
        button = told[0]["data"]["actions"][0]["action"]
        house.ask("fire_event", event_type="mobile_app_notification_action", event_data={"action": "another"})
        house.listen(2.0)  # the pause is over
        door.ring("second")
        house.until("it was told again", lambda: len(said_to_phone(house, hush)) == 2)
        # The button is tapped within the pause, and works for the rings after it.
        house.ask("fire_event", event_type="mobile_app_notification_action", event_data={"action": button})
        house.listen(2.0)
        door.ring("third")
        house.until("it rang", lambda: house.attributes(hush).get("id") == "third")
        house.listen(1.0)
        assert len(said_to_phone(house, hush)) == 2


def test_a_ring_that_a_broker_kept_is_no_ring(broker: Broker, house: House) -> None:
    with Door(broker.port, "kept", "Kept") as door:
        door.say(evolve(messages.ring("kept", visit="old", wall=0.0), retain=True))
        house.until_state("sensor.doorbell_kept_disk", "12.3")
        door.become(evolve(door.device, version="0.1.1"))
        house.listen(2.0)
        assert house.state("event.doorbell_kept_ring") == "unknown"
        door.say(evolve(messages.ring("kept", visit="old", wall=0.0), payload=b"", retain=True))
        door.ring("new")
        house.until("the new one rings", lambda: house.attributes("event.doorbell_kept_ring").get("id") == "new")


def test_the_will_makes_everything_unavailable(broker: Broker, house: House) -> None:
    with Door(broker.port, "will", "Will") as door:
        house.until_state("sensor.doorbell_will_disk", "12.3")
        house.until_state("event.doorbell_will_ring", "unknown")
        door.lose_the_network()
        house.until_state("event.doorbell_will_ring", *GONE)
        house.until_state("sensor.doorbell_will_disk", *GONE)
        house.until_state("sensor.doorbell_will_disk", "12.3")
        house.until_state("event.doorbell_will_ring", "unknown")


def test_recording_is_a_sensor_unless_the_owner_allows_more(broker: Broker, house: House) -> None:
    with Door(broker.port, "plain", "Plain"):
        house.until_state("binary_sensor.doorbell_plain_recording", "on")
        assert not [entity for entity in house.entities("plain") if entity.startswith(("switch.", "image.", "button."))]


def test_the_switch_switches_and_can_be_taken_back(broker: Broker, house: House) -> None:
    with Door(broker.port, "may", "May", may_switch_recording=True) as door:
        house.until_state("switch.doorbell_may_recording", "on")
        assert house.state("binary_sensor.doorbell_may_recording") is None
        house.ask(
            "call_service", domain="switch", service="turn_off", target={"entity_id": "switch.doorbell_may_recording"}
        )
        house.until_state("switch.doorbell_may_recording", "off")
        assert door.asked == ["OFF"]
        door.become(evolve(door.device, may_switch_recording=False))
        house.until_state("binary_sensor.doorbell_may_recording", "off")
        house.until("the switch is gone", lambda: "switch.doorbell_may_recording" not in house.entities("may"))


def test_a_door_that_keeps_its_events_to_itself_disappears(broker: Broker, house: House) -> None:
    with Door(broker.port, "quiet", "Quiet") as door:
        house.until_state("binary_sensor.doorbell_quiet_recording", "on")
        door.withdraw()
        house.until("no entity is left", lambda: not house.entities("quiet"))
        house.until("the device is gone", lambda: house.device("quiet") is None)


def test_everything_is_there_again_after_home_assistant_restarts(broker: Broker, house: House) -> None:
    with Door(broker.port, "again", "Again") as door, Daemon(broker.port, "stays", "Stays"):
        house.until_state("sensor.doorbell_again_disk", "12.3")
        house.until_state("binary_sensor.doorbell_stays_recording", "on")
        door.motion = True
        door.ring("before")
        house.until("it rang", lambda: house.state("event.doorbell_again_ring") not in ("unknown", "unavailable", None))
        rang = house.state("event.doorbell_again_ring")
        while door.births.acquire(blocking=False):
            pass
        house.stop()
        house.start()
        house.until("Home Assistant said that it is born", lambda: door.births.acquire(blocking=False))
        # Not retained, so unknown: this is what the answer to the birth is for.
        house.until_state("binary_sensor.doorbell_again_motion", "unknown")
        house.until_state("sensor.doorbell_again_disk", "12.3")
        house.listen(birth_delay(b"again"))
        door.say_everything()
        house.until_state("binary_sensor.doorbell_again_motion", "on")
        assert house.state("event.doorbell_again_ring") == rang
        # The daemon answers the birth by itself.
        house.until_state("binary_sensor.doorbell_stays_recording", "on")
        house.until_state("binary_sensor.doorbell_stays_motion", "off")


def test_everything_is_there_again_after_the_broker_lost_all_it_knew(broker: Broker, house: House) -> None:
    with Door(broker.port, "lost", "Lost") as door:
        house.until_state("sensor.doorbell_lost_disk", "12.3")
        broker.stop()
        house.until_state("sensor.doorbell_lost_disk", *GONE)
        door.health = evolve(door.health, disk=20.0)
        broker.start()
        house.until_state("sensor.doorbell_lost_disk", "20.0")
        house.until_state("event.doorbell_lost_ring", "unknown")
        door.ring("after")
        house.until("it rings again", lambda: house.state("event.doorbell_lost_ring") != "unknown")


def test_a_press_at_the_daemon_rings_in_home_assistant(broker: Broker, house: House) -> None:
    ring = "event.doorbell_pressed_ring"
    with Daemon(broker.port, "pressed", "Pressed") as daemon:
        house.until_state(ring, "unknown")
        assert float(house.states["sensor.doorbell_pressed_disk"]["state"]) >= 0
        daemon.press()
        house.until("it rang", lambda: house.state(ring) != "unknown")
        assert house.attributes(ring)["event_type"] == "ring"
        daemon.end(signal.SIGTERM)
        house.until_state(ring, *GONE)


def test_a_daemon_that_is_killed_is_missed(broker: Broker, house: House) -> None:
    with Daemon(broker.port, "killed", "Killed") as daemon:
        house.until_state("binary_sensor.doorbell_killed_recording", "on")
        house.until_state("event.doorbell_killed_ring", "unknown")
        daemon.end(signal.SIGKILL)
        house.until_state("event.doorbell_killed_ring", *GONE)


def test_the_daemon_obeys_the_switch_that_its_owner_allowed(broker: Broker, house: House) -> None:
    switch = "switch.doorbell_obeys_recording"
    with Daemon(broker.port, "obeys", "Obeys", may_switch_recording=True):
        house.until_state(switch, "on")
        house.ask("call_service", domain="switch", service="turn_off", target={"entity_id": switch})
        house.until_state(switch, "off")


def test_the_daemon_comes_back_after_the_broker_lost_all_it_knew(broker: Broker, house: House) -> None:
    ring = "event.doorbell_returns_ring"
    with Daemon(broker.port, "returns", "Returns") as daemon:
        house.until_state(ring, "unknown")
        broker.stop()
        house.until_state(ring, *GONE)
        broker.start()
        house.until_state(ring, "unknown")
        daemon.press()
        house.until("it rings again", lambda: house.state(ring) != "unknown")


def test_home_assistant_has_nothing_to_complain_of(broker: Broker, house: House) -> None:
    with Door(broker.port, "fine", "Fine"):
        house.until_state("sensor.doorbell_fine_disk", "12.3")
    # When it takes a withdrawn device out it empties the topic itself, hears that, and says it knows none.
    echo = "No device components to cleanup for doorbell-quiet"
    known = (echo, TOO_NEW)
    about = [line for line in house.complaints() if "doorbell" in line and not any(one in line for one in known)]
    assert about == []
    issues = [json.dumps(one) for one in house.ask("repairs/list_issues")["issues"]]
    assert [one for one in issues if "doorbell" in one and (knows_doorbell_rang() or "doorbell_rang" not in one)] == []
