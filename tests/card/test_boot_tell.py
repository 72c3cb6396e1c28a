"""The text that the door leaves on its boot volume, and when."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell.boot import readme, tell
from doorbell.boot.adopt import Adoption
from doorbell.boot.places import Places
from doorbell.boot.tell import Facts, Memory
from doorbell.owner.identity import Identity
from tests.rigs.broker import Certificates

WELL = Facts(runs=True, died=False, network=True, has_wifi=True, broker=True)
GOOD = f'[keys]\nrecipients = ["{Identity(bytes(range(32))).recipient}"]\n[mqtt]\nhost = "broker.example"\n'
ROUTE = "Iface Destination Gateway Flags RefCnt Use Metric Mask\nwlan0 00000000 0101A8C0 0003 0 0 600 00000000\n"


@pytest.fixture
def door(places: Places) -> Places:
    """A door that is well: network, broker, a daemon that runs."""
    (places.root / "proc/net/route").write_text(ROUTE)
    (places.root / "sys/class/net/wlan0/wireless").mkdir(parents=True)
    put(places, GOOD)
    page(places)
    return places


def put(places: Places, settings: str) -> None:
    """The owner writes doorbell.toml on the boot volume, and the door starts."""
    (places.boot / "doorbell/doorbell.toml").write_text(settings)
    Adoption(places, None).run()


def page(places: Places, **changes: Any) -> None:
    places.page.parent.mkdir(exist_ok=True)
    shown = {"pid": os.getpid(), "uptime": time.monotonic(), "broker": True, "bell_only": False, "problems": []}
    places.page.write_text(json.dumps({**shown, **changes}))


def text(places: Places) -> str:
    return (places.boot / readme.NAME).read_bytes().decode()


def told(places: Places) -> str:
    """What stands in the text after a start, in one line."""
    tell.tell(places, 5, at_once=True)
    return " ".join(text(places).split())


def test_a_door_that_is_well_says_so_once(door: Places) -> None:
    assert tell.tell(door, 700)
    assert readme.WELL in text(door)
    before = (door.boot / readme.NAME).stat().st_ino
    assert not any(tell.tell(door, at) for at in range(1400, 6000, 300))
    assert (door.boot / readme.NAME).stat().st_ino == before, "not written again"


def test_a_broker_that_is_away_for_ten_minutes_is_told_and_then_taken_back(door: Places) -> None:
    page(door, broker=False)
    assert tell.tell(door, 1000)  # all is well, so far
    assert not tell.tell(door, 1590)
    assert tell.tell(door, 1610)
    assert "has not reached its broker" in text(door)
    page(door)
    assert not tell.tell(door, 1900), "not written more often than every ten minutes"
    assert tell.tell(door, 2300)
    assert readme.WELL in text(door)


def test_no_wifi_is_told_and_not_blamed_on_the_broker(door: Places) -> None:
    page(door, broker=False)
    (door.root / "proc/net/route").write_text("Iface\n")
    tell.tell(door, 100)
    tell.tell(door, 800)
    assert "no Wi-Fi for ten minutes" in text(door)
    assert "broker" not in text(door)
    (door.root / "sys/class/net/wlan0/wireless").rmdir()
    tell.tell(door, 1500)
    assert "the cable is loose" in text(door)


def test_ipv6_alone_is_a_network(door: Places) -> None:
    (door.root / "proc/net/route").write_text("Iface\n")
    nobody = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 1 0 00200200       lo\n"
    way = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 1 0 00000003    wlan0\n"
    for table, there in ((nobody, False), (nobody + way, True)):
        (door.root / "proc/net/ipv6_route").write_text(table)
        assert tell.look(door).network is there


def test_a_program_that_does_not_run_is_told_after_its_first_minutes(door: Places) -> None:
    door.page.unlink()
    tell.tell(door, 60)
    assert readme.WELL in text(door)
    tell.tell(door, 700)
    assert "has not started" in text(door)
    page(door)
    tell.tell(door, 1400)
    door.page.unlink()
    tell.tell(door, 2100, at_once=True)
    assert readme.WELL in text(door), "a program that is started afresh is none that has stopped"


def test_three_deaths_are_told_and_settings_that_cannot_be_read_are_no_death(door: Places) -> None:
    page(door, bell_only=True, broker=False)
    tell.tell(door, 700)
    assert "died three times" in text(door)
    (door.settings / "doorbell.toml").write_text("[mqtt")
    assert not tell.look(door).died


def test_the_owners_mistake_stands_in_the_text_at_once(door: Places) -> None:
    (door.boot / "doorbell/doorbell.toml").write_bytes(b'[mqtt]\r\nhots = "broker.example"\r\n')
    Adoption(door, None).run()
    assert tell.tell(door, 5, at_once=True)
    assert "TO MEND: doorbell.toml: mqtt.hots: no such setting" in " ".join(text(door).split())
    assert "the button rings the door's own chime" in " ".join(text(door).split())
    lines = (door.boot / readme.NAME).read_bytes().split(b"\r\n")
    assert all(len(line) <= 120 and b"\n" not in line for line in lines), "every system's editor shows it"


@pytest.mark.parametrize("settings", ["", "[keys]\nrecipients = []\n", '[mqtt]\nhost = "broker.example"\n'])
def test_a_door_that_no_key_opens_says_that_it_records_nothing(door: Places, settings: str) -> None:
    put(door, settings)
    assert "TO MEND: No key of an owner is known, so nothing is recorded." in told(door)
    assert readme.WELL not in told(door)


@pytest.mark.parametrize("name", ["roster.json", "pairing.json", "by-light.json"])
def test_a_key_that_comes_by_pairing_is_none_that_is_missing(door: Places, name: str) -> None:
    put(door, '[mqtt]\nhost = "broker.example"\n')
    door.state.mkdir()
    (door.state / name).write_text("{}")
    assert readme.WELL in told(door)


def test_a_bell_without_a_camera_needs_no_key(door: Places) -> None:
    put(door, '[camera]\nsource = "none"\n')
    assert readme.WELL in told(door)


def test_settings_that_were_never_there_are_missed_and_deleted_ones_are_not(door: Places) -> None:
    (door.boot / "doorbell/doorbell.toml").unlink()
    assert readme.WELL in told(door), "those of before go on"
    (door.settings / ".taken").unlink()
    assert "TO MEND: There is no doorbell.toml in the folder doorbell" in told(door)


@pytest.mark.parametrize("name", ["doorbell/doorbell.toml.txt", "doorbell/doorbell.txt", "doorbell.toml"])
@pytest.mark.parametrize("beside", [False, True])
def test_a_file_of_another_name_or_in_the_wrong_folder_is_told(door: Places, name: str, beside: bool) -> None:
    if not beside:
        (door.boot / "doorbell/doorbell.toml").unlink()
        (door.settings / ".taken").unlink()
    (door.boot / name).write_text(GOOD)
    said = told(door)
    assert f"TO MEND: {name} is not read" in said
    assert "There is no doorbell.toml" not in said and readme.WELL not in said


def test_settings_spoilt_at_the_door_itself_are_told_and_once_only(door: Places) -> None:
    (door.settings / "doorbell.toml").write_text('[door]\nid = "MeinPasswort!"\n')
    assert "The settings at the door itself cannot be used. door.id: give" in told(door)
    assert "MeinPasswort" not in told(door)
    (door.settings / "doorbell.toml").unlink()
    assert "The settings at the door itself cannot be used." in told(door)
    put(door, "[mqtt]\nhots = 1\n")
    assert told(door).count("TO MEND") == 1
    put(door, GOOD)
    (door.settings / "doorbell.toml").write_text(GOOD + "[privacy]\nmasks = [[[0, 0]]]\n")
    assert "TO MEND: Nothing is recorded. privacy.masks: polygon 1" in told(door)


def test_files_that_the_settings_name_and_the_door_does_not_have_are_told_at_once(door: Places) -> None:
    put(door, GOOD + 'username = "a"\npassword_file = "/etc/doorbell/hunter2"\nca_file = "/etc/doorbell/hunter3"\n')
    said = told(door)
    assert "TO MEND: mqtt.password_file in doorbell.toml names a file that the door does not have." in said
    assert "TO MEND: mqtt.ca_file in doorbell.toml names a file that the door does not have." in said
    assert "hunter" not in said
    (door.settings / "hunter2").write_text("x")
    (door.settings / "hunter3").write_bytes(Certificates(door.root).make_authority().ca.read_bytes())
    assert readme.WELL in told(door)
    (door.settings / "hunter3").write_text("-----BEGIN CERTIFICATE-----\ngarbage")
    assert "TO MEND: mqtt.ca_file in doorbell.toml names a file that holds no certificate" in told(door)
    put(door, GOOD + 'ca_file = "/etc/doorbell/hunter3"\ntls = "off"\n[push]\nweb = true\nca_file = "/none"\n')
    assert told(door).count("TO MEND") == 1 and "push.ca_file" in told(door)


@pytest.mark.parametrize(
    "spoilt",
    [b"", b"{", b"[]", b"null", b'{"pid": "1", "uptime": 5}', b"[" * 60_000, b"x" * 70_000, b'{"pid":1}', b"\xff"],
)
def test_a_page_that_is_none_counts_as_none(door: Places, spoilt: bytes) -> None:
    door.page.write_bytes(spoilt)
    assert not tell.look(door).runs
    tell.tell(door, 700)


def test_nothing_of_the_daemons_words_reaches_the_boot_volume(door: Places) -> None:
    page(door, problems=["hunter2"], door="hunter2", camera="hunter2", bell_only="hunter2", broker="hunter2")
    for at in (700, 1400, 2100):
        tell.tell(door, at)
    assert "hunter2" not in text(door)


def test_a_link_in_the_texts_place_is_replaced_not_followed(door: Places, tmp_path: Path) -> None:
    target = tmp_path / "passwd"
    target.write_text("untouched")
    (door.boot / readme.NAME).symlink_to(target)
    tell.tell(door, 700)
    assert target.read_text() == "untouched"
    assert not (door.boot / readme.NAME).is_symlink() and readme.WELL in text(door)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=60))
def test_what_is_told_has_always_lasted_and_what_lasts_is_always_told(looks: list[tuple[bool, bool, bool]]) -> None:
    memory, gone = Memory(), None
    for number, (network, broker, runs) in enumerate(looks):
        at = 300.0 * number
        memory, seen = tell.step(memory, Facts(runs, False, network, True, broker), at)
        gone = None if network else at if gone is None else gone
        assert seen.no_network == (gone is not None and at - gone >= tell.PATIENCE_S)
