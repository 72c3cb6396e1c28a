"""The words of this door that are nobody else's business: its broker, its names, its members, its keys.

From settings that can be read, from those of before, and from what stands in a file that cannot be read: the log and
the findings may name any of them. What such a file holds is private until it is known not to be.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from doorbell import configfile, durable, household, login, salvage
from doorbell.boot.adopt import GOOD
from doorbell.config import Config, PinKind, RecordOn, Sensitivity, Tls
from doorbell.doctor.finding import Door
from doorbell.errors import ConfigError, DoorbellError
from doorbell.glance import LAST_GOOD
from doorbell.light import kept

_IN_QUOTES: Final = re.compile(r'"([^"\n]*)"|\'([^\'\n]*)\'')
_PIECES: Final = re.compile(r"[\s/:@,;#=\"'()\[\]{}]+")
DIGITS: Final = 4
"""A number of so few is a port, a pin, a rate."""
_FOLDERS: Final = {"state", "runtime", "rclone_config", "workplace"}
"""Where things lie says nothing of anybody, and a finding is worth little without it."""


def words(door: Door) -> set[str]:
    """All of them that are known here. Never raises."""
    raw = _bytes(door.path)
    config = kept.load(salvage.for_the_bell(raw))[0] if door.why_unread else door.config
    state = config.door.state
    found = {socket.gethostname(), *_of_the_roster(state), *_of(config)}
    if door.why_unread:
        found |= set(_raw(raw))
    # The log may still speak of the broker of before.
    for path in (state / LAST_GOOD, door.path.with_name(GOOD)):
        with contextlib.suppress(ConfigError):
            found |= _of(configfile.load(path))
    return found - {"", "owner", "doorbell"}


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(configfile.LARGEST)
    except OSError:
        return b""


def _of(config: Config) -> set[str]:
    mqtt = config.mqtt
    found = {config.door.name, config.door.id, mqtt.host, mqtt.username, mqtt.password, mqtt.pin_sha256}
    found |= {str(one) for one in config.keys.recipients}
    with contextlib.suppress(DoorbellError):  # then there is none to take out
        found.add(login.settings(config).password)
    return found


def _of_the_roster(state: Path) -> Iterator[str]:
    with contextlib.suppress(OSError, ValueError, DoorbellError):
        found = durable.read(state / household.NAME, household.MOST_FILE)
        for member in household.read(found)[0].members if found is not None else ():
            yield from (member.name, member.id, str(member.recipient))


def _raw(raw: bytes) -> Iterator[str]:
    """What a broken file has in quotes or right of an ``=``, whole and, of an address, in its parts."""
    public = _public()
    for _, name, rest in salvage.lines(salvage.decoded(raw)):
        values = [a or b for a, b in _IN_QUOTES.findall(rest)] + [rest.partition("#")[0].strip("\"', \t")]
        pieces = [piece for value in values if re.search(r"[:/@]", value) for piece in _PIECES.split(value)]
        for one in [] if name in _FOLDERS else [*values, *pieces]:
            if one not in public and not (one.isdigit() and len(one) <= DIGITS):
                yield one


def _public() -> set[str]:
    """Settings' names, what may be chosen, and defaults."""
    found = {"true", "false", "mqtt", "mqtts", "http", "https", "ws", "wss", "file", "webcam"}
    for kind in (PinKind, RecordOn, Sensitivity, Tls):
        found |= set(get_args(kind))
    for section, table in configfile.tables(Config()).items():
        found |= {section, *table, *map(str, table.values())}
    return found
