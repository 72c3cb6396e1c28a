"""What the doctor reads of the machine, from trees of files that stand for a Pi's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from doorbell import household, roster
from doorbell.config import Config, Keys, Privacy
from doorbell.config import Door as DoorSettings
from doorbell.doctor import devices
from doorbell.doctor.finding import Door, Finding
from doorbell.doctor.rounds import CHECKS, look
from doorbell.doorkeys import load_or_make
from doorbell.owner.identity import Identity
from doorbell.roster import Member

OWNER = Identity(bytes(range(32)))
MODEL = "proc/device-tree/model"
PI = {MODEL: "Raspberry Pi Zero 2 W Rev 1.0\0"}
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
TRIXIE = 'PRETTY_NAME="Debian GNU/Linux 13"\nID=debian\nVERSION_ID="13"\n'
WIRELESS = "Inter-| sta\n face | tus\n wlan0: 0000   52.  {}.  -256        0      0      0      0      0        0\n"


def ask(tmp_path: Path, check: str, files: dict[str, str], *, page: dict[str, object] | None = None) -> Finding:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    config = Config(door=DoorSettings(state=tmp_path / "var/lib/doorbell"))
    return CHECKS[check](Door(tmp_path / "doorbell.toml", config, "", page, tmp_path))


@pytest.mark.parametrize(
    ("check", "files", "state", "said"),
    [
        ("system", PI | {"etc/os-release": TRIXIE}, "good", "Zero 2"),
        ("system", PI | {"etc/os-release": TRIXIE.replace("13", "11")}, "bad", "old"),
        ("system", PI | {"etc/os-release": "PRETTY_NAME=Arch\nID=arch\n"}, "unknown", "Arch"),
        ("system", {}, "unknown", "Not a Pi"),
        ("power", PI | {THROTTLED: "0\n"}, "good", "since the start"),
        ("power", PI | {THROTTLED: "50005\n"}, "bad", "too weak now"),
        ("power", PI | {THROTTLED: "50000\n"}, "bad", "at some time"),
        ("power", PI | {THROTTLED: "4\n"}, "bad", "slowed down now"),
        ("power", PI | {THROTTLED: "80000\n"}, "unknown", "slowed down at some time"),
        ("power", PI, "unknown", "firmware"),
        ("power", {}, "unknown", "Not a Pi"),
        ("heat", {"sys/class/thermal/thermal_zone0/temp": "48312\n"}, "good", "48 °C"),
        ("heat", {"sys/class/thermal/thermal_zone0/temp": "79000\n"}, "bad", "79 °C"),
        ("heat", {}, "unknown", "warm"),
        ("camera memory", PI | {"proc/meminfo": "CmaTotal: 131072 kB\nCmaFree: 120000 kB\n"}, "good", "117 of 128 MB"),
        ("camera memory", PI | {"proc/meminfo": "CmaTotal: 131072 kB\nCmaFree: 9000 kB\n"}, "bad", "8 of 128 MB"),
        ("camera memory", PI | {"proc/meminfo": "CmaTotal: 32768 kB\nCmaFree: 32768 kB\n"}, "bad", "32 MB"),
        ("camera memory", PI | {"proc/meminfo": "MemTotal: 1 kB\n"}, "bad", "set aside"),
        ("camera memory", {"proc/meminfo": "CmaTotal: 0 kB\n"}, "unknown", "Not a Pi"),
        ("wi-fi", {"proc/net/wireless": WIRELESS.format(-48)}, "good", "-48 dBm"),
        ("wi-fi", {"proc/net/wireless": WIRELESS.format(-82)}, "bad", "-82 dBm"),
        ("wi-fi", {"proc/net/wireless": "Inter-|\n face |\n"}, "unknown", "wired"),
        ("wi-fi", {"proc/net/wireless": "Inter-|\n face |\n wlan0: x y z w\n"}, "unknown", "wired"),
        ("hardware watchdog", PI | {"sys/class/watchdog/watchdog0/state": "active\n"}, "good", "watches"),
        ("hardware watchdog", PI | {"sys/class/watchdog/watchdog0/state": "inactive\n"}, "bad", "sleeps"),
        ("hardware watchdog", PI, "bad", "No hardware watchdog"),
        ("hardware watchdog", {}, "unknown", "Not a Pi"),
        ("pins", PI, "bad", "GPIO"),
        ("pins", {}, "unknown", "Not a Pi"),
    ],
)  # fmt: skip
def test_the_machine_is_read_and_what_is_bad_has_a_fix(
    tmp_path: Path, check: str, files: dict[str, str], state: str, said: str
) -> None:
    found = ask(tmp_path, check, files)
    assert (found.state, said in found.sentence) == (state, True), found
    assert found.fix or state != "bad"


def test_a_running_door_may_hold_the_cameras_memory(tmp_path: Path) -> None:
    files = PI | {"proc/meminfo": "CmaTotal: 131072 kB\nCmaFree: 9000 kB\n"}
    assert ask(tmp_path, "camera memory", files, page={"camera": "sees"}).state == "good"


MOUNTS = {"proc/self/mounts": "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n"}
CARD = "sys/block/mmcblk0/device/"


@pytest.mark.parametrize(
    ("files", "state", "said"),
    [
        ({}, "unknown", "does not tell"),
        ({CARD + "life_time": "0x01 0x02\n", CARD + "pre_eol_info": "0x01\n"}, "good", "at most 20 %"),
        ({CARD + "life_time": "0x09 0x02\n", CARD + "pre_eol_info": "0x01\n"}, "bad", "80 to 90 %"),
        ({CARD + "life_time": "0x0B 0x0b\n"}, "bad", "worn out"),
        ({CARD + "life_time": "0x01 0x01\n", CARD + "pre_eol_info": "0x02\n"}, "bad", "reserve"),
        ({CARD + "life_time": "junk\n"}, "unknown", "does not tell"),
    ],
)
def test_wear_is_told_where_the_card_tells_it(tmp_path: Path, files: dict[str, str], state: str, said: str) -> None:
    found = ask(tmp_path, "wear", MOUNTS | files)
    assert (found.state, said in found.sentence) == (state, True), found


def test_a_card_that_turned_read_only_is_bad(tmp_path: Path) -> None:
    found = ask(tmp_path, "file system", {"proc/self/mounts": "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n"})
    assert (found.state, "read-only" in found.sentence) == ("bad", True)


def test_no_file_of_the_machine_is_needed_and_none_breaks_the_doctor(tmp_path: Path) -> None:
    for check in ("system", "power", "heat", "camera memory", "wi-fi", "hardware watchdog", "wear", "file system"):
        for text in ("", "\0\xff", "0x", "-", "9" * 500, ":\n:\n:\n"):
            files = [MODEL, THROTTLED, "etc/os-release", "proc/meminfo", "proc/net/wireless", "proc/self/mounts",
                     "sys/class/thermal/thermal_zone0/temp", "sys/class/watchdog/watchdog0/state"]  # fmt: skip
            assert ask(tmp_path, check, dict.fromkeys(files, text)).sentence


@pytest.fixture
def door(tmp_path: Path) -> Door:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    config = Config(door=DoorSettings(state=state), keys=Keys((OWNER.recipient,)))
    return Door(tmp_path / "etc/doorbell.toml", config, "", None, tmp_path)


def test_recipients_are_those_of_the_roster_where_there_is_one(door: Door) -> None:
    assert "1 recipient, by the configuration" in CHECKS["recipients"](door).sentence
    state = door.config.door.state
    other = Identity(bytes(32))
    members = [Member("owner", "admin", OWNER.recipient, OWNER.verify_key),
               Member("Ben", "member", other.recipient, other.verify_key)]  # fmt: skip
    keys = load_or_make(state / "keys")
    household.load("front", state, (OWNER.recipient,)).keep(roster.begin("front", members, keys.sign))
    assert "2 recipients, by the household's roster" in CHECKS["recipients"](door).sentence
    (state / household.NAME).write_bytes(b"{}")
    assert CHECKS["recipients"](door).state == "bad"


def test_what_leaves_in_clear_is_told_and_no_picture_does(door: Door) -> None:
    found = CHECKS["privacy"](door)
    assert (found.state, found.sentence.partition(";")[0]) == ("good", "No picture leaves unsealed")
    silent = evolve(door.config, privacy=Privacy(clear_events=False))
    assert CHECKS["privacy"](evolve(door, config=silent)).sentence == "Nothing leaves the door in clear."


@pytest.mark.parametrize("place", ["state/words.txt", "etc/note", "boot/firmware/words.txt"])
@pytest.mark.parametrize("numbered", [False, True])
def test_the_24_words_on_the_door_are_found_and_not_repeated(door: Door, place: str, numbered: bool) -> None:
    words = OWNER.words().split()
    text = "\n".join(f"{n:2}. {word}" for n, word in enumerate(words, 1)) if numbered else " ".join(words)
    file = door.root / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"Keep this.\n{text}\n")
    found = CHECKS["private key"](door)
    assert (found.state, "24 words" in found.sentence) == ("bad", True)
    assert words[0] not in found.sentence + found.fix


def test_prose_and_23_words_are_no_key(door: Door) -> None:
    prose = Path(__file__).parents[2] / "README.md"
    (door.config.door.state / "README.md").write_text(prose.read_text())
    (door.config.door.state / "most").write_text(" ".join(OWNER.words().split()[:23]))
    assert CHECKS["private key"](door).state == "good"


def test_a_camera_that_gives_nothing_is_told_with_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "doorbell.toml"
    common = f'[door]\nstate = "{tmp_path}/state"\nruntime = "{tmp_path}/run"\n[camera]\n'
    path.write_text(common + f'source = "file:{tmp_path}/none.mp4"\n')
    found = CHECKS["frames"](look(path))
    assert (found.state, "no picture" in found.sentence) == ("bad", True)


LIBRARY = """
import os, threading
class Picamera2:
    @staticmethod
    def global_camera_info():
        print("a library's own words")
        {look}
        return {cameras!r}
    def __init__(self):
        {film}
"""
"""What stands for picamera2 in the process that films; how it films is tests/camera's matter."""
NONE_TO_OPEN = "raise RuntimeError('camera in use')"


@pytest.fixture
def filmed(door: Door, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Finding, Finding]]:
    """The lines "camera" and "frames" of a door whose picamera2 is as it is given."""

    def ask(
        *sensors: str, look: str = "pass", film: str = NONE_TO_OPEN, page: dict[str, object] | None = None
    ) -> tuple[Finding, Finding]:
        cameras = [{"Model": sensor, "Num": number} for number, sensor in enumerate(sensors)]
        (door.root / "picamera2.py").write_text(LIBRARY.format(look=look, cameras=cameras, film=film))
        door.path.parent.mkdir(exist_ok=True)
        door.path.write_text(f'[door]\nstate = "{door.config.door.state}"\n')
        fresh = evolve(door, page=page, known={})
        return CHECKS["camera"](fresh), CHECKS["frames"](fresh)

    monkeypatch.syspath_prepend(str(door.root))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(door.root), *sys.path]))
    return ask


def test_the_camera_is_found_by_its_sensors_name_though_it_gives_nothing(
    filmed: Callable[..., tuple[Finding, Finding]],
) -> None:
    camera, frames = filmed("imx708_wide", "imx219")
    assert (camera.state, camera.sentence) == ("good", "The camera was found: imx708_wide; not used: imx219.")
    assert frames.state == "bad" and "camera in use" in frames.sentence
    camera, frames = filmed("ov5647", film="os._exit(7)")
    assert camera.sentence == "The camera was found: ov5647."
    assert frames.state == "bad" and "process died" in frames.sentence


def test_an_installed_library_without_a_camera_is_no_camera(filmed: Callable[..., tuple[Finding, Finding]]) -> None:
    camera, frames = filmed(film="raise IndexError('list index out of range')")
    assert (camera.state, camera.sentence, "ribbon" in camera.fix) == ("bad", "No camera was found.", True)
    assert frames.state == "bad"


def test_a_library_that_stands_still_or_falls_is_told(
    filmed: Callable[..., tuple[Finding, Finding]], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, _ = filmed("imx708", look="raise OSError('no media device')")
    assert camera.state == "bad" and "no media device" in camera.sentence
    monkeypatch.setattr(devices, "GIVEN_UP_S", 0.2)
    camera, frames = filmed("imx708", look="threading.Event().wait()")
    assert camera.state == frames.state == "bad"
    assert "did not answer" in camera.sentence and "did not answer" in frames.sentence


def test_beside_a_running_door_no_camera_is_opened(filmed: Callable[..., tuple[Finding, Finding]]) -> None:
    film = "os._exit(7)"
    camera, frames = filmed("imx708", film=film, page={"camera": "sees"})
    assert camera.state == frames.state == "good"
    assert "running daemon" in camera.sentence
    camera, frames = filmed("imx708", film=film, page={"camera": "lost"})
    assert camera.sentence == "The camera was found: imx708."
    assert (frames.state, frames.fix) == ("bad", "doorbell status says why.")
    camera, _ = filmed(film=film, page={"camera": "lost"})
    assert camera.state == "bad"
