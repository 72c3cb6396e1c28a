"""The app in a browser, and the worst broker between it and its door: what rings is what was pressed, once, in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.doorkeys import DoorKeys
from doorbell.link import messages
from tests.phone.conftest import pair
from tests.phone.hand import Phone, Site, missing
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door, Listener, Note, pause
from tests.rigs.hostile import Hostile
from tests.rigs.reading import bodies

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.timeout(300)]

ALERT, HELLO = "doorbell/front/alert", "doorbell/front/hello"
TOO_OLD_S = 61
COUNTS = """
    await context.addInitScript(() => {
        const real = HTMLDialogElement.prototype.showModal;
        HTMLDialogElement.prototype.showModal = function () {
            if (this.className === 'ring') window.rings = (window.rings ?? 0) + 1;
            return real.call(this);
        };
    });
"""


class Bell:
    """A finger at the door, and the phone that should ring by it; ``rung`` is how often it must have, by now."""

    def __init__(self, door: Door, phone: Phone, truth: Listener) -> None:
        self.door, self.phone, self._truth, self.rung = door, phone, truth, 0

    def press(self) -> Note:
        """The alert as the door gave it, when the visit is over: the next press is another visitor's."""
        before, over = len(self._truth.of("alert")), self._visits()
        self.door.press()
        alert = self._truth.wait("alert", before + 1)[-1]
        self.door.until(lambda: self._visits() > over)
        return alert

    def _visits(self) -> int:
        return [one["kind"] for one in bodies(self.door.owner, self._truth.of("journal"))].count("visit")

    def rings(self) -> None:
        """It rings once more; whatever was heard before this ring had its chance as well."""
        self.rung += 1
        self.phone.sees("Somebody is at the front door")
        self.phone.press("Ignore")
        self.phone.do("await page.locator('dialog.ring').waitFor({state: 'hidden'})")
        assert self.phone.do("return page.evaluate(() => window.rings ?? 0)") == self.rung


def test_a_phone_at_a_hostile_broker_rings_for_every_visitor_once_and_for_nobody_else(
    tmp_path: Path, site: Site, pictures: Path | None
) -> None:
    plan = ["swallow", "pass", "twice", "swallow", "pass", "damage", "forge", "pass", "pass"]
    sockets = free_port()
    for name in ("near", "far"):
        (tmp_path / name).mkdir()
    far = Mosquitto(tmp_path / "far", settings=f"listener {sockets} 127.0.0.1\nprotocol websockets")
    with (
        Mosquitto(tmp_path / "near") as near, far,
        Listener(near.port) as truth,
        Hostile(near.port, far.port, 1, longest_s=1.0, planned=plan) as broker,
        Phone(os.environ.get("DOORBELL_LOOK", "light")) as phone,
    ):  # fmt: skip
        door = Door(tmp_path / "door", near.port)
        me = phone.arrives(site)
        pair(door, me)
        with door:
            phone.do(COUNTS)
            phone.comes(sockets)
            phone.sees("The door is awake")
            phone.sees("Verified up to entry", 60)  # of its questions it was given answers
            bell = Bell(door, phone, truth)
            never = bell.press()
            bell.press()
            bell.rings()
            bell.press()  # comes twice
            bell.rings()
            held = bell.press()
            bell.press()
            bell.rings()
            broker.say(ALERT, held.payload)  # behind a later one
            bell.rings()
            damaged = bell.press()
            broker.say(ALERT, forged(me.recipient))
            broker.say(ALERT, held.payload, retain=True)
            bell.press()  # behind a random one
            bell.rings()
            # Who holds the door's topics and not its key gets a banner, and the phone goes on believing its door.
            assert phone.do("return page.locator('.trouble').count()") == 0
            broker.say(HELLO, stranger().payload)
            phone.sees("Somebody answers in your door’s name with another key")  # noqa: RUF001
            phone.shows(pictures, "stranger")
            # All of it again, two of them for the first time: more than a minute late.
            pause(max(0.0, damaged.at + TOO_OLD_S - time.monotonic()))
            assert time.monotonic() > never.at + TOO_OLD_S
            broker.everything_again()
            bell.press()
            bell.rings()
            # A start of the door later, all of it is of another epoch; and so is the greeting.
            greeting = truth.of("hello")[-1].payload
            assert door.stop() == 0
            phone.sees("The door is offline")
            greeted = len(truth.of("hello"))
            door.start()
            truth.wait("hello", greeted + 1)
            phone.sees("The door is awake")
            broker.say(HELLO, greeting, retain=True)
            broker.everything_again()
            bell.press()
            bell.rings()
            assert phone.do("return page.locator('.trouble').count()") == 1
        assert "Traceback" not in door.log()
        assert phone.complaints() == []


def stranger() -> messages.Message:
    """A hello by keys that are not the door's."""
    keys = DoorKeys(os.urandom(32), os.urandom(32))
    return messages.hello(
        "front", keys.sign, software="9", verify_key=keys.verify_key, box_key=keys.box_key, epoch=bytes(16),
        journal=bytes(16),
    )  # fmt: skip


def forged(to: Recipient) -> bytes:
    """An alert that is young and sealed to the household, and signed by somebody else."""
    keys = DoorKeys(os.urandom(32), os.urandom(32))
    return messages.alert(
        "front", keys.sign, lambda text: seal([to], text), visit="v" * 26, epoch=bytes(16),
        uptime=time.monotonic(), wall=time.time(), synced=True,
    ).payload  # fmt: skip
