"""``doorbell what-the-broker-sees``: listen as the broker's owner would, and say what that gives away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doorbell.errors import Mistake

if TYPE_CHECKING:
    from doorbell.link.settings import MqttSettings
    from doorbell.overheard.session import Heard

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_S = 7 * 86400


def _seconds(_: object, __: object, value: str) -> float:
    match = re.fullmatch(r"(\d{1,6})([smhd])", value)
    if not match or not 1 <= (found := int(match[1]) * UNITS[match[2]]) <= LONGEST_S:
        raise click.BadParameter("give a time such as 90s, 10m or 2h; at most 7d.")
    return found


@click.command("what-the-broker-sees")
@click.option("--host", default="localhost", show_default=True, help="The broker.")
@click.option("--port", type=click.IntRange(1, 65535), help="8883, or 1883 with --tls off, where it is not given.")
@click.option("--login", default="", help="A login that may read everything (#), as the broker's owner has.")
@click.option("--password-file", type=click.Path(path_type=Path, readable=False), help="Its password, alone in a file.")
@click.option("--tls", type=click.Choice(["ca", "off"]), default="ca", show_default=True)
@click.option("--ca-file", default="", help="The authority's certificate, where it is one of your own.")
@click.option("--for", "for_s", callback=_seconds, default="10m", show_default=True, help="How long: 90s, 10m, 2h.")
@click.option(
    "--record", type=click.Path(path_type=Path, readable=False), help="Keep what was heard in this file as well."
)
@click.option(
    "--from", "source", type=click.Path(path_type=Path, readable=False), help="Do not listen: read what --record wrote."
)
@click.option("--all", "whole", is_flag=True, help="Every readable payload whole, not a sample of them.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every readable payload.")
def what_the_broker_sees(
    *, host: str, port: int | None, login: str, password_file: Path | None, tls: str, ca_file: str, for_s: float,
    record: Path | None, source: Path | None, whole: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show every byte that whoever owns the broker can read of your doors, and what sizes and times tell them.

    Exit status 0: nothing but the clear topics; 2: something is readable that should be sealed.
    """
    import json

    from doorbell.link.settings import MqttSettings
    from doorbell.overheard import report, session, shown

    if source is not None:
        heard: Iterator[Heard] = session.read(source)
    else:
        password = _password(password_file)
        settings = MqttSettings(host, port or (1883 if tls == "off" else 8883), login, password, tls, ca_file)
        heard = _kept(_listen(settings, for_s), record)
    found = report.report(heard)
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=1))
    else:
        for one in shown.lines(found, whole=whole):
            click.echo(one)
    if not found.is_tight:
        raise SystemExit(2)


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise Mistake(f"The password's file {path} cannot be read: give one that holds the password alone.") from None


def _listen(settings: MqttSettings, for_s: float) -> Iterator[Heard]:
    import signal
    from queue import SimpleQueue

    from doorbell.overheard.listen import listen

    waiting: SimpleQueue[object] = SimpleQueue()
    signal.signal(signal.SIGINT, lambda *_: waiting.put(None))
    said = f"Listening to everything at {settings.host} for {for_s:.0f} s; Ctrl-C ends it earlier."
    yield from listen(settings, for_s, lambda: click.echo(said, err=True), waiting)


def _kept(heard: Iterator[Heard], record: Path | None) -> Iterator[Heard]:
    """What was heard, written down as it comes; up to the bound of one session."""
    from doorbell.overheard.session import MOST_BYTES, line

    try:
        file = record.open("x", buffering=1, encoding="ascii") if record else None
    except OSError as error:
        raise Mistake(f"{record} cannot be written ({error.strerror}): name a new file.") from None
    size = 0
    try:
        for one in heard:
            size += len(one.payload)
            if size > MOST_BYTES:
                click.echo("More passed than one session holds (512 MB): what follows is left out.", err=True)
                return
            if file:
                file.write(line(one))
            yield one
    finally:
        if file:
            file.close()
