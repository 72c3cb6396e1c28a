"""`doorbell keygen`: make the owner's identity, or bring it back from its 24 words."""

from pathlib import Path

import click


@click.command("keygen")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, readable=False),
    default=Path("owner-identity.txt"),
    show_default=True,
    help="The identity file to make; it is never overwritten.",
)
@click.option("--from-words", is_flag=True, help="Ask for the 24 words and bring the identity back from them.")
@click.option("--no-words", is_flag=True, help="Do not print the 24 words.")
def keygen(output: Path, *, from_words: bool, no_words: bool) -> None:
    """Make the identity that opens your clips. Run this on your own computer, never on the door."""
    from datetime import UTC, datetime

    from doorbell.owner.identity import Identity, write_identity

    identity = Identity.from_words(ask_for_words()) if from_words else Identity.make()
    write_identity(output, identity, created=datetime.now(UTC))
    click.echo(f"Identity: {output} (private: it opens every clip, keep it off the door)")
    click.echo(f"Recipient: {identity.recipient} (public: give this one to the door)")
    if not from_words and not no_words:
        click.echo()
        click.echo(table(identity.words().split()))
        click.echo()
        click.echo("These 24 words are the same key. Write them on paper now, with their numbers, and keep the paper")
        click.echo("where you keep passports: they are not shown again, and without file and words no clip opens.")


def ask_for_words() -> str:
    import sys

    if sys.stdin.isatty():
        answer: str = click.prompt("The 24 words, in one line")
        return answer
    return sys.stdin.read(4096)


def table(words: list[str]) -> str:
    """Six lines of four numbered words."""
    cells = [f"{place:2}. {word:<10}" for place, word in enumerate(words, start=1)]
    return "\n".join("".join(cells[row : row + 4]).rstrip() for row in range(0, len(cells), 4))
