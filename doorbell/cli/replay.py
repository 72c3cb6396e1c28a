"""`doorbell replay`: a video through the motion core, to choose a zone and a sensitivity by.

The video is decoded in a child process: a file that crashes the decoder costs a sentence.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import click

from doorbell.errors import DamagedError, Mistake

_LONGEST_LINE = 65536  # bytes of one row
OUT_OF_TIME = (signal.SIGPROF, signal.SIGALRM)
"""What ends a child that a picture takes too long (replay/watcher.py)."""


@click.command()
@click.argument("video", type=click.Path(path_type=Path, readable=False))
@click.option("--zone", default="[]", metavar="JSON", help="A polygon [[x, y], …] of 0 to 1, or a list of polygons.")
@click.option("--sensitivity", type=click.Choice(["low", "medium", "high"]), default="medium", show_default=True)
@click.option("--size", metavar="WxH", help="Scale the pictures first, e.g. to 320x240, what the door looks at.")
@click.option(
    "--identity",
    type=click.Path(path_type=Path, readable=False),
    help="Your identity file, for a sealed clip (.mp4.age).",
)
@click.option("--why", is_flag=True, help="Say also what was held back, and why.")
@click.option(
    "--picture", type=click.Path(path_type=Path, readable=False), metavar="FILE", help="Draw it: a .png or an .mp4."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def replay(
    video: Path,
    zone: str,
    sensitivity: str,
    size: str | None,
    identity: Path | None,
    *,
    why: bool,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Tell when the door would have seen motion in VIDEO."""
    if not video.is_file():
        raise Mistake(f"There is no video {video}: give the path of a file.")
    if identity is None and video.suffix == ".age":
        raise Mistake(f"{video} is sealed: give your identity file with --identity.")
    if picture is not None and picture.suffix not in (".png", ".mp4"):
        raise Mistake(f"{picture} is neither .png nor .mp4: name the picture so.")
    task = {
        "video": None if identity else str(video),
        "zone": _zone(zone),
        "sensitivity": sensitivity,
        "size": _size(size),
        "why": why,
        "picture": None if picture is None else str(picture),
    }
    problem = None
    for row in _watch(task, video, identity):
        if row["type"] == "problem":
            problem = str(row["sentence"])
        else:
            click.echo(json.dumps(row) if as_json else _sentence(row))
            sys.stdout.flush()
    if problem is not None:
        raise DamagedError(problem)


def _watch(task: dict[str, Any], video: Path, identity: Path | None) -> Iterator[dict[str, Any]]:
    """The rows of the child; DamagedError after the last one if the child crashed or the sealed clip was damaged."""
    chunks = None if identity is None else _opened(video, identity)
    command = [sys.executable, "-m", "doorbell.replay.watcher", json.dumps(task)]
    feed = subprocess.DEVNULL if chunks is None else subprocess.PIPE
    damage: list[str] = []
    with subprocess.Popen(command, stdin=feed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        try:
            if chunks is not None:
                Thread(target=_pour, args=(chunks, child.stdin, damage), daemon=True).start()
            while line := child.stdout.readline(_LONGEST_LINE):
                yield _row(line, video)
            code = child.wait()
        except BaseException:
            child.kill()
            raise
    if -code in OUT_OF_TIME:
        raise DamagedError(f"The decoder came to no next picture of {video} in time: the file is damaged or made so.")
    if code != 0:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise DamagedError(f"The decoder crashed on {video} ({how}): the file is damaged or made to do that.")
    if damage:
        raise DamagedError(damage[0])


def _row(line: bytes, video: Path) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError:
        raise DamagedError(f"The decoder of {video} crashed in the middle of a line: the file is damaged.") from None
    return row


def _opened(video: Path, identity: Path) -> Iterator[bytes]:
    """The plain bytes of a sealed clip, of which the first chunk is known to open."""
    from doorbell.owner.identity import read_identities
    from doorbell.owner.unseal import unseal

    sealed = video.open("rb")  # closed with the iterator, at the end of the command
    chunks = unseal(read_identities(identity), sealed)
    return chain([next(chunks, b"")], chunks)


def _pour(chunks: Iterator[bytes], into: BinaryIO, damage: list[str]) -> None:
    """Write the clip to the child, which answers meanwhile; what is wrong with it goes to *damage*."""
    try:
        with into:
            into.writelines(chunks)
    except DamagedError as error:
        damage.append(str(error))
    except OSError:
        return  # the child has seen enough


def _zone(text: str) -> list[Any]:
    from doorbell.errors import ConfigError
    from doorbell.vision.polygons import parse_polygons

    try:
        value = json.loads(text)
    except ValueError:
        raise Mistake(f"--zone is no JSON: write [[x, y], …] with numbers from 0 to 1, not {text[:40]!r}.") from None
    if (
        isinstance(value, list)
        and value
        and isinstance(value[0], list)
        and value[0]
        and not isinstance(value[0][0], list)
    ):
        value = [value]  # one polygon
    try:
        return list(parse_polygons(value))
    except ConfigError as error:
        raise Mistake(f"--zone: {error}.") from None


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    wide, _, high = text.partition("x")
    if not (wide.isdecimal() and high.isdecimal() and 32 <= int(wide) <= 7680 and 24 <= int(high) <= 4320):
        raise Mistake(f"--size {text}: write it as 320x240, from 32x24 to 7680x4320.")
    return int(wide), int(high)


def _sentence(row: dict[str, Any]) -> str:
    if row["type"] == "summary":
        return f"{row['frames']} pictures, {row['seconds']:.1f} s of video, {row['cpu_s']:.1f} s of CPU"
    if row["type"] == "tamper":
        return f"{row['t']:8.2f} s  tamper: the lens is covered, or the camera looks elsewhere"
    what = "motion" if row["type"] == "motion" else "held back"
    left, top, right, bottom = row["box"]
    where = f" at {left:.2f},{top:.2f} to {right:.2f},{bottom:.2f}" if right > left else ""
    why = f": {row['why']}" if "why" in row else ""
    how = f"strength {row['strength']:.2f}, {row['gate']}{why}"
    return f"{row['t']:8.2f} s  {what} for {row['seconds']:.1f} s{where}, {how}"
