"""Opening the journal's database: made, known again, or moved aside when it is damaged or not this door's.

Why these settings. WAL: a commit appends to one file and syncs it once, instead of writing a rollback journal, syncing
it, writing the pages, syncing them and removing the journal; on an SD card that is the difference between one wait and
four, and pages that hold old entries are not rewritten in place for every new one. synchronous=FULL: in WAL the other
choice, NORMAL, may lose the last commits in a power cut, and a commit here is a promise. A torn end of the WAL fails
its checksums and is ignored. ``doorbell check`` reads beside the daemon without blocking it. secure_delete overwrites a
forgotten body in its page; what flash keeps below that is beyond us (and sealed). cache_size: a writer that appends
gains nothing from SQLite's usual 2 MB, and the machine may have 512 in all.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell import durable
from doorbell.errors import DeviceError
from doorbell.journal.book import APPLICATION, NAME, SCHEMA, Book
from doorbell.journal.entry import JOURNAL_ID
from doorbell.journal.versions import VERSION, bring_forward

MOST_ASIDE: Final = 20
"""Databases moved aside; then a person has to look."""
CHECKPOINT_PAGES: Final = 256
"""The WAL is folded into the database at 1 MB."""


class UnreadableError(sqlite3.OperationalError):
    """The journal reads as damaged, which one read that fails also makes of it: it may be sound the next time."""

    sqlite_errorname = "SQLITE_IOERR_READ"


class NotOursError(Exception):
    """The file is damaged, or another program's, another version's, another door's; the text says which."""


class NotSoundError(NotOursError):
    """Damaged, by what SQLite read of it."""


class NewerError(NotOursError):
    """A later version of this software wrote it: sound, and not to be touched by this one."""


@frozen
class Opened:
    """An open journal; ``aside`` is where the one before lies now, ``sentence`` says why (empty: it is the same)."""

    book: Book
    aside: Path | None = None
    sentence: str = ""


def open_to_write(
    folder: Path,
    verify_key: bytes,
    *,
    new_boot: bool,
    patient: bool = False,
    random: Callable[[int], bytes] = os.urandom,
) -> Opened:
    """Open the journal in ``folder``, or begin a new one.

    What is damaged or not this door's is renamed, never deleted; what reads as
    damaged raises UnreadableError while ``patient``. ``new_boot`` counts a start of the daemon. Raises
    sqlite3.OperationalError or OSError while the card refuses, DeviceError when 20 databases lie aside already, and
    for a journal of a newer doorbell, which stays as it is: a downgrade must not cost the history.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / NAME
    if not durable.is_there(path) and durable.is_there(path.with_name(NAME + "-wal")):
        _set_aside(folder)  # a power cut while moving aside left the rest
    try:
        return Opened(_open(path, verify_key, new_boot, random))
    except NewerError as why:
        raise DeviceError(f"The journal {why}: install the newer doorbell again.") from None
    except NotOursError as why:
        if patient and isinstance(why, NotSoundError):
            raise UnreadableError("the journal cannot be read") from why
        aside = _set_aside(folder)
        sentence = f"The journal {why}: it lies in {aside.name} now, and the history begins anew."
    return Opened(_open(path, verify_key, True, random), aside, sentence)


def open_to_read(folder: Path) -> Book:
    """Open the journal read-only, beside a running daemon too. Raises NotOursError, OSError or sqlite3.Error.

    A database whose WAL is gone was closed in order; it is read as it lies, so that no side files appear.
    """
    path = folder / NAME
    with path.open("rb"):  # says which of missing and forbidden it is, where SQLite says "unable to open"
        pass
    how = "mode=ro" if path.with_name(NAME + "-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
    try:
        with _naming_damage():
            journal_id, key, boot = _read_meta(connection)
            return Book(connection, journal_id, key, boot)
    except BaseException:
        connection.close()
        raise


class _naming_damage:  # noqa: N801  reads as what it does
    """Turns SQLite's word for a file that is no sound database into NotOursError; its own troubles pass.

    ``of_schema``: a table or column that is missing is damage too, which SQLite counts among its troubles.
    """

    def __init__(self, *, of_schema: bool = False) -> None:
        self._of_schema = of_schema

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, sqlite3.DatabaseError):
            return
        if not isinstance(error, sqlite3.OperationalError) or (
            self._of_schema and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        ):
            raise NotSoundError("is damaged") from error


def _open(path: Path, verify_key: bytes, new_boot: bool, random: Callable[[int], bytes]) -> Book:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))  # SQLite would ask the umask
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        with _naming_damage():
            return _prepare(connection, verify_key, new_boot, random)
    except BaseException:
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection, verify_key: bytes, new_boot: bool, random: Callable[[int], bytes]) -> Book:
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            # SQLite answers a failed sync here with the old mode, not with an error.
            raise sqlite3.OperationalError("the write-ahead log cannot be begun")
        _begin_anew(connection, verify_key, random(JOURNAL_ID))
    journal_id, key, boot = _read_meta(connection)
    if key != verify_key:
        raise NotOursError("is another door's")
    if (verdict := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise NotSoundError("is damaged") from sqlite3.DatabaseError(verdict)
    for setting in (
        "journal_mode = WAL", "cache_size = -512", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {setting}")
    with _naming_damage(of_schema=True):
        bring_forward(connection)
    if new_boot:
        boot += 1
        connection.execute("UPDATE meta SET boot = ?", (boot,))
    return Book(connection, journal_id, key, boot)


def _begin_anew(connection: sqlite3.Connection, verify_key: bytes, journal_id: bytes) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION}; {SCHEMA}")
    connection.execute("INSERT INTO meta VALUES (1, ?, ?, 0)", (journal_id, verify_key))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _read_meta(connection: sqlite3.Connection) -> tuple[bytes, bytes, int]:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise NotOursError("is another program's")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise NewerError(f"was written by a newer doorbell (version {version} of its format, this one reads {VERSION})")
    if version < 1:
        raise NotSoundError("is damaged")
    with _naming_damage(of_schema=True):
        row = connection.execute("SELECT journal, verify_key, boot FROM meta").fetchone()
    if row is None:
        raise NotSoundError("is damaged")
    return row[0], row[1], row[2]


def _set_aside(folder: Path) -> Path:
    """Rename the database and its side files, the database first: what is left is moved at the next start."""
    for number in range(1, MOST_ASIDE + 1):
        aside = folder / f"{NAME}.aside-{number}"
        if not any(aside.with_name(aside.name + end).exists() for end in ("", "-wal", "-shm")):
            break
    else:
        raise DeviceError(f"{MOST_ASIDE} damaged journals lie in {folder}: replace the card, or move them away.")
    for end in ("", "-wal", "-shm"):
        if (side := folder / (NAME + end)).exists():
            side.rename(folder / (aside.name + end))
    durable.sync_folder(folder)
    return aside
