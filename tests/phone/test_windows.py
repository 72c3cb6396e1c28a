"""The windows of one phone: one follows the doors, another goes on when it may; and none is loaded anew for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.phone.conftest import House
from tests.phone.hand import Phone, Site, missing

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

OTHER = """
    const other = await context.newPage();
    const sockets = [];
    other.on('websocket', (socket) => sockets.push(socket.url()));
    await other.goto(page.url());
    await other.getByText('Open in another window').waitFor();
"""


def test_a_second_window_waits_and_goes_on_when_the_first_is_closed(house: Callable[..., House]) -> None:
    home = house()
    opened = home.phone.do(f"""
        {OTHER}
        const before = sockets.length;
        await page.close();
        await other.getByText('The door is awake').waitFor();
        return [before, sockets.length];
    """)
    assert opened == [0, 1]
    home.door.press()
    home.phone.do("await context.pages()[0].getByText('Somebody is at the front door').waitFor()")


def test_the_place_is_taken_over_from_one_window_to_the_other_and_back(house: Callable[..., House]) -> None:
    home = house()
    home.phone.do(f"""
        {OTHER}
        await other.getByRole('button', {{ name: 'Use it here' }}).click();
        await other.getByText('The door is awake').waitFor();
        await page.getByText('Open in another window').waitFor();
        await page.getByRole('button', {{ name: 'Use it here' }}).click();
        await other.getByText('Open in another window').waitFor();
    """)
    home.phone.sees("The door is awake")
    home.door.press()
    home.phone.sees("Somebody is at the front door")
    home.phone.press("Ignore")
    home.phone.opens("history")
    home.phone.sees("Rang the bell")
    assert home.phone.do("return context.pages()[1].locator('dialog.ring[open]').count()") == 0
    assert home.phone.complaints() == []


def test_a_broker_that_the_security_policy_cannot_name_is_not_taken(site: Site) -> None:
    with Phone() as phone:
        phone.arrives(site)
        phone.do("await page.locator('[name=broker]').fill('wss://my_broker:8884')")
        phone.press("Go on")
        phone.sees("a name of letters, digits")


def test_a_door_whose_broker_cannot_be_allowed_does_not_reload_the_page_for_ever(house: Callable[..., House]) -> None:
    home = house()
    loads = home.phone.do("""
        const app = page.url();
        await page.goto(new URL('icon.svg', app).href);  // nothing of the app runs meanwhile
        await page.evaluate(() => new Promise((resolve) => {
            const opening = indexedDB.open('doorbell');
            opening.onsuccess = () => {
                const doors = opening.result.transaction('doors', 'readwrite').objectStore('doors');
                const found = doors.get('front');
                found.onsuccess = () => {
                    doors.put({ ...found.result, broker: 'wss://my_broker:8884' }, 'front').onsuccess = resolve;
                };
            };
        }));
        let loads = 0;
        page.on('load', () => loads++);
        await page.goto(app);
        await page.getByText('No connection to the broker').waitFor();
        return loads;
    """)
    assert loads == 1
