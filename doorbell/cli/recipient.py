"""`doorbell recipient`: print the public half of an identity file."""

from pathlib import Path

import click


@click.command("recipient")
@click.argument("identity_file", type=click.Path(path_type=Path))
def recipient(identity_file: Path) -> None:
    """Print the recipient (age1…) of each identity in IDENTITY_FILE, one a line."""
    from doorbell.owner.identity import read_identities

    for identity in read_identities(identity_file):
        click.echo(str(identity.recipient))
