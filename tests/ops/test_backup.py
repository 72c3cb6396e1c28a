"""A door's backup opens for its owner alone, and brings the door back: rehearsed with a real one, card gone and all."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorbell import household, roster
from doorbell.boot.adopt import Adoption
from doorbell.boot.places import Places
from doorbell.cli.backup import backup as backup_command
from doorbell.cli.restore import restore as restore_command
from doorbell.clips.seal import seal
from doorbell.doorkeys import load_or_make
from doorbell.errors import DamagedError, DoorbellError, Mistake
from doorbell.journal.opening import open_to_read, open_to_write
from doorbell.owner.history import read_history
from doorbell.owner.identity import Identity
from doorbell.owner.restore import Place, open_backup, put_back
from doorbell.push import book
from doorbell.roster import Member
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door
from tests.rigs.phone import Phone

OWNER = Identity(bytes(range(32)))
STRANGER = Identity(bytes(32))


def call(command: Any, *arguments: object, text: str = "") -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], input=text)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A door that never ran, with keys, a configuration, a household's settings and the broker's password."""
    state = tmp_path / "home" / "var"
    state.mkdir(parents=True, mode=0o700)
    load_or_make(state / "keys")
    (tmp_path / "home" / "password").write_text("hunter2\n")
    (state / "settings.json").write_bytes(b'{"v":1,"settings":{"storage":{"days":3}}}\n')
    (tmp_path / "home" / "doorbell.toml").write_text(
        f'[door]\nid = "front"\nstate = "{state}"\n[keys]\nrecipients = ["{OWNER.recipient}"]\n'
        f'[mqtt]\nhost = "broker"\nusername = "front"\npassword_file = "{state.parent}/password"\n'
    )
    return tmp_path / "home"


def backed_up(home: Path, name: str = "door.age") -> Path:
    file = home.parent / name
    done = call(backup_command, "--config", home / "doorbell.toml", "-o", file)
    assert done.exit_code == 0, done.output
    return file


def document(file: Path, identity: Path) -> dict[str, Any]:
    opened = subprocess.run(["age", "-d", "-i", identity, file], capture_output=True, check=True)
    return json.loads(opened.stdout)


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    file = tmp_path / "owner.txt"
    file.write_text(OWNER.line() + "\n")
    return file


def resealed(file: Path, identity: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The same backup with something changed by somebody who knows the owner's recipient."""
    found = document(file, identity)
    change(found)
    file.write_bytes(seal([OWNER.recipient], json.dumps(found).encode()))
    return file


def test_stock_age_opens_the_backup_and_nothing_of_it_stands_in_clear(home: Path, identity: Path) -> None:
    file = backed_up(home)
    found = document(file, identity)
    assert sorted(found["files"]) == [
        "doorbell.toml", "keys/box.key", "keys/signing.key", "mqtt-password", "settings.json",
    ]  # fmt: skip
    assert base64.b64decode(found["files"]["keys/box.key"]) == (home / "var/keys/box.key").read_bytes()
    assert (found["door"], found["journal"]) == ("front", None)
    sealed = file.read_bytes()
    assert not [word for word in (b"hunter2", b"broker", b"front") if word in sealed]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_backup_is_never_written_over_another_file(home: Path) -> None:
    file = backed_up(home)
    before = file.read_bytes()
    done = call(backup_command, "--config", home / "doorbell.toml", "-o", file)
    assert done.exit_code == 1
    assert file.read_bytes() == before


def test_nobody_but_the_owner_opens_it(home: Path) -> None:
    with pytest.raises(DoorbellError, match="another owner"):
        open_backup([STRANGER], backed_up(home))


def test_a_backup_is_sealed_to_the_owner_and_not_to_the_household(home: Path) -> None:
    keys = load_or_make(home / "var/keys")
    members = [Member("owner", "admin", OWNER.recipient, OWNER.verify_key),
               Member("Ben", "member", STRANGER.recipient, STRANGER.verify_key)]  # fmt: skip
    household.load("front", home / "var", (OWNER.recipient,)).keep(roster.begin("front", members, keys.sign))
    file = backed_up(home)
    with pytest.raises(DoorbellError):
        open_backup([STRANGER], file)
    opened = open_backup([OWNER], file).roster
    assert opened is not None
    assert [one.name for one in opened.members] == ["owner", "Ben"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: one.update(v=2), "newer doorbell"),
        (lambda one: one.update(more=1), "key"),
        (lambda one: one.update(door="back"), "another door"),
        (lambda one: one["files"].pop("keys/box.key"), "missing"),
        (lambda one: one["files"].update({"../../etc/passwd": "AAAA"}), "unknown"),
        (lambda one: one["files"].update({"keys/box.key": "AAAA"}), "32 bytes"),
        (lambda one: one["files"].update({"recording-off": "AAAA"}), "too large"),
        (lambda one: one["files"].update({"doorbell.toml": "A" * 7}), "base64"),
        (lambda one: one["files"].update({"settings.json": "e30="}), "version|whole number"),
        (lambda one: one["files"].update({"roster.json": "e30="}), "version|whole number"),
        (lambda one: one.update(journal={"journal": "", "index": 1, "hash": ""}), "bytes"),
        (lambda one: one.update(files=[]), "missing"),
    ],
)
def test_what_is_no_whole_door_of_ours_is_refused_in_a_sentence(
    home: Path, identity: Path, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    file = resealed(backed_up(home), identity, change)
    with pytest.raises(DamagedError, match=why):
        open_backup([OWNER], file)


def test_a_door_that_a_stranger_made_up_and_sealed_to_us_is_refused(home: Path, identity: Path) -> None:
    text = (home / "doorbell.toml").read_text().replace(str(OWNER.recipient), str(STRANGER.recipient))
    changed = base64.b64encode(text.encode()).decode()
    file = resealed(backed_up(home), identity, lambda one: one["files"].update({"doorbell.toml": changed}))
    with pytest.raises(DamagedError, match="owner is not who opened it"):
        open_backup([OWNER], file)


def test_a_cut_backup_is_refused(home: Path) -> None:
    file = backed_up(home)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedError):
        open_backup([OWNER], file)


def test_a_fresh_card_becomes_the_door_that_was(home: Path, identity: Path, tmp_path: Path) -> None:
    file, card = backed_up(home), tmp_path / "card"
    fresh = card / home.relative_to("/") / "var"
    (fresh / "keys").mkdir(parents=True)
    (fresh / "keys/signing.key").write_bytes(os.urandom(32))  # a fresh installation made keys of its own
    (card / "etc/doorbell").mkdir(parents=True)
    (card / "etc/doorbell/doorbell.toml").write_text("# as installed\n")
    done = call(restore_command, file, "-i", identity, "--root", card, "--yes")
    assert done.exit_code == 0, done.output
    assert "hunter2" not in done.output
    for name in ("keys/signing.key", "keys/box.key", "settings.json"):
        put = fresh / name
        assert put.read_bytes() == (home / "var" / name).read_bytes()
        assert stat.S_IMODE(put.stat().st_mode) == 0o600
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o700
    assert (card / "etc/doorbell/doorbell.toml").read_bytes() == (home / "doorbell.toml").read_bytes()
    assert (card / "etc/doorbell/doorbell.toml.before-restore").read_text() == "# as installed\n"
    assert (card / home.relative_to("/") / "password").read_text() == "hunter2\n"
    assert len(list(fresh.parent.glob("var.before-restore-1/keys/signing.key"))) == 1


FRESH = f'[keys]\nrecipients = ["{OWNER.recipient}"]\n[mqtt]\nhost = "fresh"\n'
"""What the fresh card says: another broker, and no masks."""
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"


def test_a_fresh_card_starts_with_what_was_put_back_and_the_door_can_read_it(
    home: Path, identity: Path, tmp_path: Path
) -> None:
    places = Places(tmp_path / "card")
    for folder in (places.boot / "doorbell", places.settings, places.run):
        folder.mkdir(parents=True)
    told = {"doorbell.toml": FRESH, "broker-password": "fresh\n", "broker-ca.pem": CERTIFICATE.replace("MII", "NEW")}
    for name, text in told.items():
        (places.boot / "doorbell" / name).write_text(text)
    (places.settings / "doorbell.toml").write_text("# as installed\n")
    text = (
        f'[door]\nid = "front"\n[keys]\nrecipients = ["{OWNER.recipient}"]\n'
        '[mqtt]\nhost = "broker"\nusername = "front"\npassword_file = "/etc/doorbell/broker-password"\n'
        'ca_file = "/etc/doorbell/broker-ca.pem"\n[privacy]\nmasks = [[[0, 0], [1, 0], [1, 1]]]\n'
    )
    files = {"doorbell.toml": text, "mqtt-password": "hunter2\n", "mqtt-ca": CERTIFICATE}
    spelt = {name: base64.b64encode(data.encode()).decode() for name, data in files.items()}
    file = resealed(backed_up(home), identity, lambda one: one["files"].update(spelt))
    done = call(restore_command, file, "-i", identity, "--root", places.root, "--yes")
    assert done.exit_code == 0, done.output
    assert (places.settings / "broker-password").stat().st_mode & 0o777 == 0o600, "nobody to give it to yet"

    # The first boot: the package made the user, and takes over the boot volume.
    user = None if os.geteuid() else (4711, 4711)
    for start in range(2):
        adoption = Adoption(places, user)
        adoption.run()
        assert adoption.wrong == []
        assert bool(adoption.notes) == (start == 0)
        for name, kept in (("doorbell.toml", text), ("broker-password", "hunter2\n"), ("broker-ca.pem", CERTIFICATE)):
            put = places.settings / name
            assert put.read_text() == kept
            if user is not None:
                assert (put.stat().st_gid, stat.S_IMODE(put.stat().st_mode)) == (user[1], 0o640)
        # So that the next card is written from it, and not from what the fresh one said.
        assert (places.boot / "doorbell/doorbell.toml").read_text() == text
        assert not (places.boot / "doorbell/broker-password").exists()

    (places.boot / "doorbell/doorbell.toml").write_text(text.replace("broker", "other", 1))
    Adoption(places, user).run()
    assert 'host = "other"' in (places.settings / "doorbell.toml").read_text(), "what is edited from then on counts"


def test_nothing_is_written_before_the_owner_has_said_yes(home: Path, identity: Path, tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    done = call(restore_command, backed_up(home), "-i", identity, "--root", tmp_path / "card", text="n\n")
    assert (done.exit_code, list((tmp_path / "card").iterdir())) == (1, [])


@pytest.mark.parametrize("name", ["journal.sqlite3", "roster.json"])
def test_a_door_that_is_lived_in_is_replaced_only_when_asked_and_never_deleted(home: Path, name: str) -> None:
    opened, place = open_backup([OWNER], backed_up(home)), Place(Path("/"), home / "doorbell.toml")
    (home / "var" / name).write_bytes(b"a history")
    with pytest.raises(Mistake, match="--replace"):
        put_back(opened, place, replace=False)
    put_back(opened, place, replace=True)
    assert (home / "var.before-restore-1" / name).read_bytes() == b"a history"
    assert not (home / "var" / name).exists()


def test_a_restore_that_ended_in_the_middle_is_done_again(home: Path) -> None:
    opened, place = open_backup([OWNER], backed_up(home)), Place(Path("/"), home / "doorbell.toml")
    (home / "var.restoring").mkdir()
    (home / "var.restoring/roster.json.new").write_bytes(b"half")
    put_back(opened, place, replace=False)
    assert sorted(path.name for path in (home / "var").iterdir()) == ["keys", "settings.json"]
    assert not (home / "var.restoring").exists()


def test_a_door_without_a_recipient_or_with_a_damaged_roster_makes_no_backup(home: Path) -> None:
    (home / "var/roster.json").write_bytes(b"{}")
    done = call(backup_command, "--config", home / "doorbell.toml", "-o", home / "b")
    assert isinstance(done.exception, Mistake)
    assert "not whole" in str(done.exception)
    (home / "var/roster.json").unlink()
    (home / "doorbell.toml").write_text(f'[door]\nstate = "{home}/var"\n')
    done = call(backup_command, "--config", home / "doorbell.toml", "-o", home / "b")
    assert "nobody could open" in str(done.exception)


def test_the_same_state_is_backed_up_beside_a_journal_that_is_being_written(home: Path, identity: Path) -> None:
    keys = load_or_make(home / "var/keys")
    book = open_to_write(home / "var", keys.verify_key, new_boot=True).book
    found = document(backed_up(home), identity)
    assert base64.b64decode(found["journal"]["journal"]) == book.journal_id
    assert found["journal"]["index"] == 0
    book.close()


def test_the_rehearsal(tmp_path: Path, broker: Mosquitto) -> None:
    """A paired door rings, is backed up while it runs, loses its card, and comes back with the 24 words alone."""
    door, anna = Door(tmp_path / "door", broker.port), Phone(broker.port, "Anna")
    door.state.mkdir(parents=True, mode=0o700)
    keys = load_or_make(door.state / "keys")
    members = [Member("owner", "admin", door.owner.recipient, door.owner.verify_key),
               roster.read_member(anna.member("admin"))]  # fmt: skip
    household.load("front", door.state, (door.owner.recipient,)).keep(roster.begin("front", members, keys.sign))
    with door, anna:
        anna.hello()
        door.press()
        anna.until(lambda: anna.of("alert"))
        door.until(lambda: door.status().get("entries", 0) >= 3)
        file = tmp_path / "door.age"
        done = call(backup_command, "--config", door.folder / "doorbell.toml", "-o", file)
        assert done.exit_code == 0, done.output
        before = open_backup([door.owner], file).before
        running = call(restore_command, file, "--words", "--replace", "--yes",
                       "--config", door.folder / "doorbell.toml", text=door.owner.words())  # fmt: skip
        assert "is running" in str(running.exception)
        door.stop()
        shutil.rmtree(door.state)
        (door.folder / "doorbell.toml").unlink()
        done = call(restore_command, file, "--words", "--yes",
                    "--config", door.folder / "doorbell.toml", text=door.owner.words())  # fmt: skip
        assert done.exit_code == 0, done.output
        old = dict(anna.facts)
        door.start()
        anna.until(lambda: anna.facts["epoch"] != old["epoch"])
        assert [anna.facts[key] == old[key] for key in ("verify_key", "box_key", "journal")] == [True, True, False]
        anna.hello()
        assert anna.ask("pairing", {"open": False})["result"]["secret"] is None
        door.until(lambda: door.status().get("entries", 0) >= 2)
        door.stop()
    book = open_to_read(door.state)
    first = next(read_history(book.entries(), [door.owner])).body
    book.close()
    assert before is not None
    assert before.head.index >= 3
    assert first is not None
    assert (first["kind"], first["what"], first["index"]) == ("storage", "restored", before.head.index)
    assert base64.b64decode(first["hash"]) == before.head.hash
    assert base64.b64decode(first["journal"]) == before.journal_id == base64.b64decode(old["journal"])


def test_what_a_phones_qr_taught_and_whom_to_push_to_come_along(home: Path, identity: Path) -> None:
    learnt = {"v": 1, "owner": str(OWNER.recipient), "door": "garden", "broker": "mqtts://broker", "login": "garden",
              "password": "hunter3", "pin": base64.b64encode(bytes(32)).decode()}  # fmt: skip
    (home / "var/by-light.json").write_text(json.dumps(learnt))
    (home / "var/push.json").write_bytes(book.dump(book.begin(bytes(range(48)))))
    (home / "doorbell.toml").write_text(f'[door]\nstate = "{home}/var"\n')  # nothing of it stands there
    file = backed_up(home)
    opened = open_backup([OWNER], file)
    assert (opened.door, opened.settings.mqtt.password) == ("garden", "hunter3")
    put_back(opened, Place(Path("/"), home / "doorbell.toml"), replace=False)
    assert json.loads((home / "var/by-light.json").read_bytes()) == learnt
    assert book.load((home / "var/push.json").read_bytes()) == book.begin(bytes(range(48)))
    newer = base64.b64encode(b'{"v":2}').decode()
    resealed(file, identity, lambda one: one["files"].update({"push.json": newer}))
    with pytest.raises(DamagedError, match="newer doorbell"):
        open_backup([OWNER], file)
