"""Every phone is lost: the owner's words let a new one in, take the lost one out, and leave nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from doorbell import household
from doorbell.brokersetup import Login, rules
from doorbell.owner.identity import Identity
from tests.phone.conftest import House, pair
from tests.phone.hand import Phone, Site, missing
from tests.phone.street import Street, types_the_words
from tests.rigs.door import Door

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

KEPT = """
    return page.evaluate(async () => {
        const base = await new Promise((resolve) => {
            indexedDB.open('doorbell').onsuccess = ({ target }) => resolve(target.result);
        });
        const told = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.documentElement.outerHTML];
        for (const shelf of ['keys', 'doors']) {
            const rows = await new Promise((resolve) => {
                base.transaction(shelf).objectStore(shelf).getAll().onsuccess = ({ target }) => resolve(target.result);
            });
            told.push(JSON.stringify(rows, (_, value) => value instanceof CryptoKey ? value.extractable : value));
        }
        return told.join('\\n');
    });
"""


def members(door: Door) -> list[tuple[str, str]]:
    found = household.load("front", door.state, ()).roster
    assert found is not None
    return [(one.name, one.role) for one in found.members]


def test_the_words_let_a_phone_in_at_a_broker_with_rights_and_take_the_lost_one_out(
    house: Callable[..., House], pictures: Path | None
) -> None:
    home = house()
    door, lost = home.door, home.phone
    door.press()
    lost.sees("Somebody is at")
    lost.press("Ignore")
    with Phone() as new:
        me = new.arrives(home.site)
        new.shows(pictures, "words-broker")
        # As `doorbell broker-setup add phone` writes them: its own topics, and nothing of the owner's.
        home.broker.let_in(me.id, "n-word", rules(Login("phone", me.id, ("front",))))
        new.comes(home.sockets, "n-word")
        new.says_the_words("zzzz " * 24)
        new.sees("is not in the list")
        new.says_the_words(Identity.make().words())
        new.sees("The door does not answer to these words", 60)
        with home.listener() as listener:
            door.press()
            listener.wait("journal", 2)  # ring and visit's end, while it is not in yet: its history begins after them
        lost.sees("Somebody is at")
        lost.press("Ignore")
        new.says_the_words(door.owner.words())
        new.sees("Take out what is lost")
        new.do("await page.getByLabel('Phone', { exact: true }).check()")
        new.shows(pictures, "words-lost")
        new.press("Let this phone in")
        new.sees("The door is awake", 40)
        assert members(door) == [("Owner", "admin"), ("New phone", "admin")]
        # What was before is the owner's to open, and the app says so; the owner's key is not here any more.
        new.sees("Nobody has been here since this phone joined")
        kept = new.do(KEPT)
        assert str(me.recipient) in kept
        assert '"signing":false' in kept
        assert '"anchor":1,' in kept
        for secret in (door.owner.line(), door.owner.words().split()[0] + " " + door.owner.words().split()[1]):
            assert secret not in kept
        new.opens("household")
        new.sees("Admin, this phone")
        lost.opens("more")
        lost.press("Send a test ring")
        lost.sees("This phone was removed from the household")
        new.do("await page.reload()")
        door.press()
        new.sees("Somebody is at the front door")
        assert lost.do("return page.locator('dialog.ring[open]').count()") == 0
        new.press("Ignore")
        # An ordinary admin: it runs the household, by its own key.
        new.opens("household")
        new.press("Invite a phone")
        new.do("await page.locator('svg.code path[d*=M]').waitFor()")
        assert new.complaints() == []


def test_a_door_that_nobody_paired_does_not_know_the_words(house: Callable[..., House]) -> None:
    home = house(paired=False)
    home.phone.says_the_words(home.door.owner.words())
    home.phone.sees("nobody has paired it yet", 60)


def test_a_phone_that_has_a_door_is_asked_for_the_words_of_another(street: Street, site: Site, tmp_path: Path) -> None:
    front, phone = street.door, street.phone()
    back = Door(tmp_path / "back", street.broker.port, {"door": {"id": "back"}})
    pair(back)
    back.settings["mqtt"] = street.login_of("back")
    with front, back:
        street.asks(phone, site, street.ticket_of_the_card(), "Anna")
        phone.sees("Last step: the paper")
        types_the_words(phone, front.owner.words())
        phone.sees("The door is awake")
        phone.arrives(site)
        phone.do("await page.locator('[name=door]').fill('back')")
        street.lets_in(phone)
        phone.comes(street.sockets, None, door="back")
        phone.says_the_words(front.owner.words())
        phone.sees("The door does not answer to these words", 60)
        phone.says_the_words(back.owner.words())
        phone.press("Let this phone in")
        phone.sees("The door is awake", 40)
        back.press()
        phone.sees("Somebody is at the front door")  # as it was called here
        phone.press("Ignore")
        front.press()
        phone.sees("Somebody is at")  # by the login that both doors' rights hang on now
        assert json.loads((back.state / "roster.json").read_text())["roster"]["json"].count("recipient") == 2
