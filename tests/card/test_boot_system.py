"""The system around the door: hardening, the radio, cloud-init's copies, and the units that do it."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from doorbell.__main__ import main
from doorbell.boot import scrub as scrubbing
from doorbell.boot import wifi
from doorbell.boot.harden import NO_SSH, RESTART, harden
from doorbell.boot.places import Places
from doorbell.boot.scrub import scrub
from doorbell.boot.wifi import Radio
from doorbell.card import seed
from doorbell.card.wishes import Wifi, Wishes

UNITS = Path(__file__).resolve().parents[2] / "systemd"

FSTAB = """\
proc            /proc           proc    defaults          0       0
PARTUUID=4e639091-01  /boot/firmware  vfat    defaults          0       2
PARTUUID=4e639091-02  /               ext4    defaults,relatime  0       1
# a comment /data ext4 defaults
/dev/sda1\t/data\text4\tnoatime,nofail\t0\t2
"""


def setting(places: Places, path: str, section: str, key: str) -> str:
    parser = configparser.ConfigParser()
    parser.read_string((places.root / path).read_text())
    return parser[section][key]


@pytest.fixture
def hard(places: Places) -> Places:
    (places.root / "etc/fstab").write_text(FSTAB)
    (places.root / "var/swap").write_bytes(b"a picture in clear" * 1000)
    harden(places, ssh=False, updates=True)
    return places


@pytest.mark.parametrize(
    ("path", "section", "key", "value"),
    [
        ("etc/rpi/swap.conf.d/90-doorbell.conf", "Main", "Mechanism", "zram"),
        ("etc/systemd/journald.conf.d/90-doorbell.conf", "Journal", "Storage", "volatile"),
        ("etc/systemd/journald.conf.d/90-doorbell.conf", "Journal", "RuntimeMaxUse", "16M"),
        ("etc/systemd/system.conf.d/90-doorbell.conf", "Manager", "RuntimeWatchdogSec", "15s"),
        ("etc/systemd/timesyncd.conf.d/90-doorbell.conf", "Time", "SaveIntervalSec", "1h"),
        ("etc/NetworkManager/conf.d/90-doorbell.conf", "connection", "wifi.powersave", "2"),
    ],
)
def test_the_system_is_hardened_by_files_of_its_own(
    hard: Places, path: str, section: str, key: str, value: str
) -> None:
    assert setting(hard, path, section, key) == value
    assert (hard.root / path).stat().st_mode & 0o777 == 0o644


def test_what_was_swapped_to_the_card_is_gone_but_not_while_it_is_in_use(hard: Places) -> None:
    assert not (hard.root / "var/swap").exists()
    (hard.root / "var/swap").write_bytes(b"x")
    (hard.root / "proc/swaps").write_text("Filename Type Size Used Priority\n/var/swap file 102396 0 -2\n")
    harden(hard, ssh=False, updates=True)
    assert (hard.root / "var/swap").exists()


def test_ext4_keeps_no_times_of_reading_and_nothing_else_changes(hard: Places) -> None:
    rows = (hard.root / "etc/fstab").read_text().splitlines()
    assert rows[2].split()[3] == "defaults,noatime"
    before = FSTAB.splitlines()
    assert [rows[n] for n in (0, 1, 3, 4)] == [before[n] for n in (0, 1, 3, 4)]


def test_ssh_points_nowhere_unless_it_was_asked_for(hard: Places) -> None:
    links = [hard.root / "etc/systemd/system" / unit for unit in NO_SSH]
    assert all(str(link.readlink()) == "/dev/null" for link in links)
    harden(hard, ssh=True, updates=True)
    assert not any(link.is_symlink() for link in links)


def test_only_the_systems_security_updates_come_by_themselves(hard: Places) -> None:
    text = (hard.root / "etc/apt/apt.conf.d/90doorbell").read_text()
    origins = re.findall(r'"(origin=[^"]+)"', text)
    assert origins == [
        "origin=Debian,codename=${distro_codename}-security,label=Debian-Security",
        "origin=Raspbian,codename=${distro_codename},label=Raspbian",
    ]
    assert '"^doorbell$"' in text and 'Automatic-Reboot "false"' in text
    harden(hard, ssh=False, updates=False)
    assert not (hard.root / "etc/apt/apt.conf.d/90doorbell").exists()


@pytest.mark.skipif(not shutil.which("apt-config"), reason="apt-config is missing: this is no Debian")
def test_apt_understands_what_it_is_told(hard: Places) -> None:
    file = hard.root / "etc/apt/apt.conf.d/90doorbell"
    done = subprocess.run(["apt-config", "-c", file, "dump"], capture_output=True, text=True, check=True)
    assert 'APT::Periodic::Unattended-Upgrade "1";' in done.stdout
    assert done.stdout.count("Unattended-Upgrade::Origins-Pattern::") == 2


def test_hardening_twice_changes_nothing_and_asks_for_no_restart(hard: Places) -> None:
    (hard.root / RESTART).unlink()
    assert harden(hard, ssh=False, updates=True) == []
    assert not (hard.root / RESTART).exists()


# ---- the radio


def radio(places: Places, *, gateway: bool = True, broker: bool = False) -> Places:
    (places.root / "sys/module/brcmfmac").mkdir(parents=True, exist_ok=True)
    (places.root / "sys/class/net/wlan0/wireless").mkdir(parents=True, exist_ok=True)
    row = "wlan0 00000000 0101A8C0 0003 0 0 600 0 0 0 0\n" if gateway else ""
    (places.root / "proc/net/route").write_text("Iface Destination Gateway Flags\n" + row)
    return places


class Hands:
    """Takes the place of the shell's programs: what was run, and whether the router answers."""

    def __init__(self, answers: bool) -> None:
        self.answers, self.ran = answers, []

    def __call__(self, command: Sequence[str]) -> int:
        self.ran.append(" ".join(command))
        return 0 if self.answers or command[0] != "ping" else 1


@pytest.mark.parametrize("gateway", [True, False])
def test_a_dead_radio_gets_its_driver_loaded_afresh(places: Places, gateway: bool) -> None:
    door, hands = radio(places, gateway=gateway), Hands(answers=False)
    assert [wifi.look_after(door, at, hands) for at in (0, 120, 240, 301)] == [False, False, False, True]
    loads = [one for one in hands.ran if one.startswith("modprobe")]
    assert loads == ["modprobe -r brcmfmac", "modprobe brcmfmac"]
    assert ("ping -c 3 -W 2 -q 192.168.1.1" in hands.ran) == gateway


def test_a_router_that_answers_leaves_the_driver_alone(places: Places) -> None:
    hands = Hands(answers=True)
    assert not any(wifi.look_after(radio(places), at, hands) for at in range(0, 9000, 120))
    assert not [one for one in hands.ran if one.startswith("modprobe")]


def test_a_machine_without_that_driver_is_left_alone(places: Places) -> None:
    hands = Hands(answers=False)
    assert not wifi.look_after(places, 9000, hands) and hands.ran == []


@given(st.lists(st.booleans(), max_size=400))
def test_reloads_are_rare_however_the_radio_behaves(alive: list[bool]) -> None:
    now, reloads = Radio(), []
    for number, one in enumerate(alive):
        now, reload = wifi.step(now, one, 120.0 * number)
        if reload:
            reloads.append(120.0 * number)
            assert not any(alive[max(0, number - 2) : number + 1])
    assert all(b - a >= wifi.FIRST_S for a, b in pairwise(reloads))


def test_a_router_that_is_off_for_a_week_costs_a_handful_of_reloads_a_day() -> None:
    now, reloads = Radio(), 0
    for at in range(0, 7 * 86400, 120):
        now, reload = wifi.step(now, False, at)
        reloads += reload
    assert reloads < 40


# ---- cloud-init's copies

KEY = Wifi("Nest", "correct horse", "DE").key


@pytest.fixture
def settled(places: Places) -> Places:
    """A first boot that is over, with the copies that cloud-init leaves."""
    network = seed.network_config(Wifi("Nest", "correct horse", "DE"))
    (places.boot / seed.NETWORK).write_text(network)
    (places.boot / seed.META).write_text(seed.meta_data("doorbell-front-1", "front"))
    lib = places.root / "var/lib/cloud"
    copies = {
        "var/lib/cloud/data/instance-id": "doorbell-front-1\n",
        "var/lib/cloud/instances/doorbell-front-1/network-config.json": json.dumps({"password": KEY}),
        "var/lib/cloud/instances/doorbell-front-1/obj.pkl": f"\x80\x04pickled {KEY} …",
        "var/lib/cloud/instances/doorbell-front-1/user-data.txt": "#cloud-config\n",
        "run/cloud-init/instance-data-sensitive.json": json.dumps({"net": network}),
        "run/cloud-init/result.json": "{}",
        "var/log/cloud-init.log": f"DEBUG applying {KEY}\n",
        "var/log/other.log": f"not cloud-init's, {KEY}",
        "etc/netplan/50-cloud-init.yaml": network,
    }
    for path, text in copies.items():
        (places.root / path).parent.mkdir(parents=True, exist_ok=True)
        (places.root / path).write_text(text)
    (lib / "instance").symlink_to(lib / "instances/doorbell-front-1")
    return places


def holding(places: Places, secret: str) -> set[str]:
    found = (file for file in places.root.rglob("*") if file.is_file() and not file.is_symlink())
    return {str(file.relative_to(places.root)) for file in found if secret.encode() in file.read_bytes()}


def test_the_wifi_key_stays_only_where_the_network_needs_it(settled: Places) -> None:
    assert len(scrub(settled)) == 5
    assert holding(settled, KEY) == {"etc/netplan/50-cloud-init.yaml", "var/log/other.log"}
    assert (settled.boot / seed.NETWORK).read_text() == seed.NETWORK_LEFT
    assert (settled.root / "var/lib/cloud/instances/doorbell-front-1/user-data.txt").exists()
    assert scrub(settled) == []


@pytest.mark.parametrize("what", ["run/cloud-init/result.json", "var/lib/cloud/data/instance-id"])
def test_nothing_is_scrubbed_before_cloud_init_has_read_it(settled: Places, what: str) -> None:
    (settled.root / what).unlink()
    assert scrub(settled) == []
    assert KEY in (settled.boot / seed.NETWORK).read_text()


def test_a_card_that_was_written_anew_keeps_its_key_until_its_own_first_boot(settled: Places) -> None:
    (settled.boot / seed.META).write_text(seed.meta_data("doorbell-front-2", "front"))
    assert scrub(settled) == []


def test_a_scrub_that_was_cut_short_is_begun_again(settled: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    real, done = scrubbing.files.wipe, []

    def fails_at_the_third(path: Path) -> bool:
        done.append(path)
        if len(done) == 3:
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(scrubbing.files, "wipe", fails_at_the_third)
    with pytest.raises(OSError):
        scrub(settled)
    monkeypatch.setattr(scrubbing.files, "wipe", real)
    scrub(settled)
    assert holding(settled, KEY) == {"etc/netplan/50-cloud-init.yaml", "var/log/other.log"}


# ---- the units


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing: apt-get install systemd")
def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    for unit in [*UNITS.glob("doorbell*.service"), *UNITS.glob("doorbell*.timer")]:
        text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text)
    (tmp_path / seed.UNIT).write_text(first_boot_unit())
    units = sorted(tmp_path.iterdir())
    assert len(units) >= 7
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = [line for line in (done.stdout + done.stderr).splitlines() if seed.SCRIPT not in line]
    assert said == []


def first_boot_unit() -> str:
    line = next(line for line in seed.user_data(Wishes("front"), 1).splitlines() if line.startswith("write_files: "))
    return next(
        str(file["content"]) for file in json.loads(line.partition(": ")[2]) if file["path"].endswith(seed.UNIT)
    )


def test_a_start_takes_the_boot_volume_over_before_the_door_reads_its_settings() -> None:
    door, adopt = ((UNITS / name).read_text() for name in ("doorbell.service", "doorbell-adopt.service"))
    assert "After=doorbell-adopt.service" in door and "Wants=doorbell-adopt.service" in door
    assert "Requires=doorbell-adopt.service" not in door, "the bell rings without it"
    assert "Before=doorbell.service" in adopt


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing: apt-get install systemd")
@pytest.mark.parametrize(("name", "most"), [("adopt", 30), ("tell", 30), ("wifi", 50)])
def test_what_runs_as_root_may_do_little_else(name: str, most: int, tmp_path: Path) -> None:
    unit = tmp_path / f"doorbell-{name}.service"
    text = (UNITS / unit.name).read_text(encoding="utf-8")
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-200:]


# ---- the command


def test_the_services_command_needs_root_at_a_real_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = CliRunner().invoke(main, ["boot", "harden"])
    assert done.exit_code == 1 and "sudo" in done.output


def test_the_command_hardens_tells_and_scrubs(settled: Places) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(main, ["boot", *words, "--root", str(settled.root)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "changed: etc/systemd/system.conf.d/90-doorbell.conf" in run("harden", "--ssh", "yes", "--updates", "no")
    assert not (settled.root / "etc/systemd/system/ssh.service").is_symlink()
    assert "the text on the boot volume changed" in run("tell")
    assert KEY not in (settled.boot / seed.NETWORK).read_text(), "the timer scrubs what a first boot left"
    assert run("wifi") == ""


def test_a_card_that_fails_is_a_sentence(places: Places) -> None:
    (places.root / "etc/rpi").write_text("a file in a folder's place")
    done = CliRunner().invoke(main, ["boot", "harden", "--root", str(places.root)], catch_exceptions=False)
    assert done.exit_code == 1 and "does not work as it should" in done.output


def test_a_system_without_the_doors_user_says_so(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorbell.boot.adopt.USER", "nobody-of-this-name")
    done = CliRunner().invoke(main, ["boot", "adopt", "--root", str(places.root)], catch_exceptions=False)
    assert done.exit_code == 1 and "install the door's package" in done.output
