"""The doctor finds what is wrong with a door, and says so without a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from doorbell.cli.doctor import doctor
from doorbell.doctor import card, service
from doorbell.doctor.finding import Door, Finding
from doorbell.doctor.rounds import CHECKS, WITHOUT_CONFIGURATION, look
from doorbell.owner.identity import Identity


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A door that is as it should be, but for the daemon, which does not run."""
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "etc").mkdir()
    path = tmp_path / "etc" / "doorbell.toml"
    path.touch(0o640)
    write(path)
    return path


def write(path: Path, **more: str) -> None:
    settings = {
        "door": f'state = "{path.parent.parent}/state"\nruntime = "{path.parent.parent}/run"',
        "keys": f'recipients = ["{Identity(bytes(range(32))).recipient}"]',
        "camera": 'source = "scene"\nwidth = 320\nheight = 240',
        "pins": 'kind = "simulated"',
    } | more
    path.write_text("\n".join(f"[{section}]\n{text}" for section, text in settings.items()))


def ask(path: Path, check: str) -> Finding:
    return CHECKS[check](look(path))


def test_a_door_in_order_has_nothing_bad_but_the_daemon_that_does_not_run(path: Path) -> None:
    door = look(path)
    asked = ("python", "configuration", "permissions", "recipients", "private key", "sealing", "state folder",
             "file system", "space", "camera", "frames", "pins", "broker", "home assistant")  # fmt: skip
    assert [name for name in asked if CHECKS[name](door).state == "bad"] == []
    assert CHECKS["daemon"](door).state == "bad"


def test_every_bad_finding_comes_with_a_fix_and_ends_with_status_1(path: Path) -> None:
    write(path, camera='source = "none"')  # the one above films
    done = CliRunner().invoke(doctor, ["--config", str(path), "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [one["check"] for one in found] == list(CHECKS)
    assert all(one["fix"] for one in found if one["state"] == "bad")


def test_a_configuration_that_others_may_read_is_bad(path: Path) -> None:
    path.chmod(0o644)
    assert f"chmod 640 {path}" in ask(path, "permissions").fix


@pytest.mark.parametrize("place", ["etc/notes.txt", "state/keys/old", "state/identity"])
def test_a_private_key_on_the_door_is_found_and_not_repeated(path: Path, place: str) -> None:
    identity = Identity(bytes(range(32)))
    file = path.parent.parent / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"# a key\n{identity.line()}\n")
    found = ask(path, "private key")
    assert found.state == "bad"
    assert str(file) in found.sentence
    assert identity.line() not in found.sentence + found.fix


def test_a_comment_about_private_keys_is_none(path: Path) -> None:
    (path.parent / "README").write_text("Never put an AGE-SECRET-KEY-1... here.")
    assert ask(path, "private key").state == "good"


def test_a_door_without_recipients_is_told_to_make_a_key(path: Path) -> None:
    write(path, keys="recipients = []")
    assert "keygen" in ask(path, "recipients").fix


def test_a_configuration_that_cannot_be_read_is_told_and_nothing_is_said_of_defaults(path: Path) -> None:
    path.write_text('[camera]\nsauce = "none"\n')
    done = CliRunner().invoke(doctor, ["--config", str(path), "--json"])
    found = {one["check"]: one for one in json.loads(done.stdout)}
    assert set(found) == set(WITHOUT_CONFIGURATION)
    assert "camera.sauce" in found["configuration"]["sentence"]


def test_a_missing_configuration_is_a_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(doctor, ["--config", str(tmp_path / "none.toml")])
    assert done.exit_code == 1
    assert "BAD configuration" in done.stdout
    assert "Traceback" not in done.output


def test_a_video_that_is_not_there_and_a_webcam_that_is_not_plugged_in_are_bad(path: Path) -> None:
    for source in (f"file:{path}.mp4", "webcam:/dev/video999"):
        write(path, camera=f'source = "{source}"')
        assert ask(path, "camera").state == "bad"


def test_a_state_folder_that_others_can_look_into_is_bad(path: Path) -> None:
    (path.parent.parent / "state").chmod(0o755)
    assert "chmod 700" in ask(path, "state folder").fix


@pytest.mark.parametrize(
    ("line", "kind", "read_only"),
    [
        ("/dev/mmcblk0p2 / ext4 rw,noatime 0 0", "ext4", False),
        ("/dev/mmcblk0p2 / ext4 ro,noatime 0 0", "ext4", True),
        ("/dev/mmcblk0p2 / ext4 rw 0 0\n/dev/sda1 /var/lib/doorbell vfat rw 0 0", "vfat", False),
        ("/dev/mmcblk0p2 / ext4 rw 0 0\n/dev/sda1 /var/lib/doorbell-old vfat ro 0 0", "ext4", False),
    ],
)
def test_the_file_system_is_that_of_the_deepest_mount(line: str, kind: str, read_only: bool) -> None:
    found, options = card._mounted(Path("/var/lib/doorbell"), line)
    assert (found, "ro" in options) == (kind, read_only)


def test_a_broker_that_is_not_there_is_a_sentence_with_its_address(path: Path) -> None:
    write(path, mqtt='host = "127.0.0.1"\nport = 1\ntls = "off"')
    found = ask(path, "broker")
    assert found.state == "bad"
    assert "127.0.0.1:1" in found.sentence


def test_a_running_daemon_is_believed_about_the_broker(path: Path) -> None:
    write(path, mqtt='host = "127.0.0.1"\nport = 1\ntls = "off"')
    door = look(path)
    page = {"broker": True, "problems": []}
    running = Door(door.path, door.config, "", page)
    assert CHECKS["broker"](running).state == "good"
    assert CHECKS["daemon"](running).state == "good"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"LoadState": "not-found"}, "bad"),
        ({"LoadState": "loaded", "UnitFileState": "disabled", "WatchdogUSec": "30s"}, "bad"),
        ({"LoadState": "loaded", "UnitFileState": "enabled", "WatchdogUSec": "0"}, "bad"),
        ({"LoadState": "loaded", "UnitFileState": "enabled", "WatchdogUSec": "30s"}, "good"),
    ],
)
def test_systemds_word_about_the_service_is_understood(said: dict[str, str], state: str) -> None:
    assert service._judge(said).state == state


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("2 confirmed", "good"),
        ("1 confirmed, 1 not confirmed", "bad"),
        ("1 chose none", "unknown"),
        ("none", "unknown"),
    ],
)
def test_a_phone_that_was_never_heard_in_a_pocket_is_told(path: Path, said: str, state: str) -> None:
    from doorbell.doctor import phones

    door = look(path)
    running = Door(door.path, door.config, "", {"phones": said})
    assert phones.phones(running).state == state
    assert said in phones.phones(running).sentence or said == "none"
    assert phones.phones(door).state == "unknown"
