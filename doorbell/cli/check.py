"""``doorbell check``: the invariants of the card's contents."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorbell.cli.identities import identities_of, identity_option
from doorbell.cli.places import (
    CONFIG,
    FAULTS,
    exit_when_blind,
    state_and_quota,
    state_options,
)
from doorbell.errors import Mistake

if TYPE_CHECKING:
    from doorbell.check import Finding, Result


@click.command()
@state_options
@click.option("--thorough", is_flag=True, help="Read every byte; with --identity, compare each file with its entry.")
@identity_option
@click.option(
    "--repair", is_flag=True, help="Mend what is safe to mend, and tell it in the journal; not while it runs."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(  # noqa: PLR0917  click's options
    state: Path | None, config: Path | None, thorough: bool, identity: Path | None, repair: bool, as_json: bool
) -> None:
    """Check what must always hold on the card (docs/store.md). Without --repair it only reads, also beside a running
    door.

    Exit code 0: all of it holds, now; 1: something does not; 2: it could not look, or not repair.
    """
    from attrs import asdict

    from doorbell.check import check as look

    with exit_when_blind():
        folder, quota = state_and_quota(state, config)
        if repair and state is not None:
            raise Mistake("--repair writes into the journal and needs the door's configuration: give --config.")
        with _progress(folder, shown=thorough and sys.stderr.isatty()) as progress:
            result = look(folder, quota=quota, thorough=thorough, identities=identities_of(identity), progress=progress)
        mended, result = _repaired(config, result, quota) if repair and result.findings else ((), result)
    if as_json:
        click.echo(json.dumps(asdict(result) | {"mended": [asdict(one) for one in mended]}))
    else:
        _tell(result, mended)
    sys.exit(FAULTS if result.findings else 0)


def _repaired(config: Path | None, before: Result, quota: int | None) -> tuple[tuple[Finding, ...], Result]:
    """What was mended, and how it is now: what only a thorough look saw is still so."""
    from attrs import evolve

    from doorbell.configfile import load
    from doorbell.repair import DONE
    from doorbell.repair import repair as mend

    done = mend(load(config or CONFIG), before, quota=quota)
    deep = [one for one in before.findings if one.invariant not in DONE and one not in done.left.findings]
    still = sorted((*done.left.findings, *deep), key=lambda one: one.invariant)
    return done.mended, evolve(done.left, findings=tuple(still))


def _tell(result: Result, mended: tuple[Finding, ...]) -> None:
    if mended:
        from doorbell.repair import DONE

        for finding in mended:
            click.echo(f"mended  {finding.invariant:2}  {finding.sentence} -> {DONE[finding.invariant]}")
    for finding in result.findings:
        click.echo(f"{finding.invariant:2}  {finding.sentence}")
    verdict = f"{len(result.findings)} findings" if result.findings else "all invariants hold"
    click.echo(f"{result.entries} entries, {result.clips} clips, {result.bytes} bytes: {verdict}.")


@contextmanager
def _progress(state: Path, *, shown: bool) -> Iterator[Callable[[int], object]]:
    """A bar of what is read and verified, on standard error; none where nobody looks at it."""
    if not shown:
        yield lambda _: None
        return
    from doorbell.check import work

    whole = work(state)
    steps = max(1, whole // 1000)  # a bar that is drawn for each entry takes longer than the entries
    label = "reading every clip and entry"
    with click.progressbar(length=whole, label=label, file=sys.stderr, update_min_steps=steps) as bar:
        yield bar.update
