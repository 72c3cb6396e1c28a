"""``doorbell press``: a finger on the simulated button."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import click

from doorbell.cli.places import config_option
from doorbell.errors import Mistake


@click.command()
@config_option
@click.option("--hold", default=0.2, show_default=True, type=click.FloatRange(0.001, 60), help="Seconds.")
def press(config: Path, hold: float) -> None:
    """Press the button of a running daemon whose pins are simulated (pins.kind = "simulated")."""
    from doorbell.configfile import load

    settings = load(config)
    if settings.pins.kind != "simulated":
        raise Mistake('pins.kind is not "simulated": press the real button.')
    push_button(settings.door.runtime, hold)


def push_button(runtime: Path, hold: float) -> None:
    """Hold the simulated button of the daemon with this *runtime* folder down for *hold* seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as finger:
        try:
            finger.connect(str(runtime / "pins.sock"))
        except OSError:
            raise Mistake(f"No daemon with simulated pins listens at {runtime}/pins.sock: start it first.") from None
        try:
            finger.send(b"button down")
            threading.Event().wait(hold)
            finger.send(b"button up")
        except OSError:
            raise Mistake("The daemon ended while the button was held: start it again, then press.") from None
