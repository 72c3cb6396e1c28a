"""One phone, two doors at one broker: both ring, whatever is on the screen, and neither is taken for the other."""

from __future__ import annotations

import json

import pytest

from doorbell import ticket
from tests.phone.hand import Phone, Site, missing
from tests.phone.street import Street, goes, types_the_words
from tests.rigs.door import Door

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


def rings(door: Door, phone: Phone, said: str) -> None:
    door.press()
    phone.sees(said)
    phone.press("Ignore")
    phone.do("await page.locator('dialog.ring').waitFor({state: 'hidden'})")


def chooses(phone: Phone, door: str) -> None:
    phone.do(f"await page.getByRole('button', {{name: {json.dumps(door)}, exact: true}}).click()")


def visits(phone: Phone, count: int) -> None:
    """The history that is shown has come to *count* visits, all of this door."""
    phone.do(f"await page.waitForFunction((count) => document.querySelectorAll('a.visit').length === count, {count})")


def test_two_doors_ring_and_keep_their_histories_apart(street: Street, site: Site) -> None:
    front, phone = street.door, street.phone()
    back = street.another("back")
    card = street.ticket_of_the_card(back)
    with front:
        street.asks(phone, site, street.ticket_of_the_card(), "Anna")
        phone.sees("Last step: the paper")
        types_the_words(phone, front.owner.words())
        phone.sees("The door is awake")
        phone.opens("add")
        rings(front, phone, "Somebody is at the front door")
        street.asks(phone, site, card, "Anna")
        phone.sees("Waiting for the door at the broker")
        # Its login has a new password. mosquitto keeps nothing for a client that it has put out, until it is back.
        chooses(phone, "Front door")
        phone.sees("The door is awake")
        chooses(phone, "back")
        phone.sees("Waiting for the door at the broker")
        rings(front, phone, "Somebody is at the front door")  # although the other one is still on its way in
        chooses(phone, "Front door")
        phone.sees("The door is awake")
        goes(phone, f"{site.url}#/")
        phone.do("await page.reload()")
        phone.sees("The door is awake")  # and not the one that is not in, which sorts before it
        chooses(phone, "back")
        with back:
            phone.sees("Last step: the paper", 60)
            types_the_words(phone, back.owner.words())
            phone.sees("The door is awake")
            rings(back, phone, "back: somebody rings")
            phone.opens("history")
            visits(phone, 1)
            rings(front, phone, "Somebody is at the front door")
            visits(phone, 1)
            chooses(phone, "Front door")
            visits(phone, 3)
            # A second door of the same name would take the first one's key, and what was seen of it, away.
            goes(phone, f"{site.url}#/join/{ticket.to_paste(card)}")
            phone.press("Join")
            phone.sees("This phone has a door “back” already")
            phone.opens("")
            chooses(phone, "back")
            phone.opens("history")
            visits(phone, 1)
        assert phone.complaints() == []
