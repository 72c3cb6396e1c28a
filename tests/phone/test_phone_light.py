"""A new door pairs by light, all of it: the app draws the QR, the camera sees that screen in a hand, they meet."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from doorbell import household
from doorbell.scene import Scene
from tests.light.pictures import Look, Luma, held_up
from tests.phone.hand import Site, missing
from tests.phone.street import a_street, code_on, goes, types_the_words

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

WIDE, HIGH, FPS = 640, 400, 4
HELD = [
    Look(wide=0.6, blur=1.5, shake=12, noise=4, seed=1),
    Look(wide=0.85, tilt=8, turn=-10, roll=-2, blur=0.7, noise=3, seed=2),
    Look(wide=0.8, tilt=-6, turn=8, roll=3, blur=0.6, noise=3, light=0.8, seed=3),
]
"""As the hand finds its way: the first is too shaken to be read."""


def film(path: Path, screen: Luma) -> Path:
    """The street for a second, and then somebody who holds up a phone with *screen* on it, each way for a second."""
    street = Scene(WIDE, HIGH, 3).frame(0.0).y
    pictures = [street, *(held_up(screen / 255, WIDE, HIGH, look, street) for look in HELD)]
    grey = np.full((HIGH // 2, WIDE), 128, np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "18", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = WIDE, HIGH, "yuv420p", Fraction(1, FPS)
        for number in range(FPS * len(pictures)):
            frame = av.VideoFrame.from_ndarray(np.concatenate([pictures[number // FPS], grey]), "yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_new_door_reads_the_apps_screen_with_its_camera_and_the_phone_is_in(
    tmp_path: Path, site: Site, pictures: Path | None
) -> None:
    with a_street(tmp_path) as street:
        door, phone = street.door, street.phone()
        goes(phone, f"{site.url}#/add/light")
        phone.press("Make new words")
        phone.do("await page.locator('ol.wordlist li').first().waitFor()")
        words = phone.do("return page.locator('ol.wordlist li').allTextContents()")
        phone.shows(pictures, "light-words")
        assert len(words) == 24
        types_the_words(phone, door.owner.words())
        phone.sees("did not open")
        types_the_words(phone, " ".join(words))
        phone.sees("2. The broker")
        phone.shows(pictures, "light-broker")
        fields = {
            "door": "side", "doorBroker": f"mqtt://127.0.0.1:{street.broker.port}", "doorLogin": "side",
            "doorPassword": street.at_the_broker("doorbell broker-setup add door side"),
            "broker": f"ws://127.0.0.1:{street.sockets}", "me": "Anna",
        }  # fmt: skip
        for name, value in fields.items():
            phone.do(f"await page.locator('[name={name}]').fill({json.dumps(value)})")
        me = street.lets_in(phone)
        phone.press("Show the QR")
        phone.sees("Waiting for the door")
        phone.shows(pictures, "light-code")
        video = film(tmp_path / "street.mp4", code_on(phone))
        door.settings["camera"] = {"source": f"file:{video}", "width": WIDE, "height": HIGH, "fps": FPS}
        door.settings["keys"] = {"recipients": []}
        door.settings["mqtt"] = {"host": "nowhere.invalid"}
        with door:
            door.until(lambda: door.status().get("camera") == "off")
            door.finger(b"button down")
            door.said("the camera looks for a phone's QR", 10)
            door.finger(b"button up")
            door.said("starts afresh with its owner and its broker", 60)
            phone.sees("The door is awake", 60)
            phone.opens("household")
            phone.sees("this phone")
            assert phone.do("return page.locator('li', {hasText: 'Anna'}).count()") == 1
            door.press()
            phone.sees("Somebody is at the front door")
            phone.press("Ignore")
            assert door.stop() == 0
        roster = household.load("side", door.state, ()).roster
        assert roster
        assert [(one.name, one.role) for one in roster.members] == [("owner", "admin"), ("Anna", "admin")]
        assert roster.members[1].id == me
        assert f"doorbell/side/from/{me}" in street.broker.log()
        assert "Denied PUBLISH" not in street.broker.log()
        assert fields["doorPassword"] not in door.log()
        assert phone.complaints() == []
