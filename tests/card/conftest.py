"""A card's boot volume as Raspberry Pi OS has it, as a folder and inside an image; and a door's file system."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorbell.__main__ import main
from doorbell.boot.places import Places

STOCK = {
    "config.txt": b"arm_64bit=1\n[all]\n",
    "cmdline.txt": b"root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait resize\n",
    "issue.txt": b"Raspberry Pi reference 2026-05-04\nGenerated using pi-gen, stage2\n",
    "kernel8.img": b"\0" * 512,
    "user-data": b"#cloud-config\n",
    "meta-data": b"dsmode: local\ninstance_id: rpios-image\n",
    "network-config": b"network:\n  version: 2\n",
}
TOOLS = ("sfdisk", "mkfs.vfat", "mke2fs", "mcopy")
PARTS = "label: dos\nlabel-id: 0x4e639091\nstart=8192, size=69632, type=c\nstart=77824, size=8192, type=83\n"
DEB = b"!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n"

needs_tools = pytest.mark.skipif(
    not all(shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin") for tool in TOOLS),
    reason="card tools are missing: apt-get install mtools dosfstools fdisk e2fsprogs",
)


@pytest.fixture
def bootfs(tmp_path: Path) -> Path:
    """A mounted boot volume of a stock Raspberry Pi OS."""
    folder = tmp_path / "bootfs"
    folder.mkdir()
    for name, data in STOCK.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def stock_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same inside an image: partition table, FAT32 with the files, ext4. No root, no mount."""
    folder = tmp_path_factory.mktemp("stock")
    return make_image(folder / "2026-05-04-raspios-trixie-arm64-lite.img", STOCK)


def make_image(image: Path, files: dict[str, bytes]) -> Path:
    with image.open("wb") as file:
        file.truncate(86016 * 512)
    run("sfdisk", "-q", str(image), given=PARTS.encode())
    run("mkfs.vfat", "-F", "32", "-s", "1", "-n", "bootfs", "--offset", "8192", str(image), str(69632 // 2))
    run("mke2fs", "-q", "-F", "-t", "ext4", "-E", f"offset={77824 * 512}", str(image), "4M")
    for name, data in files.items():
        run("mcopy", "-i", f"{image}@@{8192 * 512}", "-", f"::/{name}", given=data)
    return image


def run(*command: str, given: bytes = b"") -> bytes:
    path = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "MTOOLS_SKIP_CHECK": "1"}
    return subprocess.run(command, input=given, capture_output=True, check=True, env=path).stdout


@pytest.fixture
def packed(stock_image: Path, tmp_path: Path) -> Path:
    """As it is downloaded."""
    file = tmp_path / f"{stock_image.name}.xz"
    file.write_bytes(lzma.compress(stock_image.read_bytes(), preset=0))
    return file


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    file = tmp_path / "secrets.toml"
    file.write_text('wifi_password = "correct horse"\nbroker_password = "knock-knock-42"\n', encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    file = tmp_path / "doorbell_9.9.9_all.deb"
    file.write_bytes(DEB)
    return file


Card = Callable[..., Result]


@pytest.fixture
def card(tmp_path: Path, secrets: Path, deb: Path) -> Card:
    """``doorbell card`` as a script calls it, with what every card needs; further options are added.

    *yes*: nothing is asked, and the words are left untried.
    """

    def write(*options: str | Path, wifi: bool = True, given: str | None = None, yes: bool = True) -> Result:
        usual = ["--deb", str(deb), "--folder", str(tmp_path / "kept"), "--timezone", "Europe/Berlin"]
        usual += ["--secrets", str(secrets)]
        if wifi:
            usual += ["--wifi", "Nest", "--country", "DE", "--broker", "mqtts://broker.example"]
        usual += ["--yes", "--prove", "file"] if yes else []
        return CliRunner().invoke(main, ["card", *usual, *map(str, options)], input=given, catch_exceptions=False)

    return write


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A door's file system, with what is there before the daemon's first start."""
    root = tmp_path / "root"
    for folder in ("boot/firmware/doorbell", "etc/doorbell", "run", "var/lib", "proc/net", "etc/systemd/system"):
        (root / folder).mkdir(parents=True)
    return Places(root)
