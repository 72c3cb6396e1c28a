"""`doorbell recipient`: print the public half of an identity file."""

from pathlib import Path

import click


@click.command("recipient")
@click.argument("identity_file", type=click.Path(path_type=Path, readable=False))
@click.option("--verify-key", is_flag=True, help="Print the owner's verify key instead, for `doorbell enrol`.")
def recipient(identity_file: Path, *, verify_key: bool) -> None:
    """Print the recipient (age1…) of each identity in IDENTITY_FILE, one a line."""
    from doorbell.closed import to_base64
    from doorbell.owner.identity import read_identities

    for identity in read_identities(identity_file):
        click.echo(to_base64(identity.verify_key) if verify_key else str(identity.recipient))
