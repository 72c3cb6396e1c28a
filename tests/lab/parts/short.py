"""The least of the lab, for every change: package under systemd, a press on real pins, the sandbox, in one boot.

Run in the lab's machine by `tests/lab/run.py short`. It has no camera, which takes a minute to start in an emulated
machine; the whole is `make lab`. The tests are steps of one story: the first that fails ends it.
"""

from __future__ import annotations

import time
from typing import Any

from tests.lab.parts.chip import CHIME
from tests.lab.parts.installed import (
    PATIENCE_S,
    SETTINGS,
    World,
    exposure,
    holds_no_privilege,
    judged,
    kill,
    looks_installed,
    processes,
    run,
    shown,
    speaks_to_its_broker_alone,
    start_slowly,
    the_log_of_a_failure,
    tried_in_the_sandbox,
    until,
    world,
)

__all__ = ["the_log_of_a_failure", "world"]


def test_the_installed_door_is_ready_and_a_press_rings_and_sounds_the_chime(world: World, record_property: Any) -> None:
    # Settings that are there before the package: dpkg keeps them, and the door starts once.
    start_slowly()
    SETTINGS.parent.mkdir()
    SETTINGS.write_text(world.settings(records=False))
    began = time.monotonic()
    run("dpkg", "--force-confold", "--install", "/lab/doorbell.deb")
    until(lambda: shown("ActiveState") == "active", PATIENCE_S)
    record_property("installed and READY", f"{time.monotonic() - began:.0f} s")
    looks_installed()
    world.listener.wait("hello", within=PATIENCE_S)
    record_property("edge to MQTT", f"{world.press() * 1000:.0f} ms")
    until(lambda: not world.chip.high(CHIME), PATIENCE_S)


def test_it_holds_no_privilege_listens_nowhere_and_speaks_to_its_broker_alone(world: World) -> None:
    for number in processes():
        holds_no_privilege(number)
    speaks_to_its_broker_alone(world)
    assert world.strangers() == set()


def test_in_its_sandbox_what_it_needs_works_and_nothing_else(world: World, record_property: Any) -> None:
    judged(tried_in_the_sandbox(world), record_property)
    record_property("exposure", exposure())


def test_killed_it_rings_again(world: World, record_property: Any) -> None:
    record_property("SIGKILL to READY", f"{kill(world):.0f} s")
    world.press()
