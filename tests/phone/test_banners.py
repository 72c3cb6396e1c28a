"""What does not hold together in the history is said in red: each fault made for real, at the card or at the broker."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from doorbell import household, roster
from doorbell.closed import to_base64
from doorbell.doorkeys import load_or_make
from doorbell.journal import book
from doorbell.journal.entry import Entry, document, entry_hash, read_document
from doorbell.link import messages
from doorbell.owner.identity import Identity
from doorbell.roster import Member
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


def test_a_member_whom_no_known_admin_let_in_is_told(house: Build) -> None:
    home = house()
    home.phone.opens("household")
    home.phone.sees("Owner")
    home.phone.opens("")
    assert home.door.stop() == 0
    # Whoever has the card writes a household that lies further ahead than the phone can follow.
    kept = household.load("front", home.door.state, ())
    assert kept.roster is not None
    eve = SigningKey.generate()
    guest = Member("Eve", "admin", Identity.make().recipient, bytes(eve.verify_key))
    text = roster.text_of("front", kept.roster.revision + 2, bytes(32), [*kept.roster.members, guest], guest.id)
    sig = eve.sign(b"doorbell/v1/roster\0" + text).signature
    kept.keep(roster.read({"json": text.decode(), "sig": to_base64(sig)}))
    starts_again(home)
    home.phone.sees("The household changed more than once since this phone looked", 40)
    home.phone.opens("household")
    home.phone.sees("Eve")


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


HEAD = """
    return page.evaluate(() => new Promise((resolve) => {
        const opening = indexedDB.open('doorbell');
        opening.onsuccess = () => {
            const door = opening.result.transaction('doors').objectStore('doors').get('front');
            door.onsuccess = () => resolve(door.result.head.index);
        };
    }));
"""


def test_an_old_hello_that_names_an_earlier_journal_changes_nothing(house: Build) -> None:
    home = house()
    rings(home)
    before = home.phone.do(HEAD)
    keys = load_or_make(home.door.state / "keys")
    old = messages.hello(
        "front", keys.sign, software="0.1", verify_key=keys.verify_key, box_key=keys.box_key, epoch=bytes(16),
        journal=bytes(16),
    )  # fmt: skip
    home.forge(old.topic, old.payload)
    rings(home)
    home.door.until(lambda: home.phone.do(HEAD) > before)
    assert home.phone.do("return page.locator('.trouble').count()") == 0


def test_a_fresh_card_is_told_and_its_history_goes_on_behind_the_old_one(house: Build) -> None:
    home = house()
    rings(home)
    assert home.door.stop() == 0
    for file in home.door.state.glob(f"{book.NAME}*"):
        file.unlink()
    starts_again(home)
    home.phone.sees("The history begins anew")
    rings(home)
    for _ in range(2):
        home.phone.opens("history")
        home.phone.do("await page.locator('a.visit').nth(1).waitFor()")
        assert home.phone.do("return page.locator('a.visit').count()") == 2
        home.phone.do("await page.reload()")
        home.phone.sees("The history begins anew")
    home.phone.opens("")
    rings(home)
    assert home.phone.do("return page.locator('.trouble').count()") == 1


def test_a_clip_that_is_gone_without_its_entry_is_told_when_it_is_asked_for(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    rings(home)
    home.door.until(lambda: home.door.clips, 60)
    home.phone.opens("history")
    home.phone.sees("Clip, ")
    home.door.clips[0].unlink()  # the door runs on and has not noticed
    home.phone.do("await page.locator('a.visit').first().click()")
    home.phone.press("Play the clip")
    home.phone.sees("although the journal does not say that it was deleted")
    assert home.phone.do("return page.locator('.trouble').count()") == 1


def test_a_clip_that_is_another_than_the_journal_names_is_told(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    rings(home)
    home.door.until(lambda: home.door.clips, 60)
    home.phone.opens("history")
    home.phone.sees("Clip, ")
    clip = home.door.clips[0]
    clip.write_bytes(clip.read_bytes()[:-1] + b"?")
    home.phone.do("await page.locator('a.visit').first().click()")
    home.phone.press("Play the clip")
    home.phone.do("await page.locator('.trouble').waitFor()")
    home.phone.sees("A clip came that the door’s journal does not name.")  # noqa: RUF001
    assert home.phone.do("return page.locator('.frame video').count()") == 0
