"""``doorbell show-config``: the configuration in force."""

from __future__ import annotations

import json
from pathlib import Path

import click

from doorbell.cli.places import config_option


@click.command("show-config")
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON instead of TOML.")
def show_config(config: Path, as_json: bool) -> None:
    """Show every setting in force, defaults included; passwords are not shown."""
    from doorbell.configfile import load, tables

    found = load(config)
    settings = tables(found)
    for section, secret in (("mqtt", "password"), ("push", "ntfy_token")):
        if settings[section][secret]:
            settings[section][secret] = "(set)"
    if as_json:
        click.echo(json.dumps(settings, indent=1))
        return
    for section, values in settings.items():
        click.echo(f"[{section}]")
        for name, value in values.items():
            click.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}")
        click.echo()
    if found.recording_refused:
        click.echo(f"# Nothing is recorded: {found.recording_refused}")
