"""The app, as a household uses it: a real Chromium, the real daemon, a real mosquitto over WebSockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.phone.hand import Phone, Site, missing
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door, pause

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

SCENE = {
    "camera": {"source": "scene", "width": 640, "height": 400, "fps": 10, "bitrate_kbps": 600},
    "visit": {"linger_s": 2, "longest_s": 20, "preroll_s": 3},
}


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as one:
        yield one


@pytest.fixture
def sockets() -> int:
    return free_port()


@pytest.fixture
def broker(tmp_path: Path, sockets: int) -> Iterator[Mosquitto]:
    # A listener's settings follow it: the first is the plain one of the rig.
    with Mosquitto(tmp_path, settings=f"listener {sockets} 127.0.0.1\nprotocol websockets") as running:
        yield running


def test_a_visitor_rings_and_the_phone_shows_who_it_is(
    tmp_path: Path, broker: Mosquitto, sockets: int, site: Site, pictures: Path | None
) -> None:
    with Door(tmp_path / "door", broker.port, SCENE) as door, Phone() as phone:
        door.until(lambda: door.status().get("camera") == "sees")
        phone.joins(site, sockets, door.owner.words())
        phone.sees("The door is awake")
        if pictures:
            phone.picture(pictures / "quiet.png")
        pause(3)  # the pre-roll
        door.finger(b"visitor", "scene.sock")
        phone.sees("Somebody is at the front door", 40)
        phone.do("await page.locator('dialog.ring img').waitFor()")
        wide = phone.do(
            "return page.locator('dialog.ring img').evaluate(async (img) => { await img.decode(); return img.naturalWidth })"
        )
        assert wide > 0
        if pictures:
            phone.picture(pictures / "ring.png")
        door.until(lambda: door.clips, 60)
        phone.do(
            "await page.getByRole('button', {name: 'Ignore'}).click(); await page.getByRole('link', {name: 'History', exact: true}).click()"
        )
        phone.do("await page.locator('a.visit').first().waitFor()")
        phone.sees("Clip, ")
        assert phone.do("return page.locator('a.visit strong').first().textContent()").strip() == "Rang the bell"
        if pictures:
            phone.picture(pictures / "history.png")
        phone.do("await page.getByRole('link', {name: 'Door', exact: true}).click()")
        phone.sees("Verified up to entry")
        assert phone.do("return page.locator('.banner').count()") == 0
        if pictures:
            for name in ("", "more", "health", "privacy", "journal", "household", "words"):
                phone.opens(name)
                phone.picture(pictures / f"{name or 'home'}.png")
        assert phone.complaints() == []
        assert door.stop() == 0
