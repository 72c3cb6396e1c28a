"""The phone in the pocket, in a real browser: chosen, subscribed, woken by the door's own letter, confirmed.

A browser without a push service of its maker cannot subscribe: that one call is answered here, with a subscription at
the stand-in. What the stand-in then gets from the door's postman is handed to the real service worker.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.phone.conftest import House
from tests.phone.hand import missing
from tests.rigs.broker import Certificates
from tests.rigs.pushservice import Browser, PushService

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

DELIVERED = """
    const cdp = await context.newCDPSession(page);
    const found = new Promise((resolve) => cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const one = registrations.find((it) => it.scopeURL.endsWith('/push/front/'));
        if (one) resolve(one.registrationId);
    }));
    await cdp.send('ServiceWorker.enable');
    const registrationId = await found;
    const { origin } = new URL(page.url());
    await cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: DATA });
    const shown = await page.evaluate(async (least) => {
        const one = await navigator.serviceWorker.getRegistration('push/front/');
        for (let tries = 0; tries < 300; tries++) {
            const shown = await one.getNotifications();
            if (shown.length >= least) return shown.map(({ title, data, tag }) => ({ title, page: data.page, tag }));
            await new Promise((resume) => setTimeout(resume, 100));
        }
        return [];
    }, LEAST);
    await cdp.detach();
    return shown;
"""


def delivered(home: House, text: bytes, least: int) -> list[dict[str, Any]]:
    """Hand a letter to the service worker, as the browser does; the notifications that are shown then."""
    shown: list[dict[str, Any]] = home.phone.do(
        DELIVERED.replace("DATA", json.dumps(text.decode())).replace("LEAST", str(least))
    )
    return shown


def test_a_phone_is_set_up_only_when_somebody_said_that_it_rang(
    house: Callable[..., House], tmp_path: Path, pictures: Path | None
) -> None:
    (tmp_path / "ca").mkdir()
    certificates = Certificates(tmp_path / "ca").make_authority()
    with PushService(certificates.sign("push", "localhost")) as service:
        home = house({"push": {"own_host": service.host, "ca_file": str(certificates.ca)}})
        phone, browser = home.phone, Browser(service.host)
        phone.do("await context.grantPermissions(['notifications'])")
        keys = json.dumps(browser.subscription)
        phone.do(f"""
            await page.evaluate(({{ endpoint, p256dh, auth }}) => {{
                let mine = null;
                PushManager.prototype.getSubscription = async () => mine;
                PushManager.prototype.subscribe = async ({{ applicationServerKey }}) => mine = {{
                    options: {{ applicationServerKey: new Uint8Array(applicationServerKey).buffer }},
                    toJSON: () => ({{ endpoint, keys: {{ p256dh, auth }} }}),
                    unsubscribe: async () => ((mine = null), true),
                }};
            }}, {keys});
        """)
        phone.sees("Set-up is not finished")
        phone.shows(pictures, "pocket-notice")
        phone.opens("pocket")
        phone.sees("None")
        phone.shows(pictures, "pocket-open")
        phone.do("await page.getByRole('radio', {name: /Notifications of this app/}).click()")
        phone.sees("Not tested", 40)
        phone.press("Ring this phone")
        phone.sees("Lock the phone now.")
        test = service.wait(1, 40)[0]
        phone.press("Ignore")  # the app was open all the while, and rings as well
        shown = delivered(home, browser.opened(test.body), 1)
        assert shown[0]["title"].endswith(": test ring") and shown[0]["page"].startswith("#/pocket/front/")
        phone.sees("Did it ring while it was locked?")
        phone.shows(pictures, "pocket-asked")
        phone.press("Yes, it rang")
        phone.sees("This phone rang when it was locked")
        phone.shows(pictures, "pocket-done")
        home.door.until(lambda: home.door.status()["phones"] == "1 confirmed")
        home.door.press()
        ring = service.wait(2)[1]
        titles = [one["title"] for one in delivered(home, browser.opened(ring.body), 2)]
        assert any(title.endswith(": somebody rings") for title in titles)
        forged = browser.opened(ring.body).replace(b"ring", b"test")
        assert any("not your door" in one["title"] for one in delivered(home, forged, 3))
        phone.press("Ignore")
        phone.do("await page.getByRole('radio', {name: /None/}).click()")
        phone.sees("This phone rings only while the app is open.")
        phone.shows(pictures, "pocket-none")
        home.door.until(lambda: home.door.status()["phones"] == "1 chose none")
        assert not [one for one in phone.requests() if service.host in one]
        assert phone.complaints() == []
