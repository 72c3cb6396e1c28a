"""After a restore: the head of the journal that was before, which the new one names (docs/formats/backup.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell import closed, durable
from doorbell.journal.entry import HASH, JOURNAL_ID, Field, Head

NAME: Final = "restored.json"
MOST_FILE: Final = 1024
DIGITS: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


@frozen
class Before:
    """The journal as it was when the backup was made, at ``made`` (RFC 3339 UTC, a label)."""

    journal_id: bytes
    head: Head
    made: str


def written(before: Before) -> bytes:
    return closed.dump({"v": 1, "made": before.made} | shown(before.journal_id, before.head)) + b"\n"


def shown(journal_id: bytes, head: Head) -> dict[str, Field]:
    return {"journal": closed.to_base64(journal_id), "index": head.index, "hash": closed.to_base64(head.hash)}


def fields(state: Path) -> dict[str, Field] | None:
    """What the new journal's first entry says; None where there was no restore, or none that can be read."""
    try:
        text = durable.read(state / NAME, MOST_FILE)
        if text is None:
            return None
        found = closed.versioned(text, MOST_FILE, {"made": closed.matching(DIGITS)} | KINDS)
    except (OSError, ValueError):
        return None
    return {"what": "restored", "made": found["made"]} | shown(found["journal"], Head(found["index"], found["hash"]))


KINDS: Final[dict[str, closed.Kind]] = {
    "journal": closed.base64_of(JOURNAL_ID),
    "index": closed.count,
    "hash": closed.base64_of(HASH),
}
