"""`doorbell open`: open a sealed clip or poster on the owner's computer.

The opened bytes go to a draft beside the output, which takes its name only at the end: what carries the output's name
is whole, or is what is whole of a damaged clip, and then the exit code says so (2: another identity's clip, 3:
damaged).
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

import click

from doorbell.errors import DamagedError, DeviceError, Mistake

if TYPE_CHECKING:
    from doorbell.owner.unseal import PayloadError

NOT_OURS: Final = 2  # exit codes
DAMAGED: Final = 3


@click.command("open")
@click.argument("clip", type=click.Path(path_type=Path, readable=False))
@click.option(
    "-i",
    "--identity",
    type=click.Path(path_type=Path, readable=False),
    required=True,
    help="Your private identity file.",
)
@click.option("-o", "--output", required=True, metavar="FILE", help="Where the opened clip goes; - is standard output.")
@click.option("--plain", is_flag=True, help="Repack the video as an ordinary MP4 for any player (no re-encoding).")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def open_(clip: Path, identity: Path, output: str, *, plain: bool, force: bool) -> None:
    """Open CLIP, a sealed clip (.mp4.age) or poster (.jpg.age).

    Of a damaged clip everything that is whole is written, and the exit code is 3.
    """
    from doorbell.owner.identity import read_identities
    from doorbell.owner.unseal import NotOursError, unseal

    identities = read_identities(identity)
    target = None if output == "-" else Path(output)
    _refuse_to_replace(target, (clip, identity), force=force)
    try:
        with _source(clip) as source, _told_of_a_full_disk(output):
            chunks = unseal(identities, source)
            damage = _to_stdout(chunks) if target is None and not plain else _by_draft(chunks, target, plain=plain)
    except NotOursError as error:
        _end(NOT_OURS, str(error))
    except DamagedError as error:
        _end(DAMAGED, str(error))
    if damage is not None:
        _end(DAMAGED, damage)


def _to_stdout(chunks: Iterator[bytes]) -> str | None:
    """Chunk by chunk as they are authenticated; returns what is wrong with the clip."""
    damage = _write(chunks, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return None if damage is None else str(damage)


def _by_draft(chunks: Iterator[bytes], target: Path | None, *, plain: bool) -> str | None:
    """Write a draft, repack it if asked, give it its name; returns what is wrong with the clip."""
    from doorbell.owner.remux import is_mp4, remux, video_seconds

    with _drafts(target) as (draft, repacked):
        with draft.open("wb") as file:
            damage = _write(chunks, file)
        if damage is not None and not damage.opened:
            return str(damage)
        with draft.open("rb") as file:
            video = is_mp4(file.read(8))
        seconds = None
        if video and plain:
            try:
                seconds = remux(draft, repacked)
            except DamagedError as error:
                return str(error) if damage is None else f"{damage} {error}"
        elif video and damage is not None:
            seconds = video_seconds(draft)
        _deliver(repacked if video and plain else draft, target)
    if damage is None:
        return None
    return str(damage) if seconds is None else f"{damage} They hold {seconds:.1f} seconds of video."


def _write(chunks: Iterator[bytes], file: BinaryIO) -> "PayloadError | None":
    from doorbell.owner.unseal import PayloadError

    try:
        file.writelines(chunks)
    except PayloadError as damage:
        return damage
    return None


@contextmanager
def _source(clip: Path) -> Iterator[BinaryIO]:
    try:
        file = clip.open("rb")
    except FileNotFoundError:
        raise Mistake(f"There is no clip {clip}: give the path of a .age file.") from None
    except OSError as error:
        raise Mistake(f"The clip {clip} cannot be read ({error.strerror}): give the path of a .age file.") from None
    with file:
        yield file


@contextmanager
def _drafts(target: Path | None) -> Iterator[tuple[Path, Path]]:
    """Two names in a folder of our own (0700) beside the output, gone afterwards whatever happens."""
    place = None if target is None else target.absolute().parent
    with tempfile.TemporaryDirectory(prefix=".doorbell-open-", dir=place) as folder:
        yield Path(folder, "opened"), Path(folder, "repacked.mp4")


def _deliver(draft: Path, target: Path | None) -> None:
    if target is None:
        with draft.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    draft.chmod(0o600)  # a picture of someone's door: theirs to share
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)


def _refuse_to_replace(target: Path | None, needed: tuple[Path, ...], *, force: bool) -> None:
    if target is None:
        if sys.stdout is None:  # closed by whoever started us
            raise Mistake("Standard output is closed: name the file to write.")
        return
    if target.is_dir():
        raise Mistake(f"{target} is a folder: name the file to write.")
    if any(target.exists() and one.exists() and target.samefile(one) for one in needed):
        raise Mistake(f"{target} is what the clip is opened with, and is never replaced: choose another name.")
    if target.exists() and not target.is_file():
        raise Mistake(f"{target} is no ordinary file: choose another name, or - for standard output.")
    if target.exists() and not force:
        raise Mistake(f"{target} exists: choose another name, or --force to replace it.")
    if not target.absolute().parent.is_dir():
        raise Mistake(f"There is no folder {target.parent}: make it first.")


@contextmanager
def _told_of_a_full_disk(output: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read our standard output has seen enough; click ends quietly
    except OSError as error:
        raise DeviceError(f"{output} could not be written ({error.strerror}): choose another place.") from None


def _end(code: int, sentence: str) -> NoReturn:
    click.echo(f"doorbell: {sentence}", err=True)
    raise click.exceptions.Exit(code)
