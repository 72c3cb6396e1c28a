"""Who is in force at the door, over power cuts and damaged cards."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from doorbell import household, roster
from doorbell.errors import DeviceError
from tests.roster.test_roster import make

FIRST, OWNER, ANNA, BEN = make.FIRST, make.OWNER, make.ANNA, make.BEN
CONFIGURED = (OWNER.recipient, BEN.recipient)


def home(state: Path) -> household.Household:
    return household.load("front", state, CONFIGURED)


def adopt(now: household.Household, new: roster.Roster) -> None:
    now.keep(new)
    now.adopt(new)


def without_anna(before: roster.Roster) -> roster.Roster:
    return roster.accept(make.following(before, [OWNER, BEN], "owner"), before)


def test_a_door_without_a_roster_seals_to_its_configuration(tmp_path: Path) -> None:
    assert home(tmp_path).recipients == CONFIGURED
    assert home(tmp_path).was_never_paired


def test_a_roster_takes_over_from_the_configuration_for_good(tmp_path: Path) -> None:
    adopt(home(tmp_path), FIRST)
    again = home(tmp_path)
    assert again.roster == FIRST
    assert again.recipients == (OWNER.recipient, ANNA.recipient)
    assert not again.was_never_paired


def test_who_was_removed_is_known_as_such_after_a_restart(tmp_path: Path) -> None:
    now = home(tmp_path)
    adopt(now, FIRST)
    adopt(now, without_anna(FIRST))
    again = home(tmp_path)
    assert again.member(ANNA.id) is None
    assert again.was_member(ANNA.id) == household.Known(ANNA.recipient, ANNA.verify_key)
    assert again.recipients == (OWNER.recipient, BEN.recipient)


def test_who_comes_back_is_no_former_member(tmp_path: Path) -> None:
    now = home(tmp_path)
    adopt(now, FIRST)
    second = without_anna(FIRST)
    adopt(now, second)
    adopt(now, roster.accept(make.following(second, [OWNER, ANNA], "owner"), second))
    assert now.was_member(ANNA.id) is None
    assert now.was_member(BEN.id)


def test_only_the_door_may_read_its_roster(tmp_path: Path) -> None:
    adopt(home(tmp_path), FIRST)
    assert stat.S_IMODE((tmp_path / "roster.json").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["roster.json"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "\0", '{"v":1,"roster":{"json":"{}","sig":""},"former":[]}'])
def test_a_damaged_roster_leaves_the_owner_alone_and_no_door_open(tmp_path: Path, text: str) -> None:
    (tmp_path / "roster.json").write_text(text)
    found = home(tmp_path)
    assert found.recipients == (OWNER.recipient,)
    assert "enrol the door again" in found.damaged
    assert not found.was_never_paired
    assert found.member(ANNA.id) is None


def test_another_doors_roster_is_not_obeyed(tmp_path: Path) -> None:
    adopt(home(tmp_path), FIRST)
    other = household.load("back", tmp_path, CONFIGURED)
    assert other.damaged
    assert other.recipients == (OWNER.recipient,)


def test_a_roster_of_a_newer_door_is_not_guessed_at(tmp_path: Path) -> None:
    adopt(home(tmp_path), FIRST)
    file = tmp_path / "roster.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"v": 2}))
    assert home(tmp_path).damaged


def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "roster.json").write_bytes(b" " * 100_000)
    assert "32768" in home(tmp_path).damaged


def test_a_link_in_the_rosters_place_is_not_followed(tmp_path: Path) -> None:
    adopt(home(tmp_path), FIRST)
    (tmp_path / "roster.json").rename(tmp_path / "elsewhere")
    (tmp_path / "roster.json").symlink_to(tmp_path / "elsewhere")
    assert home(tmp_path).damaged


def test_a_card_that_refuses_leaves_the_old_roster_in_force(tmp_path: Path) -> None:
    now = home(tmp_path)
    adopt(now, FIRST)
    now.state = tmp_path / "gone"
    with pytest.raises(DeviceError):
        now.keep(without_anna(FIRST))
    assert now.roster == FIRST
    assert ANNA.recipient in now.recipients


def test_what_a_power_cut_left_half_written_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "roster.json.new").write_text("half")
    now = home(tmp_path)
    assert now.was_never_paired
    adopt(now, FIRST)
    assert home(tmp_path).roster == FIRST


def test_former_members_are_bounded(tmp_path: Path) -> None:
    now = home(tmp_path)
    adopt(now, FIRST)
    for number in range(70):
        guest = make.member(f"guest {number}")
        assert now.roster
        adopt(now, roster.accept(make.following(now.roster, [OWNER, ANNA, guest], "Anna"), now.roster))
    assert len(home(tmp_path).former) == 64
    assert now.was_member(make.member("guest 68").id)
