"""The door changed from the phone, and a link that breaks: real Chromium, real daemon, mosquitto with its rules."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorbell.brokersetup import Login, rules
from tests.phone.conftest import House
from tests.phone.hand import Phone, missing
from tests.phone.test_app import SCENE
from tests.rigs.door import Door, pause

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

Build = Callable[..., House]

CHANGED = "In force at the door."


def kept(door: Door) -> Any:
    return json.loads((door.state / "settings.json").read_bytes())["settings"]


def drag(phone: Phone, *ways: tuple[float, float]) -> None:
    """A finger over the picture, in parts of its width and height."""
    phone.do(f"""
        const box = await page.locator('.frame.areas').boundingBox();
        const ways = {json.dumps(ways)}.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
        await page.mouse.move(...ways[0]);
        await page.mouse.down();
        for (const way of ways.slice(1)) await page.mouse.move(...way, {{ steps: 5 }});
        await page.mouse.up();
    """)


def test_a_mask_drawn_with_a_finger_is_black_at_the_door(house: Build, pictures: Path | None) -> None:
    home = house(SCENE)
    door, phone = home.door, home.phone
    door.until(lambda: door.status().get("camera") == "sees")
    phone.opens("areas/masks")
    phone.do("await page.locator('.frame.areas img').waitFor()")
    drag(phone, (0.1, 0.2), (0.5, 0.6))
    drag(phone, (0.5, 0.6), (0.6, 0.8))  # its corner
    phone.shows(pictures, "masks")
    phone.press("Save")
    phone.sees(CHANGED, 70)
    ((first, _, third, _),) = kept(door)["privacy"]["masks"]
    assert first == pytest.approx([0.1, 0.2], abs=0.01)
    assert third == pytest.approx([0.6, 0.8], abs=0.01)
    # The picture that comes now went through the mask: it is black there, and not elsewhere.
    phone.do("await page.waitForTimeout(1500); await page.locator('.frame.areas img').waitFor()")
    dark, light = phone.do("""
        return page.locator('.frame.areas img').evaluate(async (img) => {
            await img.decode();
            const pen = new OffscreenCanvas(100, 100).getContext('2d');
            pen.drawImage(img, 0, 0, 100, 100);
            const most = (...where) => Math.max(...pen.getImageData(...where).data.filter((_, i) => i % 4 < 3));
            return [most(15, 25, 30, 30), most(70, 10, 25, 70)];
        });
    """)
    assert dark < 40 < light
    assert phone.complaints() == []


def test_an_area_is_drawn_and_moved_with_the_keyboard_alone(house: Build, pictures: Path | None) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    phone = home.phone
    phone.opens("areas/zones")
    phone.do("""
        await page.locator('.frame.areas img').waitFor();
        await page.getByRole('button', { name: 'Add an area' }).press('Enter');
        const corner = page.getByRole('button', { name: 'Corner 1,' });
        for (let n = 0; n < 5; n++) await corner.press('ArrowLeft');
        await corner.press('Shift+ArrowUp');
        await page.getByRole('button', { name: 'Add a corner behind corner 2' }).press('Enter');
        await page.getByRole('button', { name: 'Corner 4,' }).press('Delete');
    """)
    phone.shows(pictures, "zones")
    phone.do("await page.getByRole('button', { name: 'Save' }).press('Enter')")
    phone.sees(CHANGED, 70)
    ((first, _, _, fourth),) = kept(home.door)["motion"]["zones"]
    assert first == pytest.approx([0.30, 0.30], abs=0.001)
    assert fourth == pytest.approx([0.35, 0.65], abs=0.001)


def test_hours_retention_and_sensitivity_are_in_force_when_the_phone_says_so(
    house: Build, pictures: Path | None
) -> None:
    home = house()
    door, phone = home.door, home.phone
    phone.opens("settings")
    phone.do("await page.getByLabel('Keep clips and history for').selectOption('30')")
    phone.sees(CHANGED)
    assert kept(door)["storage"] == {"days": 30}
    phone.do("await page.getByRole('radio', { name: 'Only the bell' }).click()")
    door.until(lambda: kept(door)["motion"]["record_on"] == "press")
    phone.sees(CHANGED)
    phone.shows(pictures, "settings")
    phone.do("await page.getByRole('radio', { name: /motion sensor see/ }).click()")
    phone.sees("In force at the door.")
    assert kept(door)["motion"]["record_on"] == "motion-and-pir"  # this door has one
    phone.opens("hours")
    phone.press("Add hours")
    phone.do("await page.getByRole('checkbox', { name: 'Saturday' }).uncheck()")
    phone.do("await page.getByLabel('From').fill('21:30')")
    phone.shows(pictures, "hours")
    phone.press("Save")
    phone.sees(CHANGED)
    assert kept(door)["motion"]["schedule"] == ["mon-fri,sun 21:30-06:00"]


def test_a_transfer_goes_on_where_a_broken_link_stopped_it(house: Build, tmp_path: Path) -> None:
    home = house(SCENE | {"camera": SCENE["camera"] | {"bitrate_kbps": 1500}}, proxied=True)
    listener = home.listener()
    door, phone, proxy = home.door, home.phone, home.proxy
    assert proxy
    door.until(lambda: door.status().get("camera") == "sees")
    pause(3)
    door.press()
    phone.sees("Somebody is at")
    phone.press("Ignore")
    door.until(lambda: door.clips, 60)
    chunks = -(-door.clips[0].stat().st_size // 98_304)
    assert chunks >= 4
    phone.opens("history")
    phone.sees("Clip, ")
    phone.do("await page.locator('a.visit').first().click()")
    proxy.stall_after(150_000)
    phone.press("Play the clip")
    door.until(lambda: proxy.stalled)
    phone.do("await page.waitForFunction(() => document.querySelector('progress')?.value > 0)")
    before = len(listener.of("clip"))
    proxy.cut()
    phone.sees("The transfer goes on where it stopped.")
    proxy.flow()
    phone.sees("This clip is the one that the door’s journal names.", 60)  # noqa: RUF001
    assert len(listener.of("clip")) - before < 2 * chunks  # not from the beginning
    saved = phone.do("""
        const coming = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Save as MP4' }).click();
        return (await coming).path();
    """)
    probe = subprocess.run(
        [
            "ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_frames,nb_read_packets,width",
            "-of", "json", saved,
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert probe.stderr == ""
    (video,) = json.loads(probe.stdout)["streams"]
    assert video["width"] == 640
    assert int(video["nb_frames"]) == int(video["nb_read_packets"]) > 30  # tables in front, so players need not count
    assert b"moof" not in Path(saved).read_bytes()[:65536]
    phone.press("Delete this clip")
    phone.do("await page.locator('dialog.sure .danger').click()")
    phone.sees("Clip deleted")
    assert door.clips == []


def test_the_phone_asks_for_nothing_that_the_broker_denies_it(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    for page in ("health", "privacy", "settings", "areas/zones", "live/front", "history"):
        home.phone.opens(page)
        home.phone.do("await page.waitForTimeout(700)")
    home.phone.opens("health")
    home.phone.sees("Card used")
    log, me = home.broker.log(), home.login[0]
    assert "Denied" not in log
    # mosquitto asks no rule when somebody subscribes: the filters themselves have to be among the readable ones.
    readable = {line.removeprefix("topic read ") for line in rules(Login("phone", me, ("front",))).splitlines()}
    asked = set(re.findall(rf"doorbell-{me[:12]}-\w+ 1 (\S+)", log))
    assert asked
    assert asked <= readable


SCREENS = (
    "", "history", "household", "more", "health", "privacy", "journal", "words", "settings", "areas/zones", "hours",
    "live/front", "pocket", "add",
)  # fmt: skip


def test_every_screen_fits_large_type_and_names_what_can_be_pressed(house: Build) -> None:
    home = house()
    home.door.press()
    home.phone.sees("Somebody is at")
    home.phone.press("Ignore")
    for size in ("100%", "200%"):
        home.phone.do(f"await page.evaluate(() => {{ document.documentElement.style.fontSize = '{size}' }})")
        for page in SCREENS:
            home.phone.opens(page)
            home.phone.do("await page.waitForTimeout(250)")
            found = home.phone.do("""
                return page.evaluate(() => {
                    const pressed = [...document.querySelectorAll('a, button, input, select, textarea')];
                    const named = (one) => one.textContent.trim() || one.ariaLabel || one.labels?.length || one.title;
                    const small = ({ width, height }) => width > 1 && (width < 40 || height < 40);
                    return {
                        wide: document.documentElement.scrollWidth - innerWidth,
                        nameless: pressed.filter((one) => !named(one)).map((one) => one.outerHTML.slice(0, 120)),
                        small: pressed
                            .filter((one) => !one.closest('label, .areas, p') && small(one.getBoundingClientRect()))
                            .map((one) => one.outerHTML.slice(0, 120)),
                        headings: document.querySelectorAll('main h1').length,
                    };
                });
            """)
            assert found == {"wide": 0, "nameless": [], "small": [], "headings": 1}, (page, size)


def test_a_page_over_plain_http_takes_no_key(house: Build) -> None:
    home = house()
    port = home.site.url.rsplit(":", 1)[1].strip("/")
    with Phone(words=["--host-resolver-rules=MAP door.example 127.0.0.1"]) as far:
        far.do(f"await page.goto('http://door.example:{port}/'); await page.locator('h1').waitFor()")
        assert far.do("return page.evaluate(() => isSecureContext)") is False
        far.sees("It takes no key")
        for way in ("join", "light", "words"):
            far.opens(f"add/{way}")
            far.sees("It takes no key")
            assert far.do("return page.locator('main input, main textarea, main button').count()") == 0, way
    locked = home.phone.do("""
        return page.evaluate(async () => {
            const opening = indexedDB.open('doorbell');
            const base = await new Promise((r) => { opening.onsuccess = () => r(opening.result) });
            const get = base.transaction('keys').objectStore('keys').get('mine');
            const kept = await new Promise((r) => { get.onsuccess = () => r(get.result) });
            const kind = (key) => [key.constructor.name, key.algorithm?.name, key.extractable, key.type];
            const out = await crypto.subtle.exportKey('pkcs8', kept.opening).then(() => 'out', (e) => e.name);
            return [kind(kept.opening), kind(kept.signing), out];
        });
    """)
    assert locked == [
        ["CryptoKey", "X25519", False, "private"], ["CryptoKey", "Ed25519", False, "private"], "InvalidAccessError",
    ]  # fmt: skip
