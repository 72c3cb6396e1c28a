"""The command line: one file a command in doorbell/cli, imported only when it is called."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import click

from doorbell import __version__
from doorbell.errors import DoorbellError

COMMANDS = {
    "keygen": "Make an owner key: an age identity file and its 24 words.",
    "recipient": "Show the recipient of an identity file, for the door's configuration.",
    "card": "Write the card that becomes a door: from a stock Raspberry Pi OS, on your own computer.",
    "enrol": "Invite the first phone of a door that was never paired.",
    "run": "Be the door: the daemon.",
    "status": "Show how the running daemon is.",
    "press": "Press the simulated button of a running daemon.",
    "clips": "List the clips on the card.",
    "open": "Open a clip or a poster with the owner's identity.",
    "journal": "Show what happened at the door, and verify that nothing was changed.",
    "check": "Check the invariants of the card's contents.",
    "offsite": "Copy what is sealed to a storage of the owner's.",
    "stolen": "Rebuild the history from the copies, for the day the door is gone.",
    "backup": "Seal this door's settings, roster and keys to its owner, as one file.",
    "restore": "Put a backup back, with the owner's identity or words.",
    "replay": "Run the motion core over a video file.",
    "doctor": "Check this machine and this door; each line good or bad, with the fix.",
    "show-config": "Show the configuration in force, every default included.",
    "demo": "Show the whole door on this computer, without a Pi.",
    "broker-setup": "Write mosquitto's password and ACL files: doors, phones, Home Assistant.",
    "boot": "At the door, as root: what its services do around a start.",
    "what-the-broker-sees": "Listen as the broker's owner would: what can be read, what can be guessed.",
    "scene": "Draw the synthetic door scene.",
    "bench": "Measure; print ratios against the named references.",
}


class Commands(click.Group):
    """Names and one-line helps are known here; a command's own file is imported when it is called."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        place = "open_" if name == "open" else name.replace("-", "_")
        command: click.Command = getattr(import_module(f"doorbell.cli.{place}"), place)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DoorbellError as error:
            click.echo(f"doorbell: {error}", err=True)
            sys.exit(1)
        except OSError as error:
            # Lists go to standard output, and that may be a file on a full disk. The daemon writes none.
            if error.errno != errno.ENOSPC or error.filename is not None or ctx.invoked_subcommand == "run":
                raise
            click.echo("doorbell: The output could not be written, its disk is full: free some space.", err=True)
            _give_up_output()
            sys.exit(1)


def _give_up_output() -> None:
    """Python writes what waits for standard output once more when it ends: that would fail again, with status 120."""
    with suppress(OSError, ValueError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="doorbell")
def main() -> None:
    """A video doorbell whose clips only its owner can open."""


if __name__ == "__main__":
    main(prog_name="doorbell")
