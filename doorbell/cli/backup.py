"""``doorbell backup``: what makes this door this door, in one file that only its owner opens."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from doorbell.cli.places import config_option


@click.command()
@config_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, readable=False), required=True, help="The file to make, or - ."
)
def backup(config: Path, output: Path) -> None:
    """Seal configuration, settings, roster and the door's keys to the owner, as one age file.

    Run it at the door, as its user or with sudo; the door may go on running. Clips and history are not in it. Keep the
    file anywhere but on the door: `doorbell restore` with the owner's identity or words brings it back.
    """
    from datetime import UTC, datetime

    from doorbell.backup import make
    from doorbell.errors import DeviceError, Mistake

    sealed, owner = make(config, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    if str(output) == "-":
        if sys.stdout.isatty():
            raise Mistake("A backup is no text for a screen: name a file, or send the output into one.")
        sys.stdout.buffer.write(sealed)
        sys.stdout.buffer.flush()
        return
    try:
        with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise Mistake(f"{output} exists and is not overwritten: choose another name.") from None
    except OSError as error:
        raise DeviceError(f"{output} cannot be written ({error.strerror}): choose another place.") from None
    click.echo(f"{output}: {len(sealed)} bytes, sealed to {owner}. Only that owner's identity or 24 words open it.")
