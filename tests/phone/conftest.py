"""A street, a door and a phone: the daemon, a broker that also speaks WebSockets, the built app in a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from paho.mqtt import publish

from doorbell import doorkeys, household, roster
from doorbell.brokersetup import Login, rules
from doorbell.roster import Member
from tests.phone.hand import Phone, Site
from tests.phone.street import Street, a_street
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door, Listener
from tests.rigs.proxy import Proxy

EYES = ("eyes", "e-word")


@frozen
class House:
    door: Door
    phone: Phone
    site: Site
    broker: Mosquitto
    sockets: int
    """The port at which the broker speaks WebSockets."""
    login: tuple[str, str] = ("", "")
    """The phone's at the broker."""
    proxy: Proxy | None = None
    """Between the phone and the broker, where a test wants to cut it."""

    def listener(self) -> Listener:
        """The broker's owner, who sees and may everything."""
        return Listener(self.broker.port, EYES)

    def forge(self, topic: str, payload: bytes) -> None:
        """A message from whoever owns the broker."""
        auth = {"username": EYES[0], "password": EYES[1]}
        publish.single(topic, payload, qos=1, hostname="127.0.0.1", port=self.broker.port, auth=auth)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as one:
        yield one


@pytest.fixture
def house(tmp_path: Path, site: Site) -> Iterator[Callable[..., House]]:
    """``house(settings, paired)``: the door runs, and a phone of its household is in it; or nobody ever paired."""
    with ExitStack() as stack:

        def build(
            settings: dict[str, dict[str, Any]] | None = None,
            *,
            paired: bool = True,
            proxied: bool = False,
            before: Callable[[Door], None] = lambda _: None,
        ) -> House:
            door = Door(tmp_path / "door", 0, settings or {})
            phone = stack.enter_context(Phone(os.environ.get("DOORBELL_LOOK", "light")))
            member = phone.arrives(site)
            sockets, me = free_port(), member.id
            broker = stack.enter_context(
                Mosquitto(
                    tmp_path,
                    settings=f"listener {sockets} 127.0.0.1\nprotocol websockets",
                    logins={"front": "f-word", me: "m-word", EYES[0]: EYES[1]},
                    acl=_rights(me),
                )
            )
            door.port = broker.port
            door.settings = door.settings | {
                "mqtt": {
                    "host": "127.0.0.1",
                    "port": broker.port,
                    "tls": "off",
                    "username": "front",
                    "password": "f-word",
                }
            }
            if paired:
                pair(door, member)
            before(door)
            stack.enter_context(door)
            proxy = stack.enter_context(Proxy(sockets)) if proxied else None
            phone.comes(proxy.port if proxy else sockets, "m-word")
            phone.sees("The door is awake" if paired else "24 words, or")
            return House(door, phone, site, broker, sockets, (me, "m-word"), proxy)

        yield build


def _rights(me: str) -> str:
    """As `doorbell broker-setup` writes them; and the broker's owner, whom no rule holds."""
    logins = (Login("door", "front", ("front",)), Login("phone", me, ("front",)))
    return "\n".join(rules(one) for one in logins) + f"\nuser {EYES[0]}\ntopic readwrite #\n"


def pair(door: Door, *phones: Member) -> None:
    """As if *phones* had paired before: the household is its owner and they."""
    door.state.mkdir(parents=True, mode=0o700)
    keys = doorkeys.load_or_make(door.state / "keys")
    owner = Member("Owner", "admin", door.owner.recipient, door.owner.verify_key)
    name = door.settings.get("door", {}).get("id", "front")
    household.load(name, door.state, (door.owner.recipient,)).keep(roster.begin(name, [owner, *phones], keys.sign))


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with a_street(tmp_path) as one:
        yield one


@pytest.fixture
def pictures() -> Path | None:
    """Where screenshots go for whoever wants to look at them: DOORBELL_PICTURES, a folder; none otherwise."""
    folder = os.environ.get("DOORBELL_PICTURES")
    return Path(folder) if folder else None
