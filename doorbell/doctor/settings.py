"""The configuration file, the recipients, and whether a private key lies where none may be."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from doorbell import household
from doorbell.doctor.finding import Door, Finding, bad, good, unknown

MOST_FILES = 2000
LARGEST_LOOKED_AT = 1024 * 1024
"""A key file is small; files beyond this many bytes are clips, and those are sealed."""
_WORDS = re.compile(rb"(?:^|\s)(?:(?:\d\d?[.):]?\s*)?[a-z]{3,8}\s+){23}(?:\d\d?[.):]?\s*)?[a-z]{3,8}(?=\s|$)")
"""24 words as BIP-39's list has them, numbered or not, with nothing between them: prose has commas and short words."""
_PRIVATE = re.compile(rb"AGE-SECRET-KEY-1[02-9A-Z]{58}", re.IGNORECASE)


def configuration(door: Door) -> Finding:
    if door.why_unread:
        return bad(door.why_unread, f"Mend {door.path}; until then the door only rings.")
    if door.config.recording_refused:
        return bad("The masks cannot be read, so nothing is recorded.", door.config.recording_refused)
    return good(f"The configuration {door.path} can be read.")


def permissions(door: Door) -> Finding:
    """It may hold the broker's password."""
    try:
        mode = stat.S_IMODE(door.path.stat().st_mode)
    except OSError as error:
        return unknown(f"The permissions of {door.path} cannot be seen ({error.strerror}).")
    if mode & 0o027:
        return bad(
            f"{door.path} has mode {mode:04o}, and it may hold the broker's password.",
            f"Let only its owner and its group read it: sudo chmod 640 {door.path}",
        )
    return good(f"Others may not read {door.path} (mode {mode:04o}).")


def recipients(door: Door) -> Finding:
    """Who opens what is sealed from now on: the roster's members, or without one those of the configuration."""
    home = household.load(door.config.door.id, door.config.door.state, door.config.keys.recipients)
    if home.damaged:
        return bad("The household's roster cannot be read: only the owner opens what is recorded.", home.damaged)
    number = len(home.recipients)
    if not number:
        return bad(
            "No recipient is set: the door rings and records nothing.",
            "On your own computer: doorbell keygen; then put the line age1... into keys.recipients.",
        )
    who = "the household's roster" if home.roster is not None else "the configuration"
    return good(f"Clips are sealed to {number} {'recipient' if number == 1 else 'recipients'}, by {who}.")


def privacy(door: Door) -> Finding:
    """What leaves the door in clear; a picture never, whatever is set (config.Privacy)."""
    if door.config.privacy.clear_events:
        return good("No picture leaves unsealed; that it rang or moved, and when, the broker sees.")
    return good("Nothing leaves the door in clear.")


def no_private_key(door: Door) -> Finding:
    """The identity that opens clips may not be on the door, as a key file or as its words: not in its state, not beside
    its configuration, not on the boot partition, which guards nothing.
    """
    boot = door.root / "boot/firmware"
    for looked, file in enumerate(_small_files(door.config.door.state, door.path.parent, boot)):
        if looked == MOST_FILES:
            return unknown(f"The first {MOST_FILES} small files hold no private key; there are more.")
        try:
            held = _held(file.read_bytes())
        except OSError:
            return unknown(f"{file} cannot be read, so it was not searched for a private key.", "Try again with sudo.")
        if held:
            return bad(
                f"{file} holds {held}: whoever takes this door can open its clips.",
                "Copy it to your own computer, then here: shred -u it, and make a new key with doorbell keygen.",
            )
    return good("No private key lies on this door.")


def _held(data: bytes) -> str:
    if _PRIVATE.search(data):
        return "a private key"
    return "what looks like the 24 words of a key" if _WORDS.search(data) else ""


def _small_files(state: Path, *beside: Path) -> Iterator[Path]:
    """All but the clips under *state*, and what lies directly in the folders *beside*."""
    for folder, deep in ((state, True), *((one, False) for one in beside)):
        for place, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if deep and name != "clips"]
            for name in names:
                file = Path(place) / name
                try:
                    status = file.lstat()
                except OSError:
                    continue  # gone meanwhile
                if stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_LOOKED_AT:
                    yield file


def sealing(_: Door) -> Finding:
    """Seal and open with a key that is thrown away: shows that the crypto library does what it should here."""
    from doorbell.clips.seal import seal  # noqa: PLC0415  slow to import, and only needed here
    from doorbell.owner.identity import Identity  # noqa: PLC0415  opens clips: never loaded by the daemon
    from doorbell.owner.unseal import unseal  # noqa: PLC0415

    identity, text = Identity.make(), bytes(70_000)
    opened = b"".join(unseal([identity], io.BytesIO(seal([identity.recipient], text))))
    if opened != text:
        return bad("What was sealed did not open again.", "Install the package PyNaCl again.")
    return good("Sealing and opening work (with a key that was thrown away).")
