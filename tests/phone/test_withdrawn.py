"""What the door deletes, forgets or disowns goes from the phone: from its screen and from its shelves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.doorkeys import load_or_make
from doorbell.journal.entry import Entry, Stamp, body_text, document, entry_hash, read_document
from tests.phone.conftest import House
from tests.phone.hand import PUBLIC, missing
from tests.phone.test_app import SCENE
from tests.rigs.door import Listener

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

Build = Callable[..., House]

POSTERS = """
    return page.evaluate(() => new Promise((resolve) => {
        const opening = indexedDB.open('doorbell');
        opening.onsuccess = () => {
            const count = opening.result.transaction('posters').objectStore('posters').count();
            count.onsuccess = () => resolve(count.result);
        };
    }));
"""
BODIES = """
    return page.evaluate(() => new Promise((resolve) => {
        const opening = indexedDB.open('doorbell');
        opening.onsuccess = () => {
            const rows = opening.result.transaction('entries').objectStore('entries').getAll();
            rows.onsuccess = () => resolve(rows.result
                .filter((row) => JSON.parse(new TextDecoder().decode(row.document)).body !== null)
                .map((row) => row.index));
        };
    }));
"""


def to(home: House) -> tuple[Recipient]:
    """The phone, as the one whom everything is sealed to."""
    return (Recipient.parse(home.phone.do(PUBLIC)[0]),)


def says(home: House, last: Entry, kind: str, fields: dict[str, Any]) -> Entry:
    """The next entry, as the door itself would sign it."""
    body = seal(to(home), body_text(kind, fields, Stamp("2026-03-01T07:30:00Z", "synced", 9.0), 1))
    body_hash = hashlib.sha256(body).digest()
    index, prev = last.index + 1, last.hash
    sig = load_or_make(home.door.state / "keys").sign_entry(entry_hash(index, prev, body_hash))
    entry = Entry(index=index, prev=prev, body=body, body_hash=body_hash, sig=sig)
    home.forge(f"doorbell/front/journal/{index}", document(entry))
    return entry


def rings_with_a_picture(home: House, listener: Listener) -> tuple[str, Entry]:
    """A ring at a door without a camera, to which the broker's owner adds a picture; the visit, and the last entry."""
    home.door.said("the broker answers")
    before = len(listener.of("journal"))
    home.door.press()
    visit = json.loads(listener.wait("ring")[0].payload)["id"]
    home.phone.sees("Somebody is at")
    picture = seal(to(home), b"\xff\xd8 not the door's")
    home.forge(f"doorbell/front/poster/{visit}", picture)
    home.phone.do("await page.locator('dialog.ring img').waitFor({ state: 'attached' })")
    return visit, read_document(listener.wait("journal", before + 2)[-1].payload)  # that it rang, and the visit's end


def test_a_deleted_clip_takes_its_picture_off_the_phone(house: Build) -> None:
    home = house(SCENE)
    door, phone = home.door, home.phone
    door.until(lambda: door.status().get("camera") == "sees")
    door.press()
    phone.do("await page.locator('dialog.ring img').waitFor()")
    phone.press("Ignore")
    door.until(lambda: door.clips, 60)
    phone.opens("history")
    phone.sees("Clip, ")
    phone.do("await page.locator('a.visit').first().click(); await page.locator('.frame img').waitFor()")
    assert phone.do(POSTERS) == 1
    phone.press("Delete this clip")
    phone.do("await page.locator('dialog.sure .danger').click()")
    phone.sees("Clip deleted")
    phone.do("await page.locator('.frame img').waitFor({ state: 'detached' })")
    assert phone.do(POSTERS) == 0
    phone.do("await page.reload()")
    phone.sees("Clip deleted")
    assert phone.do("return page.locator('.frame img').count()") == 0


def test_a_picture_that_the_journal_disowns_goes_off_the_screen(house: Build) -> None:
    home = house()
    with home.listener() as listener:
        visit, last = rings_with_a_picture(home, listener)
        clip = {"id": "a" * 26, "visit": visit, "bytes": 9, "sha256": "0" * 64, "seconds": 1.0, "trigger": "press"}
        says(home, last, "clip", clip | {"poster_sha256": "0" * 64})
    home.phone.do("await page.locator('dialog.ring img').waitFor({ state: 'detached' })")
    home.phone.press("Ignore")
    home.phone.sees("A picture came that the door’s journal does not name. It was thrown away.")  # noqa: RUF001
    assert home.phone.do(POSTERS) == 0


def test_what_the_door_forgets_the_phone_forgets(house: Build) -> None:
    home = house()
    phone = home.phone
    with home.listener() as listener:
        _, last = rings_with_a_picture(home, listener)
        phone.press("Ignore")
        phone.opens("history")
        phone.sees("Rang the bell")
        assert len(phone.do(BODIES)) > 1
        told = says(home, last, "forgotten", {"bodies": 3, "before": last.index + 1, "why": "age"})
    phone.sees("No visits yet")
    assert phone.do(BODIES) == [told.index]
    assert phone.do(POSTERS) == 0
    assert phone.do("return page.locator('.trouble').count()") == 0
    phone.do("await page.reload()")
    phone.sees("No visits yet")
    phone.opens("")
    phone.sees(f"Verified up to entry {told.index}")
