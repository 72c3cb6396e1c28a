"""Every screen of the app in the size of a phone, light and dark, from runs of the real thing: `make pictures`.

Not a test by name: it is run when screens change, and what it makes lies in docs/owner/pictures, to be looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.phone.conftest import House
from tests.phone.hand import Phone, Site, missing
from tests.phone.street import Street, goes, types_the_words
from tests.phone.test_app import SCENE
from tests.phone.test_banners import signed
from tests.phone.test_phone_pairing import shown_on
from tests.phone.test_screens import CHANGED, drag
from tests.rigs.door import pause

pytestmark = [pytest.mark.timeout(600), pytest.mark.skipif(bool(missing()), reason=missing())]

FOLDER = Path(__file__).parents[2] / "docs" / "owner" / "pictures"
MOST_BYTES = 64_000
QUIET = ("household", "more", "health", "privacy", "journal", "words", "pocket", "add")


def take(phone: Phone, look: str, name: str) -> None:
    """One JPEG of at most 64 KB."""
    file = FOLDER / f"{name}-{look}.jpg"
    how = json.dumps({"path": str(file), "type": "jpeg", "quality": 74})
    phone.do(f"await page.waitForTimeout(500); await page.screenshot({how})")
    assert file.stat().st_size <= MOST_BYTES, f"{file.name} has {file.stat().st_size} bytes"


@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_screen(house: Callable[..., House], look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBELL_LOOK", look)
    FOLDER.mkdir(exist_ok=True)
    home = house(SCENE)
    door, phone = home.door, home.phone

    def page(name: str, of: str = "", wait: str = "") -> None:
        phone.opens(of or name)
        if wait:
            phone.do(wait)
        take(phone, look, name)

    door.until(lambda: door.status().get("camera") == "sees")
    pause(3)
    with home.listener() as listener:
        door.finger(b"visitor", "scene.sock")
        door.said("somebody rings", 90)
        phone.do("await page.locator('dialog.ring img').waitFor()")
        take(phone, look, "ring")
        phone.press("See who is there")
        phone.do("await page.locator('.pill.on').waitFor()")
        pause(2)
        take(phone, look, "live")
        door.until(lambda: door.clips, 60)
        page("home", "/", "await page.locator('.last img').waitFor()")
        phone.opens("history")
        phone.sees("Clip, ")
        door.press()
        phone.sees("Somebody is at")
        phone.press("Ignore")
        page("history", wait="await page.locator('a.visit img').nth(1).waitFor({timeout: 60000})")
        phone.do("await page.locator('a.visit').nth(1).click()")
        phone.press("Play the clip")
        phone.sees("This clip is the one that the door’s journal names.", 60)  # noqa: RUF001
        phone.do("await page.locator('.frame video').evaluate((one) => { one.pause(); one.currentTime = 6 })")
        take(phone, look, "clip")
        page("settings", wait="await page.getByText('Sensitivity', {exact: true}).waitFor()")
        page("zones", "areas/zones", "await page.locator('.frame.areas img').waitFor()")
        drag(phone, (0.2, 0.4), (0.8, 0.95))
        drag(phone, (0.2, 0.4), (0.35, 0.3))
        take(phone, look, "zones")
        page("masks", "areas/masks", "await page.locator('.frame.areas img').waitFor()")
        drag(phone, (0.72, 0.05), (0.97, 0.45))
        take(phone, look, "masks")
        phone.opens("hours")
        phone.press("Add hours")
        phone.do("await page.getByRole('checkbox', { name: 'Saturday' }).uncheck()")
        phone.press("Save")
        phone.sees(CHANGED)
        take(phone, look, "hours")
        for name in QUIET:
            page(name)
        for way in ("join", "light"):
            page(way, f"add/{way}")
        phone.opens("household")
        phone.press("Invite a phone")
        phone.do("await page.locator('main .card svg, main .card canvas, main .card img').first().waitFor()")
        take(phone, look, "invite")
        entry = listener.wait("journal")[-1]
        _rewrite(home, entry)
        page("banner", "/", "await page.locator('.trouble').waitFor()")


def _rewrite(home: House, note: Any) -> None:
    """Somebody with the card tells an entry differently."""
    from doorbell.journal.entry import read_document

    told = read_document(note.payload)
    home.forge(note.topic, signed(home, told, b"another history", told.index, told.prev))


@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_state(street: Street, site: Site, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a screen shows in a household's life: phones that come and go, two doors, a door that cannot be reached."""
    monkeypatch.setenv("DOORBELL_LOOK", look)
    front, anna, ben = street.door, street.phone(), street.phone()
    back, card = street.another("back"), street.ticket_of_the_card()
    with front:
        goes(anna, site.url)
        anna.sees("Scan or paste a QR")
        take(anna, look, "first")
        street.asks(anna, site, card, "Anna")
        anna.sees("Last step: the paper")
        take(anna, look, "last-step")
        types_the_words(anna, front.owner.words())
        anna.sees("The door is awake")
        anna.opens("household")
        anna.press("Invite a phone")
        street.asks(ben, site, shown_on(anna), "Ben")
        ben.sees("an admin has to agree")
        take(ben, look, "waits")
        anna.sees("has scanned the QR and asks to join")
        take(anna, look, "asks")
        anna.do("await page.locator('[name=admin]').check()")
        anna.press("Let in")
        anna.sees("Ben is in")
        ben.sees("The door is awake")
        ben.opens("household")
        ben.do("await page.getByRole('button', {name: 'Remove Anna'}).waitFor()")
        take(ben, look, "members")
        ben.press("Remove Anna")
        ben.do("await page.getByRole('dialog').getByRole('button', {name: 'Remove'}).waitFor()")
        take(ben, look, "remove")
        ben.do("await page.getByRole('dialog').getByRole('button', {name: 'Remove'}).click()")
        ben.sees("Delete older clips")
        take(ben, look, "removed")
        ben.press("Keep clips")
        anna.opens("more")
        anna.press("Send a test ring")
        anna.sees("This phone was removed from the household")
        anna.opens("")
        anna.sees("It keeps what it had, and opens nothing new")
        take(anna, look, "out")
        front.press()
        ben.sees("Somebody is at the front door")
        ben.press("Silence for an hour")
        ben.opens("more")
        ben.do("await page.getByRole('switch').first().click()")
        ben.opens("")
        ben.sees("Recording is off")
        take(ben, look, "silent-off")
        ben.opens("pocket")
        for way in ("None", "Home Assistant"):
            ben.do(f"await page.locator('label', {{hasText: {json.dumps(way)}}}).locator('input').click()")
            ben.do("await page.locator('fieldset:not([disabled]) input:checked').waitFor()")
            take(ben, look, f"pocket-{way.partition(' ')[0].lower()}")
        street.asks(ben, site, street.ticket_of_the_card(back), "Ben")
        with back:
            ben.sees("Last step: the paper", 60)
            types_the_words(ben, back.owner.words())
            ben.sees("The door is awake")
            take(ben, look, "two-doors")
        assert front.stop() == 0
        ben.do("await page.getByRole('button', {name: 'Front door', exact: true}).click()")
        ben.sees("The door is offline")
        take(ben, look, "door-offline")
        street.broker.stop()
        ben.sees("No connection to the broker")
        take(ben, look, "no-broker")
