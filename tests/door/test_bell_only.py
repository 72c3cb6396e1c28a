"""When all else fails the door is a bell; and systemd is told how it is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from gpiozero.pins.mock import MockFactory

from doorbell import config as configuration
from doorbell import daemon
from doorbell.bell import Bell as DoorBell
from doorbell.clock import WallClock
from doorbell.doorman import Doorman
from doorbell.events import ButtonEdge, Died, Heard, Pir
from doorbell.health import Systemd
from doorbell.inbox import MOST_HEARD, Inbox
from doorbell.leaving import Leaving
from doorbell.ledger import Ledger
from doorbell.problems import Problems
from doorbell.recording import Recording
from doorbell.senses.pins import Pins
from doorbell.switch import Switch
from doorbell.upkeep import Upkeep
from tests.rigs.door import Door

PINS = configuration.Pins(kind="simulated", button=17, chime=22, led=23)


class Bell:
    """A doorman with nothing but pins, handed its events and its time by hand."""

    def __init__(self, folder: Path, pins: configuration.Pins = PINS) -> None:
        self.factory, self.inbox, problems = MockFactory(), Inbox(), Problems()
        config = configuration.Config(
            door=configuration.Door(state=folder, runtime=folder),
            pins=pins,
        )
        ledger = Ledger(None, WallClock(), 14, 4096)
        self.pins = Pins(config.pins, self.inbox.put, self.factory)
        recording = Recording(config, ledger, problems, self.inbox.put)
        systemd = Systemd()
        upkeep = Upkeep(config, systemd, self.inbox, ledger, problems, recording, bell_only=True)
        self.doorman = Doorman(
            config, self.inbox, DoorBell(self.pins, problems), systemd, ledger, problems, recording, upkeep,
            Switch(folder), Leaving(recording, ledger), bell_only=True,
        )  # fmt: skip
        self.doorman._start(0.0)

    def chimes(self) -> bool:
        return bool(self.factory.pin(22).state)


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    one = Bell(tmp_path)
    yield one
    one.pins.close()


def test_a_press_sounds_the_chime_for_as_long_as_the_owner_chose(bell: Bell) -> None:
    bell.doorman.handle(ButtonEdge(10.0, True), 10.0)
    assert not bell.chimes()
    bell.doorman.handle(None, 10.015)
    assert bell.chimes()
    bell.doorman.handle(None, 10.41)
    assert bell.chimes()
    bell.doorman.handle(None, 10.416)
    assert not bell.chimes()


def test_a_spike_sounds_nothing(bell: Bell) -> None:
    bell.doorman.handle(ButtonEdge(10.0, True), 10.0)
    bell.doorman.handle(ButtonEdge(10.005, False), 10.005)
    bell.doorman.handle(None, 10.1)
    assert not bell.chimes()


def test_a_press_handled_late_still_sounds(bell: Bell) -> None:
    bell.doorman.handle(ButtonEdge(10.0, True), 12.0)
    bell.doorman.handle(ButtonEdge(10.03, False), 12.0)
    assert bell.chimes()


def test_a_bell_only_door_shows_it_by_its_led(bell: Bell) -> None:
    assert bell.factory.pin(23).state is not None
    assert bell.pins._led_shows == "trouble"


def test_a_flood_of_other_things_never_keeps_a_press_out() -> None:
    inbox = Inbox()
    for n in range(10_000):
        inbox.put(Pir(float(n), n % 2 == 0))
        inbox.put(Heard(1.0, 1, "doorbell/front/pair", b"", False))
    inbox.put(ButtonEdge(1.0, True))
    inbox.put(Died("x", "y"))
    assert inbox.dropped == 10_000 - (MOST_HEARD - 1)
    waiting = []
    while (value := inbox.get(0)) is not None:
        waiting.append(value)
    assert waiting[0] == Pir(9999.0, False)
    assert len(waiting) == MOST_HEARD + 2
    assert waiting[-2:] == [ButtonEdge(1.0, True), Died("x", "y")]
    inbox.put(Pir(1.0, True))
    assert inbox.get(0) == Pir(1.0, True)


def test_a_configuration_that_cannot_be_read_leaves_a_bell_with_the_last_pins_that_worked(tmp_path: Path) -> None:
    with Door(tmp_path / "door", environment={"STATE_DIRECTORY": str(tmp_path / "door/state")}) as door:
        door.until(door.status)
        assert door.stop() == 0
        good = door.configuration()
        door.settings = {"camera": {"fps": 400}}
        door.start()
        door.said("bell only")
        door.until(lambda: door.status().get("bell_only"))
        assert "camera.fps = 400: give 1 to 30 frames per second." in door.log()
        assert "Traceback" not in door.log()
        door.press()
        door.said("somebody rings")
        (door.folder / "doorbell.toml").write_text(good)
        assert door.process
        assert door.process.wait(30) == 0  # to be started afresh by systemd, whole


@pytest.mark.parametrize(
    ("text", "chime", "led"),
    [
        ("[pins]\nchime = 5\nled = 6\n[camera]\nfps = 400\n", 5, 6),
        ("[pins]\nchime = 5\nled = 6\n[camera\n", 5, 6),
        ("[keys]\nrecipients = [\n", 22, 23),
        (None, 22, 23),
    ],
)
def test_a_mistake_before_the_first_good_start_leaves_a_bell_that_is_heard_and_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, chime: int, led: int
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "never"))
    path = tmp_path / "doorbell.toml"
    if text is not None:
        path.write_text(text)
    bell = Bell(tmp_path, evolve(daemon._last_good(path).pins, kind="simulated"))
    bell.doorman.handle(ButtonEdge(10.0, True), 10.0)
    bell.doorman.handle(None, 10.015)
    assert bell.factory.pin(chime).state
    assert bell.factory.pin(led).function == "output" and bell.pins._led_shows == "trouble"
    bell.pins.close()


def test_a_door_that_never_had_good_settings_rings_by_its_own_process(tmp_path: Path) -> None:
    environment = {"STATE_DIRECTORY": str(tmp_path / "never")}
    with Door(tmp_path / "door", settings={"camera": {"fps": 400}}, environment=environment) as door:
        door.until(lambda: door.status().get("bell_only"))
        door.press()
        door.said("somebody rings")
        assert door.stop() == 0


def test_three_deaths_within_minutes_leave_a_bell(tmp_path: Path) -> None:
    with Door(tmp_path / "door") as door:
        for _ in range(3):
            door.until(lambda: door.log().count("at the door front, software") > 0 and door.status())
            door.stop(signal.SIGKILL)
            (door.folder / "run/status.json").unlink()
            (door.folder / "log").write_text("")
            door.start()
        door.said("died 3 times")
        door.until(door.status)
        door.press()
        door.said("somebody rings")


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / "notify"))
        one.settimeout(20)
        yield one


def test_systemd_hears_when_the_door_is_ready_that_it_lives_and_that_it_stops(
    tmp_path: Path, systemd: socket.socket
) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
    heard = []
    with Door(tmp_path / "door", environment=environment) as door:
        while heard.count(b"WATCHDOG=1") < 3:
            heard.append(systemd.recv(1000))
        assert door.stop() == 0
    while b"STOPPING=1" not in heard:
        heard.append(systemd.recv(1000))
    assert heard[0] == b"READY=1"
    assert any(one.startswith(b"STATUS=") for one in heard)


def test_a_doorman_that_hangs_shows_no_sign_of_life(tmp_path: Path, systemd: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
    with Door(tmp_path / "door", environment=environment) as door:
        while systemd.recv(1000) != b"WATCHDOG=1":
            pass
        assert door.process
        os.kill(door.process.pid, signal.SIGSTOP)
        systemd.settimeout(1.5)
        with pytest.raises(TimeoutError):
            until_silent(systemd)
        os.kill(door.process.pid, signal.SIGCONT)


def until_silent(systemd: socket.socket) -> None:
    """Read what was said before; raises TimeoutError when nothing more comes."""
    for _ in range(100):
        systemd.recv(1000)


def test_a_second_daemon_is_refused_and_the_first_rings_on(tmp_path: Path) -> None:
    with Door(tmp_path / "door") as first:
        first.said("at the door")
        with Door(tmp_path / "door", settings={"door": {"runtime": str(tmp_path / "elsewhere")}}) as second:
            assert second.process
            assert second.process.wait(20) == 1
        first.said(f"Another doorbell already runs with {first.state}: stop it first")
        first.press()
        first.said("somebody rings")
        assert first.stop() == 0
        first.start().until(lambda: first.log().count("at the door") == 2)  # the folder is free again
        assert first.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small card needs root")
def test_a_runtime_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", tmp_path / "run"], check=False).returncode:
        pytest.skip("this root may not mount")
    try:
        with Door(tmp_path / "door", settings={"door": {"runtime": str(tmp_path / "run")}}) as door:
            door.said("at the door")
            assert door.stop() == 0
            assert "Traceback" not in door.log()
    finally:
        subprocess.run(["umount", tmp_path / "run"], check=True)
