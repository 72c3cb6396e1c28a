"""The archive for a helper holds nothing private, is shown before it is written, and never over another file."""

from __future__ import annotations

import json
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from doorbell import household, roster
from doorbell.cli.doctor import doctor
from doorbell.doctor import bundle
from doorbell.doctor.bundle import files, shown, sieved
from doorbell.doctor.finding import Door, bad
from doorbell.doctor.rounds import look, rounds
from doorbell.doorkeys import load_or_make
from doorbell.owner.identity import Identity
from doorbell.roster import Member
from tests.rigs.typed import runner

OWNER, BEN = Identity(bytes(range(32))), Identity(bytes(32))
PRIVATE = ("broker.home.example", "frontlogin", "hunter2secret", "Villa Kunterbunt", "seidenweg-7", "Benedikt", "Jo",
           "AB:CD:12:34:56:78", "192.168.17.23", "fe80::1ff:fe23:4567:890a", "mynetwork")  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    path = tmp_path / "doorbell.toml"
    path.write_text(
        f'[door]\nid = "seidenweg-7"\nname = "Villa Kunterbunt"\nstate = "{state}"\nruntime = "{tmp_path}/run"\n'
        f'[keys]\nrecipients = ["{OWNER.recipient}"]\n[camera]\nsource = "none"\n[pins]\nkind = "none"\n'
        '[mqtt]\nhost = "broker.home.example"\nusername = "frontlogin"\npassword = "hunter2secret"\ntls = "off"\n'
        "[privacy]\nmasks = [[[0.0, 0.0], [0.123, 0.0], [0.0, 0.1]]]\n"
    )
    members = [Member("owner", "admin", OWNER.recipient, OWNER.verify_key),
               Member("Benedikt", "member", BEN.recipient, BEN.verify_key)]  # fmt: skip
    for name, seed in (("Jo", b"2"), ("Jürgen", b"3")):
        one = Identity(seed * 32)
        members.append(Member(name, "member", one.recipient, one.verify_key))
    keys = load_or_make(state / "keys")
    household.load("seidenweg-7", state, (OWNER.recipient,)).keep(roster.begin("seidenweg-7", members, keys.sign))
    return path


def told(path: Path, sentence: str) -> str:
    door = look(path)
    door = Door(door.path, door.config, "", {"problems": [sentence]}, path.parent)
    return "\n".join(files(door, [("broker", bad(sentence, "Mend it."))]).values())


def test_nothing_private_is_in_the_archive_wherever_it_came_from(path: Path) -> None:
    sentence = (
        "Nothing listens at broker.home.example:8883 (192.168.17.23, fe80::1ff:fe23:4567:890a, AB:CD:12:34:56:78); "
        "Jo and BENEDIKT of Villa Kunterbunt, seidenweg-7, login frontlogin:hunter2secret, ssid=mynetwork, "
        f"{OWNER.line()}, {BEN.recipient}, {roster.member_id(BEN.verify_key)}, Jonas stays"
    )
    text = told(path, sentence)
    for word in (*PRIVATE[:6], *PRIVATE[7:], OWNER.line(), str(BEN.recipient), str(OWNER.recipient)):
        assert word.lower() not in text.lower(), word
    assert roster.member_id(BEN.verify_key) not in text
    assert " Jo " not in text
    assert "Jonas stays" in text
    assert "Nothing listens at (removed):8883" in text


HOST = "mq.kunterbunt-smart-home-of-the-family.example"
BROKEN = (
    '[door]\nid = "seidenweg-7"\nname = "Villa Kunterbunt"\nstate = "{state}"\n[mqtt]\n'
    f'host = "mqtts://frontlogin:hunter2secret@{HOST}:8883"\n'
    'username = "frontlogin"\npassword = "hunter2secret"\n[pins]\nled = 99\n'
)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text,
        lambda text: text.replace('"Villa Kunterbunt"', '["Villa Kunterbunt"]').replace("seidenweg-7", "Seidenweg-7"),
        lambda text: text.replace(".example:8883", '.example:8883"\nhots = "broker.home.example'),
        lambda text: text.replace("[mqtt]", "[mqtt").replace('"', "'"),
        lambda text: text.replace('8883"', "8883"),
        lambda text: text.replace("host = ", "host: "),
        lambda text: text.replace('name = "Villa Kunterbunt"', "name = Villa Kunterbunt"),
        lambda text: "\ufeff" + text.replace("\n", "\r\n") + "= =",
        lambda text: "[mqtt]\nhots = 1\n",
        lambda text: "[[[",
    ],
)
@pytest.mark.parametrize("before", [False, True])
def test_settings_that_cannot_be_read_give_nothing_away_either(
    path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str], before: bool
) -> None:
    state = path.parent / "state"
    if before:  # a door that worked once
        (path.parent / "doorbell.toml.good").write_text(path.read_text())
        (state / "last-good.toml").write_text(path.read_text())
    text = spoil(BROKEN.format(state=state))
    path.write_text(text)
    door = evolve(look(path), root=path.parent)
    assert door.why_unread
    known = [*PRIVATE[1:5], HOST, "Benedikt", "Jürgen"] if "state" in text else []
    known += PRIVATE[:1] if before and known else []
    logged = f"doorbell[7]: {door.why_unread}\nNobody answers at " + " or ".join(known)
    monkeypatch.setattr(bundle, "_log", lambda: logged)
    told = files(door, list(rounds(door)))
    for word in (*PRIVATE[:6], "mq.kunterbunt", "unterb", "mqtts://", "Jürgen", "J\\u00fcrgen"):
        assert word.lower() not in "\n".join(told.values()).lower(), word
    assert json.loads(told["settings.json"])["unread"]
    assert "configuration" in told["findings.txt"]


def test_a_number_that_does_not_fit_is_shown_where_the_setting_is_and_no_other_value() -> None:
    said = "camera.fps = 400: give 1 to 30.\ncamera.source = 'scene:x': the seed.\nmqtt.username = 4711: give text."
    assert sieved(said, ()) == (
        "camera.fps = 400: give 1 to 30.\ncamera.source = (removed): the seed.\nmqtt.username = (removed): give text."
    )
    fix = 'Set mqtt.tls = "ca" (or "pin"): it is safer. Without pins set pins.kind = "simulated" or "none".'
    assert sieved(fix, ()) == fix


def test_a_name_with_an_umlaut_is_found_in_what_the_door_says_of_itself(path: Path) -> None:
    assert "rgen" not in told(path, "Jürgen of Villa Kunterbunt was here")


def test_settings_that_say_nothing_of_anybody_are_shown_and_the_rest_is_set_or_not(path: Path) -> None:
    settings = shown(look(path).config)
    assert settings["visit"]["linger_s"] == 10.0
    assert (settings["mqtt"]["tls"], settings["mqtt"]["host"], settings["mqtt"]["password_file"]) == (
        "off", "(set)", "(not set)",
    )  # fmt: skip
    assert settings["privacy"]["masks"] == "(set)"
    assert "0.123" not in json.dumps(settings)


def test_a_version_and_the_loopback_are_left_readable() -> None:
    text = "mosquitto 2.0.11 at 127.0.0.1:1883, 12:34:56, /var/lib/doorbell/journal.sqlite3"
    assert sieved(text, ()) == text


def test_the_sieve_leaves_what_is_set_and_takes_the_rest() -> None:
    for kept in ('"password": "(not set)",', '"password_file": "(set)"', "no passwords here"):
        assert sieved(kept, ()) == kept
    assert sieved("password =  hunter2, at /home/benedikt/door.toml", ()) == (
        "password =  (removed) at /home/(name)/door.toml"
    )


def test_all_of_it_is_shown_and_nothing_is_written_without_a_yes(path: Path, tmp_path: Path) -> None:
    archive = tmp_path / "help.tar.gz"
    done = runner().invoke(doctor, ["--config", str(path), "--bundle", str(archive)])
    assert not archive.exists()
    assert "Nothing was written" in done.output
    done = runner().invoke(doctor, ["--config", str(path), "--bundle", str(archive), "--yes", "--json"])
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as opened:
        for entry in opened.getmembers():
            held = opened.extractfile(entry)
            assert held is not None
            assert held.read().decode() in done.stderr
    assert json.loads(done.stdout)
    before = archive.read_bytes()
    done = runner().invoke(doctor, ["--config", str(path), "--bundle", str(archive), "--yes"])
    assert "is not overwritten" in str(done.exception)
    assert archive.read_bytes() == before
