"""Copies elsewhere: what the door sends, in which order, and what is rebuilt from it when the door is gone."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import os
import re
import shutil
import signal
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
from doorbell.errors import ConfigError, DeviceError
from doorbell.journal.entry import Entry, document, entry_hash
from doorbell.offsite import plan, rclone, segments
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

    def storage(self, section: str, path: str = "", kbit_s: int = 0) -> None:
        self.conf.write_text(f"[copies]\n{section}")
        (self.folder / "run").mkdir(exist_ok=True)
        (self.folder / "doorbell.toml").write_text(
            f'[door]\nstate = "{self.folder}/state"\nruntime = "{self.folder}/run"\n'
            f'[offsite]\nremote = "copies:{path}"\nrclone_config = "{self.conf}"\nkbit_s = {kbit_s}\n'
            f'workplace = "{self.folder}/workplace"\n'
        )

    def capped(self, kbit_s: int) -> None:
        """The same storage, by a way that lets so much through."""
        file = self.folder / "doorbell.toml"
        file.write_text(re.sub(r"kbit_s = \d+", f"kbit_s = {kbit_s}", file.read_text()))

    def pressed(self, *clips: str) -> None:
        (self.folder / "run" / "status.json").write_text(json.dumps({"pressed": list(clips)}))

    def copy(self) -> Result:
        return CliRunner().invoke(offsite_command, ["--config", str(self.folder / "doorbell.toml")])

    def stolen(self, *options: str, identity: Path | None = None) -> tuple[int, dict[str, Any]]:
        arguments = [str(self.copies), "--json", "--identity", str(identity or self.identity), *options]
        result = CliRunner().invoke(stolen_command, arguments)
        assert result.exit_code in (0, 1), result.output
        return result.exit_code, json.loads(result.stdout)

    def problem(self) -> str:
        said = json.loads((self.workplace / "last.json").read_text())["problem"]
        assert isinstance(said, str)
        return said

    def waiting(self) -> list[Path]:
        """Segments of the journal that lie at the door."""
        return sorted(self.workplace.glob("journal/*/*.jsonl"))

    def forget_bodies(self, before: int) -> None:
        book = self.door.writer._book
        assert book is not None
        book.begin()
        assert book.forget_bodies(before)
        book.commit()

    @property
    def workplace(self) -> Path:
        return self.folder / "workplace"

    @property
    def copies(self) -> Path:
        return self.remote_folder / "front"

    def head(self, *, named: bool = False) -> str:
        """As the phone's privacy page shows it."""
        told = self.door.history()[-1].entry
        book = self.door.writer._book
        assert book is not None
        return f"{book.journal_id.hex()}:" * named + f"{told.index}:{told.hash.hex()}"

    def new_card(self) -> None:
        """The same door with its keys from a backup: another journal begins."""
        self.door.writer.close()
        (self.folder / "state").rename(self.folder / "old-state")
        self.door = Door(self.folder / "state", keys=self.door.keys, owner=self.door.owner)

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


@pytest.mark.parametrize("storage", [webdav, sftp], ids=lambda storage: storage.__name__)
def test_an_upload_that_is_killed_in_mid_file_is_sent_again(
    house: House, storage: Callable[[House], Iterator[str]]
) -> None:
    if storage is sftp and not Path("/usr/sbin/sshd").exists():
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    clip = house.door.record(1, size=1_500_000)
    name, running = f"{clip}.mp4.age", storage(house)
    next(running)
    house.capped(800)
    whole = (house.door.state / "clips" / name).stat().st_size
    command = [sys.executable, "-m", "doorbell", "offsite", "--config", str(house.folder / "doorbell.toml")]
    child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    stub, until = house.copies / name, time.monotonic() + 60
    while not (stub.exists() and stub.stat().st_size > 0) and time.monotonic() < until and child.poll() is None:
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)  # as a power cut does: rclone takes nothing back
    child.wait()
    assert 0 < stub.stat().st_size < whole
    house.capped(0)
    said = house.copy()
    assert (said.exit_code, name in said.output) == (0, True), said.output
    for _ in running:
        pass
    assert stub.read_bytes() == (house.door.state / "clips" / name).read_bytes()
    assert house.stolen("--head", house.head())[0] == 0


def test_the_way_there_is_capped(house: House) -> None:
    clip = house.door.record(1, size=300_000)
    house.capped(1000)
    began = time.monotonic()
    assert f"{clip}.mp4.age" in house.copy().output
    assert time.monotonic() - began > 300_000 * 8 / 1_000_000


def test_behind_a_narrow_way_a_batch_is_what_ten_minutes_let_through() -> None:
    pieces = [Piece(f"{n}", 3_000_000) for n in range(6)]
    counts = {
        kbit_s: [len(batch) for batch in plan.batches(pieces, (), plan.most_bytes(kbit_s * 125))]
        for kbit_s in (1, 100, 0)
    }
    assert counts == {1: [1] * 6, 100: [2, 2, 2], 0: [6]}


def test_an_rclone_that_takes_too_long_is_asked_to_end_before_it_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hears the request can take back what it began; one that does not is ended all the same."""
    program = tmp_path / "rclone"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(rclone, "GRACE_S", 2.0)
    asked = rclone.Rclone(tmp_path / "conf", "copies:", 0, tmp_path)
    for answer in (f"echo asked > {tmp_path}/asked; kill $!; exit 0", ":"):
        program.write_text(
            f"#!/bin/sh\ntrap '{answer}' TERM\necho $$ > {tmp_path}/pid\nwhile :; do sleep 100 & wait; kill $!; done\n"
        )
        program.chmod(0o755)
        with pytest.raises(DeviceError, match="too slow"):
            asked.copy(tmp_path, {"a": 1}, 1.0)
        assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()
    assert (tmp_path / "asked").read_text() == "asked\n"


@pytest.mark.parametrize("more", [b"", b"and more"], ids=["of our size", "longer"])
def test_another_file_under_a_clips_name_is_evidence_and_holds_up_no_other(house: House, more: bytes) -> None:
    clip = house.door.record(1)
    name = f"{clip}.mp4.age"
    planted = bytes((house.door.state / "clips" / name).stat().st_size) + more
    house.copies.mkdir()
    (house.copies / name).write_bytes(planted)
    house.pressed(clip)  # so that it goes first
    second = house.door.record(2)
    for _ in range(2):
        said = house.copy()
        assert said.exit_code == 2
        assert f"{name} is there with other bytes than the door's" in said.output
        assert "1 off-site copies are not what the door sent" in trouble(house.workplace, time.time())
    assert (house.copies / name).read_bytes() == planted
    assert (house.copies / f"{second}.mp4.age").exists()
    (house.copies / name).unlink()
    assert name in house.copy().output
    assert (house.problem(), trouble(house.workplace, time.time())) == ("", "")


def test_what_was_seen_to_differ_is_not_fetched_again_to_see_it(house: House) -> None:
    """A storage that knows no hash would send it every quarter of an hour."""
    house.copies.mkdir()
    house.workplace.mkdir()
    (house.workplace / "a").write_bytes(b"ours")
    (house.copies / "a").write_bytes(b"ours")
    there = rclone.Rclone(house.conf, "copies:front", 0, house.workplace)
    assert there.copy(house.workplace, {"a": 4}, 60.0).arrived == {"a"}
    assert there.copy(house.workplace, {"a": 4}, 60.0, distrusted={"a"}).differ == {"a"}


def test_a_name_that_cannot_be_written_holds_up_no_other(house: House) -> None:
    first, second = house.door.record(1), house.door.record(2)
    (house.copies / f"{first}.mp4.age" / "x").mkdir(parents=True)
    said = house.copy()
    assert said.exit_code == 2
    assert f"The storage did not take {first}.mp4.age" in said.output
    assert (house.copies / f"{second}.mp4.age").exists()
    assert house.waiting() == []
    later = time.time() + 3 * 86400
    house.door.record(3)
    house.copy()
    assert "Some files could not be copied off-site for 3 days" in trouble_after(house, later)


def trouble_after(house: House, wall: float) -> str:
    """At *wall*, while what can be copied is."""
    page = house.workplace / "last.json"
    page.write_text(json.dumps(json.loads(page.read_text()) | {"well": int(wall)}))
    return trouble(house.workplace, wall)


def test_a_file_in_the_journals_place_holds_up_no_clip(house: House) -> None:
    clip = house.door.record(1)
    house.copies.mkdir()
    (house.copies / "journal").write_bytes(b"planted")
    assert house.copy().exit_code == 2
    assert (house.copies / f"{clip}.mp4.age").exists()
    (house.copies / "journal").unlink()
    assert house.copy().exit_code == 0
    assert house.stolen("--head", house.head())[0] == 0


def test_a_storage_that_is_away_costs_a_sentence_and_the_next_round_goes_on(house: House) -> None:
    house.door.record(1)
    good = house.conf.read_text()
    house.conf.write_text(f"[copies]\ntype = alias\nremote = /proc/nowhere-{os.getpid()}\n")
    said = house.copy()
    assert (said.exit_code, "Traceback" in said.output) == (2, False)
    assert "Nothing could be copied" in house.problem()
    house.conf.write_text(good)
    assert house.copy().exit_code == 0
    assert house.stolen()[0] == 0


def test_a_card_that_cannot_be_read_is_told_too(house: House) -> None:
    house.door.record(1)
    house.door.writer.close()
    (house.door.state / "journal.sqlite3").write_bytes(b"no database")
    assert house.copy().exit_code == 2
    assert house.problem()


def test_the_owner_hears_of_a_storage_that_is_away_for_days(house: House) -> None:
    house.door.record(1)
    workplace, now = house.folder / "workplace", time.time()
    assert trouble(workplace, now) == ""
    house.conf.write_text(f"[copies]\ntype = alias\nremote = /proc/nowhere-{os.getpid()}\n")
    house.copy()
    assert trouble(workplace, now + 86400) == ""
    assert "for 3 days" in trouble(workplace, now + 3 * 86400 + 60)


# ---- what lies at the door


def test_nothing_of_the_journal_stays_at_the_door_once_it_is_copied(house: House) -> None:
    """Bodies that the journal forgets would else lie on the card for ever."""
    house.door.record(1)
    assert house.copy().exit_code == 0
    assert house.waiting() == []
    assert len(list(house.copies.glob("journal/*/*.jsonl"))) == 1


def test_a_segment_that_waits_loses_the_bodies_that_the_journal_forgets(house: House) -> None:
    for number in (1, 2):
        house.door.record(number)
    good = house.conf.read_text()
    house.conf.write_text("")
    house.copy()
    house.forget_bodies(4)
    house.copy()
    (segment,) = house.waiting()
    bodies = {entry["index"] for entry in map(json.loads, segment.read_text().splitlines()) if entry["body"]}
    assert min(bodies) == 4
    house.conf.write_text(good)
    assert house.copy().exit_code == 0
    found = house.stolen("--head", house.head())[1]["journals"][0]
    assert (len(found["entries"]), found["missing"], found["faults"]) == (4, [], [])


def test_while_the_storage_is_away_the_journal_itself_keeps_what_is_new(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "MOST_WAITING", 2)
    monkeypatch.setattr(segments, "MOST_ENTRIES", 1)
    for number in (1, 2, 3):
        house.door.record(number)
    good = house.conf.read_text()
    house.conf.write_text("")
    house.copy()
    assert len(house.waiting()) == 2
    house.conf.write_text(good)
    assert house.copy().exit_code == 0
    assert (house.waiting(), house.stolen("--head", house.head())[0]) == ([], 0)


def test_a_lost_workplace_contradicts_no_older_copy(house: House) -> None:
    clip = house.door.record(1)
    house.copy()
    house.forget_bodies(2)
    shutil.rmtree(house.workplace)
    assert house.copy().exit_code == 0
    code, found = house.stolen("--head", house.head())
    (journal,) = found["journals"]
    assert (code, journal["faults"], [told["why"] for told in journal["entries"]]) == (0, [], [""] * 2)
    assert [one["id"] for one in journal["clips"]] == [clip]


@pytest.mark.parametrize(
    "mark", ["[]", "null", '{"journal":"ID"}', '{"v":1,"journal":"ID","last":999}', '{"v":1,"journal":"ID","last":"x"}']
)
def test_a_mark_that_is_none_costs_a_copy_of_what_is_there_already(house: House, mark: str) -> None:
    house.door.record(1)
    house.copy()
    (identifier,) = [path.name for path in house.copies.glob("journal/*")]
    (house.workplace / "exported.json").write_text(mark.replace("ID", identifier))
    clip = house.door.record(2)
    said = house.copy()
    assert (said.exit_code, clip in said.output) == (0, True), said.output
    code, found = house.stolen("--head", house.head())
    assert (code, found["journals"][0]["faults"]) == (0, [])


@pytest.mark.parametrize("page", ["[]", "null", "7", '{"pressed":7}', '{"pressed":[7]}'])
def test_a_status_page_that_is_none_costs_the_order_alone(house: House, page: str) -> None:
    house.door.record(1)
    (house.folder / "run" / "status.json").write_text(page)
    assert house.copy().exit_code == 0


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


@pytest.mark.parametrize("named", [True, False])
def test_a_true_head_of_either_of_two_journals_accuses_nobody(house: House, *, named: bool) -> None:
    """After a new card entry 4 of the old journal is not entry 4 of the new one, and both are true."""
    copied(house, 2)
    old = house.head(named=named)
    house.new_card()
    clips = [house.door.record(number) for number in (3, 4, 5)]
    assert house.copy().exit_code == 0
    for heads in (old,), (house.head(named=named),), (old, house.head(named=named)):
        code, found = house.stolen("--door-key", house.key(), *(word for head in heads for word in ("--head", head)))
        assert [(one["faults"], one["lacks"]) for one in found["journals"]] == [([], 0)] * 2
        assert (code, found["faults"], found["strangers"]) == (0, [], [])
    house.door.record(6)
    code, found = house.stolen("--head", house.head(named=named))
    longest = max(found["journals"], key=lambda one: len(one["entries"]))
    assert (code, longest["lacks"], longest["clips"][-1]["id"]) == (1, 2, clips[-1])


def test_a_false_head_is_told_of_the_journal_that_it_names_or_of_each(house: House) -> None:
    copied(house, 2)
    named = house.head(named=True).partition(":")[0]
    house.new_card()
    house.door.record(3)
    assert house.copy().exit_code == 0
    for head, journals in ((f"{named}:2:{'ab' * 32}", [named]), (f"2:{'ab' * 32}", None)):
        code, found = house.stolen("--head", head)
        blamed = [one["journal"] for one in found["journals"] if one["faults"]]
        assert (code, sorted(blamed)) == (1, journals or sorted(one["journal"] for one in found["journals"]))
    code, found = house.stolen("--head", f"{'12' * 16}:2:{'ab' * 32}")
    assert (code, [one["faults"] for one in found["journals"]]) == (1, [[], []])
    assert "of which there are no copies" in found["faults"][0]


def test_an_entry_of_another_journal_of_the_doors_is_no_second_history(house: House) -> None:
    """Whoever may add files can lay the old journal's into the new one's folder."""
    copied(house, 2)
    (old,) = house.copies.glob("journal/*")
    house.new_card()
    for number in (3, 4, 5):
        house.door.record(number)
    house.copy()
    (new,) = (place for place in house.copies.glob("journal/*") if place != old)
    for segment in old.glob("*.jsonl"):
        shutil.copy(segment, new / f"0{segment.name}")
    _, found = house.stolen("--head", house.head())
    (journal,) = (one for one in found["journals"] if one["journal"] == new.name)
    assert journal["faults"] == [f"An entry {index} of another journal lies among these." for index in (1, 2, 3, 4)]
    assert [clip["state"] for clip in journal["clips"]] == ["whole"] * 3


def test_of_an_unsigned_first_entry_nobody_says_that_the_door_signed_it(house: House) -> None:
    copied(house, 1)
    segment = next(house.copies.glob("journal/*/*.jsonl"))
    forged = json.loads(segment.read_bytes().splitlines()[0])
    forged["body"] = base64.b64encode(house.door.seal(b"another")).decode()
    (segment.parent / "000000001-000000001.jsonl").write_text(json.dumps(forged) + "\n")
    _, found = house.stolen()
    assert found["journals"][0]["faults"] == ["000000001-000000001.jsonl: Entry 1 was not signed by this door."]
    assert states(found) == ["whole"]


def test_two_histories_that_the_door_signed_are_told(house: House) -> None:
    """Whoever has the door's signing key can write another history; not take back the first."""
    copied(house, 1)
    first, second = (told.entry for told in house.door.history())
    body = house.door.seal(b"another")
    body_hash = hashlib.sha256(body).digest()
    forged = Entry(2, first.hash, body, body_hash, house.door.keys.sign_entry(entry_hash(2, first.hash, body_hash)))
    place = next(house.copies.glob("journal/*"))
    (place / "000000002-000000002.jsonl").write_bytes(document(forged) + b"\n")
    _, found = house.stolen()
    assert found["journals"][0]["faults"] == ["Two different entries 2 are signed by this door."]
    assert second.hash != forged.hash


def test_an_upload_that_was_broken_off_is_told_only_where_it_lacks_something(house: House) -> None:
    copied(house, 1)
    segment = next(house.copies.glob("journal/*/*.jsonl"))
    whole = segment.read_bytes()
    (segment.parent / "000000001-000000002-0123456789abcdef.jsonl").write_bytes(whole[:-10])
    assert house.stolen()[0] == 0
    segment.unlink()
    code, found = house.stolen()
    assert code == 1
    assert "its upload was broken off" in found["journals"][0]["faults"][0]


def test_copies_of_the_first_versions_are_read(house: House) -> None:
    """They named a segment by its entries alone."""
    copied(house, 2)
    for segment in house.copies.glob("journal/*/*.jsonl"):
        segment.rename(segment.with_name(segment.name[:19] + ".jsonl"))
    assert house.stolen("--head", house.head())[0] == 0


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


def test_a_clip_whose_end_was_not_copied_is_told_as_one_that_anybody_may_have_put_there(house: House) -> None:
    copied(house, 1)
    newest = max(house.copies.glob("journal/*/*.jsonl"))
    newest.write_bytes(b"".join(newest.read_bytes().splitlines(keepends=True)[:-1]))
    code, found = house.stolen()
    assert (code, states(found)) == (1, ["unproven"])


def test_what_a_thief_calls_a_file_moves_no_cursor(house: House) -> None:
    copied(house, 1)
    (house.copies / os.fsdecode(b"\x1b[2K\xff.mp4.age")).touch()
    result = CliRunner().invoke(stolen_command, [str(house.copies), "--identity", str(house.identity)])
    assert "! ?[2K?.mp4.age is named by no entry" in result.output
    assert result.exit_code == 1
