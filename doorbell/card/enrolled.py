"""The folder of one door on the owner's computer: its identity, its invitation, its sheet. Never on the card.

It makes a second card for the same door the same card: the identity is read again, and the invitation stays what it
is while it is good, so a sheet that is already printed goes on being right.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from doorbell import durable, pairing
from doorbell.errors import DeviceError, Mistake
from doorbell.owner.identity import Identity, read_identities, write_identity
from doorbell.pairing import Invitation
from doorbell.roster import Member

IDENTITY: Final = "owner-identity.txt"
SHEET: Final = "phone.svg"
LIST: Final = "MANIFEST"
"""What the last card of this door held: there only once a card was finished."""
_AT_LEAST: Final = 24 * 3600
"""Seconds that an invitation must still be good for; else the next card gets a new one."""


def make_folder(folder: Path) -> None:
    """Made 0700 where it is missing. Raises Mistake for one that others may look into, DeviceError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise DeviceError(f"{folder} cannot be made ({error.strerror}): choose another place with --folder.") from None
    if mode & 0o077:
        raise Mistake(f"Others may look into {folder}, and it holds secrets: run `chmod 700 {folder}`.")


def identity(file: Path, now: float) -> Identity:
    """The owner's identity, made where it is missing. Raises Mistake, DeviceError."""
    if os.path.lexists(file):
        return read_identities(file)[0]
    made = Identity.make()
    write_identity(file, made, created=datetime.fromtimestamp(now, UTC))
    return made


def invitation(folder: Path, owner: Identity, now: float, *, anew: bool) -> Invitation:
    """The door's invitation: the one of before while it is this owner's and good, unless *anew*."""
    path = folder / pairing.NAME
    member = Member("owner", "admin", owner.recipient, owner.verify_key)
    try:
        text = None if anew else durable.read(path, pairing.MOST_FILE)
        if text is not None:
            before = pairing.read(text)
            if before.owner == member and before.until >= now + _AT_LEAST:
                return before
    except ValueError:
        pass  # not ours, or damaged: a new one takes its place
    except OSError as error:
        raise DeviceError(f"{path} cannot be read ({error.strerror}): check the folder's owner.") from None
    made = Invitation(os.urandom(pairing.SECRET), member, until=int(now) + pairing.ENROLLED_HOURS * 3600)
    try:
        durable.replace(path, pairing.written(made) + b"\n")
    except OSError as error:
        raise DeviceError(f"{path} cannot be written ({error.strerror}): free some space.") from None
    return made
