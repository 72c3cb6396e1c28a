"""``doorbell broker-setup``: logins and rights at a mosquitto broker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from doorbell.brokersetup import Kind

FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, readable=False),
    default="/etc/mosquitto",
    show_default=True,
    help="Where both files are.",
)


@click.group("broker-setup")
def broker_setup() -> None:
    """Write mosquitto's password and ACL files; run it at the broker. What is not allowed there is denied."""


@broker_setup.command()
@click.argument("kind", type=click.Choice(["door", "phone", "homeassistant"]))
@click.argument("name")
@click.option("--door", "doors", multiple=True, help="Which door it is about; more than once for more.")
@click.option("--may-switch-recording", is_flag=True, help="Home Assistant may switch the recording off and on.")
@FOLDER
def add(kind: Kind, name: str, doors: tuple[str, ...], folder: Path, *, may_switch_recording: bool) -> None:
    """Let NAME in: a door by its id, a phone by its member id. Prints the password, once."""
    import secrets

    from doorbell.brokersetup import ACL, PASSWORDS, Files, Login

    password = secrets.token_urlsafe(24)
    mine = doors or ((name,) if kind == "door" else ())
    switch = may_switch_recording and kind == "homeassistant"
    folder = folder.absolute()  # mosquitto looks for nothing where it was started
    Files(folder).add(Login(kind, name, mine, switch=switch), password)
    click.echo(f"Login: {name}")
    click.echo(f"Password: {password}")
    click.echo(f"mosquitto needs in a file of conf.d, once: allow_anonymous false, password_file {folder / PASSWORDS},")
    click.echo(f"acl_file {folder / ACL}. Then, now and after each change: systemctl reload mosquitto")


@broker_setup.command()
@click.argument("name")
@FOLDER
def remove(name: str, folder: Path) -> None:
    """Let NAME in no longer. A phone that was lost is also to be removed in the app: see the household there."""
    from doorbell.brokersetup import Files

    Files(folder).remove(name)
    click.echo(f"{name} is removed. It is out when mosquitto has read its files: systemctl reload mosquitto")


@broker_setup.command()
@click.argument("names", nargs=-1, required=True)
@FOLDER
def ca(names: tuple[str, ...], folder: Path) -> None:
    """Make a certificate for the broker's NAMES (or addresses), signed by an authority of your own.

    Run again with the same names it renews the certificate; the authority stays, and what door and phones trust.
    """
    from doorbell.brokerca import CA, Authority, snippet

    folder = folder.absolute()  # mosquitto looks for nothing where it was started
    authority = Authority(folder)
    anew = authority.make(names)
    if not anew:
        click.echo(
            "The certificate is renewed; who trusts the authority needs nothing. Now: systemctl restart mosquitto"
        )
        click.echo(f'A door with tls = "pin" needs: pin_sha256 = "{authority.fingerprint()}"')
        return
    click.echo("mosquitto needs in a file of conf.d (8883 for the door, 8884 for the app):")
    click.echo()
    click.echo(snippet(folder))
    click.echo(f'The door: copy {folder / CA} to it, and in [mqtt]: tls = "ca", ca_file = "/etc/doorbell/{CA}".')
    click.echo(f"Each phone: install {CA} as an authority in its settings; it vouches for these names alone:")
    click.echo(f"  {', '.join(names)}")
    click.echo(f'Or, for the door alone: tls = "pin", pin_sha256 = "{authority.fingerprint()}" (anew at each renewal).')
    click.echo("The certificate is good for 800 days; doorbell doctor at the door warns a month before it ends.")


@broker_setup.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(folder: Path, *, as_json: bool) -> None:
    """List who may log in; passwords are not kept and cannot be shown."""
    import json

    from attrs import asdict

    from doorbell.brokersetup import Files

    logins = Files(folder).logins().values()
    if as_json:
        click.echo(json.dumps([asdict(one) for one in logins], indent=1))
        return
    _show_end(folder)
    if not logins:
        click.echo(f"Nobody may log in by the files in {folder}: doorbell broker-setup add lets somebody in.")
    for one in logins:
        click.echo(f"{one.kind:14}{one.name:28}{' '.join(one.doors)}{' (may switch recording)' * one.switch}")


def _show_end(folder: Path) -> None:
    """How long the certificate that was made here is still good, where there is one."""
    from datetime import UTC, datetime

    from doorbell.brokerca import WARN_DAYS, Authority

    ends = Authority(folder).ends()
    if ends is None:
        return
    days = (ends - datetime.now(UTC)).days
    click.echo(f"The broker's certificate ends on {ends:%Y-%m-%d}, in {days} days.")
    if days < WARN_DAYS:
        click.echo("Renew it now: doorbell broker-setup ca with the same names.", err=True)
