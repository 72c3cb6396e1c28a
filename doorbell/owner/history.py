"""The journal's bodies, opened with the owner's identity."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import frozen

from doorbell.errors import DamagedError
from doorbell.journal.entry import Entry, read_body
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import NotOursError, unseal


@frozen
class Told:
    """An entry and what it says. ``body`` is None where it cannot be read; ``why`` is forgotten, others or damaged."""

    entry: Entry
    body: dict[str, Any] | None
    why: str = ""


def read_history(entries: Iterable[Entry], identities: Sequence[Identity]) -> Iterator[Told]:
    """Open what can be opened. History begins when one joined: earlier entries are sealed to others."""
    for entry in entries:
        if entry.body is None:
            yield Told(entry, None, "forgotten")
            continue
        try:
            yield Told(entry, read_body(b"".join(unseal(identities, io.BytesIO(entry.body)))))
        except NotOursError:
            yield Told(entry, None, "others")
        except DamagedError:
            yield Told(entry, None, "damaged")
