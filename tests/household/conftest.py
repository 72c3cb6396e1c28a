"""A door that has paired already, and the phones of its household."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from doorbell import doorkeys, household, roster
from doorbell.roster import Member
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door
from tests.rigs.phone import Phone


def owner(door: Door) -> Member:
    return Member("owner", "admin", door.owner.recipient, door.owner.verify_key)


def enrol(door: Door, *phones: tuple[Phone, str]) -> None:
    """As if these phones had paired before: the door's state folder has its keys and the roster."""
    door.state.mkdir(parents=True, mode=0o700)
    keys = doorkeys.load_or_make(door.state / "keys")
    members = [roster.read_member(phone.member(role)) for phone, role in phones]
    home = household.load("front", door.state, (door.owner.recipient,))
    home.keep(roster.begin("front", [owner(door), *members], keys.sign))


@pytest.fixture
def at_home(tmp_path: Path, broker: Mosquitto) -> Iterator[Callable[..., Any]]:
    """``at_home(settings)``: a door, Anna's phone (admin) and Ben's (member), all there and greeted."""
    with ExitStack() as stack:

        def arrive(settings: dict[str, Any] | None = None) -> tuple[Door, Phone, Phone]:
            door = Door(tmp_path / "door", broker.port, settings or {})
            anna, ben = Phone(broker.port, "Anna"), Phone(broker.port, "Ben")
            enrol(door, (anna, "admin"), (ben, "member"))
            for one in (door, anna, ben):
                stack.enter_context(one)
            anna.hello()
            ben.hello()
            return door, anna, ben

        yield arrive
