"""A backup opened by its owner and put back, onto a fresh card or a door that is set up anew.

Sealed boxes are anonymous: whoever knows an owner's recipient can seal something to it and call it a backup. So what is
opened is believed only if it is a whole door whose owner is the one who opens it, and what it is is shown before
anything is written. A door made up by a stranger has other keys than the household's phones know, and they say so.

What lies in the place of the state folder is never deleted and never mixed with what is put back: the new folder is
made beside it, whole and synced, and then the two change places.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from doorbell import backup, closed, configfile, doorkeys, durable, household, overlay
from doorbell.alone import alone
from doorbell.boot.adopt import RESTORED, TAKEN
from doorbell.boot.places import Places
from doorbell.clips.seal import SEALED_CHUNK
from doorbell.config import Config
from doorbell.doorkeys import DoorKeys
from doorbell.errors import DamagedError, DeviceError, DoorbellError, Mistake
from doorbell.journal import restored
from doorbell.journal.entry import Head
from doorbell.light import kept
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import NotOursError, UnsealError, unseal
from doorbell.push import book
from doorbell.roster import Roster

MOST_SEALED: Final = backup.MOST + 2 * SEALED_CHUNK
MOST_ASIDE: Final = 100
LIVED_IN: Final = ("journal.sqlite3", household.NAME)
"""What a state folder has once a household used it; a fresh installation has keys of its own and no more."""


@frozen
class Backup:
    """One door, whole; ``journal`` is None where it had none."""

    door: str
    made: str
    software: str
    before: restored.Before | None
    files: dict[str, bytes]
    settings: Config
    roster: Roster | None

    @property
    def keys(self) -> DoorKeys:
        return DoorKeys(self.files[backup.SIGNING], self.files[backup.BOX])

    @property
    def fingerprint(self) -> str:
        """16 hex digits of SHA-256 of the door's verify key."""
        return hashlib.sha256(self.keys.verify_key).hexdigest()[:16]


# ---- opened


def open_backup(identities: Sequence[Identity], path: Path) -> Backup:
    """Open and check the whole of it. Raises Mistake or DamagedError; neither repeats what is inside."""
    try:
        with path.open("rb") as file:
            sealed = file.read(MOST_SEALED + 1)
    except OSError as error:
        raise Mistake(
            f"The backup {path} cannot be read ({error.strerror}): give the file of doorbell backup."
        ) from None
    if len(sealed) > MOST_SEALED:
        raise Mistake(f"{path} is too large for a backup: give the file of doorbell backup.")
    try:
        text = b"".join(unseal(identities, io.BytesIO(sealed)))
    except NotOursError:
        raise Mistake(f"{path} is sealed to another owner: give that owner's identity or words.") from None
    except UnsealError as error:
        raise DamagedError(f"{path} is no whole age file ({error.word}): use another copy of the backup.") from None
    try:
        return _read(text, identities)
    except (ValueError, DoorbellError) as error:
        raise DamagedError(f"{path} is no backup that can be put back ({error}): use another one.") from None


_SHAPE: Final[dict[str, closed.Kind]] = {
    "door": closed.matching("[a-z0-9-]{1,32}"),
    "made": closed.matching(restored.DIGITS),
    "software": closed.matching(r"[0-9A-Za-z.+~-]{1,32}"),
    "journal": lambda value: None if value is None else closed.fields(value, restored.KINDS),
    "files": lambda value: value,
}


def _read(text: bytes, identities: Sequence[Identity]) -> Backup:
    found = closed.versioned(text, backup.MOST, _SHAPE)
    files = {name: _data(name, value) for name, value in _named(found["files"]).items()}
    settings = configfile.parse(files[backup.CONFIGURATION].decode("utf-8-sig"))
    if kept.NAME in files:
        settings = kept.read(settings, files[kept.NAME])
    if settings.door.id != found["door"]:
        raise ValueError("its configuration is another door's")
    DoorKeys(files[backup.SIGNING], files[backup.BOX])
    members = household.read(files[household.NAME])[0] if household.NAME in files else None
    if members is not None and members.door != found["door"]:
        raise ValueError("its roster is another door's")
    if overlay.NAME in files:
        overlay.read(settings, files[overlay.NAME])
    if backup.PUSH in files:
        book.load(files[backup.PUSH])
    owners = members.recipients[:1] if members is not None else settings.keys.recipients[:1]
    if not {one.recipient for one in identities} & set(owners):
        raise ValueError("its owner is not who opened it")
    journal, before = found["journal"], None
    if journal is not None:
        before = restored.Before(journal["journal"], Head(journal["index"], journal["hash"]), found["made"])
    return Backup(found["door"], found["made"], found["software"], before, files, settings, members)


def _named(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) - set(backup.FILES) or set(backup.NEEDED) - set(value):
        raise ValueError("a file is missing or unknown")
    return value


def _data(name: str, value: object) -> bytes:
    spelt = closed.text(value)
    data: bytes = closed.base64_of(len(spelt) // 4 * 3 - spelt[-2:].count("="))(spelt)
    if len(data) > backup.FILES[name]:
        raise ValueError(f"{name} is too large")
    return data


# ---- put back


@frozen
class Place:
    """Where it goes: ``root`` is / or the folder where the door's card is mounted."""

    root: Path
    configuration: Path

    def of(self, path: Path) -> Path:
        return self.root / path.relative_to("/")


def put_back(one: Backup, place: Place, *, replace: bool) -> list[str]:
    """Write it all, durably; returns what was moved out of the way, as sentences.

    Raises Mistake for a running door, and for a place where a household's door lives unless ``replace``; DeviceError
    where it may not be written. After an end in the middle it can simply be done again.
    """
    state = place.of(one.settings.door.state)
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        with alone(state, "The door is running: stop it first (sudo systemctl stop doorbell), then try again."):
            if not replace and any(durable.is_there(state / name) for name in LIVED_IN):
                raise Mistake(
                    f"A door with a history or a household lives in {state}: to put the backup in its place, add "
                    "--replace (what is there is moved aside, not deleted)."
                )
            owner = _owner(place, state)
            said = [_configuration(one, place, owner)]
            new = _state_folder(one, state, owner)
            said.append(_change_places(new, state))
    except OSError as error:
        raise DeviceError(
            f"{error.filename or state} cannot be written ({error.strerror}): run this with sudo."
        ) from None
    return [sentence for sentence in said if sentence]


def _owner(place: Place, state: Path) -> tuple[int, int] | None:
    """User and group of the door on that card; None where this user cannot give files away, or nobody is known.

    Without it systemd gives the folder to the service's user at the next start, as its StateDirectory.
    """
    if os.geteuid() != 0:
        return None
    if durable.is_there(state):
        status = state.stat()
        return status.st_uid, status.st_gid
    try:
        for line in place.of(Path("/etc/passwd")).read_text(encoding="utf-8").splitlines():
            name, _, user, group, *_ = line.split(":")
            if name == "doorbell":
                return int(user), int(group)
    except (OSError, ValueError):
        return None
    return None


def _configuration(one: Backup, place: Place, owner: tuple[int, int] | None) -> str:
    """The configuration, and what it names outside the state folder; the old one stays beside it."""
    mqtt = one.settings.mqtt
    targets = {backup.CONFIGURATION: place.of(place.configuration)}
    targets |= {backup.PASSWORD: place.of(Path(mqtt.password_file))} if mqtt.password_file else {}
    targets |= {backup.CA: place.of(Path(mqtt.ca_file))} if mqtt.ca_file else {}
    aside = ""
    for name, target in targets.items():
        if name not in one.files:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if name == backup.CONFIGURATION and durable.is_there(target) and target.read_bytes() != one.files[name]:
            before = target.with_name(target.name + ".before-restore")
            durable.replace(before, target.read_bytes())
            aside = f"The configuration that was there is {before} now."
        durable.replace(target, one.files[name])
        if owner is not None:
            os.chown(target, 0, owner[1])
            target.chmod(0o640)
    if (target := targets[backup.CONFIGURATION]).parent == Places(place.root).settings:
        # Last: at its next start the door lets this stand, and not what the card's boot volume says.
        durable.replace(target.with_name(TAKEN), RESTORED)
    return aside


def _state_folder(one: Backup, state: Path, owner: tuple[int, int] | None) -> Path:
    new = state.with_name(state.name + ".restoring")
    new.mkdir(mode=0o700, exist_ok=True)
    (new / doorkeys.FOLDER).mkdir(mode=0o700, exist_ok=True)
    files = {name: data for name, data in one.files.items() if name in backup.IN_STATE}
    files |= {restored.NAME: restored.written(one.before)} if one.before is not None else {}
    for left in (path for path in new.rglob("*") if path.is_file() and str(path.relative_to(new)) not in files):
        left.unlink()  # of a restore that ended in the middle
    for name, data in files.items():
        durable.replace(new / name, data)
    durable.sync_folder(new)
    if owner is not None:
        for path in (new, new / doorkeys.FOLDER, *(new / name for name in files)):
            os.chown(path, *owner)
    return new


def _change_places(new: Path, state: Path) -> str:
    said = ""
    if durable.is_there(state):
        numbered = (state.with_name(f"{state.name}.before-restore-{number}") for number in range(1, MOST_ASIDE + 1))
        aside = next((path for path in numbered if not durable.is_there(path)), None)
        if aside is None:
            raise Mistake(
                f"{MOST_ASIDE} folders lie aside beside {state}: look at them, and delete what is not needed."
            )
        state.rename(aside)
        said = f"What the door had kept lies in {aside} now: delete it when you have what you need."
    new.rename(state)
    durable.sync_folder(state.parent)
    return said
