"""Copies elsewhere: what the door sends, in which order, and what is rebuilt from it when the door is gone."""

from __future__ import annotations

import base64
import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorbell.cli.offsite import offsite as offsite_command
from doorbell.cli.stolen import stolen as stolen_command
from doorbell.clips import bech32
from doorbell.clips.store import keep_poster
from doorbell.configfile import parse
from doorbell.errors import ConfigError
from doorbell.offsite import plan
from doorbell.offsite.news import trouble
from doorbell.offsite.plan import Piece
from tests.rigs.broker import free_port
from tests.rigs.journal import Door, clip_id

pytestmark = pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed: make packages")


class House:
    """A door with clips on its card, its configuration, and where the copies go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.door = Door(folder / "state")
        self.remote_folder = folder / "remote"
        self.remote_folder.mkdir()
        self.conf = folder / "rclone.conf"
        self.identity = folder / "owner.txt"
        self.identity.write_text(bech32.encode("age-secret-key-", self.door.owner.secret).upper() + "\n")
        self.storage(f"type = alias\nremote = {self.remote_folder}\n")

    def storage(self, section: str, path: str = "") -> None:
        self.conf.write_text(f"[copies]\n{section}")
        (self.folder / "run").mkdir(exist_ok=True)
        (self.folder / "doorbell.toml").write_text(
            f'[door]\nstate = "{self.folder}/state"\nruntime = "{self.folder}/run"\n'
            f'[offsite]\nremote = "copies:{path}"\nrclone_config = "{self.conf}"\nkbit_s = 0\n'
            f'workplace = "{self.folder}/workplace"\n'
        )

    def pressed(self, *clips: str) -> None:
        (self.folder / "run" / "status.json").write_text(json.dumps({"pressed": list(clips)}))

    def copy(self) -> Result:
        return CliRunner().invoke(offsite_command, ["--config", str(self.folder / "doorbell.toml")])

    def stolen(self, *options: str, identity: Path | None = None) -> tuple[int, dict[str, Any]]:
        arguments = [str(self.copies), "--json", "--identity", str(identity or self.identity), *options]
        result = CliRunner().invoke(stolen_command, arguments)
        assert result.exit_code in (0, 1), result.output
        return result.exit_code, json.loads(result.stdout)

    @property
    def copies(self) -> Path:
        return self.remote_folder / "front"

    def head(self) -> str:
        told = self.door.history()[-1].entry
        return f"{told.index}:{told.hash.hex()}"

    def key(self) -> str:
        return base64.b64encode(self.door.keys.verify_key).decode()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.door.writer.close()


def until_it_listens(port: int, server: subprocess.Popen[bytes]) -> None:
    """Servers say nowhere that they listen: knock until they do, at most 20 s."""
    until = time.monotonic() + 20
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the storage's server did not start")


# ---- the order


def test_entries_go_first_then_what_a_ring_showed_then_the_newest() -> None:
    sizes = {".mp4.age": 10, ".jpg.age": 1}
    clips = plan.of_clips([("old", sizes), ("rang", sizes), ("new", {".mp4.age": 10})], {"rang"})
    order = [[one.name for one in batch] for batch in plan.batches([Piece("entries", 5), *clips], set())]
    assert order == [["entries"], ["rang.jpg.age", "rang.mp4.age"], ["new.mp4.age", "old.jpg.age", "old.mp4.age"]]


def test_a_batch_is_bounded_and_one_large_file_still_goes() -> None:
    large = [Piece(f"{n}", plan.MOST_BYTES + 1) for n in range(2)]
    small = [Piece(f"s{n}", 1) for n in range(60)]
    assert [len(batch) for batch in plan.batches([*large, *small], set())] == [1, 1, 25, 25, 10]


def test_what_is_there_is_not_sent_again(house: House) -> None:
    clip = house.door.record(1)
    assert f"{clip}.mp4.age" in house.copy().output
    assert house.copy().output == "0 files (0.0 MB) are copied and compared.\n"
    second = house.door.record(2)
    said = house.copy().output
    assert f"{second}.mp4.age" in said
    assert clip not in said


def test_another_storage_gets_everything(house: House) -> None:
    clip = house.door.record(1)
    house.copy()
    house.storage(f"type = alias\nremote = {house.remote_folder}\n", "elsewhere")
    assert f"{clip}.mp4.age" in house.copy().output
    assert house.copy().output.startswith("0 files")
    assert list((house.remote_folder / "elsewhere").rglob(f"{clip}.mp4.age"))


def test_a_clip_that_a_press_began_goes_before_newer_ones(house: House) -> None:
    rang, newer = house.door.record(1), house.door.record(2)
    house.pressed(rang)
    lines = [line for line in house.copy().output.splitlines() if ".mp4.age" in line]
    assert [rang in lines[0], newer in lines[1]] == [True, True]


# ---- real storages


def sftp(house: House) -> Iterator[str]:
    (house.folder / "ssh").mkdir(mode=0o700)
    for name in ("host", "user"):
        key = house.folder / "ssh" / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    port = free_port()
    config = house.folder / "ssh" / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {house.folder}/ssh/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {house.folder}/ssh/user.pub\nPermitRootLogin yes\nPasswordAuthentication no\n"
        "Subsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config], stderr=subprocess.DEVNULL)
    try:
        until_it_listens(port, server)
        house.storage(
            f"type = sftp\nhost = 127.0.0.1\nport = {port}\nuser = {getpass.getuser()}\n"
            f"key_file = {house.folder}/ssh/user\n",
            str(house.remote_folder),
        )
        yield "sftp"
    finally:
        server.terminate()
        server.wait(10)


def webdav(house: House) -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        ["rclone", "serve", "webdav", str(house.remote_folder), "--addr", f"127.0.0.1:{port}", "--user=door",
         "--pass=secret", f"--config={os.devnull}"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until_it_listens(port, server)
        hidden = subprocess.run(["rclone", "obscure", "secret"], check=True, capture_output=True, text=True).stdout
        house.storage(
            f"type = webdav\nurl = http://127.0.0.1:{port}\nvendor = other\nuser = door\npass = {hidden.strip()}\n"
        )
        yield "webdav"
    finally:
        server.terminate()
        server.wait(10)


def s3(house: House) -> Iterator[str]:
    pytest.importorskip("moto", reason="moto is not installed: make test-offsite installs it")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        until_it_listens(port, server)
        house.storage(
            "type = s3\nprovider = Other\naccess_key_id = door\nsecret_access_key = secret\nregion = us-east-1\n"
            f"endpoint = http://127.0.0.1:{port}\nforce_path_style = true\n",
            "copies",
        )
        yield "s3"
        subprocess.run(
            ["rclone", "copy", f"--config={house.conf}", "copies:copies", str(house.remote_folder)],
            check=True, capture_output=True, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize("storage", [sftp, webdav, s3], ids=lambda storage: storage.__name__)
def test_everything_arrives_and_the_history_is_rebuilt(house: House, storage: Callable[[House], Iterator[str]]) -> None:
    if storage is sftp and not Path("/usr/sbin/sshd").exists():
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    clips = [house.door.record(number) for number in (1, 2)]
    keep_poster(house.door.state / "clips", clips[0], house.door.seal(b"\xff\xd8\xff"))
    running = storage(house)
    next(running)
    said = house.copy()
    assert said.exit_code == 0, said.output
    assert said.output.endswith("are copied and compared.\n")
    for _ in running:
        pass
    code, found = house.stolen("--door-key", house.key(), "--head", house.head())
    (journal,) = found["journals"]
    assert [clip["state"] for clip in journal["clips"]] == ["whole", "whole"]
    assert [clip["poster"] for clip in journal["clips"]] == [True, False]
    assert (code, journal["faults"], journal["missing"], journal["lacks"], found["strangers"]) == (0, [], [], 0, [])
    for clip in clips:
        name = f"{clip}.mp4.age"
        assert (house.copies / name).read_bytes() == (house.door.state / "clips" / name).read_bytes()


def test_a_storage_that_changes_a_file_is_noticed_before_it_counts_as_copied(house: House) -> None:
    clip = house.door.record(1)
    house.copies.mkdir()
    (house.copies / f"{clip}.mp4.age").write_bytes(b"somebody else's")
    said = house.copy()
    assert said.exit_code == 2
    assert "rclone could not check" in said.output
    (house.copies / f"{clip}.mp4.age").unlink()
    assert f"{clip}.mp4.age" in house.copy().output


def test_a_storage_that_is_away_costs_a_sentence_and_the_next_round_goes_on(house: House) -> None:
    house.door.record(1)
    good = house.conf.read_text()
    house.conf.write_text(f"[copies]\ntype = alias\nremote = /proc/nowhere-{os.getpid()}\n")
    said = house.copy()
    assert (said.exit_code, "Traceback" in said.output) == (2, False)
    problem = json.loads((house.folder / "workplace" / "last.json").read_text())["problem"]
    assert "rclone could not copy" in problem
    house.conf.write_text(good)
    assert house.copy().exit_code == 0
    assert house.stolen()[0] == 0


def test_the_owner_hears_of_a_storage_that_is_away_for_days(house: House) -> None:
    house.door.record(1)
    workplace, now = house.folder / "workplace", time.time()
    assert trouble(workplace, now) == ""
    house.conf.write_text(f"[copies]\ntype = alias\nremote = /proc/nowhere-{os.getpid()}\n")
    house.copy()
    assert trouble(workplace, now + 86400) == ""
    assert "for 3 days" in trouble(workplace, now + 3 * 86400 + 60)


# ---- the day the door is gone


def copied(house: House, count: int = 3) -> list[str]:
    clips = []
    for number in range(1, count + 1):
        clips.append(house.door.record(number))
        assert house.copy().exit_code == 0
    return clips


def states(found: dict[str, Any]) -> list[str]:
    return [clip["state"] for clip in found["journals"][0]["clips"]]


def test_what_was_not_copied_yet_is_counted_by_a_phones_head(house: House) -> None:
    copied(house, 1)
    house.door.record(2)
    code, found = house.stolen("--head", house.head())
    assert (code, found["journals"][0]["lacks"]) == (1, 2)


def test_a_head_that_differs_says_that_the_history_was_rewritten(house: House) -> None:
    copied(house, 1)
    _, found = house.stolen("--head", f"2:{'ab' * 32}")
    assert found["journals"][0]["faults"] == ["Entry 2 is not the one that the phone has seen."]


def test_a_missing_segment_is_a_gap_and_a_missing_clip_is_named(house: House) -> None:
    clips = copied(house)
    segments = sorted(house.copies.glob("journal/*/*.jsonl"))
    segments[1].unlink()
    (house.copies / f"{clips[2]}.mp4.age").unlink()
    code, found = house.stolen()
    journal = found["journals"][0]
    assert (code, journal["missing"], states(found)) == (1, [[3, 4]], ["whole", "missing"])
    assert found["strangers"] == [f"{clips[1]}.mp4.age"]


def test_a_changed_clip_and_a_planted_one_are_told_apart_from_the_real_ones(house: House) -> None:
    clips = copied(house, 2)
    (house.copies / f"{clips[0]}.mp4.age").write_bytes(house.door.seal(b"another clip"))
    planted = f"{clip_id(99)}.mp4.age"
    (house.copies / planted).write_bytes(house.door.seal(b"a planted clip"))
    code, found = house.stolen()
    assert (code, states(found), found["strangers"]) == (1, ["changed", "whole"], [planted])


def test_an_entry_that_the_door_did_not_sign_is_not_believed(house: House) -> None:
    copied(house, 1)
    segment = next(house.copies.glob("journal/*/*.jsonl"))
    lines = segment.read_bytes().splitlines()
    other = json.loads(lines[1])
    other["sig"] = base64.b64encode(bytes(64)).decode()
    segment.write_bytes(lines[0] + b"\n" + json.dumps(other).encode() + b"\n" + b"no entry\n")
    code, found = house.stolen()
    assert code == 1
    assert len(found["journals"][0]["faults"]) == 2
    assert len(found["journals"][0]["entries"]) == 1


def test_another_doors_key_is_noticed(house: House) -> None:
    copied(house, 1)
    code, found = house.stolen("--door-key", base64.b64encode(bytes(32)).decode())
    assert code == 1
    assert "another door's key" in found["journals"][0]["faults"][0]


def test_with_the_words_alone_the_history_opens(house: House) -> None:
    copied(house, 1)
    result = CliRunner().invoke(stolen_command, [str(house.copies)], input=house.door.owner.words() + "\n")
    assert result.exit_code == 0, result.output
    assert "whole" in result.output


def test_nothing_that_is_copied_can_be_read_without_the_owners_key(house: House) -> None:
    copied(house, 1)
    everything = b"".join(path.read_bytes() for path in house.copies.rglob("*") if path.is_file())
    for word in (b"ftyp", b"moof", b"clip_started", b"press"):
        assert word not in everything


@pytest.mark.parametrize("remote", ["no-colon", "-config:x", "a\nb:c", ":sftp,host=x:y"])
def test_a_remote_that_is_none_is_refused(remote: str) -> None:
    with pytest.raises(ConfigError, match=r"offsite\.remote"):
        parse(f"[offsite]\nremote = {json.dumps(remote)}\n")


@pytest.mark.parametrize(
    "arguments", [["/nonexistent"], [".", "--head", "x"], [".", "--door-key", "x"], [".", "--head", "1:zz"]]
)
def test_wrong_words_to_stolen_are_one_sentence(house: House, arguments: list[str]) -> None:
    from doorbell.__main__ import main

    result = CliRunner().invoke(main, ["stolen", *arguments, "-i", str(house.identity)])
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert result.output.startswith("doorbell: ")
