"""``doorbell doctor``: each thing good or bad, with the fix."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorbell.cli.places import config_option

if TYPE_CHECKING:
    from doorbell.doctor.finding import Door, Finding

MARKS = {"good": ("ok  ", "green"), "bad": ("BAD ", "red"), "unknown": ("?   ", "yellow")}


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="As a JSON list of {check, state, sentence, fix}.")
@click.option(
    "--try", "by_hand", is_flag=True, help="Press, walk past, look and listen: tries button, PIR, LED, chime."
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Then make an archive without anything private.",
)
@click.option("--yes", is_flag=True, help="With --bundle: do not ask before it is written.")
def doctor(config: Path, as_json: bool, by_hand: bool, bundle: Path | None, yes: bool) -> None:
    """Check this machine and this door; change nothing. Exit status 0: nothing is bad; 1: something is.

    Run it as the user who runs the door, or with sudo: other users may not look everywhere. --bundle shows all that
    goes into the archive before it writes it.
    """
    from doorbell.doctor.rounds import look, rounds

    door = look(config)
    found: list[tuple[str, Finding]] = []
    for name, finding in rounds(door):
        found.append((name, finding))
        if not as_json:
            _line(name, finding)
    if by_hand and not door.why_unread:
        from doorbell.doctor.hands import tried

        for name, finding in tried(
            door, lambda line: click.echo(line, err=True), lambda what: click.confirm(what, err=True)
        ):
            found.append((name, finding))
            if not as_json:
                _line(name, finding)
    bad = sum(finding.state == "bad" for _, finding in found)
    if as_json:
        rows = [
            {"check": name, "state": finding.state, "sentence": finding.sentence, "fix": finding.fix}
            for name, finding in found
        ]
        click.echo(json.dumps(rows, indent=1))
    else:
        click.echo(f"\n{len(found)} checks, {bad} bad.")
    if bundle is not None:
        _bundle(door, found, bundle, yes=yes)
    if bad:
        raise SystemExit(1)


def _line(name: str, finding: Finding) -> None:
    mark, colour = MARKS[finding.state]
    click.echo(f"{click.style(mark, fg=colour)}{name:18}{finding.sentence}")
    if finding.fix:
        click.echo(f"{'':22}-> {finding.fix}")


def _bundle(door: Door, found: list[tuple[str, Finding]], path: Path, *, yes: bool) -> None:
    """Show every byte of it, then ask."""
    from doorbell.doctor.bundle import files, write

    content = files(door, found)
    for name, text in content.items():
        click.echo(f"\n==== {name}\n{text}", err=True)
    if not yes and not (
        sys.stdin.isatty() and click.confirm(f"\nWrite these {len(content)} files to {path}?", err=True)
    ):
        click.echo("Nothing was written.", err=True)
        return
    click.echo(f"{path}: {write(path, content)} bytes.", err=True)
