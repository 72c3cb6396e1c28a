"""Two windows of one phone: one follows the doors, the other says so and goes on when it may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.phone.conftest import House
from tests.phone.hand import missing

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
    assert home.phone.do("return context.pages()[1].locator('dialog.ring').count()") == 0
    assert home.phone.complaints() == []
