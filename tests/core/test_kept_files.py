"""What the door keeps for itself is read in every version it was ever written in, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from doorbell import closed, household, overlay, pairing
from doorbell.config import Config, Door
from doorbell.owner.identity import Identity

OWNER = Identity(bytes(range(32)))
NAMES = {"name": closed.text, "size": closed.count}


def first_to_second(old: dict[str, Any]) -> dict[str, Any]:
    return {"name": old["called"]}


def second_to_third(old: dict[str, Any]) -> dict[str, Any]:
    return old | {"size": 0}


@pytest.mark.parametrize(
    "text", ['{"v":1,"called":"x"}', '{"v":2,"name":"x"}', '{"v":3,"name":"x","size":0}', '{"size":0,"name":"x","v":3}']
)
def test_a_file_of_every_earlier_version_is_read_as_todays(text: str) -> None:
    found = closed.versioned(text.encode(), 100, NAMES, (first_to_second, second_to_third))
    assert found == {"name": "x", "size": 0}


@pytest.mark.parametrize("text", ['{"v":4}', '{"v":9007199254740991,"what":{}}'])
def test_a_newer_file_is_called_newer_whatever_is_in_it(text: str) -> None:
    with pytest.raises(ValueError, match="newer doorbell wrote it: install that one again"):
        closed.versioned(text.encode(), 100, NAMES, (first_to_second, second_to_third))


@pytest.mark.parametrize("text", ['{"v":0}', '{"v":-1}', '{"v":"1"}', '{"v":true}', '{"name":"x"}', "[]", '{"v":3}'])
def test_a_file_without_a_version_or_with_keys_of_another_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        closed.versioned(text.encode(), 100, NAMES, (first_to_second, second_to_third))


NEWER = b'{"v":2,"more":[]}\n'


def test_settings_of_a_newer_door_stop_the_recording_and_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / overlay.NAME).write_bytes(NEWER)
    config = overlay.load(evolve(Config(), door=Door(state=tmp_path)))
    assert "newer doorbell" in config.recording_refused
    assert (tmp_path / overlay.NAME).read_bytes() == NEWER


def test_a_roster_of_a_newer_door_leaves_the_owner_alone_in_it(tmp_path: Path) -> None:
    (tmp_path / household.NAME).write_bytes(NEWER)
    other = Identity(bytes(32)).recipient
    home = household.load("front", tmp_path, (OWNER.recipient, other))
    assert "newer doorbell" in home.damaged
    assert home.recipients == (OWNER.recipient,)
    assert not home.was_never_paired


def test_an_invitation_of_a_newer_door_is_refused() -> None:
    with pytest.raises(ValueError, match="newer doorbell"):
        pairing.read(NEWER)
