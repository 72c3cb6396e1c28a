"""How an owner's command is given the private keys. The door's own commands never import this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from doorbell.owner.identity import Identity


def identity_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-i",
        "--identity",
        type=click.Path(path_type=Path, readable=False),
        help="Your private identity file: opens what is sealed.",
    )(command)


def identities_of(file: Path | None) -> Sequence[Identity]:
    if file is None:
        return ()
    from doorbell.owner.identity import read_identities

    return read_identities(file)
