"""What a ticket taught the door, kept on the card and laid over the configuration at every start: owner, id, broker.

As with the household's settings (overlay.py) the owner's file is never written, and what lies here wins over it until
it is removed. It holds the broker's password, so it is 0600 as the door's keys are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from attrs import evolve

from doorbell import closed, durable, pairing
from doorbell.clips.recipient import Recipient
from doorbell.config import Config, Keys, Mqtt, Tls
from doorbell.errors import Mistake
from doorbell.pairing import Invitation
from doorbell.roster import Member
from doorbell.ticket import KEY, NONE, Ticket

NAME: Final = "by-light.json"
MOST_FILE: Final = 4096


def keep(state: Path, one: Ticket) -> None:
    """Put *one* on the card, durably, and the invitation by which its phone joins. Raises OSError, and Mistake."""
    phone = Recipient(one.phone).key, one.phone_verify_key
    invitation = Invitation(
        one.secret, Member("owner", "admin", Recipient(one.owner), one.owner_verify_key), phone=phone
    )
    learnt = {
        "v": 1,
        "owner": str(Recipient(one.owner)),
        "door": one.door,
        "broker": one.broker,
        "login": one.login,
        "password": one.password,
        "pin": closed.to_base64(one.broker_pin),
    }
    durable.replace(state / NAME, closed.dump(learnt) + b"\n")
    # Last: who has it finds the rest. A power cut before it, and the phone is shown once more.
    durable.replace(state / pairing.NAME, pairing.written(invitation) + b"\n")


def read(now: Config, text: bytes) -> Config:
    """*now* with the file's *text* laid over it; raises ValueError or Mistake."""
    shape: dict[str, Any] = {"pin": closed.base64_of(KEY)}
    shape |= dict.fromkeys(("owner", "door", "broker", "login", "password"), closed.text)
    found = closed.versioned(text, MOST_FILE, shape)
    door = evolve(now.door, id=found["door"])
    return evolve(now, door=door, mqtt=_mqtt(found), keys=_keys(now, found["owner"]))


def load(now: Config) -> tuple[Config, str]:
    """*now* with what a ticket taught, and why that cannot be used, a sentence with the fix, or empty."""
    path = now.door.state / NAME
    try:
        text = durable.read(path, MOST_FILE)
        if text is None:
            return now, ""
        return read(now, text), ""
    except (OSError, ValueError, Mistake) as error:
        return now, f"What the phone's QR taught this door cannot be used ({error}): remove {path} and pair again."


def settings(one: Ticket) -> Mqtt:
    """How the door will reach the broker. Raises ValueError for an address that only browsers use."""
    return _mqtt({"broker": one.broker, "login": one.login, "password": one.password, "pin": one.broker_pin})


def _mqtt(found: dict[str, Any]) -> Mqtt:
    scheme, host, port = address(found["broker"])
    if scheme not in ("mqtt", "mqtts"):
        raise ValueError("an address that only browsers use")
    pin = "" if found["pin"] == NONE else found["pin"].hex()
    tls: Tls = "off" if scheme == "mqtt" else "pin" if pin else "ca"
    return Mqtt(
        host=host, port=port, username=found["login"], password=found["password"],
        tls=tls, pin_sha256=pin if tls == "pin" else "",
    )  # fmt: skip


def address(broker: str) -> tuple[str, str, int]:
    """Scheme, host, and port or 0, of a ticket's broker."""
    scheme, _, rest = broker.partition("://")
    rest = rest.partition("/")[0]
    host, colon, port = rest.rpartition(":")
    if not colon or rest.endswith("]"):
        host, port = rest, "0"
    return scheme, host.strip("[]"), int(port)


def _keys(now: Config, owner: str) -> Keys:
    """The configuration's recipients go on counting where their first is this owner."""
    mine = Recipient.parse(owner)
    return now.keys if now.keys.recipients[:1] == (mine,) else Keys((mine,))
