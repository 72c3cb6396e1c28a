"""``doorbell status``: how the running daemon is, from the page it keeps in its runtime folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from doorbell.cli.places import config_option
from doorbell.errors import Mistake


def _read(config: Path) -> dict[str, Any]:
    from doorbell.configfile import load
    from doorbell.statuspage import is_running

    folder = load(config).door.runtime
    try:
        page: dict[str, Any] = json.loads((folder / "status.json").read_bytes())
    except FileNotFoundError:
        raise Mistake(f"No daemon has written {folder}/status.json: start it with doorbell run.") from None
    except PermissionError:
        raise Mistake(f"{folder}/status.json may not be read by this user: try again with sudo.") from None
    if not is_running(page):
        raise Mistake("The daemon is not running; its last page is old. Start it with doorbell run.")
    return page


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the page as it is.")
def status(config: Path, as_json: bool) -> None:
    """Show how the running daemon is. Exit status 0: all is well; 1: not running; 2: it runs with problems."""
    page = _read(config)
    if as_json:
        click.echo(json.dumps(page, indent=1))
    else:
        page.pop("pressed", None)  # ids for whoever copies clips, nothing to read
        for name, value in page.items():
            shown = ", ".join(value) or "none" if isinstance(value, list) else value
            click.echo(f"{name:12} {shown}")
    if page["problems"]:
        raise SystemExit(2)
