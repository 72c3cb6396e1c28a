"""``doorbell restore``: put a backup back, with the owner's identity or words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorbell.cli.places import CONFIG

if TYPE_CHECKING:
    from doorbell.owner.restore import Backup, Place


@click.command()
@click.argument("file", metavar="BACKUP", type=click.Path(path_type=Path, readable=False))
@click.option(
    "-i", "--identity", type=click.Path(path_type=Path, readable=False), help="The owner's private identity file."
)
@click.option("--words", is_flag=True, help="Ask for the owner's 24 words instead.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, readable=False),
    default=Path("/"),
    show_default=True,
    help="Where the card is mounted.",
)
@click.option(
    "--config", type=click.Path(path_type=Path, readable=False), default=CONFIG, show_default=True, help="Below --root."
)
@click.option("--replace", is_flag=True, help="Also where a household's door lives; that is moved aside.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(  # noqa: PLR0917  click's options
    file: Path, identity: Path | None, words: bool, root: Path, config: Path, replace: bool, yes: bool
) -> None:
    """Make the door that a backup was made of, on a fresh card.

    Best on your own computer with the door's card in it: --root is the folder where the card's system is mounted. So
    the private identity never comes to the door. The restored door begins a new journal, whose first entry names the
    old one's end; its phones stay paired.
    """
    from doorbell.cli.keygen import ask_for_words
    from doorbell.errors import Mistake
    from doorbell.owner.identity import Identity, read_identities
    from doorbell.owner.restore import Place, open_backup, put_back

    if (identity is None) != words:
        raise Mistake("Give either --identity FILE or --words.")
    if not root.is_dir() or not config.is_absolute():
        raise Mistake("--root is a folder that is there, --config a whole path from / on.")
    opened = open_backup(
        (Identity.from_words(ask_for_words()),) if identity is None else read_identities(identity), file
    )
    place = Place(root, config)
    for line in _shown(opened, place):
        click.echo(line)
    if not yes and not click.confirm("Put it back?"):
        raise Mistake("Nothing was written.")
    for sentence in put_back(opened, place, replace=replace):
        click.echo(sentence)
    click.echo("Done. Start the door: its first journal entry names the journal that was before.")


def _shown(opened: Backup, place: Place) -> list[str]:
    roster = opened.roster
    lines = [
        f"Door {opened.door}, backup of {opened.made} by version {opened.software}, key {opened.fingerprint}",
        f"  configuration  {place.of(place.configuration)}",
        f"  state          {place.of(opened.settings.door.state)}",
    ]
    if roster is None:
        return [*lines, "  household      no phone was paired yet"]
    names = ", ".join(one.name for one in roster.members)
    return [
        *lines,
        f"  household      revision {roster.revision}: {names}",
        "  Whoever was removed from the household after that day is in it again: remove them once more.",
    ]
