"""``doorbell check``: the invariants of the card's contents."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from doorbell.cli.places import FAULTS, exit_when_blind, identities_of, identity_option, state_and_quota, state_options


@click.command()
@state_options
@click.option("--thorough", is_flag=True, help="Read every byte; with --identity, compare each file with its entry.")
@identity_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(state: Path | None, config: Path | None, thorough: bool, identity: Path | None, as_json: bool) -> None:
    """Check what must always hold on the card (docs/store.md). It only reads, also beside a running door.

    Exit code 0: all of it holds; 1: something does not; 2: it could not look.
    """
    from attrs import asdict

    from doorbell.check import check as look

    with exit_when_blind():
        folder, quota = state_and_quota(state, config)
        result = look(folder, quota=quota, thorough=thorough, identities=identities_of(identity))
    if as_json:
        click.echo(json.dumps(asdict(result)))
    else:
        for finding in result.findings:
            click.echo(f"{finding.invariant:2}  {finding.sentence}")
        verdict = f"{len(result.findings)} findings" if result.findings else "all invariants hold"
        click.echo(f"{result.entries} entries, {result.clips} clips, {result.bytes} bytes: {verdict}.")
    sys.exit(FAULTS if result.findings else 0)
