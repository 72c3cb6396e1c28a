"""The broker's side of the house: mosquitto's password and ACL files, for doors, phones and Home Assistant.

Deny by default: a login may do what stands in the ACL file and nothing else, and an anonymous client nothing at all.
Each login has lines of its own. mosquitto's ``pattern`` lines would be shorter, but they hold for every login, so what
a phone may read, Home Assistant and whoever else uses this broker could read as well.

The ACL file also says in its comments who everybody is, so it and the password file are all there is to keep.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import Final, Literal

from attrs import frozen

from doorbell.errors import DeviceError, Mistake
from doorbell.link.topics import DOOR_ID, TABLE
from doorbell.roster import MEMBER_ID

PASSWORDS: Final = "doorbell.passwords"
ACL: Final = "doorbell.acl"
HEADER: Final = "# Written by `doorbell broker-setup`, which writes it anew each time: change nothing here.\n"
GROUP: Final = "mosquitto"
ROUNDS: Final = 101
"""PBKDF2 rounds, as mosquitto_passwd writes them; our passwords are 24 random bytes, which need no stretching."""
MOST_FILE: Final = 1024 * 1024

Kind = Literal["door", "phone", "homeassistant"]
_WHO: Final = re.compile(r"# (door|phone|homeassistant) ([A-Za-z0-9_-]{1,64})((?: [a-z0-9-]{1,32})*)( switch)?")
_PHONE_READS: Final = (
    "availability",
    "hello",
    "alert",
    "poster/#",
    "journal/#",
    "to/{me}",
    "clip/{me}/#",
    "live/{me}/#",
)
_PHONE_WRITES: Final = ("from/{me}", "talk/{me}/#", "pair")
_DOOR_READS: Final = ("from/#", "pair", "talk/#", "recording/set")


@frozen
class Login:
    """One who may log in. ``doors``: which ones it is about; a door's is its own. ``switch``: may set recording."""

    kind: Kind
    name: str
    doors: tuple[str, ...]
    switch: bool = False


def checked(login: Login) -> Login:
    """Raises Mistake for a name that would get somebody another's rights."""
    is_member = re.fullmatch(MEMBER_ID, login.name) is not None
    if login.kind == "phone" and not is_member:
        raise Mistake("A phone's login is its member id, 26 letters and digits, as its app shows it.")
    if login.kind == "door" and (is_member or not DOOR_ID.fullmatch(login.name)):
        raise Mistake("A door's login is its id: 1 to 32 of a to z, 0 to 9 and -, and no member id.")
    if login.kind == "homeassistant" and (is_member or not re.fullmatch("[A-Za-z0-9_-]{1,64}", login.name)):
        raise Mistake("Home Assistant's login is 1 to 64 letters, digits, - and _, and no member id.")
    if not login.doors or not all(DOOR_ID.fullmatch(door) for door in login.doors):
        raise Mistake("Name a door with --door, as in doorbell.toml: 1 to 32 of a to z, 0 to 9 and -.")
    return login


def rules(login: Login) -> str:
    """This login's lines of the ACL file."""
    lines = [f"# {login.kind} {' '.join([login.name, *login.doors])}{' switch' * login.switch}", f"user {login.name}"]
    for door in login.doors:
        base = f"doorbell/{door}"
        if login.kind == "door":
            lines += [f"topic write {base}/#", f"topic write homeassistant/device/doorbell-{door}/config"]
            lines += [f"topic read {base}/{one}" for one in _DOOR_READS]
        elif login.kind == "phone":
            lines += [f"topic read {base}/{one.format(me=login.name)}" for one in _PHONE_READS]
            lines += [f"topic write {base}/{one.format(me=login.name)}" for one in _PHONE_WRITES]
        else:
            lines += [f"topic read {one.replace('<door>', door)}" for one in clear_topics()]
            lines += [f"topic write {base}/recording/set"] * login.switch
    lines += {"door": ["topic read homeassistant/status"], "homeassistant": ["topic write homeassistant/status"]}.get(
        login.kind, []
    )
    return "\n".join(lines) + "\n"


def clear_topics() -> list[str]:
    """The templates of what a door says in clear."""
    return [row.template for row in TABLE if row.open_to == "clear" and row.sender.startswith("door")]


def password_hash(password: str, salt: bytes) -> str:
    """``$7$`` of mosquitto_passwd: PBKDF2-SHA512, 64 bytes."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, 64)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


# ---- the two files


@frozen
class Files:
    """The folder that holds both, ``/etc/mosquitto`` as a rule."""

    folder: Path

    def logins(self) -> dict[str, Login]:
        """Who may log in, by name. Raises Mistake for an ACL file that was not written here."""
        text = self._read(self.folder / ACL)
        if text and not text.startswith(HEADER):
            raise Mistake(f"{self.folder / ACL} was written by somebody else: choose another folder with --folder.")
        found = {}
        for line in text.splitlines():
            if match := _WHO.fullmatch(line):
                kind, name, doors, switch = match.groups()
                found[name] = Login(kind, name, tuple(doors.split()), switch=bool(switch))  # type: ignore[arg-type]
        return found

    def add(self, login: Login, password: str) -> None:
        """Let *login* in with a new *password*; known before, it gets this one and these rights."""
        logins = self.logins() | {login.name: checked(login)}
        hashes = self._hashes() | {login.name: password_hash(password, os.urandom(12))}
        self._write(logins, hashes)

    def remove(self, name: str) -> None:
        """Let *name* in no longer. Raises Mistake where nobody is called so."""
        logins, hashes = self.logins(), self._hashes()
        if name not in logins:
            raise Mistake(f"No login is called {name[:64]}: `doorbell broker-setup show` lists them.")
        del logins[name]
        hashes.pop(name, None)
        self._write(logins, hashes)

    def _hashes(self) -> dict[str, str]:
        lines = self._read(self.folder / PASSWORDS).splitlines()
        return {name: digest for name, colon, digest in (line.partition(":") for line in lines) if colon}

    def _write(self, logins: dict[str, Login], hashes: dict[str, str]) -> None:
        # Rights before the login that uses them, and a login away before its rights: never one without the other.
        acl = HEADER + "\n" + "\n".join(rules(login) for login in logins.values())
        passwords = "".join(f"{name}:{digest}\n" for name, digest in hashes.items() if name in logins)
        self._replace(self.folder / PASSWORDS, passwords)
        self._replace(self.folder / ACL, acl)

    def _read(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                return file.read(MOST_FILE).decode()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            raise DeviceError(f"{path} is no text: move it away, and add the logins again.") from None
        except OSError:
            raise DeviceError(f"{path} cannot be read: run this as root, at the broker.") from None

    def _replace(self, path: Path, text: str) -> None:
        new = path.with_name(path.name + ".new")
        try:
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            give_to_broker(new)
            new.replace(path)
        except OSError as error:
            raise DeviceError(
                f"{path} cannot be written ({error.strerror}): run this as root, at the broker."
            ) from None


def give_to_broker(path: Path) -> None:
    """mosquitto reads its files as its own user when it is told to read them again."""
    if os.geteuid() == 0:
        try:
            shutil.chown(path, group=GROUP)
        except LookupError:
            return  # no such group: this broker runs as somebody else
