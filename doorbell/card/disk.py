"""An image of a card: its partition table read, its parts recognised, and whatever is no card's image refused.

The table is the master boot record, which is what Raspberry Pi OS's images have: at byte 446 four entries of 16 bytes
(type at +4, first sector and number of sectors at +8 and +12, little-endian), at 510 the mark 55 AA.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell.errors import DeviceError, Mistake

SECTOR: Final = 512
_FAT: Final = (0x0B, 0x0C, 0x0E)
_LINUX: Final = 0x83
_GPT: Final = 0xEE
TAKE: Final = "Take the .img.xz of Raspberry Pi OS Lite (64-bit) as it was downloaded."
_OTHERS: Final = (
    (b"\xfd7zXZ\x00", "is still packed by xz"),
    (b"PK\x03\x04", "is a zip file"),
    (b"\x1f\x8b", "is packed by gzip"),
    (b"7z\xbc\xaf", "is a 7z file"),
    (b"\x28\xb5\x2f\xfd", "is packed by zstd"),
    (b"!<arch>\n", "is a package"),
    (b"<", "is a web page: the download failed"),
)


@frozen
class Partition:
    """Where a partition lies in the image, in bytes."""

    start: int
    size: int


def boot_partition(image: Path, name: str = "") -> Partition:
    """The FAT partition of a card's image that is all there. Raises Mistake with the reason, DeviceError.

    *name*: what the owner knows the image by, where *image* is a copy of it.
    """
    name = name or image.name
    try:
        length = image.stat().st_size
        with image.open("rb") as file:
            first = file.read(SECTOR)
            boot, root = _table(name, first, length)
            file.seek(boot.start)
            _look_like_fat(name, file.read(SECTOR))
            file.seek(root.start + 1024 + 56)
            if file.read(2) != b"\x53\xef":
                raise Mistake(f"The second partition of {name} is not ext4, as Raspberry Pi OS has it. {TAKE}")
    except OSError as error:
        raise DeviceError(f"{image} cannot be read ({error.strerror}): check the file and its disk.") from None
    return boot


def refuse_what_is_no_card(name: str, first: bytes) -> None:
    """Raises Mistake for a *first* sector that is not a card's, with what it is instead."""
    for magic, what in _OTHERS:
        if first.startswith(magic):
            raise Mistake(f"{name} {what}, no image of a card. {TAKE}")
    if len(first) < SECTOR or first[510:512] != b"\x55\xaa":
        raise Mistake(f"{name} has no partition table, so it is no image of a card. {TAKE}")


def _table(name: str, first: bytes, length: int) -> tuple[Partition, Partition]:
    refuse_what_is_no_card(name, first)
    entries = [_entry(first[446 + 16 * n : 462 + 16 * n]) for n in range(4)]
    (boot_kind, boot), (root_kind, root) = entries[0], entries[1]
    if boot_kind == _GPT:
        raise Mistake(f"{name} has a GPT, as images for PCs have. {TAKE}")
    if boot_kind not in _FAT or root_kind != _LINUX:
        raise Mistake(f"{name} is no image of Raspberry Pi OS: it has no FAT partition before a Linux one. {TAKE}")
    end = max(boot.start + boot.size, root.start + root.size)
    if end > length:
        raise Mistake(f"{name} is cut short: {length} bytes of {end} are there. Download it again.")
    return boot, root


def _entry(raw: bytes) -> tuple[int, Partition]:
    kind, start, sectors = struct.unpack("<4xB3xII", raw)
    return kind, Partition(start * SECTOR, sectors * SECTOR)


def _look_like_fat(name: str, sector: bytes) -> None:
    if sector[510:512] != b"\x55\xaa" or not (sector[54:57] == b"FAT" or sector[82:87] == b"FAT32"):
        raise Mistake(f"The first partition of {name} holds no FAT file system: the image is damaged. {TAKE}")
