"""What the owner reads: sealed bytes opened, entries in order, the door's public facts."""

from __future__ import annotations

import io
import json
from typing import Any

from doorbell.journal.entry import read_body, read_document
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import unseal
from tests.rigs.door import Note


def opened(owner: Identity, sealed: bytes) -> bytes:
    return b"".join(unseal([owner], io.BytesIO(sealed)))


def bodies(owner: Identity, notes: list[Note]) -> list[dict[str, Any]]:
    """What journal entries from the broker say, in order of their index."""
    entries = {entry.index: entry for entry in (read_document(note.payload) for note in notes)}
    return [read_body(opened(owner, entries[index].body or b"")) for index in sorted(entries)]


def hello(notes: list[Note]) -> dict[str, Any]:
    """The facts of the newest hello."""
    facts: dict[str, Any] = json.loads(json.loads(notes[-1].payload)["json"])
    return facts
