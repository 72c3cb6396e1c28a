"""What does not hold together in the history is said in red: each fault made for real, at the card or at the broker."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from doorbell.doorkeys import load_or_make
from doorbell.journal.entry import Entry, document, entry_hash, read_document
from tests.phone.conftest import House
from tests.phone.hand import missing
from tests.phone.test_app import SCENE
from tests.rigs.door import pause

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

Build = Callable[..., House]


def rings(home: House) -> None:
    """Somebody rings, and the phone has seen it and its entry."""
    home.door.press()
    home.phone.sees("Somebody is at")
    home.phone.press("Ignore")
    home.phone.sees("Verified up to entry")
    pause(1)


def starts_again(home: House) -> None:
    """The door starts, and the phone has its hello."""
    before = home.door.log().count("the broker answers")
    home.door.start()
    home.door.until(lambda: home.door.log().count("the broker answers") > before)
    home.phone.sees("The door is awake")


def signed(home: House, entry: Entry, body: bytes, index: int, prev: bytes) -> bytes:
    """An entry by whoever has the card, and with it the door's own key."""
    body_hash = hashlib.sha256(body).digest()
    sig = load_or_make(home.door.state / "keys").sign_entry(entry_hash(index, prev, body_hash))
    return document(Entry(index=index, prev=prev, body=body, body_hash=body_hash, sig=sig))


def test_an_entry_that_never_arrives_is_a_gap(house: Build) -> None:
    home = house()
    with home.listener() as listener:
        rings(home)
        last = read_document(listener.wait("journal")[-1].payload)
    ahead = signed(home, last, b"later", last.index + 3, bytes(32))
    home.forge(f"doorbell/front/journal/{last.index + 3}", ahead)
    home.phone.sees("never arrived, and the door could not give it", 40)


def test_a_history_that_continues_another_one_is_told(house: Build) -> None:
    home = house()
    with home.listener() as listener:
        rings(home)
        last = read_document(listener.wait("journal")[-1].payload)
    home.forge(f"doorbell/front/journal/{last.index + 1}", signed(home, last, b"x", last.index + 1, bytes(32)))
    home.phone.sees("continues another history than the one this phone has seen")


def test_a_clip_that_vanished_from_the_card_is_told(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    rings(home)
    home.door.until(lambda: home.door.clips, 60)
    home.phone.opens("history")
    home.phone.sees("Clip, ")
    assert home.door.stop() == 0
    home.door.clips[0].unlink()
    home.phone.opens("")
    starts_again(home)
    home.phone.sees("clips disappeared from the card although nobody deleted them", 40)
    home.phone.opens("history")
    home.phone.sees("Clip gone without being deleted")


def test_an_older_card_that_was_put_back_is_told(house: Build, tmp_path: Path) -> None:
    home = house()
    rings(home)
    assert home.door.stop() == 0
    shutil.copytree(home.door.state, tmp_path / "older")
    starts_again(home)
    rings(home)
    rings(home)
    assert home.door.stop() == 0
    shutil.rmtree(home.door.state)
    shutil.copytree(tmp_path / "older", home.door.state)
    starts_again(home)
    home.phone.do("await page.locator('.trouble').first().waitFor({timeout: 40000})")
    said = home.phone.do("return page.locator('.banner').innerText()")
    assert "An older card was put back" in said or "the history was rewritten" in said
