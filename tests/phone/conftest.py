"""A street, a door and a phone: the daemon, a broker that also speaks WebSockets, the built app in a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from doorbell import doorkeys, household, roster
from doorbell.roster import Member
from tests.phone.hand import Phone, Site
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door


@frozen
class House:
    door: Door
    phone: Phone
    site: Site
    broker: Mosquitto
    sockets: int
    """The port at which the broker speaks WebSockets."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as one:
        yield one


@pytest.fixture
def house(tmp_path: Path, site: Site) -> Iterator[Callable[..., House]]:
    """``house(settings, paired)``: the door runs, and its owner's phone has joined by the 24 words."""
    with ExitStack() as stack:

        def build(settings: dict[str, dict[str, Any]] | None = None, *, paired: bool = True) -> House:
            sockets = free_port()
            listener = f"listener {sockets} 127.0.0.1\nprotocol websockets"
            broker = stack.enter_context(Mosquitto(tmp_path, settings=listener))
            door = Door(tmp_path / "door", broker.port, settings or {})
            if paired:
                _pair(door)
            stack.enter_context(door)
            phone = stack.enter_context(Phone(os.environ.get("DOORBELL_LOOK", "light")))
            phone.joins(site, sockets, door.owner.words())
            phone.sees("The door is awake")
            return House(door, phone, site, broker, sockets)

        yield build


def _pair(door: Door) -> None:
    """As if a phone, which is gone now, had paired: the household begins with its owner."""
    door.state.mkdir(parents=True, mode=0o700)
    keys = doorkeys.load_or_make(door.state / "keys")
    owner = Member("Owner", "admin", door.owner.recipient, door.owner.verify_key)
    home = household.load("front", door.state, (door.owner.recipient,))
    home.keep(roster.begin("front", [owner], keys.sign))


@pytest.fixture
def pictures() -> Path | None:
    """Where screenshots go for whoever wants to look at them: DOORBELL_PICTURES, a folder; none otherwise."""
    folder = os.environ.get("DOORBELL_PICTURES")
    return Path(folder) if folder else None
