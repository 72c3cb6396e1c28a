"""``doorbell clips``: the clips on the card."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorbell.cli.identities import identities_of, identity_option
from doorbell.cli.places import exit_when_blind, state_and_quota, state_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorbell.clips.retention import Held
    from doorbell.journal.book import Book
    from doorbell.owner.identity import Identity

IN_CLEAR = ("id", "day", "bytes", "poster")


@click.command()
@state_options
@identity_option
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one a clip.")
def clips(state: Path | None, config: Path | None, identity: Path | None, as_json: bool) -> None:
    """List the clips on the card, oldest first.

    Without --identity only what stands in clear: id, day (UTC), bytes, whether there is a poster. With it also when,
    why and how long. Exit code 0, or 2 if it could not look.
    """
    from doorbell.clips.store import FOLDER, POSTER
    from doorbell.journal.opening import open_to_read

    with exit_when_blind():
        folder, _ = state_and_quota(state, config)
        identities = identities_of(identity)
        book = open_to_read(folder)
        try:
            ends, none = _ends(book, identities), True
            for clip in book.held():
                none = False
                row = _row(clip, (folder / FOLDER / (clip.clip + POSTER)).exists(), ends.get(clip.clip, {}))
                row = row if identities else {name: row[name] for name in IN_CLEAR}
                click.echo(json.dumps(row) if as_json else _line(row))
        finally:
            book.close()
    if none and not as_json:
        click.echo("No clips are on the card.")


def _row(clip: Held, has_poster: bool, end: dict[str, Any]) -> dict[str, Any]:
    day = (date(1970, 1, 1) + timedelta(days=clip.day)).isoformat() if clip.day else ""
    told = {name: end.get(name) for name in ("at", "trigger", "seconds")}
    cut = end.get("kind") == "clip_cut"
    return {"id": clip.clip, "day": day, "bytes": clip.bytes, "poster": has_poster, **told, "cut": cut}


def _ends(book: Book, identities: Sequence[Identity]) -> dict[str, dict[str, Any]]:
    """Of each clip the entry that tells its end."""
    if not identities:
        return {}
    from doorbell.owner.history import read_history

    bodies = (told.body for told in read_history(book.entries(), identities) if told.body is not None)
    return {str(body.get("id")): body for body in bodies if body["kind"] in ("clip", "clip_cut")}


def _line(row: dict[str, Any]) -> str:
    words = [
        row["id"],
        row["day"] or "day unknown",
        f"{row['bytes']:>10} bytes",
        "poster" if row["poster"] else "-     ",
    ]
    if row.get("at"):
        words.append(str(row["at"])[:19].replace("T", " "))
    if row.get("trigger"):
        words.append(str(row["trigger"]))
    if row.get("seconds") is not None:
        words.append(f"{row['seconds']:.1f} s")
    if row.get("cut"):
        words.append("cut short")
    return "  ".join(words)
