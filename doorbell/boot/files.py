"""Files that root reads and writes for the door: no link is followed, nothing larger than its cap is read, whatever is
replaced is replaced whole, and a secret is overwritten before it is deleted."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from doorbell import durable
from doorbell.errors import Mistake

MOST: Final = 256 * 1024


def read(path: Path, most: int = MOST) -> bytes | None:
    """A plain file's bytes, None where there is none. Raises Mistake for what is no file or too large, OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Mistake(f"{path.name} is no file: put a plain file there.")
        data = file.read(most + 1)
    if len(data) > most:
        raise Mistake(f"{path.name} has more than {most} bytes: that is another file.")
    return data


def put(path: Path, data: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    """Replace *path* durably, with *mode* and *owner* (uid, gid; None: as it comes) before it has its name. OSError."""

    def dress(descriptor: int) -> None:
        if owner is not None:
            os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)

    durable.replace(path, data, dress)


def wipe(path: Path) -> bool:
    """Overwrite *path* with zeros, sync, delete: whether it was there. Raises OSError.

    What a card's own controller keeps of the old bytes in worn or spare blocks is beyond any program's reach; this
    keeps it from whoever puts the card into a reader.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            left = status.st_size
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20))) or 0
            os.fsync(file.fileno())
    path.unlink()
    durable.sync_folder(path.parent)
    return True


def wipe_then_put(path: Path, data: bytes) -> None:
    """Overwrite what stands in *path*, then put *data* there. Raises OSError."""
    wipe(path)
    put(path, data, 0o644, None)
