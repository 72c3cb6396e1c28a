"""The first boot's script, run by a real shell with a system's programs that only write down what they were asked; and
the bell that rings until the door's program does."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from gpiozero.pins.mock import MockFactory

from doorbell.card import early, first_bell, seed
from doorbell.card.wishes import Wifi, Wishes
from doorbell.config import Pins as DoorPins
from doorbell.senses.pins import BLINKS, LED_TROUBLE, Pins

yaml = pytest.importorskip("yaml", reason="PyYAML is missing: pip install pyyaml")

DEB = b"a package"
PINS: dict[str, dict[str, Any]] = {"pins": {"button": 5, "chime": 22, "led": 23, "chime_ms": 500}}
PROGRAMS = {
    "apt-get": '[ ! -e "$OFFLINE" -a ! -e "$AWAY" ] || exit 100; case "$*" in *doorbell_*) echo 9.9.9 >"$HAVE";; esac',
    "dpkg": "",
    "dpkg-deb": "echo 9.9.9",
    "dpkg-query": '[ -e "$HAVE" ] && echo "installed $(cat "$HAVE")"',
    "cloud-init": "",
    "systemctl": 'case "$*" in *is-enabled*) [ -e "$HAVE" ];; esac',
    "ip": '[ -e "$OFFLINE" ] || echo "default via 10.0.0.1 dev wlan0"',
    "nm-online": '[ ! -e "$OFFLINE" ]',
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
        config = yaml.safe_load(seed.user_data(Wishes("front", wifi=Wifi("Nest", "12345678", "DE"), settings=PINS), 1))
        for file in config["write_files"]:
            place = self.root / file["path"].lstrip("/")
            place.write_bytes(file["content"].encode())
        self.deb = self.root / "boot/firmware/doorbell/doorbell_9.9.9_all.deb"
        self.deb.write_bytes(DEB)
        digest = hashlib.sha256(DEB).hexdigest()
        (self.deb.parent / "MANIFEST").write_text(f"# x\n{digest}  doorbell/{self.deb.name}\n{'0' * 64}  user-data\n")
        self.text = self.root / "boot/firmware/DOORBELL-READ-ME.txt"
        self.offline, self.away = folder / "offline", folder / "away"
        self.have = folder / "have"

    def boot(self) -> tuple[int, list[str]]:
        """Run the script once: its status, and what it asked of the system."""
        self.log.write_text("")
        environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin", "DOORBELL_ROOT": str(self.root), "LOG": str(self.log),
            "OFFLINE": str(self.offline), "AWAY": str(self.away), "HAVE": str(self.have),
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
    assert not door.text.exists(), "there was nothing to mend"
    left = [file.name for folder in ("usr/local/lib/doorbell", "etc/systemd/system")
            for file in (door.root / folder).iterdir()]  # fmt: skip
    assert left == [], "the bell and the texts go with the script"
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


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda door: door.offline.touch(), "it is not in its Wi-Fi"),
        (lambda door: door.away.touch(), "could not be fetched and installed"),
        (lambda door: door.deb.write_bytes(DEB + b"?"), "missing or damaged"),
        (lambda door: (door.bin / "dpkg-deb").write_text("#!/bin/sh\nexit 2\n"), "missing or damaged"),
        (lambda door: door.deb.unlink(), "missing or damaged"),
    ],
    ids=["no Wi-Fi", "no server", "another package", "no package at all", "nothing"],
)
def test_what_keeps_a_door_from_its_program_stands_on_the_boot_volume(
    door: Door, spoil: Callable[[Door], object], says: str
) -> None:
    spoil(door)
    assert door.boot()[0] != 0
    text = door.text.read_bytes().decode("ascii")
    assert says in " ".join(text.split()) and "no phone rings" in " ".join(text.split())
    assert text.count("\r\n") == text.count("\n") > 5 and max(map(len, text.splitlines())) <= 76
    written = door.text.stat()
    door.boot()
    assert (door.text.stat().st_ino, door.text.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert [file.name for file in door.text.parent.glob("DOORBELL*")] == [door.text.name]


def test_a_door_whose_program_is_there_tells_more_itself(door: Door) -> None:
    door.have.write_text("0.1.0\n")
    door.offline.touch()
    assert door.boot()[0] != 0
    assert not door.text.exists()


def test_a_bell_is_started_before_anything_is_waited_for_and_not_beside_the_door(door: Door) -> None:
    door.offline.touch()
    first, _ = order(door.boot()[1], "start --no-block doorbell-first-bell.service", "cloud-init status --wait")
    assert first < 2
    door.have.write_text("0.1.0\n")  # its service is enabled
    assert not any("first-bell" in line for line in door.boot()[1])


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


# ---- the bell until then


class Over(Exception):  # noqa: N818
    """The time of the test is."""


@define
class Hall:
    """The bell's own loop on mock pins, in a time that the test counts: ``closed`` are the seconds of the contact."""

    closed: list[tuple[float, float]]
    until: float
    now: float = 0.0
    chip: MockFactory = field(factory=MockFactory)
    chimes: list[tuple[float, float]] = field(factory=list)
    lit: list[float] = field(factory=list)

    def run(self, words: list[str]) -> None:
        with pytest.raises(Over):
            first_bell.main(words, self.chip, clock=lambda: self.now, wait=self.wait)

    def wait(self, seconds: float) -> None:
        if self.chip.pin(22).state:
            self.chimes.append((self.now, seconds))
        if self.chip.pin(23).state:
            self.lit.append(self.now)
        self.now += seconds
        if self.now > self.until:
            raise Over
        down = any(begins <= self.now < ends for begins, ends in self.closed)
        pin = self.chip.pin(5)
        pin.drive_low() if down else pin.drive_high()


@pytest.fixture
def words(door: Door) -> list[str]:
    """As systemd gives them to the bell."""
    unit = (door.root / "etc/systemd/system" / early.BELL_UNIT).read_text()
    (command,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    python, script, *words = command.partition("=")[2].split()
    assert (python, script) == ("/usr/bin/python3", early.BELL)
    assert (door.root / script.lstrip("/")).read_text() == Path(first_bell.__file__).read_text()
    return words


def test_each_press_rings_the_chime_for_as_long_as_the_door_itself_would(words: list[str]) -> None:
    hall = Hall([(1.0, 1.2), (3.0, 8.0), (10.0, 10.005)], until=12.0)
    hall.run(words)
    assert [round(at) for at, _ in hall.chimes] == [1, 3], "a finger that stays rings once, a spike of 5 ms never"
    assert all(at - pressed < 0.05 for (at, _), pressed in zip(hall.chimes, (1.0, 3.0), strict=True))
    assert {seconds for _, seconds in hall.chimes} == {0.5}


def test_a_contact_that_bounces_rings_once(words: list[str]) -> None:
    bounces = [(1.0 + n * 0.004, 1.002 + n * 0.004) for n in range(5)]
    hall = Hall([*bounces, (1.02, 1.3), *((begins + 0.3, ends + 0.3) for begins, ends in bounces)], until=3.0)
    hall.run(words)
    assert len(hall.chimes) == 1


def test_the_led_flashes_as_bell_only_does(words: list[str]) -> None:
    lit, dark = BLINKS[LED_TROUBLE]
    hall = Hall([], until=3 * (lit + dark))
    hall.run(words)
    flashes = [[at for at in hall.lit if turn <= at / (lit + dark) < turn + 1] for turn in range(3)]
    assert all(0.8 * lit <= flash[-1] - flash[0] <= lit for flash in flashes)
    assert all(flash[0] % (lit + dark) < 0.02 for flash in flashes)


def test_the_bell_lets_go_of_a_silent_chime_whenever_it_is_ended(words: list[str]) -> None:
    hall = Hall([(1.0, 2.0)], until=1.3)  # in the middle of the chime
    hall.run(words)
    assert len(hall.chimes) == 1
    assert not hall.chip.pin(22).state
    Pins(DoorPins(kind="gpio", button=5, chime=22, led=23), lambda _: None, hall.chip).close()  # the door gets them


def test_a_door_without_pins_gets_no_bell() -> None:
    assert early.bell(Wishes("front", settings={"pins": {"kind": "none"}})) == {}
    assert early.bell(Wishes("front", settings={"pins": {"button": 0}})) == {}
    assert len(early.bell(Wishes("front"))) == 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is missing: apt-get install systemd")
def test_systemd_has_nothing_against_the_first_boots_units(door: Door, tmp_path: Path) -> None:
    for name in (seed.UNIT, early.BELL_UNIT):
        text = (door.root / "etc/systemd/system" / name).read_text()
        unit = tmp_path / name
        unit.write_text(text.replace(seed.SCRIPT, "/bin/true").replace("/usr/bin/python3", "/bin/true"))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
        )
        assert name not in done.stderr and done.returncode == 0, done.stderr
        if name == early.BELL_UNIT:
            assert "Conflicts=doorbell.service\nBefore=doorbell.service\n" in text, "the pins are free then"
            assert "[Install]" not in text, "or both would start with the system, and one of them would lose"
