"""``doorbell enrol``: invite the first phone."""

from __future__ import annotations

import json
from pathlib import Path

import click

from doorbell.cli.places import config_option
from doorbell.errors import Mistake


@click.command()
@config_option
@click.option("--owner-verify-key", required=True, help="As `doorbell recipient --verify-key FILE` prints it.")
def enrol(config: Path, owner_verify_key: str) -> None:
    """Invite the first phone of a door that was never paired; run it at the door, then restart the daemon.

    Prints what the phone has to know, as one line of JSON: show it to nobody else. It is good once, for 7 days.
    """
    from doorbell.closed import base64_of, to_base64
    from doorbell.configfile import load
    from doorbell.enrolment import enrol as invite

    settings = load(config)
    if not settings.keys.recipients:
        raise Mistake("keys.recipients is empty: put the owner's recipient there first (doorbell keygen).")
    try:
        verify_key = base64_of(32)(owner_verify_key)
    except ValueError:
        raise Mistake("--owner-verify-key is 44 characters of base64: copy the whole line again.") from None
    owner = settings.keys.recipients[0]
    secret = invite(settings.door.state, owner, verify_key)
    invitation = {
        "v": 1,
        "door": settings.door.id,
        "secret": to_base64(secret),
        "owner": {"recipient": str(owner), "verify_key": owner_verify_key},
    }
    click.echo(json.dumps(invitation))
