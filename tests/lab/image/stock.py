"""A card image with Raspberry Pi OS's layout, made of Debian packages: what `doorbell card` is given in the lab.

Two partitions behind a master boot record: FAT (``bootfs``, /boot/firmware) with the files of a stock image by name,
and ext4 (``rootfs``) with the root of build.sh. No loop device and no mount: mtools, mke2fs -d and genimage.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ISSUE = "Raspberry Pi reference 2025-10-01\nGenerated using the lab of the doorbell, which is no Raspberry Pi OS\n"
CMDLINE = (
    "console=serial0,115200 console=tty1 root=LABEL=rootfs rootfstype=ext4 fsck.repair=yes rootwait "
    "ds=nocloud;i=rpi-imager-lab\n"
)
STOCK = {
    "issue.txt": ISSUE,
    "cmdline.txt": CMDLINE,
    "config.txt": "# As on every Pi; the lab's boards do not read it.\narm_64bit=1\ncamera_auto_detect=1\n",
    "user-data": "#cloud-config\n# Raspberry Pi OS has examples here, all commented out.\n",
    "network-config": "# Raspberry Pi OS has examples here, all commented out.\n",
    "meta-data": "dsmode: local\ninstance_id: rpios-image\n",
}
WHOLE_MB, BOOT_MB = 2048, 96
"""qemu's raspi3b takes cards of a power of two."""

GENIMAGE = """\
image card.img {
    hdimage { align = 1M }
    partition bootfs { partition-type = 0xC bootable = true image = "boot.vfat" }
    partition rootfs { partition-type = 0x83 image = "root.ext4" }
}
"""


def make(build: Path, work: Path) -> Path:
    """The image, in *work*; *build* is where build.sh left root and kernel."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "boot").mkdir(parents=True)
    for name, text in STOCK.items():
        (work / "boot" / name).write_text(text)
    shutil.copy(build / "vmlinuz", work / "boot/kernel8.img")
    fat, root = work / "boot.vfat", work / "root.ext4"
    _run("mkfs.vfat", "-F", "32", "-n", "bootfs", "-C", fat, str(BOOT_MB * 1024))
    _run("mcopy", "-i", fat, *sorted((work / "boot").iterdir()), "::/")
    # The table and the alignment take the first megabyte.
    _run("mke2fs", "-q", "-t", "ext4", "-L", "rootfs", "-d", build / "root", root, f"{WHOLE_MB - BOOT_MB - 1}M")
    (work / "genimage.cfg").write_text(GENIMAGE)
    (work / "empty").mkdir()
    _run(
        "genimage", "--config", work / "genimage.cfg", "--inputpath", work, "--outputpath", work,
        "--rootpath", work / "empty", "--tmppath", work / "tmp",
    )  # fmt: skip
    for left in (fat, root):
        left.unlink()
    shutil.rmtree(work / "tmp", ignore_errors=True)
    os.truncate(work / "card.img", WHOLE_MB << 20)
    return work / "card.img"


def _run(*words: str | Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
