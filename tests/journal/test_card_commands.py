"""doorbell check, journal and clips: what a person sees, and their exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorbell.check import ENTRY, check, work
from doorbell.cli.check import check as check_command
from doorbell.cli.clips import clips as clips_command
from doorbell.cli.journal import journal as journal_command
from doorbell.clips.store import keep_poster
from doorbell.journal.book import NAME
from doorbell.journal.requests import ClipKept, ClipStarted, Write
from doorbell.owner.identity import Identity
from tests.rigs.journal import Door, stamp


def call(command: Any, *arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Exit code of `doorbell`, and what a person sees of it."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        command = [sys.executable, "-m", "doorbell", *arguments]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as child:
            os.close(theirs)
            seen = b""
            with contextlib.suppress(OSError):  # EIO: the other side of the terminal is closed
                while piece := screen.read(4096):
                    seen += piece
        return child.returncode, seen.decode()


@pytest.mark.parametrize(("words", "shown"), [(("--thorough",), True), ((), False)])
def test_who_looks_on_sees_how_far_a_thorough_check_has_come(
    door: Door, words: tuple[str, ...], *, shown: bool
) -> None:
    for number in (1, 2, 3):
        door.record(number)
    code, seen = on_a_terminal("check", "--state", str(door.state), *words)
    assert code == 0, seen
    assert (("reading every clip and entry" in seen), "100%" in seen) == (shown, shown)
    if not shown:
        assert call(check_command, "--state", door.state, "--thorough").stderr == ""


def test_the_bar_ends_where_it_was_said_to(door: Door) -> None:
    """Clips and entries: a bar of the clips alone stands at its end while the journal's signatures take their time."""
    for number in (1, 2):
        door.record(number)
    told: list[int] = []
    assert check(door.state, thorough=True, progress=told.append).findings == ()
    assert sum(told) == work(door.state)
    assert told.count(ENTRY) >= 4


@pytest.fixture
def identity(door: Door, tmp_path: Path) -> Path:
    """The owner's file, as keygen writes it."""
    from doorbell.clips import bech32

    path = tmp_path / "owner.txt"
    path.write_text(bech32.encode("age-secret-key-", door.owner.secret).upper() + "\n")
    path.chmod(0o600)
    return path


def test_a_door_in_order_passes(door: Door, identity: Path) -> None:
    door.record(1)
    for arguments in ([], ["--thorough"], ["--thorough", "--identity", identity]):
        result = call(check_command, "--state", door.state, *arguments)
        assert (result.exit_code, result.output) == (0, "2 entries, 1 clips, 300264 bytes: all invariants hold.\n")


def damage(door: Door, invariant: int, clip: str) -> None:
    path = door.state / "clips" / f"{clip}.mp4.age"
    match invariant:
        case 1:
            path.unlink()
        case 2:
            data = path.read_bytes()
            path.write_bytes(b"x" + data[1:])
        case 3:
            part = path.with_name(f"{clip}.part")
            part.touch(0o600)
        case 4:
            path.with_name("holiday.mp4").touch(0o600)
        case 6:
            door.writer._book._db.execute("UPDATE entry SET sig = zeroblob(64) WHERE idx = 2")  # type: ignore[union-attr]
        case 7:
            ask = door.writer._book._db.execute  # type: ignore[union-attr]
            ask("PRAGMA ignore_check_constraints = ON")
            ask("UPDATE entry SET body = NULL WHERE idx = 1")
        case 8:
            ask = door.writer._book._db.execute  # type: ignore[union-attr]
            door.line.put(Write("ring", {}, stamp()))
            door.settle(2)
            ask("UPDATE clip SET deleted = 3")
        case 9:
            path.chmod(0o644)


@pytest.mark.parametrize("invariant", [1, 2, 3, 4, 6, 7, 8, 9])
def test_each_invariant_is_checked(door: Door, invariant: int) -> None:
    damage(door, invariant, door.record(1))
    result = call(check_command, "--state", door.state, "--json")
    assert result.exit_code == 1
    assert {finding["invariant"] for finding in json.loads(result.output)["findings"]} == {invariant}


def test_the_quota_is_checked_where_a_configuration_tells_it(door: Door, tmp_path: Path) -> None:
    door.record(1)
    config = tmp_path / "door.toml"
    recipient = str(Identity(bytes(range(32))).recipient)
    config.write_text(
        f'[door]\nstate = "{door.state}"\n[keys]\nrecipients = ["{recipient}"]\n[storage]\nquota_mb = 64\n'
    )
    assert call(check_command, "--config", config).exit_code == 0
    door.writer._book._db.execute("UPDATE clip SET bytes = 64000001")  # type: ignore[union-attr]
    result = call(check_command, "--config", config, "--json")
    assert {finding["invariant"] for finding in json.loads(result.output)["findings"]} == {1, 5}


def test_a_replaced_clip_is_found_only_with_the_identity(door: Door, identity: Path) -> None:
    clip = door.record(1)
    path = door.state / "clips" / f"{clip}.mp4.age"
    path.write_bytes(door.seal(bytes(300_000)))
    assert call(check_command, "--state", door.state, "--thorough").exit_code == 0
    result = call(check_command, "--state", door.state, "--thorough", "--identity", identity)
    assert (result.exit_code, result.output.split()[0]) == (1, "10")


def test_checking_writes_nothing(door: Door) -> None:
    door.record(1)
    door.writer.close()
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in door.state.rglob("*")}
    call(check_command, "--state", door.state, "--thorough")
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in door.state.rglob("*")} == before


@pytest.mark.parametrize("command", [check_command, journal_command, clips_command])
def test_what_cannot_be_looked_at_is_said_with_exit_2(command: Any, tmp_path: Path) -> None:
    missing = call(command, "--state", tmp_path / "nowhere")
    (tmp_path / NAME).write_bytes(b"junk" * 999)
    junk = call(command, "--state", tmp_path)
    both = call(command, "--state", tmp_path, "--config", tmp_path)
    for result in (missing, junk, both):
        assert result.exit_code == 2
        assert result.output.startswith("doorbell: ")
        assert result.output.count("\n") == 1


def test_without_an_identity_the_journal_shows_numbers_and_sizes_only(door: Door) -> None:
    door.record(1)
    result = call(journal_command, "--state", door.state)
    assert result.exit_code == 0
    assert "sealed" in result.output
    assert "clip" not in result.output.replace("clips", "")


def test_with_an_identity_the_journal_reads_as_a_story(door: Door, identity: Path) -> None:
    door.line.put(Write("ring", {"visit": "v\x1b[2J1"}, stamp()))
    door.record(1)
    result = call(journal_command, "--state", door.state, "--identity", identity, "--last", "3")
    lines = result.output.splitlines()
    assert lines[0] == "     1  2026-03-01 07:30:00  ring         visit v?[2J1"
    assert lines[-1].startswith("3 entries, each signed")
    rows = [json.loads(line) for line in call(
        journal_command, "--state", door.state, "--identity", identity, "--json").output.splitlines()]  # fmt: skip
    assert [row["body"]["kind"] for row in rows[:-1]] == ["ring", "clip_started", "clip"]
    assert rows[-1]["fault"] is None


def test_a_broken_chain_ends_with_exit_1(door: Door) -> None:
    door.record(1)
    damage(door, 6, "")
    result = call(journal_command, "--state", door.state, "--json")
    assert result.exit_code == 1
    assert json.loads(result.output.splitlines()[-1])["fault"] == "signature"


def test_clips_are_listed_with_what_the_identity_opens(door: Door, identity: Path) -> None:
    assert "No clips" in call(clips_command, "--state", door_with_nothing(door)).output
    clip = door.record(1)
    second = "b" * 26
    door.line.put(ClipStarted(second, {}, stamp(clock="unsynced")))
    door.settle(2)
    keep_poster(door.state / "clips", second, b"poster")
    (door.state / "clips" / f"{second}.mp4.age").write_bytes(door.seal(b""))
    size = (door.state / "clips" / f"{second}.mp4.age").stat().st_size + 6
    door.line.put(ClipKept(second, {"trigger": "motion"}, stamp(), size))
    door.settle(2)
    plain = [json.loads(line) for line in call(clips_command, "--state", door.state, "--json").output.splitlines()]
    assert plain == [
        {"id": clip, "day": "2026-03-01", "bytes": 300264, "poster": False},
        {"id": second, "day": "", "bytes": size, "poster": True},
    ]
    told = call(clips_command, "--state", door.state, "--identity", identity).output.splitlines()
    assert told[0].endswith("2026-03-01 07:30:00  press  12.5 s")
    assert "motion" in told[1]


def door_with_nothing(door: Door) -> Path:
    door.settle(1)
    return door.state
