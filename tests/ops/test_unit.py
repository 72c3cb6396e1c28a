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
