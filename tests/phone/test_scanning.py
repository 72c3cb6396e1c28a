"""A phone joins by its own camera: Chromium plays a film of a hand-held QR code as the picture of its camera."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from doorbell import ticket
from doorbell.enrolment import enrol
from tests.light.pictures import Look, Luma, seen
from tests.phone.hand import Phone, Site, missing
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

WIDTH, HEIGHT = 1280, 720
HELD = [
    Look(wide=0.5, blur=1.5, shake=14, noise=4, seed=1),
    Look(wide=0.6, tilt=20, roll=8, blur=0.8, noise=4, seed=2),
    Look(wide=0.7, turn=-15, roll=-5, blur=0.6, noise=4, light=0.6, seed=3),
]
"""As the hand finds its way: the first is too shaken to be read."""


def camera(film: Path, pictures: list[Luma]) -> list[str]:
    """What Chromium's command line needs so that its camera sees *pictures*, one a second, again and again."""
    grey = bytes([128]) * (WIDTH * HEIGHT // 2)
    with film.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F5:1 Ip C420jpeg\n".encode())
        for picture in pictures:
            for _ in range(5):
                out.write(b"FRAME\n" + picture.tobytes() + grey)
    return [
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]  # fmt: skip


def test_a_phone_joins_by_holding_its_camera_at_the_qr(tmp_path: Path, site: Site) -> None:
    sockets = free_port()
    with Mosquitto(tmp_path, settings=f"listener {sockets} 127.0.0.1\nprotocol websockets") as broker:
        door = Door(tmp_path / "door", broker.port)
        owner = door.owner
        secret = enrol(door.state, owner.recipient, owner.verify_key)
        card = ticket.Ticket(
            owner.recipient.key, owner.verify_key, secret, door="front", broker=f"ws://127.0.0.1:{sockets}"
        )
        street = np.full((HEIGHT, WIDTH), 90, np.uint8)
        film = [street, *(seen(ticket.to_qr(card), WIDTH, HEIGHT, look) for look in HELD)]
        with door, Phone(words=camera(tmp_path / "film.y4m", film)) as phone:
            phone.do(f"await page.goto({json.dumps(site.url + '#/add/join')})")
            phone.press("Scan with the camera")
            phone.do("await page.locator('[name=me]').waitFor({timeout: 30000})")
            assert phone.do("return page.locator('video').count()") == 0, "the camera is off again"
            phone.do("await page.locator('[name=me]').fill('Anna')")
            phone.press("Join")
            phone.sees("Last step: the paper")
            phone.do(f"await page.locator('[name=paper]').fill({json.dumps(owner.words())})")
            phone.press("Open the test clip")
            phone.sees("The door is awake")
            assert phone.complaints() == []


def test_a_phone_without_a_camera_is_told_to_paste_the_text(site: Site) -> None:
    with Phone() as phone:
        phone.do(f"await page.goto({json.dumps(site.url + '#/add/join')})")
        phone.press("Scan with the camera")
        phone.sees("Paste the text instead")
        assert phone.complaints() == []
