"""A household for the measurements: the owner alone, as if a phone that is gone now had paired the door before."""

from __future__ import annotations

from pathlib import Path

from doorbell import doorkeys, household, roster
from doorbell.owner.identity import Identity
from doorbell.roster import Member

DOOR = "front"


def pair(state: Path, owner: Identity) -> None:
    """Put keys and revision 1 of the roster into a state folder that does not exist yet. Raises DeviceError."""
    state.mkdir(parents=True, mode=0o700)
    keys = doorkeys.load_or_make(state / "keys")
    home = household.load(DOOR, state, (owner.recipient,))
    home.keep(roster.begin(DOOR, [Member("Owner", "admin", owner.recipient, owner.verify_key)], keys.sign))
