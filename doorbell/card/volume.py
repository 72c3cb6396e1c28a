"""A card's boot volume, mounted as a folder or inside an image file: read, written, and read back."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from attrs import frozen

from doorbell.card.disk import Partition
from doorbell.errors import DeviceError, Mistake

MOST_READ: Final = 64 * 1024 * 1024
"""Bytes of one file that is read back; nothing we write comes near it."""
_MTOOLS: Final = ("mcopy", "mdir", "mmd", "mdel")


class Volume(Protocol):
    """Paths are relative, with slashes. All raise DeviceError where the volume does not do what it should."""

    def names(self, folder: str) -> list[str]:
        """What lies directly in *folder* ("" is the top); empty where there is no such folder."""

    def read(self, path: str) -> bytes | None: ...

    def write(self, path: str, data: bytes) -> None: ...

    def remove(self, path: str) -> None: ...


@frozen
class Folder:
    """A mounted volume. A file is replaced whole; what is no plain file is never followed."""

    top: Path

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(one.name for one in (self.top / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _failed(self.top / folder, error) from None

    def read(self, path: str) -> bytes | None:
        try:
            descriptor = os.open(self.top / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _failed(self.top / path, error) from None
        with os.fdopen(descriptor, "rb") as file:
            try:
                return file.read(MOST_READ)
            except OSError as error:
                raise _failed(self.top / path, error) from None

    def write(self, path: str, data: bytes) -> None:
        place = self.top / path
        new = place.with_name(place.name + ".new")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            new.unlink(missing_ok=True)
            # FAT has no modes; on anything else nobody but this user reads what will be on the card.
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            new.replace(place)
            # FAT forgets even what was synced when it is renamed and the card is pulled: once more, under its name.
            with place.open("rb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise _failed(place, error) from None

    def remove(self, path: str) -> None:
        try:
            (self.top / path).unlink(missing_ok=True)
        except OSError as error:
            raise _failed(self.top / path, error) from None


def _failed(path: Path, error: OSError) -> DeviceError:
    return DeviceError(f"{path} does not work ({error.strerror}): is the card still in, writable and not full?")


@frozen
class Fat:
    """The FAT partition of an image *file*, by mtools: no mount, so no root."""

    file: Path
    partition: Partition

    def names(self, folder: str) -> list[str]:
        done = self._run("mdir", "-b", "-i", self._image, f"::/{folder}", refused_ok=True)
        if done is None:
            return []
        found = (PurePosixPath(line.removeprefix("::")) for line in done.decode("utf-8", "replace").splitlines())
        return sorted(path.name for path in found if path.name)

    def read(self, path: str) -> bytes | None:
        folder, _, name = path.rpartition("/")
        if name.lower() not in (one.lower() for one in self.names(folder)):
            return None
        return self._run("mcopy", "-n", "-i", self._image, f"::/{path}", "-")

    def write(self, path: str, data: bytes) -> None:
        folder, _, _ = path.rpartition("/")
        if folder and not self._is_there(folder):
            self._run("mmd", "-i", self._image, f"::/{folder}")
        self._run("mcopy", "-o", "-i", self._image, "-", f"::/{path}", given=data)

    def remove(self, path: str) -> None:
        if self.read(path) is not None:
            self._run("mdel", "-i", self._image, f"::/{path}")

    def _is_there(self, folder: str) -> bool:
        return folder.lower() in (one.lower() for one in self.names(""))

    @property
    def _image(self) -> str:
        return f"{self.file}@@{self.partition.start}"

    def _run(self, tool: str, *arguments: str, given: bytes = b"", refused_ok: bool = False) -> bytes | None:
        # The image may end where its file system says so, whatever a disk's geometry once was.
        environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(
                [tool, *arguments], input=given, capture_output=True, check=False, timeout=300, env=environment
            )
        except FileNotFoundError:
            raise Mistake(f"{tool} is missing: {HOW_TO_GET}") from None
        except subprocess.TimeoutExpired:
            raise DeviceError(f"{tool} took longer than 5 minutes: is the disk of {self.file} well?") from None
        if done.returncode:
            if refused_ok:
                return None
            why = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it says nothing"]
            raise DeviceError(f"{tool} cannot write into {self.file.name} ({why[0][:120]}): write the image anew.")
        return done.stdout


HOW_TO_GET: Final = (
    "install mtools (Debian, Ubuntu: sudo apt install mtools; Fedora: sudo dnf install mtools; "
    "Arch: sudo pacman -S mtools), or give a mounted card with --boot."
)


def need_mtools() -> None:
    """Raises Mistake, which says how to install them."""
    missing = [tool for tool in _MTOOLS if shutil.which(tool) is None]
    if missing:
        raise Mistake(f"{', '.join(missing)} cannot be found: {HOW_TO_GET}")
