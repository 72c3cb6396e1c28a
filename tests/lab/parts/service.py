"""The package as an owner installs it, under systemd as the first process, with pins, camera and a broker.

Run in the lab's machine by `make lab-service`. The tests are steps of one story: they run in this order, the first that
fails ends it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import Any

from tests.lab.parts.chip import CHIME
from tests.lab.parts.installed import (
    OWNER,
    SETTINGS,
    STATE,
    World,
    exposure,
    holds_no_privilege,
    judged,
    kill,
    looks_installed,
    memory,
    processes,
    run,
    sees,
    shown,
    speaks_to_its_broker_alone,
    the_log_of_a_failure,
    tried_in_the_sandbox,
    until,
    version,
    world,
)
from tests.lab.parts.wire import OUTWARD
from tests.rigs.door import pause
from tests.rigs.reading import bodies, opened

__all__ = ["the_log_of_a_failure", "world"]


def test_installing_the_package_starts_a_door(world: World) -> None:
    run("dpkg", "--install", "/lab/doorbell.deb")
    until(lambda: shown("ActiveState") == "active", 120)
    looks_installed()


def test_with_its_settings_it_rings_and_keeps_a_clip_that_its_owner_opens(world: World, record_property: Any) -> None:
    began = time.monotonic()
    SETTINGS.write_text(world.settings())
    run("systemctl", "restart", "doorbell")
    record_property("start to READY", f"{time.monotonic() - began:.0f} s")
    world.listener.wait("hello", within=180)
    sees()
    record_property("start to first picture", f"{time.monotonic() - began:.0f} s")
    record_property("edge to MQTT", f"{world.press() * 1000:.0f} ms")
    until(lambda: not world.chip.high(CHIME), 5)
    clip = until(lambda: list((STATE / "clips").glob("*.mp4.age")), 120)[0]
    assert opened(OWNER, clip.read_bytes())[4:8] == b"ftyp"
    assert STATE.stat().st_mode & 0o777 == 0o700
    assert STATE.owner() == "doorbell"
    record_property("memory peak", memory())
    record_property("swap", shown("MemorySwapMax"))
    assert shown("NRestarts") == "0"


def test_every_process_of_it_holds_no_privilege(world: World) -> None:
    numbers = processes()
    assert len(numbers) == 2
    for number in numbers:
        holds_no_privilege(number)


def test_in_its_sandbox_what_it_needs_works_and_nothing_else(world: World, record_property: Any) -> None:
    judged(tried_in_the_sandbox(world), record_property)


def test_it_listens_nowhere_and_speaks_to_nobody_but_the_broker(world: World, record_property: Any) -> None:
    sees()
    world.press()
    record_property("sockets", [f"{state} to {end}" for state, end in speaks_to_its_broker_alone(world)])


def test_systemd_calls_it_little_exposed(record_property: Any) -> None:
    record_property("exposure", exposure())


def test_killed_it_is_there_again(world: World, record_property: Any) -> None:
    record_property("SIGKILL to READY", f"{kill(world):.0f} s")
    assert world.press() < 10


def test_hung_it_is_ended_by_the_watchdog_and_started_again(world: World, record_property: Any) -> None:
    sees()
    before, began = int(shown("NRestarts")), time.monotonic()
    os.kill(int(shown("MainPID")), signal.SIGSTOP)
    until(lambda: int(shown("NRestarts")) > before and shown("ActiveState") == "active", 200)
    record_property("hang to READY", f"{time.monotonic() - began:.0f} s")
    assert "atchdog" in run("journalctl", "--boot", "--no-pager", "--unit", "doorbell", "--lines", "40")
    assert world.press() < 10


def test_stopped_in_the_middle_of_a_clip_it_leaves_a_whole_one(world: World, record_property: Any) -> None:
    sees()
    before = set((STATE / "clips").glob("*.mp4.age"))
    world.press()
    until(lambda: list((STATE / "clips").glob("*.part")), 60)
    pause(3)
    began = time.monotonic()
    run("systemctl", "stop", "doorbell")
    record_property("stop took", f"{time.monotonic() - began:.1f} s")
    assert shown("Result") == "success"
    assert list((STATE / "clips").glob("*.part")) == []
    new = set((STATE / "clips").glob("*.mp4.age")) - before
    assert len(new) == 1
    assert opened(OWNER, new.pop().read_bytes())[4:8] == b"ftyp"
    assert not world.chip.high(CHIME)


def test_an_upgrade_to_the_next_version_finishes_the_running_clip_and_keeps_settings_clips_and_journal(
    world: World, record_property: Any
) -> None:
    before = version()
    run("systemctl", "start", "doorbell")
    sees()
    settings, clips = SETTINGS.read_text(), set((STATE / "clips").glob("*.mp4.age"))
    main = shown("MainPID")
    world.press()
    until(lambda: list((STATE / "clips").glob("*.part")), 60)
    running = {path.name.partition(".")[0] for path in (STATE / "clips").glob("*.part")}
    run("dpkg", "--install", "/lab/next.deb")
    until(lambda: shown("ActiveState") == "active" and shown("MainPID") != main, 120)
    looks_installed()
    assert version() != before
    assert version() in run("doorbell", "--version")
    record_property("upgraded", f"{before} to {version()}")
    assert SETTINGS.read_text() == settings
    now = set((STATE / "clips").glob("*.mp4.age"))
    assert clips < now
    new = now - clips
    assert {path.name.partition(".")[0] for path in new} == running
    record_property("clip that ran", f"{next(iter(new)).stat().st_size / 1000:.0f} kB, whole")
    assert all(opened(OWNER, path.read_bytes())[4:8] == b"ftyp" for path in new)
    assert world.press() < 10
    said = bodies(OWNER, world.listener.of("journal"))
    assert {"started", "ring", "clip", "stopped"} <= {body["kind"] for body in said}
    assert running <= {body["id"] for body in said if body["kind"] == "clip"}, "and not clip_cut"


def test_the_way_back_is_refused_in_words_and_the_door_goes_on(world: World) -> None:
    now, main, clips = version(), shown("MainPID"), set((STATE / "clips").glob("*.mp4.age"))
    done = subprocess.run(["dpkg", "--install", "/lab/doorbell.deb"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"version {now} is installed" in done.stderr and "Nothing was changed" in done.stderr
    assert "docs/owner/upgrade.md" in done.stderr
    looks_installed()
    assert (version(), shown("MainPID"), shown("ActiveState")) == (now, main, "active")
    assert clips <= set((STATE / "clips").glob("*.mp4.age"))
    assert world.press() < 10


def test_in_all_that_time_no_packet_left_but_to_the_broker(world: World, record_property: Any) -> None:
    record_property("packets, all between the door, its broker and the listener", world.wire.packets)
    assert world.strangers() == set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"x", ("198.51.100.1", 9))
    until(lambda: any(talk[:2] == (OUTWARD, "udp") for talk in world.wire.talks), 10)


def test_the_card_is_in_order_in_the_end(world: World, record_property: Any) -> None:
    record_property("memory peak since the upgrade", memory())
    run("systemctl", "stop", "doorbell")
    print(run("runuser", "-u", "doorbell", "--", "doorbell", "check"))


def test_removing_the_package_leaves_the_clips(world: World) -> None:
    run("dpkg", "--purge", "doorbell")
    assert not SETTINGS.exists()
    assert list((STATE / "clips").glob("*.mp4.age"))
