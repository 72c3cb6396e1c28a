"""Everything that goes onto a card's boot volume, path to bytes: nothing here touches a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from doorbell import configfile, pairing
from doorbell.card import manifest, seed, system
from doorbell.card.wishes import Broker, Wishes
from doorbell.errors import ConfigError, Mistake
from doorbell.pairing import Invitation

FOLDER: Final = "doorbell"
SETTINGS: Final = f"{FOLDER}/doorbell.toml"
PASSWORD: Final = f"{FOLDER}/broker-password"
AUTHORITY: Final = f"{FOLDER}/broker-ca.pem"
ENROLMENT: Final = f"{FOLDER}/{pairing.NAME}"
HINT: Final = f"{FOLDER}/README.txt"
AT_THE_DOOR: Final = {PASSWORD: "/etc/doorbell/broker-password", AUTHORITY: "/etc/doorbell/broker-ca.pem"}
"""Where the door keeps what it takes over; doorbell.boot.adopt puts it there."""
DECIDED: Final = {"door": ("id", "name", "state", "runtime"), "keys": ("recipients",), "mqtt": None}
"""What the card says itself: the owner's own settings may not say it again. None: the whole table."""

_ABOUT: Final = """\
# The door's settings. You may edit this file with any editor, put the card back, and the door takes it over at its next
# start; if it cannot read it, it only rings its chime, and DOORBELL-READ-ME.txt on this volume says what to mend.
# Every setting is explained in /usr/share/doc/doorbell/examples/doorbell.example.toml.
# This volume guards nothing: put no password in here, and never a private key.
"""

_HINT: Final = """\
This folder belongs to your doorbell.

doorbell.toml     the door's settings. Edit it here if you like; the door takes it over when it starts.
broker-ca.pem     the broker's authority, if you gave one.
doorbell_*.deb    the program that the door installs at its first start.

At the first start also lie here: broker-password, pairing.json, and the Wi-Fi key in ../network-config. The door takes
them over, overwrites them and deletes them. If this card gets lost before it was in the door once: change the Wi-Fi
password and the broker password, and write a new card with `doorbell card --new`.
"""


@frozen
class Card:
    """``files``: path on the boot volume to bytes, the manifest included. ``instance``: cloud-init's."""

    files: Mapping[str, bytes]
    instance: str


def card(  # noqa: PLR0917  each is one of the card's parts
    wishes: Wishes, recipient: str, invitation: Invitation, deb: tuple[str, bytes], cmdline: bytes, instance: str,
    written_at: int,
) -> Card:  # fmt: skip
    """The whole of it. *recipient* is the owner's, *deb* the package's name and bytes, *cmdline* the volume's own
    cmdline.txt, *instance* cloud-init's for this card, *written_at* seconds since 1970. Raises Mistake."""
    text = settings(wishes, recipient)
    files = {
        seed.USER: seed.user_data(wishes, written_at).encode(),
        seed.NETWORK: seed.network_config(wishes.wifi).encode(),
        seed.META: seed.meta_data(instance, wishes.door).encode(),
        SETTINGS: text.encode(),
        ENROLMENT: pairing.written(invitation) + b"\n",
        HINT: _HINT.encode(),
        system.CMDLINE: system.command_line(cmdline, instance, wishes.wifi.country if wishes.wifi else ""),
        f"{FOLDER}/{deb[0]}": deb[1],
    }
    if wishes.broker is not None and wishes.broker.password:
        files[PASSWORD] = wishes.broker.password.encode() + b"\n"
    if wishes.broker is not None and wishes.broker.ca:
        files[AUTHORITY] = wishes.broker.ca.encode()
    return Card({**files, manifest.NAME: manifest.written(files, wishes.door, instance)}, instance)


def settings(wishes: Wishes, recipient: str) -> str:
    """doorbell.toml as it lies on the card: what the door itself would refuse is refused here. Raises Mistake."""
    tables: dict[str, dict[str, Any]] = {
        "door": {"id": wishes.door, "name": wishes.name},
        "keys": {"recipients": [recipient]},
        "mqtt": _mqtt(wishes.broker),
    }
    for section, table in wishes.settings.items():
        if not isinstance(table, dict):
            raise Mistake(f"{section} in --settings is no table: write [{section}] on a line of its own above it.")
        decided = DECIDED.get(section, ())
        again = sorted(table) if decided is None else sorted(set(table) & set(decided))
        if again:
            raise Mistake(f"{section}.{again[0]} is decided by this command's own options: leave it out of --settings.")
        tables.setdefault(section, {}).update(table)
    text = _ABOUT + "".join(f"\n[{name}]\n{_lines(table)}" for name, table in tables.items() if table)
    try:
        configfile.parse(text)
    except ConfigError as error:
        raise Mistake(f"The settings would not be accepted by the door. {error}") from None
    return text


def _mqtt(broker: Broker | None) -> dict[str, Any]:
    if broker is None:
        return {"host": ""}
    found: dict[str, Any] = {"host": broker.host}
    if broker.port:
        found["port"] = broker.port
    if broker.login:
        found["username"] = broker.login
    if broker.password:
        found["password_file"] = AT_THE_DOOR[PASSWORD]
    found["tls"] = broker.tls
    if broker.ca:
        found["ca_file"] = AT_THE_DOOR[AUTHORITY]
    if broker.pin:
        found["pin_sha256"] = broker.pin.lower()
    return found


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())


def _toml(value: object) -> str:
    """JSON's texts, numbers, lists and booleans are TOML's; there is no more in a configuration."""
    if isinstance(value, dict):
        raise Mistake("A setting is a text, a number, true, false or a list: --settings holds a table in a table.")
    return json.dumps(value, ensure_ascii=False, default=str)
