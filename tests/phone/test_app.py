"""The app, as a household uses it: a real Chromium, the real daemon, a real mosquitto over WebSockets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from attrs import evolve

from doorbell.doorkeys import load_or_make
from doorbell.journal.entry import Entry, document, entry_hash, read_document
from doorbell.owner.identity import Identity
from tests.phone.conftest import House
from tests.phone.hand import Phone, missing
from tests.rigs.door import pause

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

SCENE = {
    "camera": {"source": "scene", "width": 640, "height": 400, "fps": 10, "bitrate_kbps": 600},
    "visit": {"linger_s": 2, "longest_s": 20, "preroll_s": 3},
}

Build = Callable[..., House]

DECODED = "async (img) => { await img.decode(); return img.naturalWidth }"

MOVES = """
    const video = page.locator('.frame video');
    await video.waitFor();
    await video.evaluate((one) => new Promise((resolve, reject) => {
        one.addEventListener('error', () => reject(one.error));
        one.addEventListener('timeupdate', () => one.currentTime > 0.5 && resolve());
        one.play();
    }));
    return video.evaluate((one) => ({ wide: one.videoWidth, seconds: one.duration }));
"""

SEEKS = """
    return page.locator('.frame video').evaluate((one) => new Promise((resolve) => {
        one.addEventListener('seeked', () => resolve(one.currentTime), { once: true });
        one.currentTime = one.duration - 1;
    }));
"""


def test_a_visitor_rings_is_seen_and_the_clip_plays(house: Build, pictures: Path | None) -> None:
    home = house(SCENE)
    door, phone = home.door, home.phone
    door.until(lambda: door.status().get("camera") == "sees")
    pause(3)  # the pre-roll
    door.finger(b"visitor", "scene.sock")
    door.said("somebody rings", 90)  # he walks as fast as this machine draws
    phone.sees("Somebody is at the front door")
    phone.do("await page.locator('dialog.ring img').waitFor()")
    assert phone.do(f"return page.locator('dialog.ring img').evaluate({DECODED})") > 0
    assert phone.do("return page.getByText('has not confirmed how old').count()") == 0
    phone.shows(pictures, "ring")
    door.until(lambda: door.clips, 60)
    phone.press("Ignore")
    phone.opens("history")
    phone.sees("Clip, ")
    assert phone.do("return page.locator('a.visit strong').first().textContent()").strip() == "Rang the bell"
    phone.shows(pictures, "history")
    phone.do("await page.locator('a.visit').first().click()")
    phone.shows(pictures, "visit")
    phone.press("Play the clip")
    video = phone.do(MOVES)
    assert video["wide"] == 640
    assert video["seconds"] > 5
    assert phone.do(SEEKS) == pytest.approx(video["seconds"] - 1, abs=0.3)
    phone.sees("This clip is the one that the door’s journal names.")  # noqa: RUF001
    phone.shows(pictures, "clip")
    for page in ("", "more", "health", "privacy", "journal", "household", "words", "add"):
        phone.opens(page)
        phone.shows(pictures, page or "home")
    phone.opens("")
    phone.sees("Verified up to entry")
    assert phone.do("return page.locator('.banner').count()") == 0
    assert phone.complaints() == []
    assert door.stop() == 0


def test_a_ring_is_silenced_for_an_hour_and_told_all_the_same(house: Build) -> None:
    home = house()
    home.door.press()
    home.phone.sees("Somebody is at the front door")
    home.phone.press("Silence for an hour")
    home.phone.sees("Silent until")
    home.door.said("somebody rings")
    home.phone.opens("history")
    home.phone.sees("Rang the bell")


def test_the_owner_turns_the_recording_off_and_a_stranger_cannot(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    home.phone.opens("more")
    home.phone.do("await page.getByRole('switch', {name: 'Recording'}).click()")
    home.door.until(lambda: home.door.status().get("camera") != "sees")
    home.phone.opens("")
    home.phone.sees("Recording is off. The bell still rings.")
    home.door.press()
    home.phone.sees("Somebody is at the front door")
    with Phone() as other:
        other.arrives(home.site)
        other.comes(home.sockets, home.login[1], login=home.login[0])
        other.says_the_words(Identity.make().words())
        other.sees("The door does not answer to these words", 60)
        assert other.do("return page.getByRole('navigation').count()") == 0
        home.door.press()
        other.do("await page.waitForTimeout(1500)")
        assert other.do("return page.locator('dialog.ring[open]').count()") == 0


def test_the_page_speaks_to_its_origin_and_its_broker_only(house: Build) -> None:
    home = house()
    stranger = home.broker.port  # the same machine, another port: neither the page's origin nor its broker
    found = home.phone.do(f"""
        return page.evaluate(async () => {{
            const stopped = [];
            addEventListener('securitypolicyviolation',
                ({{ effectiveDirective, blockedURI }}) => stopped.push([effectiveDirective, blockedURI]));
            const no = () => null;
            await fetch('http://127.0.0.1:{stranger}/').catch(no);
            try {{ new WebSocket('ws://127.0.0.1:{stranger}/') }} catch {{}}
            const add = (name, more) => document.body.append(Object.assign(document.createElement(name), more));
            add('img', {{ src: 'http://127.0.0.1:{stranger}/x.png' }});
            add('script', {{ src: 'http://127.0.0.1:{stranger}/x.js' }});
            add('script', {{ textContent: 'window.ran = true' }});
            add('iframe', {{ src: 'http://127.0.0.1:{stranger}/' }});
            // Not at once: what a debugger evaluates may use eval whatever the page's policy says.
            setTimeout(() => {{ try {{ eval('window.ran = true') }} catch {{}} }});
            await new Promise((resume) => setTimeout(resume, 500));
            return {{ stopped, ran: window.ran ?? false }};
        }});
    """)
    assert not found["ran"]
    stopped = {(rule, urlsplit(blocked).scheme) for rule, blocked in found["stopped"]}
    assert {("connect-src", "http"), ("connect-src", "ws"), ("img-src", "http"), ("frame-src", "http")} <= stopped
    assert {rule for rule, _ in stopped} >= {"script-src-elem", "script-src"}
    left = home.phone.do("""
        return page.workers()[0].evaluate(() => ['fetch', 'WebSocket', 'XMLHttpRequest', 'EventSource', 'indexedDB']
            .filter((name) => self[name] !== undefined));
    """)
    assert left == []  # the page's policy does not reach into its worker: what could speak is taken out of it
    hosts = {urlsplit(url).netloc for url in home.phone.requests() if not url.startswith(("blob:", "data:"))}
    assert hosts - {f"127.0.0.1:{stranger}"} == {urlsplit(home.site.url).netloc, f"127.0.0.1:{home.sockets}"}


def test_a_history_that_was_rewritten_is_a_red_banner(house: Build, pictures: Path | None) -> None:
    home = house()
    with home.listener() as listener:
        home.door.press()
        home.phone.sees("Somebody is at")
        home.phone.press("Ignore")
        note = listener.wait("journal")[-1]
    home.phone.sees("Verified up to entry")
    entry = read_document(note.payload)
    # Whoever has the card has the door's own key and can sign: only that a phone has seen the entry shows the change.
    for sign, banners in ((lambda _: bytes(64), 0), (load_or_make(home.door.state / "keys").sign_entry, 1)):
        home.forge(note.topic, _rewritten(entry, sign))
        if banners:
            home.phone.sees("the history was rewritten")
        else:
            home.phone.opens("privacy")
            home.phone.sees("One message was not by your door")
        assert home.phone.do("return page.locator('.trouble').count()") == banners
    home.phone.shows(pictures, "rewritten")
    home.phone.press("I have seen it")
    home.phone.do("await page.locator('.banner').waitFor({state: 'detached'})")


def _rewritten(entry: Entry, sign: Callable[[bytes], bytes]) -> bytes:
    """The document of *entry* with another body, signed by *sign*."""
    body = b"another history"
    body_hash = hashlib.sha256(body).digest()
    sig = sign(entry_hash(entry.index, entry.prev, body_hash))
    return document(evolve(entry, body=body, body_hash=body_hash, sig=sig))


def test_a_phone_without_network_shows_what_it_has(house: Build) -> None:
    home = house()
    home.door.press()
    home.phone.sees("Somebody is at")
    home.phone.press("Ignore")
    home.phone.sees("Verified up to entry")
    home.phone.do("await page.evaluate(() => navigator.serviceWorker.ready); await page.reload()")
    home.phone.sees("The door is awake")
    home.site.stop()
    home.broker.stop()
    home.phone.do("await page.reload()")
    home.phone.sees("No connection to the broker")
    home.phone.opens("history")
    home.phone.sees("Rang the bell")
    home.broker.start()
    home.phone.opens("")
    home.phone.sees("The door is awake", 40)


MOTION = """
    // The largest difference of a pixel between looks at the picture, as a person sees that it moves; for 20 s at most.
    return page.locator('.frame video').evaluate(async (video) => {
        const canvas = new OffscreenCanvas(160, 100), pen = canvas.getContext('2d', { willReadFrequently: true });
        const look = () => { pen.drawImage(video, 0, 0, 160, 100); return pen.getImageData(0, 0, 160, 100).data; };
        const before = look(), shown = video.currentTime;
        let most = 0, moved = 0;
        for (let turn = 0; turn < 40 && (most <= 25 || moved <= 1); turn++) {
            await new Promise((resume) => setTimeout(resume, 500));
            look().forEach((value, i) => { most = Math.max(most, Math.abs(value - before[i])) });
            moved = video.currentTime - shown;
        }
        return { most, moved, wide: video.videoWidth };
    });
"""


def test_live_view_shows_a_picture_that_moves_and_tells_who_watches(
    house: Build, pictures: Path | None, record_property: Callable[[str, object], None]
) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    home.phone.do("await page.getByRole('link', {name: 'Watch live'}).click()")
    home.phone.do("await page.locator('.pill.on').waitFor()")
    home.phone.sees("Watching: this phone")
    home.door.finger(b"visitor", "scene.sock")
    seen = home.phone.do(MOTION)
    assert seen["wide"] == 640
    assert seen["moved"] > 1
    assert seen["most"] > 25
    home.phone.shows(pictures, "live")
    said = home.phone.do("return page.locator('.pill.on').textContent()")
    age = float(said.removeprefix("Live, ").removesuffix(" s ago"))
    record_property("age of the live picture, s", age)
    assert age >= 0
    home.phone.opens("")
    home.phone.do("await page.getByText('Watching: this phone').waitFor({state: 'detached'})")
    assert home.phone.complaints() == []
