"""``doorbell offsite``: copy what is sealed to a storage of the owner's, as doorbell-offsite.timer has it done."""

from __future__ import annotations

from pathlib import Path

import click

from doorbell.cli.places import config_option
from doorbell.errors import DeviceError, Mistake


@click.command()
@config_option
@click.option("--quiet", is_flag=True, help="Name no files, as the timer wants it.")
def offsite(config: Path, *, quiet: bool) -> None:
    """Copy sealed clips and the journal to offsite.remote; what is there already is not sent again."""
    from doorbell.cli.places import exit_when_blind
    from doorbell.configfile import load
    from doorbell.offsite.plan import Piece
    from doorbell.offsite.rclone import Rclone
    from doorbell.offsite.round import copy

    found = load(config)
    if not found.offsite.remote:
        raise Mistake("offsite.remote is empty: name a remote of rclone's there (docs/owner/offsite.md).")
    remote = found.offsite.remote.rstrip("/")
    where = f"{remote}{'' if remote.endswith(':') else '/'}{found.door.id}"
    workplace = found.offsite.workplace
    rclone = Rclone(found.offsite.rclone_config, where, found.offsite.kbit_s * 1000 // 8, workplace)

    def told(piece: Piece) -> None:
        if not quiet:
            click.echo(f"{piece.bytes:12,}  {piece.name}")

    with exit_when_blind():
        done = copy(found.door.state, found.door.runtime, workplace, rclone, told)
        more = f", {done.waiting} wait for the next round" if done.waiting else ""
        click.echo(f"{done.files} files ({done.bytes / 1e6:.1f} MB) are copied and compared{more}.")
        if done.trouble:
            raise DeviceError(done.trouble)
