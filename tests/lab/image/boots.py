"""The card as an owner makes it, booted: `doorbell card` fills a stock image, cloud-init installs it, it is READY.

Runs on the host, `make lab-image`. The firmware's boot, Wi-Fi and the camera are not here (docs/lab.md).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from tests.lab.image.board import PI, VIRT, Board, read_boot, told
from tests.lab.image.stock import make
from tests.lab.machine import REPOSITORY
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Listener

BUILD = Path(os.environ.get("LAB_IMAGE_BUILD", REPOSITORY / "build" / "lab-image")).resolve()
WORK = BUILD / "run"
WIFI, BROKER = "correct horse battery", "staple-of-the-broker"
KEPT_FOR_GOOD = (
    "/etc/doorbell/broker-password", "/etc/netplan/", "/etc/NetworkManager/", "/var/lib/doorbell/pairing.json",
)  # fmt: skip
"""Where a secret may stay: the door needs it at every start, and only root or the door reads it there."""

pytestmark = pytest.mark.timeout(2 * 3600)


@frozen
class Owner:
    """The owner's desk: the folder with the key, the card's image, and the broker at home."""

    folder: Path
    card: Path
    broker: Mosquitto
    listener: Listener


@pytest.fixture(scope="module")
def stock() -> Path:
    return make(BUILD, WORK)


def doorbell(folder: Path, *words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "doorbell", *words], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def owner(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    folder = tmp_path_factory.mktemp("desk")
    deb = subprocess.run([REPOSITORY / "packaging/build-deb"], stdout=subprocess.PIPE, text=True, check=True).stdout
    secrets = folder / "secrets.toml"
    secrets.touch(0o600)
    secrets.write_text(f'wifi_password = "{WIFI}"\nbroker_password = "{BROKER}"\n')
    # The boards have no camera that picamera2 knows; a scene stands in, so the recorder is at work too.
    settings = folder / "more.toml"
    settings.write_text('[camera]\nsource = "scene"\nwidth = 320\nheight = 240\nfps = 5\nbitrate_kbps = 300\n')
    with Mosquitto(folder) as broker, Listener(broker.port) as listener:
        card = WORK / "front.img"
        doorbell(
            folder, "card", "--yes", "--prove", "file", "--image", stock, "--out", card, "--door", "front",
            "--wifi", "Home", "--country", "DE", "--broker", f"mqtt://10.0.2.2:{broker.port}", "--login", "front",
            "--secrets", secrets, "--settings", settings, "--deb", deb.strip(), "--timezone", "Europe/Berlin",
        )  # fmt: skip
        yield Owner(folder, card, broker, listener)


def test_debians_cloud_init_understands_what_the_card_says(owner: Owner) -> None:
    root = BUILD / "root"
    for name, kind in (("user-data", "cloud-config"), ("network-config", "network-config")):
        (root / "tmp" / name).write_bytes(read_boot(owner.card, name))
        done = subprocess.run(
            ["chroot", root, "cloud-init", "schema", "--schema-type", kind, "--config-file", f"/tmp/{name}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        (root / "tmp" / name).unlink()
        assert done.returncode == 0, done.stdout + done.stderr
        assert "deprecat" not in done.stdout.lower()


def settled(board: Board, card: Path, record_property: Any) -> dict[str, str]:
    """Boot until the report, and what holds on every board."""
    said = told(board, card, BUILD, WORK)
    (WORK / f"{board.name}.json").write_text(json.dumps(said, indent=1))
    record_property("kernel", said["kernel"])
    record_property("READY after", f"{said['ready_s']} s of the last boot, of {said['boots']}")
    assert said["active"].startswith("active"), said.get("log")
    assert said["package"].startswith("installed ")
    assert {"gpio", "video", "audio"} <= set(said["user"].split())
    assert json.loads(said["cloud"]) == {"init-local": [], "init": [], "modules-config": [], "modules-final": []}
    assert said["host"] == "doorbell-front"
    assert said["failed"].strip() == ""
    return said


def test_the_card_makes_itself_a_door_that_its_broker_hears(owner: Owner, record_property: Any) -> None:
    said = settled(VIRT, owner.card, record_property)
    hello = json.loads(json.loads(owner.listener.wait("hello")[-1].payload)["json"])
    assert hello["door"] == "front"
    assert "pair_mac" in hello, "it was enrolled: a phone may join"
    record_property("listens", said["listens"])
    assert [one for one in said["listens"].split() if not re.search(r"127\.|\[::1\]|%|:68$|:546$", one)] == []
    assert "noatime" in said["options"]
    assert said["ssh"].split()[-1] != "active"
    assert [name for name in said["swap"].split() if "zram" not in name] == []


def test_after_its_first_boot_no_secret_is_left_on_the_boot_volume_nor_in_anybodys_copy(
    owner: Owner, record_property: Any
) -> None:
    image = owner.card.read_bytes()
    invitation = json.loads((owner.folder / "doorbell-front/pairing.json").read_text())
    key = hashlib.pbkdf2_hmac("sha1", WIFI.encode(), b"Home", 4096, 32).hex()
    secrets = {"Wi-Fi password": WIFI, "Wi-Fi key": key, "broker's password": BROKER}
    secrets |= {f"invitation's {name}": value for name, value in invitation.items() if "secret" in name}
    assert len(secrets) == 4
    for what, secret in secrets.items():
        places = [found.start() for found in re.finditer(re.escape(secret.encode()), image)]
        boot = [place for place in places if place < (1 + 96) << 20]
        files = {file_at(owner.card, place) for place in places if place not in boot}
        record_property(what, f"boot volume {len(boot)}, elsewhere {sorted(files)}")
        assert boot == [], what
        strangers = {name for name in files if not name.startswith(KEPT_FOR_GOOD)}
        assert strangers == set(), what


def file_at(card: Path, place: int) -> str:
    """Which file of the ext4 partition has this byte of the card; "free" for a block that none has."""
    root = f"{card}?offset={(1 + 96) << 20}"
    block = (place - ((1 + 96) << 20)) // 4096
    number = ask_ext4(root, f"icheck {block}").split()[-1]
    if not number.isdigit():
        return "free"
    return ask_ext4(root, f"ncheck {number}").split("\t")[-1].strip() or "free"


def ask_ext4(root: str, words: str) -> str:
    return subprocess.run(["debugfs", "-R", words, root], capture_output=True, text=True, check=True).stdout.strip()


def test_started_again_it_is_ready_and_cloud_init_does_nothing_anew(owner: Owner, record_property: Any) -> None:
    before = len(owner.listener.of("hello"))
    said = settled(VIRT, owner.card, record_property)
    assert said["boots"] == "1"
    owner.listener.wait("hello", before + 1)


def test_the_same_image_boots_on_a_board_of_the_pis_family(owner: Owner, stock: Path, record_property: Any) -> None:
    card = WORK / "front-pi.img"
    owner.card.unlink()
    shutil.copy(stock, card)
    boot = owner.folder / "bootfs"
    boot.mkdir()
    # As a mounted card: --boot writes a folder, which goes back into the image's FAT.
    subprocess.run(["mcopy", "-s", "-n", "-i", f"{card}@@1M", "::/", boot], check=True)
    doorbell(owner.folder, "card", "--yes", "--boot", boot, "--door", "front", "--ethernet", "--no-broker")
    subprocess.run(["mcopy", "-s", "-o", "-i", f"{card}@@1M", *sorted(boot.iterdir()), "::/"], check=True)
    settled(PI, card, record_property)
