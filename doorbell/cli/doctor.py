"""``doorbell doctor``: each thing good or bad, with the fix."""

from __future__ import annotations

import json
from pathlib import Path

import click

MARKS = {"good": ("ok  ", "green"), "bad": ("BAD ", "red"), "unknown": ("?   ", "yellow")}


@click.command()
@click.option("--config", type=click.Path(path_type=Path), default="/etc/doorbell/doorbell.toml", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="As a JSON list of {check, state, sentence, fix}.")
def doctor(config: Path, as_json: bool) -> None:
    """Check this machine and this door; change nothing. Exit status 0: nothing is bad; 1: something is.

    Run it as the user who runs the door, or with sudo: other users may not look everywhere.
    """
    from doorbell.doctor.rounds import look, rounds

    found = []
    for name, finding in rounds(look(config)):
        found.append({"check": name, "state": finding.state, "sentence": finding.sentence, "fix": finding.fix})
        if not as_json:
            mark, colour = MARKS[finding.state]
            click.echo(f"{click.style(mark, fg=colour)}{name:15} {finding.sentence}")
            if finding.fix:
                click.echo(f"{'':20}-> {finding.fix}")
    bad = sum(one["state"] == "bad" for one in found)
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        click.echo(f"\n{len(found)} checks, {bad} bad.")
    if bad:
        raise SystemExit(1)
