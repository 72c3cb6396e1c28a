"""The unit file, asked of systemd itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from doorbell import doorkeys, household, overlay, pairing
from doorbell.glance import LAST_GOOD
from doorbell.leaving import LEAVE_S
from doorbell.light import kept
from doorbell.push import pocket
from tests.lab.parts import probe

UNIT = Path(__file__).resolve().parents[2] / "systemd" / "doorbell.service"
LINES = [line for line in UNIT.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
EXPOSURE = 1.5

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is missing: apt-get install systemd"
)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def installed(unit: Path, folder: Path) -> Path:
    """A unit as installed, with a program that exists in the place of the door's."""
    copy = folder / unit.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8")))
    return copy


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    return installed(UNIT, tmp_path)


@needs_systemd
@pytest.mark.parametrize("beside", sorted(UNIT.parent.glob("*.[st]*")), ids=lambda path: path.name)
def test_systemd_understands_every_unit(beside: Path, tmp_path: Path) -> None:
    for one in UNIT.parent.glob("*.[st]*"):
        installed(one, tmp_path)
    done = analyze("verify", "--man=no", "--recursive-errors=no", tmp_path / beside.name)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_what_copies_off_site_is_exposed_to_little(tmp_path: Path) -> None:
    copy = installed(UNIT.with_name("doorbell-offsite.service"), tmp_path)
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", "--no-pager", copy)
    assert done.returncode == 0, done.stdout[-300:]


def test_what_copies_off_site_sees_no_file_that_proves_to_be_the_door() -> None:
    text = UNIT.with_name("doorbell-offsite.service").read_text()
    lines = [line for line in text.splitlines() if line.startswith("InaccessiblePaths=")]
    hidden = {word.lstrip("-") for line in lines for word in line.partition("=")[2].split()}
    secret = (doorkeys.FOLDER, household.NAME, pairing.NAME, overlay.NAME, kept.NAME, pocket.NAME, LAST_GOOD)
    assert {f"/var/lib/doorbell/{name}" for name in secret} <= hidden


@needs_systemd
def test_systemd_understands_every_line(unit: Path) -> None:
    done = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_systemd_would_say_so_if_it_did_not(unit: Path) -> None:
    unit.write_text(unit.read_text() + "\n[Service]\nPrivateTrousers=yes\n")
    done = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    assert "PrivateTrousers" in done.stdout + done.stderr


@needs_systemd
def test_the_door_is_exposed_to_little(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", "--no-pager", unit)
    assert done.returncode == 0, done.stdout[-300:]
    assert "Overall exposure level" in done.stdout


RUNS = {
    "Type", "NotifyAccess", "ExecStart", "TimeoutStartSec", "WatchdogSec", "Restart", "RestartSec", "TimeoutStopSec",
    "KillMode", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory", "RuntimeDirectoryMode",
    "RuntimeDirectoryPreserve", "ConfigurationDirectory", "ConfigurationDirectoryMode", "WorkingDirectory",
    "Environment", "OOMPolicy", "ProcSubset", "RemoveIPC",
}  # fmt: skip
"""Lines that say how the service runs and take nothing from it; the last one cleans up when it has ended."""


def test_every_line_that_restricts_is_looked_at_from_inside_by_the_lab() -> None:
    service = LINES[LINES.index("[Service]") + 1 : LINES.index("[Install]")]
    restricting = {line.partition("=")[0] for line in service} - RUNS
    assert restricting == set(probe.WATCHED)
    attempts = probe.NEEDED | probe.FORBIDDEN | probe.BOUNDS
    assert len(attempts) == len(probe.NEEDED) + len(probe.FORBIDDEN) + len(probe.BOUNDS)
    assert {name for names in probe.WATCHED.values() for name in names} <= set(attempts)


@pytest.mark.parametrize(
    ("line", "told"),
    [("LimitNOFILE", "512"), ("TasksMax", "64"), ("MemoryHigh", "280M"), ("MemoryMax", "340M"), ("LimitCORE", "0")],
)
def test_the_bounds_that_the_lab_looks_for_are_the_units(line: str, told: str) -> None:
    assert f"{line}={told}" in LINES
    assert told == "0" or any(told in name for name in probe.WATCHED[line])


def test_the_labs_program_of_another_machine_runs_where_nothing_forbids_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    said = probe.tried(probe.be_another_machine)
    assert list(tmp_path.iterdir()) == []
    if "Exec format error" in said:
        pytest.skip("this kernel or processor runs no program of 32-bit x86")
    assert said == ""


def test_stopping_leaves_time_for_the_running_clip_and_the_journal() -> None:
    waits = next(int(line.partition("=")[2]) for line in LINES if line.startswith("TimeoutStopSec="))
    assert waits >= LEAVE_S + 10 + 5  # the doorman's own bound, the journal's, and some air


@pytest.mark.parametrize(
    "promise",
    [
        "MemorySwapMax=0", "LimitCORE=0", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "DevicePolicy=closed",
        "ProtectSystem=strict", "MemoryDenyWriteExecute=yes", "SocketBindDeny=any", "UMask=0077", "Type=notify",
        "StateDirectoryMode=0700", "RuntimeDirectoryPreserve=restart", "StartLimitIntervalSec=0", "Restart=always",
        "OOMPolicy=continue", "KillMode=mixed", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    ],
)  # fmt: skip
def test_the_unit_keeps_its_promise(promise: str) -> None:
    assert LINES.count(promise) == 1
    assert sum(line.startswith(promise.partition("=")[0] + "=") for line in LINES) == 1
