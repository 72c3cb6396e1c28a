"""Puts an invitation on the card of a door that was never paired: for ``doorbell enrol`` and whoever writes cards."""

from __future__ import annotations

import os
import time
from pathlib import Path

from doorbell import durable, household, pairing
from doorbell.clips.recipient import Recipient
from doorbell.errors import DeviceError, Mistake
from doorbell.pairing import Invitation
from doorbell.roster import Member


def enrol(state: Path, owner: Recipient, owner_verify_key: bytes) -> bytes:
    """The secret (16 bytes) by which the first phone joins, within 7 days; an earlier one is void.

    Raises Mistake for a door that has a roster, DeviceError where the state folder cannot be written.
    """
    if os.path.lexists(state / household.NAME):
        raise Mistake(
            "This door has a household already: an admin's phone invites others. To begin anew, remove "
            f"{state / household.NAME} at the door itself; every phone has to pair again."
        )
    secret = os.urandom(pairing.SECRET)
    until = int(time.time()) + pairing.ENROLLED_HOURS * 3600
    invitation = Invitation(secret, Member("owner", "admin", owner, owner_verify_key), until=until)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.replace(state / pairing.NAME, pairing.written(invitation) + b"\n")
    except OSError as error:
        raise DeviceError(f"{state} cannot be written ({error.strerror}): run this as the door's user.") from None
    return secret
