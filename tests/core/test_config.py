"""The configuration: what it says, and how it says what is wrong with it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell import configfile
from doorbell.config import Config
from doorbell.configfile import for_recorder, from_doorman, load, parse, structure, tables
from doorbell.errors import ConfigError

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
PRIVATE = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQS2KY2X"


def test_an_empty_configuration_favours_privacy() -> None:
    found = parse("")
    assert not found.privacy.clear_snapshot
    assert not found.homeassistant.may_switch_recording
    assert found.storage.days == 14
    assert found.keys.recipients == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[camera]\nfps = 400", "camera.fps = 400: give 1 to 30 frames per second."),
        ('[camera]\nfps = "15"', "camera.fps = '15': give a whole number."),
        ("[camera]\nfps = true", "camera.fps = true: give a whole number."),
        ("[camera]\nwidth = 641", "camera.width = 641: give an even number of pixels, 160 to 1920."),
        ("[camera]\nrotation = 90", "camera.rotation = 90: give 0 or 180 degrees."),
        ('[camera]\nsource = "usb"', "camera.source = 'usb': give picamera2, file:VIDEO"),
        ("[visit]\nlinger_s = nan", "visit.linger_s = nan: give a number."),
        ("[visit]\nlinger_s = 60\nlongest_s = 20", "visit.linger_s = 60: longer than visit.longest_s"),
        ('[door]\nid = "Front"', "door.id = 'Front': give 1 to 32 of a to z, 0 to 9 and -."),
        ("[privacy]\nclear_snapshots = false", "privacy.clear_snapshots: no such setting; known here: clear_events,"),
        ("[prviacy]\nclear_events = false", "prviacy: no such setting; known here: camera, door,"),
        ("door = 5", "door: give a table of settings."),
        ('[keys]\nrecipients = "age1"', "keys.recipients: give a list" ),
        ('[motion]\nrecord_on = "always"', 'give "press", "motion" or "motion-and-pir".'),
        ('[motion]\nrecord_on = "motion-and-pir"', "no PIR is fitted"),
        ("[motion]\nzones = [[[0, 0], [1, 0]]]", "motion.zones: polygon 1: give 3 to 64 corners"),
        ("[motion]\nzones = [[[0, 0], [1, 0], [1, 1.5]]]", "polygon 1, corner 3: give [x, y], each a number"),
        ("[motion]\nzones = [[[0, 0], [0.5, 0.5], [1, 1]]]", "it encloses no area"),
        ("[pins]\nbutton = 17\nled = 17", "pins.led = 17: pins.button uses this pin too"),
        ("[pins]\nbutton = 99", "pins.button = 99: give a BCM pin number"),
        ('[mqtt]\ntls = "pin"', "give mqtt.pin_sha256"),
        ('[mqtt]\nhost = "a\\nb"', "give the broker's name or address alone"),
        ('[mqtt]\nhost = "mqtt://broker"', "mqtt.host = 'mqtt://broker': give the broker's name"),
        ('[mqtt]\nhost = "broker:1883"', "name or address alone; its port belongs in mqtt.port"),
        ('[mqtt]\nusername = "a\\nb"', "give one line"),
        ('[door]\nstate = ""', "door.state = '.': give the whole path, from / on."),
        ('[door]\nstate = "~/door"', "door.state = '~/door': give the whole path, from / on."),
        ('[door]\nruntime = "/a\\u0000b"', "give the whole path, from / on."),
        ("[visit", "The configuration is no TOML"),
        ("[door]\nid = " + "[" * 5000, "nested too deeply"),
        ("[door]\nid = " + "[" * 150 + "]" * 150, "door.id"),
        ("[visit]\nlonger_s = " + "1" * 5000, "a number of thousands of digits"),
        ("[pins]\nbutton = 0x" + "f" * 5000, "pins.button = a number of thousands of digits: give a BCM pin number"),
        ("[visit]\nlinger_s = 0x" + "f" * 5000, "visit"),
        ("[privacy]\nclear_snapshot = true", "no picture leaves the door unsealed"),
        ("[storage]\nquota_mb = 5", "give 64 to 2000000 MB, or 0 for 80 % of what is free"),
        ("[mqtt]\npassword = 'a'\npassword_file = 'b'", "give one of them"),
        ("recording_refused = 'x'", "recording_refused: no such setting"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_key_the_value_and_the_fix(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(text)
    assert sentence in str(error.value)


def test_the_mistakes_of_all_sections_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        parse("[camera]\nfps = 0\n[storage]\ndays = -1\n[door]\ncolour = 1\nsize = 2")
    assert len(str(error.value).splitlines()) == 4


def test_a_private_key_where_a_recipient_belongs_is_never_repeated() -> None:
    with pytest.raises(ConfigError) as error:
        parse(f'[keys]\nrecipients = ["{PRIVATE}"]')
    assert "private key" in str(error.value)
    assert not str(error.value).endswith("..")
    assert PRIVATE[:20] not in str(error.value)


def test_a_password_of_the_wrong_type_is_never_repeated() -> None:
    with pytest.raises(ConfigError) as error:
        parse("[mqtt]\npassword = 123456")
    assert "123456" not in str(error.value)


def test_a_mask_that_cannot_be_read_stops_the_recording_and_not_the_ring() -> None:
    found = parse('[mqtt]\nhost = "broker"\n[privacy]\nmasks = [[[0, 0], [2, 0], [0, 1]]]')
    assert "polygon 1, corner 2" in found.recording_refused
    assert found.mqtt.host == "broker"
    assert found.privacy.masks == ()


def test_a_mask_is_no_excuse_for_another_mistake() -> None:
    with pytest.raises(ConfigError):
        parse("[camera]\nfps = 0\n[privacy]\nmasks = 5")


def test_a_byte_order_mark_and_windows_line_ends_are_forgiven(tmp_path: Path) -> None:
    file = tmp_path / "doorbell.toml"
    file.write_bytes(b'\xef\xbb\xbf[door]\r\nid = "back"\r\n')
    assert load(file).door.id == "back"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (configfile.LARGEST + 1), None])
def test_a_file_that_is_no_text_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "doorbell.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"doorbell\.toml"):
        load(file)


def test_what_show_config_tells_is_what_is_in_force() -> None:
    found = parse(f'[keys]\nrecipients = ["{RECIPIENT}"]\n[privacy]\nmasks = [[[0, 0], [0.5, 0], [0.5, 1]]]')
    assert structure(tables(found)) == found


def test_the_recorder_is_told_no_login() -> None:
    found = parse('[mqtt]\nhost = "broker"\nusername = "front"\npassword = "secret"')
    assert "secret" not in repr(for_recorder(found))
    assert from_doorman(for_recorder(found)).mqtt == Config().mqtt


def test_the_recorder_reads_back_what_the_doorman_was_told() -> None:
    found = parse(
        f'[door]\nid = "back"\n[keys]\nrecipients = ["{RECIPIENT}"]\n[camera]\nsource = "scene"\n'
        "[visit]\npreroll_s = 3\n[privacy]\nmasks = [[[0, 0], [0.5, 0], [0.5, 1]]]\n"
        "[motion]\nzones = [[[0, 0], [1, 0], [1, 1]]]"
    )
    assert from_doorman(json.loads(json.dumps(for_recorder(found)))) == found


@pytest.mark.parametrize(
    "change",
    [{"camera": {"width": 5000}}, {"camera": {"wide": 1}}, {"visit": None}, {"keys": {"recipients": "age1"}}],
    ids=repr,
)
def test_the_recorder_believes_no_setting_the_owner_could_not_give(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, ConfigError)):
        from_doorman(for_recorder(Config()) | change)


@given(st.text(max_size=200))
def test_no_text_makes_the_configuration_raise_anything_but_its_own_error(text: str) -> None:
    with suppress(ConfigError):
        parse(text)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.just([[[0, 0], [1, 0], [1, 1]]]),
)  # fmt: skip


@given(
    st.sampled_from(["door", "keys", "pins", "camera", "privacy", "motion", "visit", "mqtt", "else"]),
    st.dictionaries(
        st.sampled_from(["id", "fps", "masks", "zones", "recipients", "button", "host", "linger_s", "x"]), VALUES
    )
    | VALUES,
)
def test_no_value_of_any_type_gets_past_the_schema_unchecked(section: str, settings: object) -> None:
    try:
        found = structure({section: settings})
    except ConfigError:
        return
    assert structure(tables(found)) == found
