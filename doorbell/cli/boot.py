"""``doorbell boot``: what the door's own services do around a start, as root."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorbell.errors import DeviceError, Mistake

if TYPE_CHECKING:
    from doorbell.boot.places import Places

STEPS = ("adopt", "tell", "wifi", "harden", "scrub")


@click.command()
@click.argument("step", type=click.Choice(STEPS))
@click.option(
    "--ssh", type=click.Choice(["yes", "no"]), default="no", show_default=True, help="harden: leave SSH alone."
)
@click.option(
    "--updates",
    type=click.Choice(["yes", "no"]),
    default="yes",
    show_default=True,
    help="harden: security updates of the system by themselves.",
)
@click.option("--root", type=click.Path(path_type=Path, readable=False), default="/", hidden=True)
def boot(step: str, ssh: str, updates: str, root: Path) -> None:
    """The door's own services call this, as root; a person seldom needs it.

    adopt takes over what lies on the boot volume, tell leaves there what is wrong, wifi reloads a dead radio's driver,
    harden settles the system around the door, scrub wipes cloud-init's copies of the Wi-Fi key.
    """  # fmt: skip
    from doorbell.boot.places import Places

    places = Places(root)
    if os.geteuid() != 0 and root == Path("/"):
        raise Mistake(f"`doorbell boot {step}` changes the system: run it with sudo, at the door.")
    try:
        _do(step, places, ssh=ssh == "yes", updates=updates == "yes")
    except OSError as error:
        raise DeviceError(f"{error.filename or 'The card'} does not work as it should ({error.strerror}).") from None


def _do(step: str, places: Places, *, ssh: bool, updates: bool) -> None:
    at = time.monotonic()
    match step:
        case "adopt":
            from doorbell.boot.adopt import adopt

            done = adopt(places)
            for taken in done.taken:
                click.echo(f"taken over: {taken}")
            for wrong in done.wrong:
                click.echo(f"to mend: {wrong}")
            _tell(places, at, at_once=True)
        case "tell":
            from doorbell.boot.scrub import scrub

            scrub(places)
            _tell(places, at, at_once=False)
        case "wifi":
            from doorbell.boot.wifi import look_after

            if look_after(places, at):
                click.echo("the radio was dead: its driver was loaded afresh")
        case "harden":
            from doorbell.boot.harden import harden

            for path in harden(places, ssh=ssh, updates=updates):
                click.echo(f"changed: {path}")
        case "scrub":
            from doorbell.boot.scrub import scrub

            for path in scrub(places):
                click.echo(f"wiped: {path}")


def _tell(places: Places, at: float, *, at_once: bool) -> None:
    from doorbell.boot.tell import tell

    if tell(places, at, at_once=at_once):
        click.echo("the text on the boot volume changed")
