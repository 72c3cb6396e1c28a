"""Small files that must be whole after a power cut: what the household decided, kept beside the door's keys."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path


def replace(path: Path, data: bytes, dress: Callable[[int], None] | None = None) -> None:
    """Put *data* in place of *path*, 0600, whole or not at all, and on the card when this returns. Raises OSError.

    *dress* gives the new file, by its descriptor, another mode or owner before it has its name.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)  # left by a power cut
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if dress is not None:
            dress(file.fileno())
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> None:
    """Make *path* gone for good; raises OSError."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def read(path: Path, most: int) -> bytes | None:
    """The file's bytes, None where there is none. Raises OSError, and ValueError for more than *most* bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path.name} has more than {most} bytes")
    return data


def is_there(path: Path) -> bool:
    """Whether anything has this name; a link counts. Raises OSError where the card does not say.

    Never ``os.path.exists``: it takes a failing card for a missing file, and who then makes the file anew destroys it.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def close_to_others(folder: Path) -> bool:
    """Take every right to *folder* from all but its owner; whether there was one to take. Raises OSError.

    What lies in it is closed by that as well: nobody reaches a file whose folder they may not enter.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & 0o077:
        return False
    folder.chmod(mode & 0o700)
    return True


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
