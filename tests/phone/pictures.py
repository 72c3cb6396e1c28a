"""Every screen of the app in the size of a phone, light and dark, from one run of the real thing: `make pictures`.

Not a test by name: it is run when screens change, and what it makes lies in docs/owner/pictures, to be looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.phone.conftest import House
from tests.phone.hand import Phone, missing
from tests.phone.test_app import SCENE
from tests.phone.test_banners import signed
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
