"""Takes over what the owner, or who wrote the card, put on the boot volume: at every start, before the daemon.

The boot volume is FAT, guards nothing and may have been edited by anybody with any editor. So: each file has a cap and
a closed schema; a good one goes where the daemon reads it, whole, with the right owner and mode; the settings are taken
over only when their text changed, so that what was edited at the door itself since then is not undone.

Settings that are wrong are handed on as they are. The daemon cannot read them either, rings its chime by the pins of
the last good ones and blinks (bell-only), which an owner who has just edited the file sees; a door that went on with
the old settings would film what the new ones mask. The last good text is kept beside them, and comes back when the
wrong file is deleted from the boot volume.

Secrets are taken over in any case, and wiped off the boot volume only once they are safe. A password in the settings
moves to its own file; the settings themselves stay, for the next card is written from them.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

from doorbell import configfile, household, login, pairing
from doorbell.boot import files, typed
from doorbell.boot.places import OUTCOME, Places
from doorbell.config import Config
from doorbell.errors import ConfigError, Mistake

SETTINGS: Final = "doorbell.toml"
PASSWORD: Final = "broker-password"  # noqa: S105  a file's name
AUTHORITY: Final = "broker-ca.pem"
MANIFEST: Final = "MANIFEST"
KEPT_AT: Final = Path("/etc/doorbell")
AT_THE_DOOR: Final = str(KEPT_AT / PASSWORD)
GOOD: Final = "doorbell.toml.good"
TAKEN: Final = ".taken"
"""SHA-256 of the settings that were last taken from the boot volume, kept beside them; or RESTORED."""
RESTORED: Final = b"restored"
"""In TAKEN: a backup was put back; what a fresh card says of settings, broker and password gives way to it, once."""
USER: Final = "doorbell"
MOST_SAID: Final = 20


@define
class Adoption:
    """What one start took over, and the owner's mistakes as sentences, without any value that could be a secret."""

    places: Places
    user: tuple[int, int] | None
    """uid and gid of the daemon; None leaves files with whoever runs this (tests)."""
    wrong: list[str] = field(factory=list)
    notes: list[str] = field(factory=list)
    taken: list[str] = field(factory=list)
    _restored: bool = False

    def run(self) -> None:
        """Everything, each part even when another fails; the outcome is left for ``tell``."""
        folder = self.places.boot / "doorbell"
        with suppress(OSError, Mistake):
            self._restored = files.read(self.places.settings / TAKEN) == RESTORED
        for part in (self._authority, self._password, self._enrolment, self._settings, self._rights):
            try:
                part(folder)
            except Mistake as mistake:
                self.wrong.append(str(mistake))
            except OSError as error:
                self.wrong.append(f"The card does not work as it should ({error.strerror}): write it anew.")
        with suppress(OSError):
            # Whoever reads this line has been installed: the checksums have done their work, and one of a short
            # password gives it away.
            files.wipe(folder / MANIFEST)
        text = json.dumps({"wrong": self.wrong[:MOST_SAID], "notes": self.notes[:MOST_SAID]}).encode()
        files.put(self.places.run / OUTCOME, text, 0o600, None)

    # ---- the settings

    def _settings(self, folder: Path) -> None:
        path, place = folder / SETTINGS, self.places.settings / SETTINGS
        here = files.read(place) if self._restored else None
        raw = here or files.read(path, configfile.LARGEST)
        if raw is None:
            self._bring_back(place)
            return
        if b"AGE-SECRET-KEY-" in raw.upper():
            raise Mistake(f"{SETTINGS} holds a private key: take it out, the door must never have it. "
                          "It goes on with its settings of before.")  # fmt: skip
        found, why = _understood(raw)
        password = found.mqtt.password if found is not None else ""
        stays = self._without(password, raw) if password else raw
        raw = stays or raw
        mark = hashlib.sha256(raw).hexdigest().encode()
        changed = files.read(self.places.settings / TAKEN) != mark or not place.exists()
        if changed:
            if found is not None:
                self._put(self.places.settings / GOOD, _text(raw))
            self._put(place, raw if found is None else _text(raw))
        if (password or here) and folder.is_dir():
            files.wipe_then_put(path, stays) if stays else files.wipe(path)
        if here:
            self.notes.append(f"The door was restored from a backup: {SETTINGS} here holds what it goes by now.")
        if changed:
            self._put(self.places.settings / TAKEN, mark)
            self.taken.append(SETTINGS)
        elif why and not _understood(files.read(place) or b"")[1]:
            return  # it was mended at the door itself
        if why:
            self.wrong.append(f"{SETTINGS}: {why}")

    def _without(self, password: str, raw: bytes) -> bytes | None:
        """The settings with the password in its own file, where it now is; None where they have to be deleted."""
        text = typed.moved(_decoded(raw, SETTINGS), password, AT_THE_DOOR)
        if text is None:
            self.notes.append(f"{SETTINGS} held the broker's password: the door took it over, and it is deleted here.")
            return None
        self._put(self.places.settings / PASSWORD, password.encode() + b"\n")
        self.notes.append(f"{SETTINGS} held the broker's password: the door took it over, and out of the file here.")
        return text.encode()

    def _bring_back(self, place: Path) -> None:
        """No file on the boot volume: nothing to say, unless a wrong one was deleted from it."""
        now, good = files.read(place), files.read(self.places.settings / GOOD)
        if now is not None and good is not None and _understood(now)[0] is None and _understood(good)[0] is not None:
            self._put(place, good)
            self.taken.append("the settings of before")

    # ---- the secrets, and what is public beside them

    def _password(self, folder: Path) -> None:
        raw = files.read(folder / PASSWORD, 4 * login.LARGEST)
        if raw is None:
            return
        if self._restored and (self.places.settings / PASSWORD).exists():
            files.wipe(folder / PASSWORD)
            return
        text = _decoded(raw, PASSWORD).rstrip("\r\n")
        if not text or len(text) > login.LARGEST or not text.isprintable():
            raise Mistake(f"{PASSWORD} holds no password in one line: write it again, with nothing else in the file.")
        self._put(self.places.settings / PASSWORD, text.encode() + b"\n")
        files.wipe(folder / PASSWORD)
        self.taken.append(PASSWORD)

    def _authority(self, folder: Path) -> None:
        raw, here = files.read(folder / AUTHORITY, 64 * 1024), files.read(self.places.settings / AUTHORITY)
        if raw is None or raw == here:
            return
        if self._restored and here is not None:
            files.wipe_then_put(folder / AUTHORITY, here)
            return
        if b"PRIVATE KEY" in raw or not _is_authority(raw):
            raise Mistake(f"{AUTHORITY} is no certificate in PEM that can be read: copy the authority's whole file "
                          "there, never its key.")  # fmt: skip
        self._put(self.places.settings / AUTHORITY, raw)
        self.taken.append(AUTHORITY)

    def _enrolment(self, folder: Path) -> None:
        raw = files.read(folder / pairing.NAME, pairing.MOST_FILE)
        if raw is None:
            return
        try:
            one = pairing.read(raw)
        except ValueError:
            files.wipe(folder / pairing.NAME)
            raise Mistake(f"{pairing.NAME} cannot be read, so no phone can join: write the card again.") from None
        if not os.path.lexists(self.places.state / household.NAME) and not self._is_here(one.secret):
            # The daemon's own file from here on: it counts the tries and the hours in it.
            self._make_state()
            files.put(self.places.state / pairing.NAME, pairing.written(one) + b"\n", 0o600, self.user)
            self.taken.append(pairing.NAME)
        files.wipe(folder / pairing.NAME)

    def _is_here(self, secret: bytes) -> bool:
        try:
            here = files.read(self.places.state / pairing.NAME, pairing.MOST_FILE)
            return here is not None and pairing.read(here).secret == secret
        except (ValueError, Mistake):
            return False

    def _make_state(self) -> None:
        if not os.path.lexists(self.places.state):
            self.places.state.mkdir(mode=0o700)
            if self.user is not None:
                os.chown(self.places.state, *self.user)

    # ---- who may read it

    def _rights(self, _: Path) -> None:
        """A backup that was put back on another computer could not be given to the door: it had no user yet."""
        if self.user is None:
            return
        found = _understood(files.read(self.places.settings / SETTINGS) or b"")[0]
        named = [] if found is None else [Path(found.mqtt.password_file), Path(found.mqtt.ca_file)]
        names = {SETTINGS, GOOD, PASSWORD, AUTHORITY} | {one.name for one in named if one.parent == KEPT_AT}
        for path in (self.places.settings / name for name in sorted(names)):
            data = files.read(path)
            if data is not None and (path.stat().st_gid, path.stat().st_mode & 0o777) != (self.user[1], 0o640):
                self._put(path, data)

    def _put(self, path: Path, data: bytes) -> None:
        """For the daemon to read, nobody to write but root."""
        files.put(path, data, 0o640, None if self.user is None else (0, self.user[1]))


def adopt(places: Places) -> Adoption:
    """Take over what lies on the boot volume. Raises Mistake where the door's user does not exist."""
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        raise Mistake(f"There is no user {USER}: install the door's package first.") from None
    adoption = Adoption(places, (entry.pw_uid, entry.pw_gid))
    adoption.run()
    return adoption


def _text(raw: bytes) -> bytes:
    """Without the byte order mark and the CRLF that an editor on another system leaves."""
    return raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def _is_authority(raw: bytes) -> bool:
    """Whether OpenSSL takes every block of it; what stands around the blocks may be in any letters."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=raw.decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError):
        return False
    return True


def _decoded(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Mistake(f"{name} is no UTF-8 text: save it as UTF-8, without formatting.") from None


def _understood(raw: bytes) -> tuple[Config | None, str]:
    """What the daemon would make of it, and why it rings only, or records nothing: without any value of it."""
    try:
        found = configfile.parse(_decoded(raw, SETTINGS))
    except Mistake as mistake:
        return None, mistake.bare if isinstance(mistake, ConfigError) else str(mistake)
    if found.recording_refused:
        return found, f"Nothing is recorded. {found.recording_refused}"
    return found, ""


@frozen
class Outcome:
    """What one start found: the owner's mistakes, and what else the owner should read."""

    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def outcome(places: Places) -> Outcome:
    """Of this start; empty before it looked."""
    try:
        found: Any = json.loads(files.read(places.run / OUTCOME) or b"{}")
        return Outcome(tuple(map(str, found.get("wrong", ()))), tuple(map(str, found.get("notes", ()))))
    except (OSError, ValueError, Mistake):
        return Outcome()
