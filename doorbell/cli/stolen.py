"""``doorbell stolen``: the history from the copies, for the day the door is gone."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorbell.cli.journal import shown
from doorbell.cli.places import FAULTS, exit_when_blind
from doorbell.errors import Mistake

if TYPE_CHECKING:
    from doorbell.owner.copies import Found, Rebuilt

_HEAD = re.compile(r"(?:([0-9a-f]{32}):)?([1-9]\d{0,15}):([0-9a-f]{64})")


@click.command()
@click.argument("copies", type=click.Path(path_type=Path, readable=False))
@click.option(
    "-i",
    "--identity",
    type=click.Path(path_type=Path, readable=False),
    help="Your private identity file. Without: the 24 words.",
)
@click.option("--door-key", help="The door's verify key in base64, as the app's privacy page shows it.")
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="[JOURNAL:]N:HASH",
    help="The last entry a phone has seen, from its app; once for each phone.",
)
@click.option("--json", "as_json", is_flag=True)
def stolen(copies: Path, identity: Path | None, door_key: str | None, heads: tuple[str, ...], *, as_json: bool) -> None:
    """Rebuild the history from COPIES, a folder fetched with rclone, and say what is missing.

    Exit code 0: all that the copies and the phones know of is there; 1: something is missing or wrong; 2: it could not
    look.
    """
    from doorbell.closed import base64_of
    from doorbell.journal.entry import Head
    from doorbell.owner.copies import Seen, rebuild
    from doorbell.owner.identity import Identity, read_identities

    with exit_when_blind():
        seen = []
        for one in heads:
            if (match := _HEAD.fullmatch(one)) is None:
                raise Mistake("--head is JOURNAL:N:HASH or N:HASH: copy it from the app's privacy page again.")
            seen.append(Seen(Head(int(match[2]), bytes.fromhex(match[3])), match[1] or ""))
        try:
            key = None if door_key is None else base64_of(32)(door_key)
        except ValueError:
            raise Mistake("--door-key is 44 characters of base64: copy the whole line again.") from None
        if identity is None:
            identities: Any = [Identity.from_words(click.prompt("The 24 words", hide_input=True))]
        else:
            identities = read_identities(identity)
        found = rebuild(copies, identities, key, seen)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=1))
    else:
        _say(found, believed=key is not None)
    sys.exit(FAULTS if _wrong(found) else 0)


def _wrong(found: Found) -> bool:
    doubtful = any(clip.state in ("missing", "changed", "unproven") for one in found.journals for clip in one.clips)
    return (
        doubtful
        or bool(found.strangers)
        or bool(found.faults)
        or any(one.faults or one.gaps or one.lacks > 0 for one in found.journals)
    )


def _say(found: Found, *, believed: bool) -> None:
    for one in found.journals:
        click.echo(f"journal {one.journal}: {len(one.told)} entries, {len(one.clips)} clips")
        for clip in one.clips:
            picture = "picture" if clip.poster else ""
            click.echo(f"  {clip.at[:19].replace('T', ' ')}  {clip.state:<8} {clip.trigger:<16} {clip.id}  {picture}")
        for sentence in _sentences(one):
            click.echo(f"  ! {sentence}")
    for name in found.strangers:
        click.echo(f"! {shown(name)} is named by no entry: somebody else put it there, or its entry was never copied.")
    for sentence in found.faults:
        click.echo(f"! {sentence}")
    if not believed:
        click.echo("The door's key was taken from the copies themselves: compare it with --door-key, from a phone.")


def _sentences(one: Rebuilt) -> list[str]:
    said = list(one.faults)
    said += [f"Entries {first} to {last} are missing." for first, last in one.gaps]
    if one.lacks > 0:
        said.append(f"A phone has seen {one.lacks} entries more than were copied.")
    closed_to_us = sum(told.why == "others" for told in one.told)
    if closed_to_us:
        said.append(f"{closed_to_us} entries are sealed to others.")
    missing = sum(clip.state == "missing" for clip in one.clips)
    if missing:
        said.append(f"{missing} clips happened and were not copied.")
    if unproven := sum(clip.state == "unproven" for clip in one.clips):
        said.append(
            f"{unproven} clips lie there without the entry that has their hash: somebody else may have put them."
        )
    return said


def _as_json(found: Found) -> dict[str, Any]:
    return {
        "journals": [
            {
                "journal": one.journal,
                "entries": [{"index": told.entry.index, "why": told.why, "body": told.body} for told in one.told],
                "clips": [
                    {"id": c.id, "at": c.at, "trigger": c.trigger, "state": c.state, "poster": c.poster}
                    for c in one.clips
                ],
                "missing": [list(gap) for gap in one.gaps],
                "lacks": max(0, one.lacks),
                "faults": list(one.faults),
            }
            for one in found.journals
        ],
        "strangers": list(found.strangers),
        "faults": list(found.faults),
    }
