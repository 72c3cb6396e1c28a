"""What makes a door this door, as one age file that only its owner opens (docs/formats/backup.md).

Configuration, what a phone's QR taught, the household's settings, roster, whom to push to, door keys, and the head of
the journal: not the clips, not the history.
The door can make it and cannot open it: the keys in it are worth as much as the door, so it is sealed to the owner
alone, not to the household.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from doorbell import __version__, closed, configfile, doorkeys, durable, household, login, overlay
from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.config import Config
from doorbell.errors import DeviceError, Mistake
from doorbell.journal import restored
from doorbell.journal.opening import NotOursError, open_to_read
from doorbell.light import kept
from doorbell.push import book

CONFIGURATION: Final = "doorbell.toml"
PASSWORD: Final = "mqtt-password"  # noqa: S105  a name
CA: Final = "mqtt-ca"
SIGNING: Final = f"{doorkeys.FOLDER}/{doorkeys.SIGNING}"
BOX: Final = f"{doorkeys.FOLDER}/{doorkeys.BOX}"
PUSH: Final = "push.json"
IN_STATE: Final[Mapping[str, int]] = {
    SIGNING: doorkeys.KEY_BYTES,
    BOX: doorkeys.KEY_BYTES,
    household.NAME: household.MOST_FILE,
    overlay.NAME: overlay.MOST_FILE,
    kept.NAME: kept.MOST_FILE,
    PUSH: book.MOST_FILE,
    "recording-off": 0,
}
"""Files of the state folder and the most bytes of each. Who switched the camera off finds it off after a restore."""
ELSEWHERE: Final[Mapping[str, int]] = {CONFIGURATION: configfile.LARGEST, PASSWORD: login.LARGEST, CA: 256 * 1024}
FILES: Final = {**IN_STATE, **ELSEWHERE}
NEEDED: Final = (CONFIGURATION, SIGNING, BOX)
MOST: Final = 1024 * 1024
"""Bytes of the plaintext: all files at their largest, in base64."""


def make(path: Path, made: str) -> tuple[bytes, Recipient]:
    """The sealed backup of the door whose configuration is *path*, and the owner who opens it.

    *made*: RFC 3339 UTC, a label. Raises ConfigError or Mistake where there is nobody to seal to or nothing whole to
    keep, DeviceError where the card does not give it. Changes nothing, also beside a running door.
    """
    settings, why = kept.load(configfile.load(path))
    if why:
        raise Mistake(f"No backup is made of a door that is not whole. {why}")
    state = settings.door.state
    home = household.load(settings.door.id, state, settings.keys.recipients)
    if home.damaged:
        raise Mistake(f"No backup is made of a door that is not whole. {home.damaged}")
    if not home.recipients:
        raise Mistake("No recipient is set, so nobody could open the backup: make a key first (doorbell keygen).")
    owner = home.recipients[0]
    document = {
        "v": 1,
        "door": settings.door.id,
        "made": made,
        "software": __version__,
        "journal": _journal(state),
        "files": {name: closed.to_base64(data) for name, data in _files(path, settings).items()},
    }
    return seal([owner], closed.dump(document)), owner


def _files(path: Path, settings: Config) -> dict[str, bytes]:
    places = {CONFIGURATION: path} | {name: settings.door.state / name for name in IN_STATE}
    places |= {PASSWORD: Path(settings.mqtt.password_file)} if settings.mqtt.password_file else {}
    places |= {CA: Path(settings.mqtt.ca_file)} if settings.mqtt.ca_file else {}
    found = {}
    for name, place in places.items():
        try:
            data = durable.read(place, FILES[name]) if name in IN_STATE else _read(place, FILES[name])
        except OSError as error:
            raise DeviceError(f"{place} cannot be read ({error.strerror}): run this with sudo.") from None
        except ValueError as error:
            raise Mistake(f"No backup is made: {error}, so it is not what it should be.") from None
        if data is not None:
            found[name] = data
    for name in NEEDED:
        if name not in found:
            raise Mistake(f"{places[name]} is not there yet: start the door once, then make the backup.")
    return found


def _read(place: Path, most: int) -> bytes:
    """A file of the owner's own, who may have put a link there."""
    with place.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{place} has more than {most} bytes")
    return data


def _journal(state: Path) -> dict[str, object] | None:
    """The head that a restore will name; a door without a journal has none."""
    try:
        journal = open_to_read(state)
    except FileNotFoundError:
        return None
    except (NotOursError, OSError, sqlite3.Error):
        raise DeviceError(
            "The journal cannot be read, and a backup names its last entry: look with doorbell check, then try again."
        ) from None
    try:
        return {**restored.shown(journal.journal_id, journal.head())}
    finally:
        journal.close()
