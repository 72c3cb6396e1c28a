"""A phone that was stolen: after one message of another's nothing it says is obeyed, and nothing new opens to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorbell.answers import HEARD_A_SECOND
from doorbell.link.commands import COMMANDS, LIST
from tests.endure.rows import count, show
from tests.household.conftest import at_home
from tests.household.test_commands import SCENE, AtHome, a_clip
from tests.rigs.door import Door, Listener, pause
from tests.rigs.phone import Phone

pytestmark = [pytest.mark.endure, pytest.mark.timeout(900)]
__all__ = ["at_home"]


def everything(thief: Phone, clip: str, roster: dict[str, str]) -> list[str]:
    """One command of each kind, well formed as far as one can guess, and some with what a thief might change."""
    args: dict[str, dict[str, Any]] = {
        "journal": {"since": 0}, "poster": {"clip": clip}, "clip": {"clip": clip, "from": 0, "window": 4},
        "live": {"do": "start"}, "recording": {"on": False}, "delete": {"clip": clip},
        "roster": {"document": thief.roster(roster, [thief.member("admin")])}, "pairing": {"open": True},
        "ring_test": {"everywhere": True}, "settings": {"linger_s": 1},
    }  # fmt: skip
    sent = []
    for one in LIST:
        if one.name != "hello":
            sent.append(thief.send(one.name, args.get(one.name, {})))
            sent.append(thief.send(one.name, args.get(one.name, {}), roster=thief.revision + 1))
    return sent


def answers(thief: Phone, sent: list[str], member: Phone, door: Door) -> tuple[int, int]:
    """How many of the thief's commands were carried out, and how many refused, when the door has heard them all.

    A member's command behind them is answered, and the thief hears of a ring behind whatever was said to him.
    """
    thief.delivered()
    assert "result" in member.ask("journal", {"since": 0})
    heard = len(thief.of("alert"))
    door.press()
    thief.until(lambda: len(thief.of("alert")) > heard)
    replies = [reply for wanted in sent for reply in thief.replies(wanted)]
    refused = [reply["refused"] for reply in replies if "result" not in reply]
    assert set(refused) <= {"member", "roster", "epoch", "args"}
    pause((len(sent) + 1) / HEARD_A_SECOND)  # what comes faster is not heard at all: it would be no try
    return len(replies) - len(refused), len(refused)


@pytest.mark.threat("stolen phone")
def test_a_removed_phone_commands_nothing_and_opens_no_new_clip_across_a_restart(
    at_home: AtHome, listener: Listener
) -> None:
    door, anna, ben = at_home(SCENE)
    old = a_clip(door, listener)
    assert ben.can_open((door.state / f"clips/{old}.mp4.age").read_bytes())
    now = anna.hello()["result"]["roster"]
    members = json.loads(now["json"])["members"][:2]
    assert anna.ask("roster", {"document": anna.roster(now, members)})["result"] == {"revision": 2}
    tried = obeyed = 0
    for life in range(2):
        told = 0
        for _ in range(count(1, 10)):
            sent = everything(ben, old, now)
            tried += len(sent)
            carried_out, refused = answers(ben, sent, anna, door)
            obeyed, told = obeyed + carried_out, told + refused
        assert told > 0, "he is told no, a few times a second at most"
        for _ in range(count(1, 5)):
            a_clip(door, listener)
        if life == 0:
            epoch = ben.facts["epoch"]
            assert door.stop() == 0
            door.start()
            ben.until(lambda epoch=epoch: ben.facts["epoch"] != epoch)
            anna.hello()
    new = [clip.read_bytes() for clip in door.clips if not clip.name.startswith(old)]
    assert len(new) >= count(2, 10)
    opened = sum(ben.can_open(clip) for clip in new)
    assert all(anna.can_open(clip) for clip in new)
    assert (obeyed, opened) == (0, 0)
    assert door.status()["camera"] == "sees", "nor was the recording switched off"
    assert (door.state / f"clips/{old}.mp4.age").exists()
    figure = f"{obeyed} of {tried} commands of {len(COMMANDS) - 1} kinds carried out, {opened} of {len(new)} new clips "
    show("stolen phone", figure + "open, after one message and across a restart")
