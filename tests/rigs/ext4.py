"""A small real ext4 in a file: mounted, turned read-only, pulled out, and read as raw bytes. Root only."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Self

import pytest
from attrs import define

SHUTDOWN, NO_FLUSH = 0x8004587D, 2
"""EXT4_IOC_SHUTDOWN and the flag by which nothing more reaches the disk."""


@define
class Card:
    """``place`` is where it is mounted, ``image`` the file that holds it."""

    folder: Path
    megabytes: int = 64

    @property
    def image(self) -> Path:
        return self.folder / "image"

    @property
    def place(self) -> Path:
        return self.folder / "card"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.place.mkdir()
        with self.image.open("wb") as image:
            image.truncate(self.megabytes * 1_000_000)
        if os.geteuid() or not shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin"):
            pytest.skip("a card of its own needs root and e2fsprogs")
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.mount()
        return self

    def mount(self) -> None:
        words = ["mount", "-o", "loop,noatime", str(self.image), str(self.place)]
        if subprocess.run(words, check=False, capture_output=True).returncode:
            pytest.skip("this machine mounts no image")

    def __exit__(self, *_: object) -> None:
        self.unmount()

    def unmount(self) -> None:
        """Whatever waits reaches the image first, unless the card was pulled."""
        for words in (["umount"], ["umount", "-l"]):
            if os.path.ismount(self.place):
                subprocess.run([*words, self.place], check=False, capture_output=True)

    def turn_read_only(self) -> None:
        """As the kernel does with a card whose writes fail."""
        subprocess.run(["mount", "-o", "remount,abort", self.place], check=True)

    def pull(self) -> None:
        """From here on every call on it fails with EIO."""
        folder = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_FLUSH))
        finally:
            os.close(folder)

    def raw(self) -> bytes:
        return self.image.read_bytes()
