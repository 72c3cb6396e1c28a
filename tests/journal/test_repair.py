"""doorbell check --repair: what is safe is mended and told in the journal; evidence is left as it lies."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorbell.alone import alone
from doorbell.cli.check import check as check_command
from doorbell.clips.store import Part
from doorbell.doorkeys import load_or_make
from doorbell.journal.book import NAME
from tests.rigs.journal import Door, clip_id, stamp


@pytest.fixture
def config(door: Door, tmp_path: Path) -> Path:
    """The configuration of a door that ran, recorded two clips, and was stopped."""
    file = tmp_path / "doorbell.toml"
    file.write_text(f'[door]\nstate = "{door.state}"\n[keys]\nrecipients = ["{door.owner.recipient}"]\n')
    door.settle(1)
    door.keys = load_or_make(door.state / "keys")
    door.writer.close()
    (door.state / NAME).unlink()
    door.start()
    door.record(1)
    door.record(2)
    door.writer.close()
    return file


def call(config: Path, *words: str) -> Result:
    return CliRunner().invoke(check_command, ["--config", str(config), *words])


def clip(door: Door, number: int) -> Path:
    return door.state / "clips" / f"{clip_id(number)}.mp4.age"


def old(path: Path) -> Path:
    path.chmod(0o600)
    os.utime(path, (1.7e9, 1.7e9))
    return path


def bodies(door: Door) -> list[dict[str, Any]]:
    return [told.body for told in door.history() if told.body is not None]


def test_a_card_in_order_is_not_written_to(door: Door, config: Path) -> None:
    before = (door.state / NAME).read_bytes()
    assert call(config, "--repair").exit_code == 0
    assert (door.state / NAME).read_bytes() == before


def test_everything_that_is_safe_is_mended_and_told(door: Door, config: Path) -> None:
    clip(door, 1).unlink()
    (door.state / "clips/holiday.mp4").write_bytes(b"x")
    old(door.state / "clips/holiday.mp4")
    clip(door, 2).chmod(0o644)
    found = json.loads(call(config, "--json").output)
    assert [one["invariant"] for one in found["findings"]] == [1, 4, 9]
    done = call(config, "--repair")
    assert (done.exit_code, done.output.count("mended")) == (0, 3)
    assert "told in the journal as vanished" in done.output
    assert (door.state / "clips/aside/holiday.mp4").read_bytes() == b"x"
    assert stat.S_IMODE(clip(door, 2).stat().st_mode) == 0o600
    vanished, repaired = bodies(door)[-2:]
    assert (vanished["what"], vanished["clips"]) == ("vanished", [clip_id(1)])
    assert (repaired["what"], repaired["invariants"]) == ("repaired", {"1": 1, "4": 1, "9": 1})
    assert call(config).exit_code == 0


def test_a_clip_that_a_power_cut_left_is_cut_and_told(door: Door, config: Path) -> None:
    door.start()
    door.line.put(door.request("ClipStarted", clip_id(3), {}, stamp()))
    door.settle(2)
    door.writer.close()
    part = Part(door.state / "clips", clip_id(3), lambda: 0.0)
    part.write(door.seal(bytes(200_000))[:150_000])
    part.abandon()
    old(door.state / "clips" / f"{clip_id(3)}.part")
    done = call(config, "--repair", "--json")
    assert done.exit_code == 0
    assert [one["invariant"] for one in json.loads(done.output)["mended"]] == [3]
    assert [body["kind"] for body in bodies(door)[-2:]] == ["clip_cut", "storage"]
    assert clip(door, 3).stat().st_size < 150_000


def test_files_of_a_deleted_clip_are_removed(door: Door, config: Path) -> None:
    whole = clip(door, 1).read_bytes()
    door.start()
    door.line.put(door.request("Delete", clip_id(1), "asked", stamp()))
    door.settle(2)
    door.writer.close()
    clip(door, 1).write_bytes(whole)
    old(clip(door, 1))
    assert call(config).exit_code == 1
    assert call(config, "--repair").exit_code == 0
    assert not clip(door, 1).exists()


def test_a_clip_of_another_size_is_evidence(door: Door, config: Path) -> None:
    clip(door, 1).write_bytes(clip(door, 1).read_bytes() + b"x" * 100)
    before = clip(door, 1).read_bytes()
    done = call(config, "--repair")
    assert done.exit_code == 1
    assert "mended" not in done.output
    assert clip(door, 1).read_bytes() == before


def test_a_replaced_clip_is_still_told_after_a_repair(door: Door, config: Path, tmp_path: Path) -> None:
    (tmp_path / "owner.txt").write_text(door.owner.line() + "\n")
    clip(door, 1).write_bytes(door.seal(bytes(300_000)))
    clip(door, 2).chmod(0o640)
    done = call(config, "--repair", "--thorough", "--identity", str(tmp_path / "owner.txt"), "--json")
    found = json.loads(done.output)
    assert done.exit_code == 1
    assert [one["invariant"] for one in found["findings"]] == [10]
    assert [one["invariant"] for one in found["mended"]] == [9]


@pytest.mark.parametrize(("name", "mode"), [("keys", 0o755), ("keys/signing.key", 0o644), ("keys/box.key", 0o640)])
def test_exposed_keys_are_locked_with_all_the_rest_and_the_owner_hears_what_to_do(
    door: Door, config: Path, name: str, mode: int
) -> None:
    (door.state / name).chmod(mode)
    (door.state / "clips/holiday.mp4").write_bytes(b"x")
    old(door.state / "clips/holiday.mp4")
    done = call(config, "--repair")
    assert (done.exit_code, done.output.count("mended")) == (0, 2), done.output
    assert stat.S_IMODE((door.state / name).stat().st_mode) == mode & 0o700
    assert "may know the door's keys" in done.output
    assert "pair every phone again" in done.output
    assert bodies(door)[-1]["invariants"] == {"4": 1, "9": 1}
    assert call(config).exit_code == 0


@pytest.mark.parametrize("how", ["signature", "page", "key"])
def test_behind_a_damaged_journal_nothing_is_written(door: Door, config: Path, how: str) -> None:
    clip(door, 1).chmod(0o644)
    if how == "key":
        (door.state / "keys/signing.key").write_bytes(bytes(32))
    else:
        book = door.state / NAME
        data = bytearray(book.read_bytes())
        damage(door, data, how)
        book.write_bytes(data)
    before = (door.state / NAME).read_bytes()
    done = call(config, "--repair")
    assert done.exit_code == 2
    assert ("nothing was changed" if how != "page" else "malformed") in done.output
    assert (door.state / NAME).read_bytes() == before
    assert stat.S_IMODE(clip(door, 1).stat().st_mode) == 0o644


def damage(door: Door, data: bytearray, how: str) -> None:
    """A byte of the last entry's signature, or a whole page of the tables."""
    if how == "page":
        data[8192 : 8192 + 64] = b"\xff" * 64
        return
    from doorbell.journal.opening import open_to_read

    book = open_to_read(door.state)
    last = list(book.entries())[-1]
    book.close()
    at = data.find(last.sig)
    data[at] ^= 1


def test_beside_a_running_door_it_refuses(door: Door, config: Path) -> None:
    clip(door, 1).chmod(0o644)
    with alone(door.state, "nobody"):
        done = call(config, "--repair")
    assert done.exit_code == 2
    assert "restart it" in done.output
    assert stat.S_IMODE(clip(door, 1).stat().st_mode) == 0o644


def test_a_link_in_clips_is_strange_and_its_target_is_not_touched(door: Door, config: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"somebody's")
    target.chmod(0o644)
    clip(door, 1).unlink()
    clip(door, 1).symlink_to(target)
    assert call(config, "--repair").exit_code == 0
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"somebody's", 0o644)
    assert bodies(door)[-2]["what"] == "vanished"
