"""The first boot's script, run by a real shell with a system's programs that only write down what they were asked."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from doorbell.card import seed
from doorbell.card.wishes import Wishes

yaml = pytest.importorskip("yaml", reason="PyYAML is missing: pip install pyyaml")

DEB = b"a package"
PROGRAMS = {
    "apt-get": '[ ! -e "$OFFLINE" ] || exit 100; case "$*" in *doorbell_*) echo 9.9.9 >"$HAVE";; esac',
    "dpkg": "",
    "dpkg-deb": "echo 9.9.9",
    "dpkg-query": '[ -e "$HAVE" ] && echo "installed $(cat "$HAVE")"',
    "cloud-init": "",
    "systemctl": "",
    "doorbell": 'case "$*" in *harden*) touch "$DOORBELL_ROOT/run/doorbell-restart-wanted";; esac',
    "rfkill": "",
    "nmcli": "exit 8",
}


class Door:
    """A root folder, the script on it, and stand-ins for the programs of the system."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log, self.bin = folder / "root", folder / "log", folder / "bin"
        self.bin.mkdir()
        for name, does in PROGRAMS.items():
            file = self.bin / name
            file.write_text(f'#!/bin/sh\necho "{name} $*" >>"$LOG"\n{does}\n')
            file.chmod(0o755)
        for place in ("boot/firmware/doorbell", "run", "etc/systemd/system", "usr/local/lib/doorbell", "var/cache"):
            (self.root / place).mkdir(parents=True)
        config = yaml.safe_load(seed.user_data(Wishes("front"), 1))
        for file in config["write_files"]:
            place = self.root / file["path"].lstrip("/")
            place.write_text(file["content"])
        self.deb = self.root / "boot/firmware/doorbell/doorbell_9.9.9_all.deb"
        self.deb.write_bytes(DEB)
        digest = hashlib.sha256(DEB).hexdigest()
        (self.deb.parent / "MANIFEST").write_text(f"# x\n{digest}  doorbell/{self.deb.name}\n{'0' * 64}  user-data\n")
        self.offline = folder / "offline"
        self.have = folder / "have"

    def boot(self) -> tuple[int, list[str]]:
        """Run the script once: its status, and what it asked of the system."""
        self.log.write_text("")
        environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin", "DOORBELL_ROOT": str(self.root), "LOG": str(self.log),
            "OFFLINE": str(self.offline), "HAVE": str(self.have),
        }  # fmt: skip
        script = self.root / seed.SCRIPT.lstrip("/")
        done = subprocess.run(["sh", script], env=environment, capture_output=True, check=False, timeout=60)
        return done.returncode, self.log.read_text().splitlines()

    @property
    def is_done(self) -> bool:
        return not (self.root / seed.SCRIPT.lstrip("/")).exists()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def order(asked: list[str], *parts: str) -> list[int]:
    return [next(n for n, line in enumerate(asked) if part in line) for part in parts]


def test_a_first_boot_installs_takes_over_hardens_scrubs_and_removes_itself(door: Door) -> None:
    status, asked = door.boot()
    assert status == 0 and door.is_done
    steps = order(
        asked, "cloud-init status --wait", "install --no-install-recommends", "restart doorbell-adopt",
        "boot harden --ssh=no --updates=yes", "unattended-upgrades", "restart doorbell.service", "boot scrub",
        "disable doorbell-first-boot", "--no-block reboot",
    )  # fmt: skip
    assert steps == sorted(steps)
    assert not (door.root / "var/cache/doorbell-first-boot").exists()
    assert not any(line.startswith("apt-get") and " update" in line for line in asked), "nothing is fetched for nothing"


def test_without_internet_it_is_tried_again_until_it_is_done(door: Door) -> None:
    door.offline.touch()
    for _ in range(3):
        status, asked = door.boot()
        assert status != 0 and not door.is_done
        assert any(line.startswith("apt-get") and line.endswith("update") for line in asked)
        assert not any("harden" in line for line in asked)
    door.offline.unlink()
    assert door.boot()[0] == 0 and door.is_done


def test_a_power_cut_after_the_installation_goes_on_behind_it(door: Door) -> None:
    door.have.write_text("9.9.9\n")
    (door.deb.parent / "MANIFEST").unlink()  # went with the secrets
    status, asked = door.boot()
    assert status == 0 and door.is_done
    assert not any(line.startswith("apt-get") and "doorbell_9.9.9" in line for line in asked)
    assert any("boot harden" in line for line in asked)


def test_a_package_that_was_damaged_is_not_installed(door: Door) -> None:
    door.deb.write_bytes(DEB + b"?")
    status, asked = door.boot()
    assert status == 1 and not door.is_done
    assert not any(line.startswith("apt-get") for line in asked)


def test_a_card_without_its_package_says_so(door: Door) -> None:
    door.deb.unlink()
    assert door.boot()[0] == 1 and not door.is_done


def test_a_newer_package_on_a_card_that_was_written_again_is_installed(door: Door) -> None:
    door.have.write_text("0.1.0\n")
    status, asked = door.boot()
    assert status == 0 and any(line.startswith("apt-get") and "doorbell_9.9.9" in line for line in asked)


def test_the_script_may_be_run_by_the_unit_that_brings_it(door: Door) -> None:
    unit = (door.root / "etc/systemd/system" / seed.UNIT).read_text() if not door.is_done else ""
    assert f"ExecStart={seed.SCRIPT}" in unit and "Restart=on-failure" in unit and "StartLimitIntervalSec=0" in unit
