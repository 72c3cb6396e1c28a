"""What a person sees, or cannot see: contrast, motion, and screens that must say what is the matter."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.phone.conftest import House
from tests.phone.hand import missing
from tests.phone.test_app import SCENE
from tests.phone.test_screens import SCREENS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

Build = Callable[..., House]

PALE = """
    return page.evaluate(() => {
        // WCAG 2: 4.5:1 for text, 3:1 for large text. What lies over a picture or fades (alpha) has no one background.
        const read = (text) => text.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b]
            .map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const behind = (one) => {
            for (let at = one; at; at = at.parentElement) {
                const [r, g, b, alpha = 1] = read(getComputedStyle(at).backgroundColor);
                if (alpha === 1) return [r, g, b];
                if (alpha > 0) return null;
            }
            return null;
        };
        const said = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        const top = document.querySelector('dialog[open]') ?? document.body;
        return [...top.querySelectorAll('*')].filter((one) => said(one) && one.checkVisibility()).flatMap((one) => {
            const style = getComputedStyle(one), ground = behind(one);
            const faded = one.closest(':disabled, .unseen, noscript, script, style, svg');
            if (!ground || faded) return [];
            const [a, b] = [light(read(style.color)), light(ground)].sort((x, y) => y - x);
            const size = parseFloat(style.fontSize) * (style.fontWeight >= 700 ? 1.28 : 1);
            const ratio = (a + 0.05) / (b + 0.05);
            const what = `${one.className || one.tagName}: ${one.textContent.slice(0, 40)} ${ratio.toFixed(2)}`;
            return ratio < (size >= 24 ? 3 : 4.5) ? [what] : [];
        });
    });
"""


@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(house: Build, look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORBELL_LOOK", look)
    home = house()
    home.door.press()
    home.phone.sees("Somebody is at the front door")
    assert home.phone.do(PALE) == []
    home.phone.press("Ignore")
    pale: dict[str, list[str]] = {}
    for page in (*SCREENS, "add/words", "add/light"):
        home.phone.opens(page)
        if found := home.phone.do(PALE):
            pale[page] = found
    assert pale == {}


MOST_MOVING = """
    const most = await page.evaluate(async (done) => {
        let most = 0;
        location.hash = '#/live/front';
        while (!document.querySelector(done)) {
            most = Math.max(most, document.getAnimations().length);
            await new Promise(requestAnimationFrame);
        }
        return most;
    }, '.pill.on');
    return most;
"""


def test_nothing_moves_for_who_wants_no_motion(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    assert home.phone.do(MOST_MOVING) > 0  # what turns until the picture is there
    home.phone.opens("")
    home.phone.do("await page.emulateMedia({ reducedMotion: 'reduce' })")
    assert home.phone.do(MOST_MOVING) == 0


def test_a_browser_without_the_video_says_so_and_watches_nobody(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    home.phone.do("await page.evaluate(() => { MediaSource.isTypeSupported = () => false })")
    home.phone.opens("live/front")
    home.phone.sees("This browser cannot play the live picture")
    home.phone.sees("Nobody is watching")  # the session was given back
    home.phone.opens("")
    home.phone.sees("Verified up to entry")
    assert home.phone.do("return page.getByText('Watching: this phone').count()") == 0


def test_a_test_ring_under_silence_does_not_promise_to_ring(house: Build) -> None:
    home = house()
    home.door.press()
    home.phone.press("Silence for an hour")
    home.phone.sees("Silent until")
    home.phone.opens("more")
    home.phone.press("Send a test ring")
    home.phone.sees("so it does not ring")


def test_an_address_of_no_screen_is_the_first_one(house: Build) -> None:
    home = house()
    home.phone.opens("nonsense")
    home.phone.sees("The door is awake")


def test_home_assistant_is_not_offered_where_it_hears_nothing(house: Build) -> None:
    home = house({"privacy": {"clear_events": False}})
    home.phone.opens("pocket")
    home.phone.sees("This door tells Home Assistant nothing")
    assert home.phone.do("return page.getByRole('radio', { name: /Home Assistant/ }).isDisabled()")


def test_an_app_that_ended_between_two_writes_counts_and_goes_on(house: Build) -> None:
    home = house(SCENE)
    home.door.until(lambda: home.door.status().get("camera") == "sees")
    home.door.press()
    home.phone.press("Ignore")
    home.phone.opens("history")
    home.phone.sees("Clip, ", 60)
    home.phone.opens("")
    # The entries are on the shelf and the record still says what was before.
    index = home.phone.do("""
        const app = page.url();
        await page.goto(new URL('icon.svg', app).href);
        const index = await page.evaluate(async () => {
            const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result) });
            const base = await done(indexedDB.open('doorbell'));
            const rows = await done(base.transaction('entries').objectStore('entries').getAll());
            const doors = base.transaction('doors', 'readwrite').objectStore('doors');
            const door = await done(doors.get('front'));
            const before = rows.find((row) => row.index === door.head.index - 1);
            const head = { index: before.index, hash: before.hash };
            await done(doors.put({ ...door, head, liveSessions: 5 }, 'front'));
            return before.index;
        });
        await page.goto(app);
        await page.getByText('The door is awake').waitFor();
        return index;
    """)
    home.phone.do(f"await page.getByText('Verified up to entry {index + 1}').waitFor()")
    home.phone.opens("live/front")
    home.phone.sees("Watching: this phone")
    home.phone.opens("privacy")
    home.phone.sees("Watched live 6 times")
    assert home.phone.do("return page.locator('.trouble').count()") == 0
