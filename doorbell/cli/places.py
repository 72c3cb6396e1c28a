"""Where a command finds the state folder, and how it ends when it cannot look at it."""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from doorbell.errors import DoorbellError, Mistake

CONFIG: Final = Path("/etc/doorbell/doorbell.toml")
FAULTS: Final = 1  # exit codes
CANNOT_LOOK: Final = 2


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The door's configuration, of which every machine with a door has one."""
    return click.option("--config", type=click.Path(path_type=Path, readable=False), default=CONFIG, show_default=True)(
        command
    )


def state_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two ways to name the state folder."""
    command = click.option(
        "--config", type=click.Path(path_type=Path, readable=False), help=f"The door's configuration [{CONFIG}]."
    )(command)
    return click.option(
        "--state", type=click.Path(path_type=Path, readable=False), help="The state folder, instead of --config."
    )(command)


def state_and_quota(state: Path | None, config: Path | None) -> tuple[Path, int | None]:
    """The folder, and the quota in bytes where a configuration tells it. Raises Mistake."""
    if state is not None and config is not None:
        raise Mistake("Give either --state or --config.")
    if state is not None:
        return state, None
    from doorbell.configfile import load

    found = load(config or CONFIG)
    return found.door.state, found.storage.quota_mb * 1_000_000 or None


@contextmanager
def exit_when_blind() -> Iterator[None]:
    """Exit 2, with a sentence, where a command cannot look at all; 1 is left to what it finds."""
    from doorbell.journal.opening import NewerError, NotOursError

    try:
        yield
    except DoorbellError as error:
        _end(str(error))
    except (FileNotFoundError, NotADirectoryError) as error:
        _end(f"{error.filename} does not exist: name the door's state folder with --state.")
    except PermissionError as error:
        _end(f"{error.filename} may not be read: run this as the user the door runs as, or with sudo.")
    except NewerError as error:
        _end(f"The journal {error}: use that doorbell to look at it.")
    except NotOursError as error:
        _end(f"The journal {error}: the door moves it aside at its next start.")
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "filename", None) is None and getattr(error, "errno", 0) in (errno.EPIPE, errno.ENOSPC):
            raise  # of the list that is written, not of the card: __main__ knows what to do
        _end(f"The journal cannot be read ({error}): check the card.")


def _end(sentence: str) -> None:
    click.echo(f"doorbell: {sentence}", err=True)
    sys.exit(CANNOT_LOOK)
