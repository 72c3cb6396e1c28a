"""What the door takes over from its boot volume at a start, good and bad."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell import configfile, pairing
from doorbell.boot import typed
from doorbell.boot.adopt import Adoption, outcome
from doorbell.boot.places import Places
from doorbell.card import before
from doorbell.card.volume import Folder
from doorbell.errors import ConfigError
from doorbell.owner.identity import Identity
from doorbell.pairing import Invitation
from doorbell.roster import Member
from tests.rigs.broker import Certificates

OWNER = Identity(bytes(range(32)))
GOOD = f'[keys]\nrecipients = ["{OWNER.recipient}"]\n[mqtt]\nhost = "broker.example"\n[pins]\nled = 24\n'
WRONG = "[mqtt]\nhots = 'broker.example'\n"


def adopt(places: Places) -> Adoption:
    adoption = Adoption(places, None)
    adoption.run()
    return adoption


def put(places: Places, name: str, data: bytes | str) -> Path:
    path = places.boot / "doorbell" / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def in_force(places: Places) -> Path:
    return places.settings / "doorbell.toml"


def invitation(secret: bytes = bytes(16)) -> Invitation:
    return Invitation(secret, Member("owner", "admin", OWNER.recipient, OWNER.verify_key), until=2_000_000_000)


# ---- settings


@pytest.mark.parametrize("spoil", [lambda s: s, lambda s: "\ufeff" + s, lambda s: s.replace("\n", "\r\n"),
                                   lambda s: "\ufeff" + s.replace("\n", "\r\n")])  # fmt: skip
def test_good_settings_are_taken_over_whatever_the_editor_left(places: Places, spoil: object) -> None:
    put(places, "doorbell.toml", spoil(GOOD))  # type: ignore[operator]
    done = adopt(places)
    assert done.wrong == [] and done.taken == ["doorbell.toml"]
    assert in_force(places).read_text() == GOOD
    assert in_force(places).stat().st_mode & 0o777 == 0o640
    assert (places.boot / "doorbell/doorbell.toml").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[mqtt\nhost = 1", "no TOML"),
        (b'[mqtt]\nhots = "b"', "mqtt.hots: no such setting"),
        (b'[mqtt]\nhost = "mqtts://front:hunter2@broker.example"', "mqtt.host"),
        (b'[mqtt]\nusername = "a"\ntls = "pin"', "mqtt.pin_sha256"),
        (b'[mqtt]\npassword = "hunter2"', "mqtt.username"),
        (b'[mqtt]\npassword = ["hunter2"]', "mqtt.password"),
        (b"[pins]\nled = 17", "pins.led"),
        ("[door]\nname = 'x'".encode("utf-16"), "UTF-8"),
        (b"\x00" * 100, "no TOML"),
        (b"[keys]\nrecipients = ['age1nonsense']", "keys.recipients"),
        (b"a = " + b"[" * 5000, "nested too deeply"),
        (b"x" * (configfile.LARGEST + 1), "more than"),
    ],
)
def test_wrong_settings_leave_a_door_that_only_rings_and_a_sentence(places: Places, text: bytes, says: str) -> None:
    put(places, "doorbell.toml", GOOD)
    adopt(places)
    put(places, "doorbell.toml", text)
    done = adopt(places)
    assert len(done.wrong) == 1 and says in done.wrong[0]
    assert "hunter2" not in done.wrong[0]
    assert outcome(places).wrong == tuple(done.wrong)
    if "more than" not in says:
        with pytest.raises(ConfigError):  # what makes the daemon bell-only
            configfile.load(in_force(places))
    assert adopt(places).wrong == done.wrong, "it is said at every start, until it is mended"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[door]\nid = "MeinPasswort!"', "door.id: give 1 to 32"),
        ('[door]\nname = ["MeinPasswort!"]', "door.name: give text in quotes"),
        ('[mqtt]\nhost = "MeinPasswort!"', "mqtt.host: give the broker's name"),
        ('[mqtt]\ntls = "MeinPasswort!"', "mqtt.tls: give"),
        ('[push]\nntfy = "MeinPasswort!"', "push.ntfy: give"),
        ('[mqtt]\n"MeinPasswort!" = 1', "mqtt.a name in quotes: no such setting"),
        ('[camera]\nsource = "MeinPasswort!"\nfps = "MeinPasswort!"', "camera.fps: give a whole number"),
        ('[mqtt]\nhost = "MeinPasswort!', "no TOML"),
        ("[visit]\nlinger_s = 57.0\nlongest_s = 11.0", "visit.linger_s: longer"),
        ('[privacy]\nmasks = [[["MeinPasswort!", 0.571]]]', "Nothing is recorded"),
        ('[motion]\nschedule = ["MeinPasswort!"]', "motion.schedule: line 1"),
    ],
)
def test_what_was_typed_into_a_wrong_line_is_not_repeated_on_the_boot_volume(
    places: Places, text: str, says: str
) -> None:
    """A password slips easily into the line above or below its own."""
    put(places, "doorbell.toml", text)
    told = "\n".join(adopt(places).wrong)
    assert says in told
    assert "MeinPasswort" not in told and "57" not in told
    assert "MeinPasswort" not in (places.run / "doorbell-adopted.json").read_text()


def test_mended_settings_come_into_force(places: Places) -> None:
    for text in (GOOD, WRONG, GOOD + "# mended\n"):
        put(places, "doorbell.toml", text)
        adopt(places)
    assert in_force(places).read_text() == GOOD + "# mended\n"
    assert outcome(places).wrong == ()


def test_deleting_the_wrong_file_brings_the_settings_of_before_back(places: Places) -> None:
    put(places, "doorbell.toml", GOOD)
    adopt(places)
    put(places, "doorbell.toml", WRONG)
    adopt(places)
    (places.boot / "doorbell/doorbell.toml").unlink()
    assert adopt(places).wrong == []
    assert in_force(places).read_text() == GOOD


def test_what_was_edited_at_the_door_itself_is_not_undone(places: Places) -> None:
    put(places, "doorbell.toml", GOOD)
    adopt(places)
    in_force(places).write_text(GOOD + "# by hand\n")
    assert adopt(places).taken == []
    assert in_force(places).read_text().endswith("# by hand\n")
    put(places, "doorbell.toml", WRONG)
    adopt(places)
    in_force(places).write_text(GOOD)
    assert adopt(places).wrong == [], "mended at the door while the boot volume still holds the wrong one"
    assert in_force(places).read_text() == GOOD


def test_masks_that_cannot_be_read_are_told(places: Places) -> None:
    put(places, "doorbell.toml", GOOD + "[privacy]\nmasks = [[[0, 0]]]\n")
    assert "Nothing is recorded" in adopt(places).wrong[0]
    assert configfile.load(in_force(places)).recording_refused


MASKS = "[privacy]\nmasks = [[[0, 0], [1, 0], [1, 1]]]\n"


@pytest.mark.parametrize(
    "line",
    ['password = "hunter2"', "  'password'='hunter2' # of the broker", 'password = "hunter2"\r\n# my own note'],
)
def test_a_password_in_the_settings_leaves_the_boot_volume_and_the_settings_stay(places: Places, line: str) -> None:
    text = GOOD.replace("[pins]", f'username = "front"\n{line}\n[pins]') + MASKS
    file = put(places, "doorbell.toml", text)
    inode = os.open(file, os.O_RDONLY)
    assert adopt(places).wrong == []
    assert set(os.read(inode, 10_000)) <= {0}, "the bytes themselves are overwritten"
    os.close(inode)
    assert (places.settings / "broker-password").read_text() == "hunter2\n"
    assert (places.settings / "broker-password").stat().st_mode & 0o777 == 0o640
    assert outcome(places).notes and "hunter2" not in outcome(places).notes[0]
    for held in (file, in_force(places)):
        assert "hunter2" not in held.read_text()
        config = configfile.load(held)
        assert (config.mqtt.password_file, config.pins.led) == ("/etc/doorbell/broker-password", 24)
        assert len(config.privacy.masks) == 1
    assert adopt(places).taken == [], "nothing is new at the next start"
    put(places, "doorbell.toml", file.read_text().replace("led = 24", "led = 25"))
    adopt(places)
    assert configfile.load(in_force(places)).mqtt.password_file == "/etc/doorbell/broker-password"


def test_the_next_card_is_written_from_the_settings_that_held_a_password(places: Places) -> None:
    put(places, "doorbell.toml", GOOD.replace("[pins]", 'username = "front"\npassword = "hunter2"\n[pins]') + MASKS)
    adopt(places)
    kept = before.own(before.tables(Folder(places.boot), given=False))
    assert (kept["pins"], len(kept["privacy"]["masks"]), "mqtt" in kept) == ({"led": 24}, 1, False)


@pytest.mark.parametrize(
    "spelt",
    ['mqtt = {host = "b", username = "front", password = "hunter2"}\n',
     '# it is hunter2\n[mqtt]\nhost = "b"\nusername = "front"\npassword = "hunter2"\n'],
)  # fmt: skip
def test_settings_from_which_a_password_cannot_be_taken_are_deleted_whole(places: Places, spelt: str) -> None:
    file = put(places, "doorbell.toml", spelt)
    assert adopt(places).wrong == []
    assert configfile.load(in_force(places)).mqtt.password == "hunter2"
    assert not file.exists()
    assert "deleted" in outcome(places).notes[0]
    assert adopt(places).wrong == [], "a file that is not there is no mistake"


def test_the_line_is_the_brokers_and_no_other_that_looks_like_it() -> None:
    before = '[a]\npassword = "x"\nnote = """\n[mqtt]\npassword = "x"\n"""\n'
    text = before + '[mqtt]\r\npassword = "x"\r\n'
    assert typed.moved(text, "x", "/f") == before + '[mqtt]\r\npassword_file = "/f"\r\n'


def test_a_private_key_in_the_settings_is_not_taken_over(places: Places) -> None:
    put(places, "doorbell.toml", GOOD)
    adopt(places)
    put(places, "doorbell.toml", GOOD + f"# {OWNER.line()}\n")
    done = adopt(places)
    assert "private key" in done.wrong[0] and OWNER.line() not in done.wrong[0]
    assert in_force(places).read_text() == GOOD


def test_a_door_without_a_boot_folder_keeps_what_it_has(places: Places) -> None:
    in_force(places).write_text(GOOD)
    (places.boot / "doorbell").rmdir()
    assert adopt(places).wrong == []
    assert in_force(places).read_text() == GOOD


# ---- secrets


def test_the_secrets_are_taken_over_and_wiped(places: Places) -> None:
    files = [put(places, "broker-password", "knock\r\n"), put(places, "pairing.json", pairing.written(invitation()))]
    files.append(put(places, "MANIFEST", "…"))
    inodes = [os.open(file, os.O_RDONLY) for file in files]
    done = adopt(places)
    assert done.wrong == []
    assert not any(file.exists() for file in files)
    for inode in inodes:
        assert set(os.read(inode, 10_000)) <= {0}, "the bytes themselves are overwritten"
        os.close(inode)
    assert (places.settings / "broker-password").read_bytes() == b"knock\n"
    assert (places.settings / "broker-password").stat().st_mode & 0o777 == 0o640
    assert pairing.read((places.state / "pairing.json").read_bytes()) == invitation()
    assert (places.state / "pairing.json").stat().st_mode & 0o777 == 0o600
    assert places.state.stat().st_mode & 0o777 == 0o700


def test_secrets_are_taken_over_beside_wrong_settings(places: Places) -> None:
    put(places, "doorbell.toml", WRONG)
    password = put(places, "broker-password", "knock")
    assert len(adopt(places).wrong) == 1
    assert not password.exists() and (places.settings / "broker-password").read_text() == "knock\n"


@pytest.mark.parametrize("text", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"x" * 1025, b"x" * 5000])
def test_a_password_file_that_holds_none_is_told_and_left(places: Places, text: bytes) -> None:
    file = put(places, "broker-password", text)
    assert "broker-password" in adopt(places).wrong[0]
    assert file.exists() and not (places.settings / "broker-password").exists()


def test_an_enrolment_goes_on_counting_at_the_door(places: Places) -> None:
    places.state.mkdir()
    used = invitation()
    used.wrong, used.hours = 3, 5
    (places.state / "pairing.json").write_bytes(pairing.written(used))
    put(places, "pairing.json", pairing.written(invitation()))
    adopt(places)
    assert pairing.read((places.state / "pairing.json").read_bytes()) == used
    put(places, "pairing.json", pairing.written(invitation(b"n" * 16)))
    adopt(places)
    assert pairing.read((places.state / "pairing.json").read_bytes()).secret == b"n" * 16


def test_a_door_with_a_household_takes_no_enrolment(places: Places) -> None:
    places.state.mkdir()
    (places.state / "roster.json").write_text("{}")
    file = put(places, "pairing.json", pairing.written(invitation()))
    assert adopt(places).wrong == []
    assert not file.exists() and not (places.state / "pairing.json").exists()


def test_a_damaged_enrolment_is_told_and_wiped(places: Places) -> None:
    file = put(places, "pairing.json", pairing.written(invitation())[:-9])
    assert "pairing.json" in adopt(places).wrong[0]
    assert not file.exists()


def test_the_brokers_authority_is_taken_over_and_never_its_key(places: Places, tmp_path: Path) -> None:
    whole = Certificates(tmp_path).make_authority().ca.read_bytes()
    put(places, "broker-ca.pem", "Behörde, 2026\r\n".encode() + whole.replace(b"\n", b"\r\n") + whole)
    assert adopt(places).wrong == []
    kept = (places.settings / "broker-ca.pem").read_bytes()
    assert whole in kept
    put(places, "broker-ca.pem", whole + b"-----BEGIN PRIVATE KEY-----\n")
    assert "never its key" in adopt(places).wrong[0]
    assert (places.settings / "broker-ca.pem").read_bytes() == kept


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
        lambda _: b"-----BEGIN CERTIFICATE-----\n" + bytes(range(256)),
        lambda pem: pem[:200],
        lambda pem: pem[:-30],
        lambda pem: pem + b"-----BEGIN CERTIFICATE-----\ngarbage\n-----END CERTIFICATE-----\n",
        lambda pem: pem.replace(b"MII", b"MIA"),
        lambda _: b"",
    ],
)
def test_an_authority_that_openssl_does_not_take_is_told_and_left(
    places: Places, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    put(places, "broker-ca.pem", spoil(Certificates(tmp_path).make_authority().ca.read_bytes()))
    assert "broker-ca.pem is no certificate" in adopt(places).wrong[0]
    assert not (places.settings / "broker-ca.pem").exists()


# ---- nothing is followed, nothing is endless


@pytest.mark.parametrize("name", ["doorbell.toml", "broker-password", "pairing.json", "broker-ca.pem"])
def test_no_link_and_no_device_is_read_in_a_files_place(places: Places, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "shadow"
    secret.write_text("root:hunter2:1:")
    place = places.boot / "doorbell" / name
    for make in (lambda: place.symlink_to(secret), lambda: os.mkfifo(place), place.mkdir):
        make()
        done = adopt(places)
        assert len(done.wrong) == 1 and "hunter2" not in done.wrong[0]
        assert not any((places.settings / one).exists() for one in ("doorbell.toml", "broker-password"))
        place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()
    assert secret.read_text() == "root:hunter2:1:"


def test_a_link_planted_where_the_door_keeps_things_is_replaced_not_followed(places: Places, tmp_path: Path) -> None:
    target = tmp_path / "passwd"
    target.write_text("untouched")
    for name in ("doorbell.toml", "doorbell.toml.new"):
        (places.settings / name).symlink_to(target)
    put(places, "doorbell.toml", GOOD)
    adopt(places)
    assert target.read_text() == "untouched"
    assert in_force(places).read_text() == GOOD and not in_force(places).is_symlink()


def test_a_card_that_takes_nothing_keeps_the_secrets_where_they_are(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(places, "broker-password", "knock")
    replace = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if self.parent == places.settings:
            raise OSError(30, "Read-only file system")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    assert "Read-only file system" in adopt(places).wrong[0]
    assert file.read_text() == "knock"


@settings(max_examples=30)
@given(raw=st.binary(max_size=400))
def test_no_bytes_whatever_end_the_start(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    places = Places(tmp_path_factory.mktemp("root"))
    for folder in ("boot/firmware/doorbell", "etc/doorbell", "run", "var/lib"):
        (places.root / folder).mkdir(parents=True)
    for name in ("doorbell.toml", "broker-password", "pairing.json", "broker-ca.pem"):
        put(places, name, raw)
    done = adopt(places)
    assert len(done.wrong) <= 4
    json.loads((places.run / "doorbell-adopted.json").read_bytes())
