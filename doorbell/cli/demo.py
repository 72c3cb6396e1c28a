"""``doorbell demo``: the whole door on this computer, without a Pi, without root, without a broker of one's own."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from doorbell.errors import Mistake


@click.command()
@click.option("--once", is_flag=True, help="Play it through unattended; exit 0 only if every check holds.")
@click.option(
    "--folder", type=click.Path(path_type=Path, readable=False), help="A new folder for it.  [default: demo-DATE-TIME]"
)
@click.option("--seconds", type=click.FloatRange(1, 86_400), help="End after so many seconds.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False, readable=False),
    help="Also draw the screen: an SVG file.",
)
def demo(once: bool, folder: Path | None, seconds: float | None, picture: Path | None) -> None:
    """Show the whole door: a visitor, the ring, the sealed clip, and what the broker saw of it.

    It makes an owner key in a new folder, starts a broker on the loopback, and the real daemon with simulated pins
    and an invented front door as its camera. Keys: r rings, v sends a visitor, q quits.
    """
    try:
        from doorbell.demo.folder import make
        from doorbell.demo.play import Demo
    except ModuleNotFoundError as error:
        raise Mistake(f"The demo needs {error.name}: install it with  pip install 'doorbell[desk]'  .") from None
    place, identity = make(folder, datetime.now().astimezone())
    sys.exit(Demo(place, identity, once, seconds, picture).run())
