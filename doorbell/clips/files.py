"""Every call by which a clip reaches the card, one method each, so that a test can fail or stop any of them.

Nothing here decides anything. All raise OSError.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path


class Files:
    """The real calls. Symbolic links are not followed: whoever can place one does not choose the target."""

    def make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, path: Path) -> int:
        """A descriptor to write to a file that was not there, readable by the door alone."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        old.rename(new)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in ``folder`` safe: a rename or an unlink is on the card only after this."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def open_existing(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def read(self, descriptor: int, size: int) -> bytes:
        return os.read(descriptor, size)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def unlink(self, path: Path) -> None:
        path.unlink()

    def listing(self, folder: Path) -> Iterator[tuple[str, bool]]:
        """Each name and whether it is a regular file, as the card gives them: in no order, and never all at once."""
        with os.scandir(folder) as found:
            for each in found:
                yield each.name, each.is_file(follow_symlinks=False)

    def size(self, path: Path) -> int | None:
        """Bytes of a regular file; None if there is none of this name (a folder or link is none)."""
        try:
            found = path.lstat()
        except FileNotFoundError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def free(self, folder: Path) -> int:
        """Bytes that the card has left for the door."""
        card = os.statvfs(folder)
        return card.f_bavail * card.f_frsize
