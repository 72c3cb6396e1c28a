"""A clip's way onto the card, by the recorder, who alone writes it (what is left behind: leftovers.py).

    clips/<id>.part -> fsync -> <id>.mp4.age -> fsync of the folder -> only then ClipKept

Each step waits for the one before, so after a power cut between any two of them the name says what the bytes are worth.
An error ends the file for good. After a failed fsync the next one reports success although data was lost (the kernel
marks the pages clean), so nothing here is ever tried twice; the file stays a ``.part``, and the doorman cuts it to what
is whole.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from doorbell.clips.files import Files
from doorbell.errors import DeviceError

FOLDER: Final = "clips"
PART: Final = ".part"
CLIP: Final = ".mp4.age"
POSTER: Final = ".jpg.age"
POSTER_PART: Final = ".jpg.part"
CLIP_ID: Final = re.compile(r"[a-z2-7]{26}")
SYNC_EVERY: Final = 2.0
"""Seconds between two syncs of a running clip: what a power cut may cost, against the wear of the card."""
MOST_POSTER: Final = 24 * 1024
LOCK: Final = "recorder.lock"


def trouble(error: OSError) -> DeviceError:
    """The card's refusal as a sentence for the owner."""
    sentence = {
        errno.ENOSPC: "The card is full: lower storage.quota_mb or delete something.",
        errno.EDQUOT: "The card's quota is used up: lower storage.quota_mb or delete something.",
        errno.EFBIG: "A file reached the largest size allowed here: check the service's limits.",
        errno.EROFS: "The card is read-only, as worn cards become: replace it.",
        errno.EIO: "The card fails to write: replace it.",
        errno.EACCES: "The state folder may not be written: give it to the user doorbell runs as.",
        errno.EPERM: "The state folder may not be written: give it to the user doorbell runs as.",
        errno.ENOENT: "The state folder is gone: is the card still mounted?",
        errno.EEXIST: "A clip of this name lies on the card already: restart the door.",
        errno.EMFILE: "Too many files are open: restart the door, and tell us.",
        errno.ENFILE: "Too many files are open on this machine: restart it.",
    }.get(error.errno or 0, f"The card refuses what is written ({errno.errorcode.get(error.errno or 0, 'no reason')}).")
    return DeviceError(sentence)


def prepare(state: Path, files: Files | None = None) -> Path:
    """Make ``clips/`` in the state folder, 0700; returns it. Raises DeviceError."""
    files = files or Files()
    folder = state / FOLDER
    try:
        files.make_folder(folder)
        files.sync_folder(state)
    except OSError as error:
        raise trouble(error) from error
    return folder


def lock_recorder(state: Path) -> int | None:
    """Hold the card as its one recorder, until the descriptor is closed or the process ends, however it ends.

    None where another recorder holds it. Raises OSError for a state folder in which no lock can be had.
    """
    descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def recorder_is_writing(state: Path) -> bool:
    """Whether a recorder holds the card: one that outlived its doorman still finishes its clip."""
    try:
        descriptor = os.open(state / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False  # no recorder ever held this card, or nothing on it can be read
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # a file system without locks: nobody holds one
    finally:
        os.close(descriptor)
    return False


class Part:
    """A clip while it is recorded. After ``keep``, ``abandon`` or an error it is done and takes nothing more.

    ``folder`` is clips/, ``clock`` gives monotonic seconds. Every method raises DeviceError, with the card's reason.
    """

    def __init__(self, folder: Path, clip: str, clock: Callable[[], float], files: Files | None = None) -> None:
        _refuse_name(clip)
        self._files = files or Files()
        self._folder = folder
        self._clip = clip
        self._clock = clock
        self._sha256 = hashlib.sha256()
        self._synced = clock()
        self._named = False
        self.bytes = 0
        try:
            self._descriptor: int | None = self._files.create(folder / (clip + PART))
        except OSError as error:
            raise trouble(error) from error

    def write(self, data: bytes) -> None:
        """Append sealed bytes; syncs if the last sync is 2 s ago."""
        try:
            self._write(memoryview(data))
            if self._clock() - self._synced >= SYNC_EVERY:
                self._files.fsync(self._open())
                if not self._named:  # bytes without their name are nobody's after a power cut, but on ext4
                    self._files.sync_folder(self._folder)
                    self._named = True
                self._synced = self._clock()
        except OSError as error:
            self.abandon()
            raise trouble(error) from error

    def keep(self) -> tuple[int, str]:
        """Sync, name and sync the name; returns bytes and SHA-256 (hex) of the sealed file, which is now safe."""
        try:
            self._files.fsync(self._open())
            self._close()
            self._files.rename(self._folder / (self._clip + PART), self._folder / (self._clip + CLIP))
            self._files.sync_folder(self._folder)
        except OSError as error:
            self.abandon()
            raise trouble(error) from error
        return self.bytes, self._sha256.hexdigest()

    def abandon(self) -> None:
        """Leave the file as it is, to the doorman. Raises nothing."""
        with contextlib.suppress(OSError):
            self._close()

    def _write(self, rest: memoryview) -> None:
        self._sha256.update(rest)  # while the bytes are still in the processor's cache, which the kernel's copy fills
        while rest:
            written = self._files.write(self._open(), rest)
            self.bytes += written
            rest = rest[written:]

    def _open(self) -> int:
        if self._descriptor is None:
            raise ValueError("this clip is kept or abandoned: nothing more can be written to it")
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None  # a close that fails has closed it
            self._files.close(descriptor)


def keep_poster(folder: Path, clip: str, sealed: bytes, files: Files | None = None) -> str:
    """Put a clip's sealed poster on the card, whole or not at all; returns its SHA-256 (hex). Raises DeviceError.

    Before ``Part.keep``: the clip's entry names the poster, and its row counts the poster's bytes.
    """
    _refuse_name(clip)
    if len(sealed) > MOST_POSTER:
        raise ValueError(f"a poster has {len(sealed)} bytes, at most {MOST_POSTER} are allowed")
    files = files or Files()
    unfinished = folder / (clip + POSTER_PART)
    try:
        descriptor = files.create(unfinished)
        try:
            rest = memoryview(sealed)
            while rest:
                rest = rest[files.write(descriptor, rest) :]
            files.fsync(descriptor)
        finally:
            files.close(descriptor)
        files.rename(unfinished, folder / (clip + POSTER))
        files.sync_folder(folder)
    except OSError as error:
        raise trouble(error) from error
    return hashlib.sha256(sealed).hexdigest()


def _refuse_name(clip: str) -> None:
    if not CLIP_ID.fullmatch(clip):
        raise ValueError("a clip's id is 26 of a to z and 2 to 7")
