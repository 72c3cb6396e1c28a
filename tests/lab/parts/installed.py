"""A door that was installed from its package under systemd: how its steps are taken, and asked about.

For the parts `service` and `short`, whose tests are steps of one story.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorbell.owner.identity import Identity
from tests.lab.parts import probe
from tests.lab.parts.chip import BUTTON, PINS, Chip
from tests.lab.parts.wire import Wire
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Listener, pause

SETTINGS = Path("/etc/doorbell/doorbell.toml")
STATE = Path("/var/lib/doorbell")
PAGE = Path("/run/doorbell/status.json")
GROUP = Path("/sys/fs/cgroup/system.slice/doorbell.service")
OWNER = Identity.make()
EXPOSURE = 1.3
SEES_WITHIN_S = 240.0
PATIENCE_S = 300.0
"""An emulated machine stands still for minutes when its computer is busy, and all in it together: who waits longer
loses nothing. Only what is measured has a bound of its own."""
SLOWLY = "[Service]\nTimeoutStartSec=600\nWatchdogSec=300\n"
"""For parts that do not look at the two: a daemon that the emulator let stand still for half a minute is none that
hangs, and one that needs three minutes to import numpy none that does not start."""


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


def looks_installed() -> None:
    assert run("systemctl", "is-enabled", "doorbell").strip() == "enabled"
    user = pwd.getpwnam("doorbell")
    groups = {grp.getgrgid(number).gr_name for number in os.getgrouplist("doorbell", user.pw_gid)}
    assert {"gpio", "video", "audio"} <= groups
    assert (SETTINGS.stat().st_mode & 0o777, SETTINGS.owner(), SETTINGS.group()) == (0o640, "root", "doorbell")
    asked = "from doorbell.doctor.software import packages; print(packages(None))"
    assert "'good'" in run("/usr/bin/python3", "-P", "-c", asked)
    # The lab leaves out what people read; settings (c) are the owner's to change.
    wrong = [
        line for line in run("dpkg", "--verify", "doorbell").splitlines() if not re.search("/doc/|/man| c /", line)
    ]
    assert [line for line in wrong if not line.endswith("/usr/share/doc/doorbell")] == []


def version() -> str:
    """As dpkg has it; only of a package that is installed as it should be."""
    state, found = run("dpkg-query", "--show", "--showformat", "${Status}\\n${Version}", "doorbell").splitlines()
    assert state == "install ok installed"
    return found


def holds_no_privilege(number: int) -> None:
    status = dict(re.findall(r"(?m)^(\w+):\s+(.*)$", Path(f"/proc/{number}/status").read_text()))
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["Uid"].split()[0] == str(pwd.getpwnam("doorbell").pw_uid)


def exposure() -> str:
    words = ["systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE * 10:.0f}", "doorbell.service"]
    found = re.search(r"Overall exposure level for doorbell.service: ([\d.]+)", run(*words))
    assert found
    return found[1]


def sockets() -> list[tuple[str, str]]:
    """State and far end of each of the service's IP sockets."""
    table = run("ss", "--no-header", "--numeric", "--all", "--processes", "--tcp", "--udp", "--raw")
    lines, numbers = [line.split() for line in table.splitlines()], processes()
    return [(line[1], line[5]) for line in lines if any(f"pid={number}," in line[-1] for number in numbers)]


def start_slowly() -> None:
    """Let an emulated machine's time be no failure; every other line of the unit is as it is shipped."""
    folder = Path("/run/systemd/system/doorbell.service.d")
    folder.mkdir(parents=True)
    (folder / "emulated.conf").write_text(SLOWLY)


def kill(world: World) -> float:
    """SIGKILL to the daemon; how long until it is READY again. The broker has heard of it when this returns."""
    before, hellos = int(shown("NRestarts")), len(world.listener.of("hello"))
    began = time.monotonic()
    os.kill(int(shown("MainPID")), signal.SIGKILL)
    until(lambda: int(shown("NRestarts")) > before and shown("ActiveState") == "active", PATIENCE_S)
    took = time.monotonic() - began
    world.listener.wait("hello", hellos + 1, within=PATIENCE_S)
    return took


def speaks_to_its_broker_alone(world: World) -> list[tuple[str, str]]:
    """The one socket that it has, now or when its link stands again; and at no time any other."""
    broker = f"127.0.0.1:{world.broker.port}"

    def alone() -> list[tuple[str, str]]:
        found = sockets()
        assert {end for _, end in found} <= {broker}, found
        assert not {state for state, _ in found} & {"LISTEN", "UNCONN"}, found
        return found if found == [("ESTAB", broker)] else []

    return list(until(alone, PATIENCE_S))


def tried_in_the_sandbox(world: World) -> dict[str, str]:
    """What the probe says when it runs by the door's own unit: each attempt, and how it failed ("" if it did not)."""
    unit = Path("/usr/lib/systemd/system/doorbell.service").read_text()
    chip = world.chip.device.name.removeprefix("gpiochip")
    # A terminal: nothing but the unit's list of devices keeps anybody from it.
    os.mknod(probe.OPEN_TO_ALL, stat.S_IFCHR, Path("/dev/ttyS0").stat().st_rdev)
    Path(probe.OPEN_TO_ALL).chmod(0o666)
    assert [probe.tried(one) for one in (probe.be_another_machine, probe.see_temporary_files)] == ["", ""], "out here"
    mounts = Path("/proc/1/ns/mnt").readlink()
    words = f"/usr/bin/python3 -P /usr/local/lib/probe.py {world.broker.port} {chip} {mounts}"
    unit = re.sub(r"(?m)^ExecStart=.*$", f"ExecStart={words}", unit)
    unit = re.sub(r"(?m)^(Type=notify|NotifyAccess=.*|WatchdogSec=.*|Restart=.*)$", "", unit)
    unit = unit.replace("TimeoutStartSec=120", "TimeoutStartSec=600")
    unit = unit.replace("[Service]", "[Service]\nType=oneshot\nStandardOutput=truncate:/run/probe.json")
    Path("/run/systemd/system/probe.service").write_text(unit)
    Path("/usr/local/lib/probe.py").write_bytes(Path(probe.__file__).read_bytes())
    run("systemctl", "stop", "doorbell")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "probe")
    hellos = len(world.listener.of("hello"))
    said = dict(json.loads(Path("/run/probe.json").read_text()))
    Path(probe.OPEN_TO_ALL).unlink()
    run("systemctl", "start", "doorbell", good=False)  # it may say that it took too long: what counts comes next
    until(lambda: shown("ActiveState") == "active", PATIENCE_S)
    world.listener.wait("hello", hellos + 1, within=PATIENCE_S)
    return said


def judged(said: dict[str, str], record_property: Any) -> None:
    """That everything in what the probe said is as it should be; the figures of it."""
    record_property("needed things that work", sum(said[name] == "" for name in probe.NEEDED))
    record_property("forbidden things that fail", sum(said[name] != "" for name in probe.FORBIDDEN))
    record_property("bounds in force", sum(said[name] == "" for name in probe.BOUNDS))
    assert {name: said[name] for name in (probe.NEEDED | probe.BOUNDS) if said[name]} == {}
    assert [name for name in probe.FORBIDDEN if not said[name]] == []
    # These fail for no other reason than the unit's.
    assert "it ended by" in said["run a program of another machine"], "and not before it ran"
    assert "Operation not permitted" in said["change its priority"]
    assert "Operation not permitted" in said["open a device that anybody might"]


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
        """A finger; how long until the broker's listener hears of it. The door's link stands before it."""
        until(lambda: page().get("broker") is True, PATIENCE_S)
        before, at = len(self.listener.of("/ring")), time.monotonic()
        self.chip.pull(BUTTON, high=False)
        heard = self.listener.wait("/ring", before + 1, within=PATIENCE_S)[-1].at - at
        self.chip.pull(BUTTON, high=True)
        pause(0.1)
        return heard

    def strangers(self) -> set[tuple[str, str, int, int]]:
        """Who else than the broker and who talks to it was sent a packet."""
        # The listener's library wakes its own thread over a pair of loopback ports; those are this program's.
        table = run("ss", "--no-header", "--numeric", "--all", "--processes", "--tcp").splitlines()
        ours = {int(line.split()[3].rpartition(":")[2]) for line in table if f"pid={os.getpid()}," in line}
        known = {talk for talk in self.wire.talks if talk[:2] == ("lo", "tcp")}
        known = {talk for talk in known if self.broker.port in talk or set(talk[2:]) <= ours}
        return self.wire.talks - known

    def settings(self, *, records: bool = True) -> str:
        """doorbell.toml; without ``records`` it has no recipient, so no camera either."""
        pins = "\n".join(f"{name} = {json.dumps(value)}" for name, value in PINS.items())
        recipients = [str(OWNER.recipient)] if records else []
        return (
            f"[keys]\nrecipients = {json.dumps(recipients)}\n[pins]\n{pins}\n"
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
