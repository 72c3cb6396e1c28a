"""What is missing at a door whose files are all right: a key, a file, or what the settings point to.

Nobody's mistake shows itself by that: a door without a recipient rings and records nothing, and would say that all is
well. Asked each time the text is made, so that what was mended at the door itself is taken back. No value is repeated.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from doorbell import configfile, household, pairing
from doorbell.boot.adopt import SETTINGS, TAKEN
from doorbell.boot.places import Places
from doorbell.config import Config
from doorbell.errors import ConfigError
from doorbell.light import kept

MISNAMED: Final = (
    "doorbell/doorbell.toml.txt", "doorbell/doorbell.txt", "doorbell/doorbell.toml.toml", "doorbell.toml",
    "doorbell.toml.txt",
)  # fmt: skip
"""What editors that hide a name's ending make of it, and the folder above the right one."""
NO_SETTINGS: Final = (
    "There is no doorbell.toml in the folder doorbell of this card, and the door never had one: it knows no broker and "
    "no key. Write it, or run `doorbell card --boot` with this card in your computer."
)
NO_KEY: Final = (
    "No key of an owner is known, so nothing is recorded. Put the line age1... of `doorbell keygen` into recipients "
    "under [keys] in doorbell/doorbell.toml, or run `doorbell card --boot`, or pair a phone."
)
NO_LOGIN: Final = (
    "mqtt.password_file in doorbell.toml names a file that the door does not have. Put the password, one line, into "
    "doorbell/broker-password on this card; the door keeps it as /etc/doorbell/broker-password."
)
NO_AUTHORITY: Final = (
    "{} in doorbell.toml names a file that the door does not have. Put the broker's authority (PEM) on this card as "
    "doorbell/broker-ca.pem; the door keeps it as /etc/doorbell/broker-ca.pem."
)
SPOILT_AUTHORITY: Final = (
    "{} in doorbell.toml names a file that holds no certificate which can be read. Put the authority's whole file "
    "(PEM) on this card as doorbell/broker-ca.pem; the door keeps it as /etc/doorbell/broker-ca.pem."
)


def sentences(places: Places, *, told: bool) -> Iterator[str]:
    """One for each thing that is missing now. *told*: what is wrong with doorbell.toml was said already."""
    folder = places.boot / "doorbell"
    astray = [name for name in MISNAMED if os.path.lexists(places.boot / name)]
    for name in astray:
        yield f"{name} is not read: the door looks for doorbell/doorbell.toml. Rename it (show the endings of names)."
    never = not os.path.lexists(folder / SETTINGS) and not os.path.lexists(places.settings / TAKEN)
    if never and folder.is_dir():
        if not astray:
            yield NO_SETTINGS
        return
    try:
        config = configfile.load(places.settings / SETTINGS)
    except ConfigError as error:
        if not told:
            yield f"The settings at the door itself cannot be used. {error.bare}"
        return
    if config.recording_refused and not told:
        yield f"Nothing is recorded. {config.recording_refused}"
    yield from _of(config, places)


def _of(config: Config, places: Places) -> Iterator[str]:
    state = _at(places, str(config.door.state))
    by_light = os.path.lexists(state / kept.NAME)
    somebody = by_light or any(os.path.lexists(state / name) for name in (household.NAME, pairing.NAME))
    if not config.keys.recipients and not somebody and config.camera.source != "none":
        yield NO_KEY
    mqtt, push = config.mqtt, config.push
    if mqtt.host and not by_light:  # what a phone showed by light is in force, then, and points to no file
        if mqtt.password_file and _is_missing(_at(places, mqtt.password_file)):
            yield NO_LOGIN
        if mqtt.tls == "ca" and mqtt.ca_file:
            yield from _authority("mqtt.ca_file", _at(places, mqtt.ca_file))
    if push.ca_file and (push.web or push.ntfy):
        yield from _authority("push.ca_file", _at(places, push.ca_file))


def _authority(name: str, path: Path) -> Iterator[str]:
    if _is_missing(path):
        yield NO_AUTHORITY.format(name)
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        yield SPOILT_AUTHORITY.format(name)
    except OSError:
        return


def _at(places: Places, path: str) -> Path:
    return places.root / path.lstrip("/")


def _is_missing(path: Path) -> bool:
    """Gone for certain; of a file that may not be looked at nothing is said."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
