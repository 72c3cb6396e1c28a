"""``doorbell journal``: what happened at the door, one line an entry."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from doorbell.cli.identities import identities_of, identity_option
from doorbell.cli.places import FAULTS, exit_when_blind, state_and_quota, state_options

if TYPE_CHECKING:
    from doorbell.owner.history import Told

_OWN: Final = ("v", "kind", "at", "clock", "boot", "uptime")
_WHY: Final = {
    "forgotten": "(forgotten: its time was over)",
    "others": "(sealed to others)",
    "damaged": "(damaged: it does not open)",
}


@click.command()
@state_options
@identity_option
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N entries (all are verified).")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: one an entry, then one verdict.")
def journal(state: Path | None, config: Path | None, identity: Path | None, last: int | None, as_json: bool) -> None:
    """Show what happened at the door, and verify that nothing was changed.

    Without --identity the entries are sealed: then only their numbers and sizes are shown. Exit code 0: the chain is
    whole; 1: it is not; 2: it could not look.
    """
    from doorbell.journal.entry import verify
    from doorbell.journal.opening import open_to_read

    with exit_when_blind():
        folder, _ = state_and_quota(state, config)
        identities = identities_of(identity)
        book = open_to_read(folder)
        try:
            head = book.head()
            fault = verify((e for e in book.entries() if e.index <= head.index), book.journal_id, book.verify_key)
            after = max(0, head.index - last) if last else 0
            shown = takewhile(lambda entry: entry.index <= head.index, book.entries(after))
            for each in _told(shown, identities):
                click.echo(json.dumps(_as_json(each)) if as_json else _line(each))
        finally:
            book.close()
    sentence = fault.sentence if fault else f"{head.index} entries, each signed by this door and continuing the last."
    if as_json:
        verdict = {"journal": book.journal_id.hex(), "head": head.index, "hash": head.hash.hex()}
        click.echo(json.dumps(verdict | {"fault": fault and fault.what, "sentence": sentence}))
    else:
        click.echo(sentence, err=fault is not None)
    sys.exit(FAULTS if fault else 0)


def _told(entries: Any, identities: Any) -> Iterator[Told]:  # noqa: ANN401  their types are imported only when needed
    from doorbell.owner.history import Told, read_history

    if identities:
        yield from read_history(entries, identities)
    else:
        yield from (Told(entry, None, "" if entry.body is not None else "forgotten") for entry in entries)


def _as_json(told: Told) -> dict[str, Any]:
    entry = told.entry
    size = None if entry.body is None else len(entry.body)
    return {"index": entry.index, "hash": entry.hash.hex(), "bytes": size, "why": told.why, "body": told.body}


def _line(told: Told) -> str:
    number = f"{told.entry.index:6}"
    if told.body is None:
        size = 0 if told.entry.body is None else len(told.entry.body)
        return f"{number}  {_WHY.get(told.why, f'sealed, {size} bytes')}"
    body = told.body
    at = body["at"][:19].replace("T", " ") + (" " if body["clock"] == "synced" else "?")
    said = "  ".join(f"{name} {shown(value)}" for name, value in body.items() if name not in _OWN and value != "")
    return f"{number}  {at} {body['kind']:<12} {said}".rstrip()


def shown(value: object) -> str:
    """One line, whatever a newer door or a thief says: nothing in it may move the cursor of a terminal."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(letter if letter.isprintable() else "?" for letter in text)
