"""Journals of earlier versions brought forward; a journal of a later one is left exactly as it is.

Why one transaction for the whole way: a power cut in the middle leaves the journal as it was or as it will be, and the
next start goes on from either. Each step is written out as it was when its version was made, and is never changed
again: a journal that slept in a drawer for years goes through all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

VERSION: Final = 3
"""What this software writes; it reads every version from 1 on."""


def bring_forward(connection: sqlite3.Connection) -> int:
    """Raise the journal to VERSION, durably; returns the version it had. Raises sqlite3.Error; then it is as it was.

    The caller has set ``synchronous = FULL`` and knows that the journal is sound and no newer than VERSION.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return version
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[version - 1 :]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return version


def _to_2(connection: sqlite3.Connection) -> None:
    """``day`` learns its last entry; bodies get an index, so that counting them does not read the whole history.

    Version 1 did not note where undated entries followed a day. ``last`` therefore begins as ``first``: what may be
    younger than its day stays until the next dated day is old, and nothing goes too early. For one day's development
    databases were made with the column and without the new number: those have it already.
    """
    if "last" not in {row[1] for row in connection.execute("PRAGMA table_info(day)")}:
        for statement in (
            "ALTER TABLE day RENAME TO day_before",
            """CREATE TABLE day (
  day        INTEGER PRIMARY KEY CHECK (day BETWEEN 1 AND 100000),
  first      INTEGER NOT NULL REFERENCES entry (idx),
  last       INTEGER REFERENCES entry (idx),
  CHECK (last >= first)
) STRICT""",
            "INSERT INTO day SELECT day, first, first FROM day_before",
            "DROP TABLE day_before",
        ):
            connection.execute(statement)
    connection.execute("CREATE INDEX body ON entry (idx, length(body)) WHERE body IS NOT NULL")


def _to_3(connection: sqlite3.Connection) -> None:
    """Entries learn whether they tell of a press, and the index of bodies keeps the two apart.

    What kind an older entry is of was sealed, and nobody here can open it: all of them count as routine.
    """
    connection.execute("ALTER TABLE entry ADD COLUMN press INTEGER NOT NULL DEFAULT 0 CHECK (press IN (0, 1))")
    connection.execute("DROP INDEX body")
    connection.execute("CREATE INDEX body ON entry (press, idx, length(body)) WHERE body IS NOT NULL")


STEPS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (_to_2, _to_3)
"""The step at place n - 1 leads from version n to version n + 1."""
