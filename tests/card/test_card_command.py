"""``doorbell card`` as an owner meets it: onto a mounted volume, into an image, twice, and with wrong input."""

from __future__ import annotations

import hashlib
import json
import lzma
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorbell import pairing, ticket
from doorbell.__main__ import main
from doorbell.card import ask, manifest, seed
from doorbell.card.disk import boot_partition
from doorbell.card.volume import Fat
from doorbell.configfile import parse
from doorbell.owner.identity import read_identities
from tests.card.conftest import DEB, STOCK, Card, make_image, needs_tools

asks = pytest.mark.skipif(
    version("click") < "8.2", reason="the test runner of click before 8.2 never says that its input is over"
)

pytest.importorskip("segno", reason="the extra desk is missing: pip install segno")

DOORBELL = "doorbell/doorbell.toml"


def test_a_card_holds_all_that_a_door_needs_and_no_private_key(bootfs: Path, card: Card, tmp_path: Path) -> None:
    done = card("--boot", bootfs)
    assert done.exit_code == 0, done.output
    owner = read_identities(tmp_path / "kept" / "owner-identity.txt")[0]
    config = parse((bootfs / DOORBELL).read_text(encoding="utf-8"))
    assert config.keys.recipients == (owner.recipient,)
    assert (config.mqtt.host, config.mqtt.username, config.mqtt.tls) == ("broker.example", "front", "ca")
    assert config.mqtt.password == "" and config.mqtt.password_file == "/etc/doorbell/broker-password"
    assert (bootfs / "doorbell/broker-password").read_text() == "knock-knock-42\n"
    assert (bootfs / "doorbell/doorbell_9.9.9_all.deb").read_bytes() == DEB
    invitation = pairing.read((bootfs / "doorbell/pairing.json").read_bytes())
    assert invitation.owner is not None and invitation.owner.verify_key == owner.verify_key
    everything = b"".join(file.read_bytes() for file in bootfs.rglob("*") if file.is_file())
    assert b"AGE-SECRET-KEY" not in everything and owner.secret not in everything
    assert not any(" ".join(owner.words().split()[:3]).encode() in part for part in (everything,))


def test_everything_that_was_written_is_listed_with_its_checksum(bootfs: Path, card: Card, tmp_path: Path) -> None:
    card("--boot", bootfs)
    listed = manifest.read((bootfs / manifest.NAME).read_bytes())
    written = {str(file.relative_to(bootfs)) for file in bootfs.rglob("*") if file.is_file()}
    assert set(listed) == written - {manifest.NAME} - (set(STOCK) - set(listed))
    assert {"user-data", "network-config", "meta-data", "cmdline.txt"} < set(listed)
    for path, digest in listed.items():
        assert hashlib.sha256((bootfs / path).read_bytes()).hexdigest() == digest
    assert (tmp_path / "kept/MANIFEST").read_bytes() == (bootfs / manifest.NAME).read_bytes()


def test_no_password_stands_anywhere_but_in_the_two_places_that_are_wiped(bootfs: Path, card: Card) -> None:
    done = card("--boot", bootfs)
    network = json.loads((bootfs / seed.NETWORK).read_text().partition("network: ")[2])
    key = network["wifis"]["wlan0"]["access-points"]["Nest"]["password"]
    for secret, place in (("knock-knock-42", "doorbell/broker-password"), (key, "network-config")):
        found = [str(file.relative_to(bootfs)) for file in bootfs.rglob("*") if file.is_file()
                 and secret.encode() in file.read_bytes()]  # fmt: skip
        assert found == [place]
        assert secret not in done.output
    assert "correct horse" not in done.output
    assert not any(b"correct horse" in file.read_bytes() for file in bootfs.rglob("*") if file.is_file())


def test_a_second_card_is_the_same_door_and_a_new_first_boot(bootfs: Path, card: Card, tmp_path: Path) -> None:
    first = card("--boot", bootfs)
    enrolment, instance = (bootfs / "doorbell/pairing.json").read_bytes(), (bootfs / "meta-data").read_bytes()
    sheet, key = (tmp_path / "kept/phone.svg").read_bytes(), (tmp_path / "kept/owner-identity.txt").read_bytes()
    again = card("--boot", bootfs)
    assert (first.exit_code, again.exit_code) == (0, 0), again.output
    assert (bootfs / "doorbell/pairing.json").read_bytes() == enrolment
    assert (tmp_path / "kept/owner-identity.txt").read_bytes() == key
    assert (tmp_path / "kept/phone.svg").read_bytes() == sheet
    assert seed.instance_of((bootfs / "meta-data").read_bytes()) != seed.instance_of(instance) != ""
    assert "Your new key" in first.output and "Your new key" not in again.output


def test_new_makes_the_sheets_of_before_void(bootfs: Path, card: Card) -> None:
    card("--boot", bootfs)
    before = (bootfs / "doorbell/pairing.json").read_bytes()
    assert card("--boot", bootfs, "--new").exit_code == 0
    assert (bootfs / "doorbell/pairing.json").read_bytes() != before


def test_an_invitation_that_is_nearly_over_is_not_printed_again(bootfs: Path, card: Card, tmp_path: Path) -> None:
    card("--boot", bootfs)
    kept = tmp_path / "kept/pairing.json"
    old = pairing.read(kept.read_bytes())
    old.until = 1_700_000_000
    kept.write_bytes(pairing.written(old))
    card("--boot", bootfs)
    assert pairing.read((bootfs / "doorbell/pairing.json").read_bytes()).secret != old.secret


def test_what_an_earlier_card_left_in_our_folder_goes_away(bootfs: Path, card: Card) -> None:
    card("--boot", bootfs)
    (bootfs / "doorbell/doorbell_0.0.1_all.deb").write_bytes(DEB)
    card("--boot", bootfs, "--login", "", "--secrets", _only_wifi(bootfs.parent))
    assert not (bootfs / "doorbell/doorbell_0.0.1_all.deb").exists()
    assert not (bootfs / "doorbell/broker-password").exists()


def _only_wifi(folder: Path) -> Path:
    file = folder / "wifi.toml"
    file.write_text('wifi_password = "correct horse"\n')
    file.chmod(0o600)
    return file


def test_the_card_of_another_door_is_not_written_over(bootfs: Path, card: Card) -> None:
    card("--boot", bootfs, "--door", "back")
    done = card("--boot", bootfs)
    assert done.exit_code == 1
    assert "for the door back" in done.output
    assert parse((bootfs / DOORBELL).read_text()).door.id == "back"


def test_a_door_with_a_cable_and_no_broker_gets_neither(bootfs: Path, card: Card, tmp_path: Path) -> None:
    empty = tmp_path / "none.toml"
    empty.write_text("")
    empty.chmod(0o600)
    done = card("--boot", bootfs, "--ethernet", "--no-broker", "--secrets", empty, wifi=False)
    assert done.exit_code == 0, done.output
    assert "wifis" not in (bootfs / "network-config").read_text()
    assert not (tmp_path / "kept/phone.svg").exists()
    assert parse((bootfs / DOORBELL).read_text()).mqtt.host == ""


def test_the_owners_own_settings_and_certificate_come_along(bootfs: Path, card: Card, tmp_path: Path) -> None:
    mine, ca = tmp_path / "mine.toml", tmp_path / "ca.pem"
    mine.write_text(
        '[pins]\nled = 24\nchime = 22\n[camera]\nsource = "none"\n[privacy]\nmasks = [[[0,0],[1,0],[1,1]]]\n'
    )
    ca.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    assert card("--boot", bootfs, "--settings", mine, "--ca", ca).exit_code == 0
    config = parse((bootfs / DOORBELL).read_text())
    assert (config.pins.led, config.pins.chime, config.camera.source, len(config.privacy.masks)) == (24, 22, "none", 1)
    assert (bootfs / "doorbell/broker-ca.pem").read_bytes() == ca.read_bytes()
    assert config.mqtt.ca_file == "/etc/doorbell/broker-ca.pem"


def test_what_is_wired_is_said_by_options_and_shown(bootfs: Path, card: Card, tmp_path: Path) -> None:
    silent = card("--boot", bootfs)
    assert "On pins: button GPIO17, no chime, no LED, no PIR." in silent.output
    done = card("--boot", bootfs, "--chime", "--led")
    assert "On pins: button GPIO17, chime GPIO22, LED GPIO23, no PIR." in done.output
    pins = parse((bootfs / DOORBELL).read_text()).pins
    assert (pins.chime, pins.led, pins.pir) == (22, 23, 0)
    assert "--chime 22 --led 23" in (bootfs / "user-data").read_text(), "the bell of the first start knows it too"
    again = card("--boot", bootfs, "--pir")
    assert "chime GPIO22, LED GPIO23, PIR GPIO27." in again.output, "a card of before keeps what it knows"
    mine = tmp_path / "mine.toml"
    mine.write_text("[pins]\nchime = 12\n")
    assert "chime GPIO12, no LED" in card("--boot", bootfs, "--settings", mine).output
    both = card("--boot", bootfs, "--settings", mine, "--chime")
    assert both.exit_code == 1 and "pins.chime in --settings" in both.output
    assert "chime GPIO12, LED GPIO23" in card("--boot", bootfs, "--chime", "--led").output, "moved is still fitted"


def test_what_nobody_named_is_asked_for_once() -> None:
    def asked(settings: dict[str, dict[str, Any]], fitted: set[str], answers: str) -> dict[str, Any]:
        with CliRunner().isolation(input=answers):
            return ask.parts(settings, fitted, given=False, may_ask=True)

    assert asked({}, set(), "y\n\nn\n") == {"pins": {"chime": 22, "led": 0, "pir": 0}}
    assert asked({}, {"led"}, "y\ny\n") == {"pins": {"chime": 22, "led": 23, "pir": 27}}
    answered = {"pins": {"chime": 22, "led": 0, "pir": 0}, "camera": {"fps": 10}}
    assert asked(answered, set(), "") == answered
    assert asked(answered, {"led"}, "")["pins"]["led"] == 23, "it was fitted later"
    assert asked({"pins": {"kind": "none"}}, set(), "") == {"pins": {"kind": "none"}}


def test_a_card_that_comes_back_from_its_door_keeps_the_owners_settings(
    bootfs: Path, card: Card, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[pins]\nled = 24\n[storage]\ndays = 7\n")
    card("--boot", bootfs, "--settings", mine)
    edited = (bootfs / DOORBELL).read_text().replace("days = 7", "days = 9")
    (bootfs / DOORBELL).write_text(edited)
    for name in ("MANIFEST", "broker-password", "pairing.json"):  # as the door leaves it
        (bootfs / "doorbell" / name).unlink()
    done = card("--boot", bootfs, "--broker", "mqtts://other.example")
    assert done.exit_code == 0, done.output
    config = parse((bootfs / DOORBELL).read_text())
    assert (config.pins.led, config.storage.days, config.mqtt.host) == (24, 9, "other.example")


@pytest.mark.parametrize(
    ("spoilt", "why"), [("[pins]\nchime = 22\n[privacy\n", "is no TOML"), ("\xff", "no UTF-8"), (None, "is not on")]
)
def test_masks_and_pins_that_cannot_be_read_are_never_dropped_in_silence(
    bootfs: Path, card: Card, tmp_path: Path, spoilt: str | None, why: str
) -> None:
    card("--boot", bootfs)
    (bootfs / DOORBELL).unlink()
    if spoilt is not None:
        (bootfs / DOORBELL).write_bytes(spoilt.encode("latin-1"))
    before = {file.name: file.read_bytes() for file in (bootfs / "doorbell").iterdir()}
    done = card("--boot", bootfs)
    assert done.exit_code == 1 and why in done.output and "--settings" in done.output
    assert {file.name: file.read_bytes() for file in (bootfs / "doorbell").iterdir()} == before
    empty, mine = tmp_path / "empty.toml", tmp_path / "mine.toml"
    empty.write_text("")
    mine.write_text("[pins]\nchime = 22\n")
    for given, chime in ((empty, 0), (mine, 22), (empty, 0)):
        assert card("--boot", bootfs, "--settings", given).exit_code == 0
        assert parse((bootfs / DOORBELL).read_text()).pins.chime == chime


def test_a_door_is_not_given_another_owner_by_accident(bootfs: Path, card: Card, tmp_path: Path) -> None:
    card("--boot", bootfs)
    before = (bootfs / DOORBELL).read_text()
    done = card("--boot", bootfs, "--folder", tmp_path / "another-computer")
    assert done.exit_code == 1 and "--identity" in done.output
    assert (bootfs / DOORBELL).read_text() == before
    done = card("--boot", bootfs, "--folder", tmp_path / "third", "--identity", tmp_path / "kept/owner-identity.txt")
    assert done.exit_code == 0, done.output


def test_the_phones_code_names_the_owner_the_secret_and_the_broker(bootfs: Path, card: Card, tmp_path: Path) -> None:
    done = card("--boot", bootfs, "--phone-broker", "wss://broker.example:9001/mqtt")
    sheet = (tmp_path / "kept/phone.svg").read_text()
    assert "█" in done.output
    owner = read_identities(tmp_path / "kept/owner-identity.txt")[0]
    secret = pairing.read((bootfs / "doorbell/pairing.json").read_bytes()).secret
    wanted = ticket.Ticket(owner.recipient.key, owner.verify_key, secret, "front", "wss://broker.example:9001/mqtt")
    pasted = "".join(line.split(">")[1].split("<")[0] for line in sheet.splitlines() if "monospace" in line)
    assert pasted == ticket.to_paste(wanted)
    assert _read_code(tmp_path / "kept/phone.svg") in (ticket.to_qr(wanted), None)


def test_a_wrong_address_for_phones_is_told_before_writing(bootfs: Path, card: Card, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in bootfs.iterdir()}
    for address in ("https://x", "wss://" + "x" * 300):
        done = card("--boot", bootfs, "--phone-broker", address)
        assert done.exit_code == 1 and "--phone-broker" in done.output
        assert {file.name: file.read_bytes() for file in bootfs.iterdir()} == before
        assert not (tmp_path / "kept/pairing.json").exists(), "a sheet of before stays good"


def _read_code(sheet: Path) -> str | None:
    """The code as a camera would see it, drawn from the sheet's own path; None where OpenCV reads none of it."""
    import re

    try:
        import cv2
    except ImportError:
        return None
    import numpy as np

    text = sheet.read_text()
    side = int(re.search(r'scale\([^)]+\)"><rect width="(\d+)"', text)[1])  # type: ignore[index]
    picture = np.full((side, side), 255, np.uint8)
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1", text):
        picture[int(y), int(x) : int(x) + int(run)] = 0
    found, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.resize(picture, None, fx=6, fy=6, interpolation=0))
    return found or None


# ---- the words


@asks
def test_the_card_is_only_written_when_the_words_open_the_test_clip(
    bootfs: Path, card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "my-key.txt"
    card("--boot", bootfs, "--identity", key)
    words = read_identities(key)[0].words()
    before = (bootfs / "meta-data").read_bytes()
    wrong = "abandon " * 23 + "art"
    done = card("--boot", bootfs, "--identity", key, "--prove", "words", given=f"{wrong}\nnonsense\n{words}\n")
    assert done.exit_code == 0, done.output
    assert "belong to another key" in done.output and "24 words make an identity" in done.output
    assert (bootfs / "meta-data").read_bytes() != before
    before = (bootfs / "meta-data").read_bytes()
    assert card("--boot", bootfs, "--identity", key, "--prove", "words", given=f"{wrong}\n").exit_code == 1
    assert (bootfs / "meta-data").read_bytes() == before


def test_a_new_key_is_not_taken_unseen(bootfs: Path, tmp_path: Path, deb: Path, secrets: Path) -> None:
    usual = ["card", "--boot", bootfs, "--folder", tmp_path / "kept", "--deb", deb, "--secrets", secrets, "--yes"]
    usual += ["--wifi", "Nest", "--country", "DE", "--broker", "mqtts://broker.example"]

    def write(*more: str) -> Result:
        return CliRunner().invoke(main, [*map(str, usual), *more], catch_exceptions=False)

    refused = write()
    assert refused.exit_code == 1 and "--prove file" in refused.output
    assert not (tmp_path / "kept").exists() and not (bootfs / "doorbell").exists()
    untried = write("--prove", "file")
    assert untried.exit_code == 0 and "THE 24 WORDS WERE NOT TRIED" in untried.output
    known = write()
    assert known.exit_code == 0 and "NOT TRIED" not in known.output


@asks
def test_some_of_the_words_are_asked_for_by_their_number(bootfs: Path, card: Card, tmp_path: Path) -> None:
    key = tmp_path / "my-key.txt"
    card("--boot", bootfs, "--identity", key)
    done = card("--boot", bootfs, "--identity", key, "--prove", "some", given="zoo\n" * 4)
    assert done.exit_code == 1
    assert done.output.count("Word ") >= 5
    assert "A test clip was sealed" not in done.output


@asks
def test_words_that_were_never_tried_are_shown_and_asked_for_again(
    bootfs: Path, card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off = card("--boot", bootfs, yes=False, given="abandon\n")
    assert broken_off.exit_code == 1 and not (bootfs / "doorbell").exists()
    words = read_identities(tmp_path / "kept/owner-identity.txt")[0].words()
    done = card("--boot", bootfs, "--door", "front", "--name", "Front", yes=False, given=f"{words}\n")
    assert done.exit_code == 0, done.output
    assert "1. " + words.split()[0] in done.output
    third = card("--boot", bootfs, yes=False, given="")
    assert third.exit_code == 0 and words.split()[0] + " " not in third.output


# ---- images


@needs_tools
def test_an_image_becomes_a_new_image_and_stays_itself(card: Card, packed: Path, tmp_path: Path) -> None:
    out, before = tmp_path / "card.img", packed.read_bytes()
    done = card("--image", packed, "--out", out)
    assert done.exit_code == 0, done.output
    assert packed.read_bytes() == before
    fat = Fat(out, boot_partition(out))
    listed = manifest.read(fat.read(manifest.NAME) or b"")
    assert {"user-data", DOORBELL, "doorbell/doorbell_9.9.9_all.deb"} < set(listed)
    for path, digest in listed.items():
        assert hashlib.sha256(fat.read(path) or b"").hexdigest() == digest
    assert (fat.read("cmdline.txt") or b"").endswith(b"resize cfg80211.ieee80211_regdom=DE\n")
    again = card("--image", packed, "--out", out)
    assert again.exit_code == 0, again.output
    assert [one.name for one in tmp_path.glob("*.part")] == []


@needs_tools
def test_a_file_of_the_owners_is_never_written_over(card: Card, packed: Path, tmp_path: Path) -> None:
    for out in (tmp_path / "holiday.img", packed):
        if out != packed:
            out.write_bytes(b"pictures")
        before = out.read_bytes()
        done = card("--image", packed, "--out", out)
        assert done.exit_code == 1
        assert out.read_bytes() == before


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


@needs_tools
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda raw: lzma.compress(raw, preset=0)[:-2000], "cut short"),
        (lambda raw: lzma.compress(_cut(raw), preset=0), "cut short"),
        (_cut, "cut short"),
        (lambda raw: lzma.compress(raw, preset=0)[:300] + b"?" * 9000, "damaged"),
        (lambda raw: b"PK\x03\x04" + raw[4:], "is a zip file"),
        (lambda raw: b"<!doctype html><title>404</title>", "web page"),
        (lambda raw: b"hello", "no partition table"),
        (lambda raw: b"", "no partition table"),
        (lambda raw: raw[:450] + b"\x83" + raw[451:], "no image of Raspberry Pi OS"),
        (lambda raw: raw[:450] + b"\xee" + raw[451:], "GPT"),
        (lambda raw: raw[: 8192 * 512] + bytes(512) + raw[8193 * 512 :], "no FAT file system"),
        (lambda raw: raw[: 77824 * 512] + bytes(4096) + raw[77824 * 512 + 4096 :], "not ext4"),
    ],
)
def test_a_wrong_image_is_refused_with_the_reason(
    card: Card, stock_image: Path, tmp_path: Path, make: object, why: str
) -> None:
    wrong = tmp_path / "wrong.img"
    wrong.write_bytes(make(stock_image.read_bytes()))  # type: ignore[operator]
    done = card("--image", wrong, "--out", tmp_path / "card.img")
    assert done.exit_code == 1
    assert why in done.output
    assert "wrong.img" in done.output and "card.img" not in done.output, "the owner knows the original, not our copy"
    assert not (tmp_path / "card.img").exists() and not list(tmp_path.glob("*.part"))


@needs_tools
def test_an_older_raspberry_pi_os_in_an_image_is_refused(card: Card, tmp_path: Path) -> None:
    old = {name: data for name, data in STOCK.items() if name not in ("user-data", "meta-data", "network-config")}
    image = make_image(tmp_path / "bookworm.img", old)
    done = card("--image", image, "--out", tmp_path / "card.img")
    assert done.exit_code == 1
    assert "no cloud-init" in done.output and "too old" in done.output
    assert not (tmp_path / "card.img").exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"config.txt": None}, "not a Raspberry Pi's boot volume"),
        ({"issue.txt": b"Ubuntu 26.04\n"}, "another system"),
        ({"issue.txt": None}, "another system"),
        ({"user-data": None}, "no cloud-init"),
        ({"kernel8.img": None}, "no kernel"),
    ],
)
def test_a_wrong_boot_volume_is_refused_and_left_alone(
    bootfs: Path, card: Card, change: dict[str, bytes | None], why: str
) -> None:
    for name, data in change.items():
        (bootfs / name).unlink()
        if data is not None:
            (bootfs / name).write_bytes(data)
    before = {file.name: file.read_bytes() for file in bootfs.iterdir()}
    done = card("--boot", bootfs)
    assert done.exit_code == 1
    assert why in done.output
    assert {file.name: file.read_bytes() for file in bootfs.iterdir()} == before


def test_the_32_bit_system_is_taken_as_best_effort(bootfs: Path, card: Card) -> None:
    (bootfs / "kernel8.img").rename(bootfs / "kernel.img")
    done = card("--boot", bootfs)
    assert done.exit_code == 0 and "best effort" in done.output


# ---- wrong wishes


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--wifi", "x" * 33], "1 to 32 bytes"),
        (["--country", "Germany"], "two capital letters"),
        (["--country", "XX"], "no country XX"),
        (["--timezone", "Mars/Base"], "no time zone Mars/Base"),
        (["--broker", "https://broker.example"], "mqtts://HOST"),
        (["--broker", "mqtts://me:hunter2@broker.example"], "A login goes into --login"),
        (["--door", "Front"], "a to z"),
        (["--pin", "abc"], "64 hex digits"),
        (["--broker", "mqtt://b.example", "--pin", "ab" * 32], "speaks in clear"),
        (["--timezone", "../../etc/passwd"], "Europe/Berlin"),
        (["--phone-broker", "https://x"], "wss://HOST"),
        (["--ethernet"], "not both"),
        (["--ssh-key", "{key}"], "private key"),
        (["--settings", "{broken}"], "no TOML"),
        (["--settings", "{keys}"], "decided by this command"),
        (["--settings", "{wrong}"], "pins.led"),
        (["--settings", "{flat}"], "no table"),
        (["--deb", "{key}"], "no Debian package"),
        (["--identity", "{key}"], "SSH or TLS key"),
    ],
)
def test_a_wrong_wish_is_one_sentence_and_repeats_no_secret(
    bootfs: Path, card: Card, tmp_path: Path, options: list[str], why: str
) -> None:
    texts = {
        "key": "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n",
        "broken": "[pins\nled = 1",
        "keys": "[keys]\nrecipients = []\n",
        "wrong": "[pins]\nled = 99\n",
        "flat": "pins = 22\n",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    done = card("--boot", bootfs, *(option.format(**{name: tmp_path / name for name in texts}) for option in options))
    assert done.exit_code == 1, done.output
    assert why in done.output
    assert "Traceback" not in done.output and "hunter2" not in done.output


def test_a_secrets_file_that_others_may_read_is_refused(bootfs: Path, card: Card, secrets: Path) -> None:
    secrets.chmod(0o644)
    done = card("--boot", bootfs)
    assert done.exit_code == 1 and "chmod 600" in done.output


def test_with_yes_nothing_is_asked_and_what_is_missing_is_named(bootfs: Path, card: Card) -> None:
    done = card("--boot", bootfs, wifi=False)
    assert done.exit_code == 1 and "--wifi" in done.output


def test_a_folder_that_is_full_or_read_only_is_a_sentence(bootfs: Path, card: Card) -> None:
    (bootfs / "doorbell").write_text("a file where our folder belongs")
    done = card("--boot", bootfs)
    assert done.exit_code == 1 and "does not work" in done.output
