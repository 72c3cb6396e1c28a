"""The package as an owner installs it, under systemd as the first process, with pins, camera and a broker.

Run in the lab's machine by `make lab-service`. The tests are steps of one story: they run in this order, the first that
fails ends it.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorbell.owner.identity import Identity
from tests.lab.parts import probe
from tests.lab.parts.chip import BUTTON, CHIME, PINS, Chip
from tests.lab.parts.wire import OUTWARD, Wire
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Listener, pause
from tests.rigs.reading import bodies, opened

SETTINGS = Path("/etc/doorbell/doorbell.toml")
STATE = Path("/var/lib/doorbell")
PAGE = Path("/run/doorbell/status.json")
GROUP = Path("/sys/fs/cgroup/system.slice/doorbell.service")
OWNER = Identity.make()
EXPOSURE = 1.3
SEES_WITHIN_S = 240.0


def run(*words: str | Path, good: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert not good or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def shown(name: str, unit: str = "doorbell") -> str:
    return run("systemctl", "show", unit, "--value", "--property", name).strip()


def log() -> str:
    return run("journalctl", "--boot", "--no-pager", "--unit", "doorbell", "--output", "cat", "--lines", "60")


def until(what: Callable[[], Any], within_s: float) -> Any:
    ends = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < ends, f"not within {within_s} s; the journal:\n{log()}"
        pause(0.1)
    return found


def page() -> dict[str, Any]:
    try:
        return dict(json.loads(PAGE.read_text()))
    except FileNotFoundError:
        return {}


def sees() -> None:
    main = int(shown("MainPID"))
    until(lambda: page().get("camera") == "sees" and page().get("pid") == main, SEES_WITHIN_S)


def processes() -> list[int]:
    """Doorman and recorder."""
    return [int(line) for line in (GROUP / "cgroup.procs").read_text().split()]


def memory() -> str:
    """The peak with the pages of files that were read, the programs' own part of it now, and what the bounds did."""
    own = dict(line.split() for line in (GROUP / "memory.stat").read_text().splitlines())
    did = dict(line.split() for line in (GROUP / "memory.events").read_text().splitlines())
    bounds = " and ".join(f"{int(shown(name)) >> 20}M" for name in ("MemoryHigh", "MemoryMax"))
    return (
        f"{int(shown('MemoryPeak')) >> 20}M, of which the programs' own is now {int(own['anon']) >> 20}M; "
        f"of {bounds} the first was met {did['high']} times, the second {did['max']}, killed {did['oom_kill']}"
    )


class World:
    """Chip, broker, listener and the wire, for the whole story."""

    def __init__(self, folder: Path) -> None:
        self.wire = Wire()
        self.chip = Chip().at_rest()
        os.chown(self.chip.device, 0, grp.getgrnam("gpio").gr_gid)
        self.chip.device.chmod(0o660)
        self.broker = Mosquitto(folder)
        self.broker.start()
        self.listener = Listener(self.broker.port)

    def press(self) -> float:
        """A finger; how long until the broker's listener hears of it."""
        before, at = len(self.listener.of("/ring")), time.monotonic()
        self.chip.pull(BUTTON, high=False)
        heard = self.listener.wait("/ring", before + 1, within=60)[-1].at - at
        self.chip.pull(BUTTON, high=True)
        pause(0.1)
        return heard

    def settings(self) -> str:
        pins = "\n".join(f"{name} = {json.dumps(value)}" for name, value in PINS.items())
        return (
            f'[keys]\nrecipients = ["{OWNER.recipient}"]\n[pins]\n{pins}\n'
            "[camera]\nwidth = 640\nheight = 480\nfps = 10\n"
            '[motion]\nrecord_on = "press"\n[visit]\nlinger_s = 5.0\npreroll_s = 3.0\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.broker.port}\ntls = "off"\n'
        )


@pytest.fixture(autouse=True)
def the_log_of_a_failure() -> Iterator[None]:
    """pytest shows what a test that failed printed: the door's own words, and the kernel's about it."""
    yield
    print(log())
    print(run("journalctl", "--boot", "--no-pager", "--dmesg", "--output", "cat", "--lines", "10"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    one = World(tmp_path_factory.mktemp("world"))
    yield one
    one.listener.close()
    one.broker.stop()


def test_installing_the_package_starts_a_door(world: World) -> None:
    run("dpkg", "--install", "/lab/doorbell.deb")
    until(lambda: shown("ActiveState") == "active", 120)
    assert run("systemctl", "is-enabled", "doorbell").strip() == "enabled"
    user = pwd.getpwnam("doorbell")
    groups = {grp.getgrgid(number).gr_name for number in os.getgrouplist("doorbell", user.pw_gid)}
    assert {"gpio", "video", "audio"} <= groups
    assert (SETTINGS.stat().st_mode & 0o777, SETTINGS.owner(), SETTINGS.group()) == (0o640, "root", "doorbell")
    # The lab's root leaves out what people read.
    wrong = [line for line in run("dpkg", "--verify", "doorbell").splitlines() if not re.search("/doc/|/man", line)]
    assert [line for line in wrong if not line.endswith("/usr/share/doc/doorbell")] == []


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
        status = dict(re.findall(r"(?m)^(\w+):\s+(.*)$", Path(f"/proc/{number}/status").read_text()))
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["Uid"].split()[0] == str(pwd.getpwnam("doorbell").pw_uid)


def test_in_its_sandbox_what_it_needs_works_and_nothing_else(world: World, record_property: Any) -> None:
    unit = Path("/usr/lib/systemd/system/doorbell.service").read_text()
    chip = world.chip.device.name.removeprefix("gpiochip")
    words = f"/usr/bin/python3 -P /usr/local/lib/probe.py {world.broker.port} {chip}"
    unit = re.sub(r"(?m)^ExecStart=.*$", f"ExecStart={words}", unit)
    unit = re.sub(r"(?m)^(Type=notify|NotifyAccess=.*|WatchdogSec=.*|Restart=.*)$", "", unit)
    unit = unit.replace("[Service]", "[Service]\nType=oneshot\nStandardOutput=truncate:/run/probe.json")
    Path("/run/systemd/system/probe.service").write_text(unit)
    Path("/usr/local/lib/probe.py").write_bytes(Path(probe.__file__).read_bytes())
    run("systemctl", "stop", "doorbell")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "probe")
    said: dict[str, str] = json.loads(Path("/run/probe.json").read_text())
    run("systemctl", "start", "doorbell")
    record_property("needed things that work", sum(said[name] == "" for name in probe.NEEDED))
    record_property("forbidden things that fail", sum(said[name] != "" for name in probe.FORBIDDEN))
    assert {name: said[name] for name in probe.NEEDED if said[name]} == {}
    assert [name for name in probe.FORBIDDEN if not said[name]] == []


def test_it_listens_nowhere_and_speaks_to_nobody_but_the_broker(world: World, record_property: Any) -> None:
    sees()
    world.press()
    numbers = processes()
    table = run("ss", "--no-header", "--numeric", "--all", "--processes", "--tcp", "--udp", "--raw")
    lines = [line.split() for line in table.splitlines()]
    ours = [line for line in lines if any(f"pid={number}," in line[-1] for number in numbers)]
    record_property("sockets", [f"{line[1]} to {line[5]}" for line in ours])
    assert [(line[1], line[5]) for line in ours] == [("ESTAB", f"127.0.0.1:{world.broker.port}")]


def test_systemd_calls_it_little_exposed(record_property: Any) -> None:
    verdict = run("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE * 10:.0f}", "doorbell.service")
    found = re.search(r"Overall exposure level for doorbell.service: ([\d.]+)", verdict)
    assert found
    record_property("exposure", found[1])


def test_killed_it_is_there_again(world: World, record_property: Any) -> None:
    before, began = int(shown("NRestarts")), time.monotonic()
    os.kill(int(shown("MainPID")), signal.SIGKILL)
    until(lambda: int(shown("NRestarts")) > before and shown("ActiveState") == "active", 120)
    record_property("SIGKILL to READY", f"{time.monotonic() - began:.0f} s")
    world.listener.wait("hello", 2, within=60)
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


def test_an_upgrade_finishes_the_running_clip_and_keeps_settings_clips_and_journal(
    world: World, record_property: Any
) -> None:
    run("systemctl", "start", "doorbell")
    sees()
    settings, clips = SETTINGS.read_text(), set((STATE / "clips").glob("*.mp4.age"))
    main = shown("MainPID")
    world.press()
    until(lambda: list((STATE / "clips").glob("*.part")), 60)
    running = {path.name.partition(".")[0] for path in (STATE / "clips").glob("*.part")}
    run("dpkg", "--install", "/lab/doorbell.deb")
    until(lambda: shown("ActiveState") == "active" and shown("MainPID") != main, 120)
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


def test_in_all_that_time_no_packet_left_but_to_the_broker(world: World, record_property: Any) -> None:
    strangers = {talk for talk in world.wire.talks if talk[:2] != ("lo", "tcp") or world.broker.port not in talk}
    record_property("packets, all between the door, its broker and the listener", world.wire.packets)
    assert strangers == set()
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
