"""Phones come into a household and leave it: a real Chromium, the real daemon, a real mosquitto over WebSockets."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from doorbell import ticket
from doorbell.demo.site import is_built
from doorbell.light import reader
from doorbell.owner.identity import Identity
from doorbell.ticket import Ticket
from tests.phone.hand import Phone, Site, missing
from tests.phone.street import Street, code_on, goes, types_the_words
from tests.rigs.door import Door

STRANGE = Identity.make().words()

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


def shown_on(phone: Phone) -> Ticket:
    """What a camera reads on this phone's screen."""
    luma = code_on(phone)
    height, width = luma.shape
    return ticket.from_qr(reader.text_in(width, height, luma.tobytes()).decode())


def test_a_household_from_its_first_phone_to_a_lost_one(street: Street, site: Site, pictures: Path | None) -> None:
    door, anna, ben = street.door, street.phone(), street.phone()
    card = street.ticket_of_the_card()
    with door:
        goes(anna, site.url)
        anna.sees("Scan or paste a QR")
        anna.shows(pictures, "pair")
        annas = street.asks(anna, site, card, "Anna")
        anna.sees("Last step: the paper")
        anna.shows(pictures, "pair-words")
        types_the_words(anna, "zzzz " * 24)
        anna.sees("is not in the list")
        types_the_words(anna, Door(door.folder).owner.words())
        anna.sees("did not open")
        types_the_words(anna, door.owner.words())
        anna.sees("The door is awake")
        # The paper is the owner's: not this phone's keys, which nobody has on paper.
        for words, said in ((door.owner.words(), "words of this household"), (STRANGE, "belong to another household")):
            anna.opens("words")
            anna.do(f"await page.locator('textarea').fill({json.dumps(words)})")
            anna.press("Check")
            anna.sees(said)
        # A further phone, by what the first one shows.
        anna.opens("household")
        anna.press("Invite a phone")
        invitation = shown_on(anna)
        anna.shows(pictures, "pair-invite")
        assert not invitation.is_for_a_door
        assert invitation.owner == door.owner.recipient.key
        street.asks(ben, site, invitation, "Ben")
        ben.sees("an admin has to agree")
        ben.shows(pictures, "pair-waits")
        anna.sees("has scanned the QR and asks to join")
        anna.shows(pictures, "pair-asks")
        anna.do("await page.locator('[name=admin]').check()")
        anna.press("Let in")
        anna.sees("Ben is in")
        ben.sees("The door is awake")
        ben.sees("Nobody has been here since this phone joined")
        ben.opens("history")
        ben.sees("History on this phone begins when it joined")
        street.rings_anew()
        ben.sees("Somebody is at the front door")
        ben.press("Ignore")
        anna.press("Ignore")
        ben.sees("Rang the bell")
        ben.sees("History on this phone begins when it joined")
        # The first phone is lost: Ben takes it out, and a restart changes nothing about that.
        ben.opens("household")
        ben.press("Remove Anna")
        ben.do("await page.getByRole('dialog').getByRole('button', {name: 'Remove'}).click()")
        ben.sees("Delete older clips")
        ben.shows(pictures, "pair-removed")
        ben.press("Keep clips")
        ben.sees("Anna was removed")
        for restarted in (False, True):
            if restarted:
                assert door.stop() == 0
                door.start()
                ben.do("await page.reload()")
                ben.opens("")
                ben.sees("The door is awake", 60)
            street.rings_anew()
            ben.sees("Somebody is at the front door")
            ben.press("Ignore")
            assert anna.do("return page.locator('dialog.ring[open]').count()") == 0
            if restarted:
                anna.opens("")
                anna.sees("It keeps what it had, and opens nothing new")
                anna.shows(pictures, "pair-out")
            else:
                anna.opens("more")
                anna.press("Send a test ring")
                anna.sees("This phone was removed from the household")
                anna.opens("")
                anna.sees("It keeps what it had, and opens nothing new")
        # And at the broker: what it still heard, sealed to others, it hears no more.
        anna.opens("")
        street.at_the_broker(f"doorbell broker-setup remove {annas}")
        anna.sees("The broker refused this phone", 60)
        street.rings_anew()
        ben.sees("Somebody is at the front door")
        assert "Denied PUBLISH" not in street.broker.log(), "the rights that are written are all that is needed"
        assert anna.complaints() + ben.complaints() == []


@pytest.mark.parametrize("text", ["AQ", "nonsense", "HTTPS://EXAMPLE.ORG/"])
def test_a_text_that_is_no_ticket_is_told_as_one(street: Street, site: Site, text: str) -> None:
    phone = street.phone()
    goes(phone, f"{site.url}#/add/join")
    phone.do(f"await page.locator('[name=text]').fill({json.dumps(text)})")
    phone.press("Go on")
    phone.sees("not the QR code of a doorbell")
    assert phone.complaints() == []


@pytest.mark.skipif(not is_built(), reason="the app is not in doorbell/app: make app")
def test_the_demo_is_opened_in_a_browser_by_the_link_that_it_prints(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "doorbell", "demo", "--folder", str(tmp_path / "demo"), "--seconds", "120"]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout
    try:
        link = next(found[0] for line in process.stdout if (found := re.search(r"http://localhost:\S+", line)))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        with Phone() as phone:
            goes(phone, link)
            phone.press("Join")
            phone.sees("Last step: the paper", 60)
            types_the_words(phone, (tmp_path / "demo/owner-words.txt").read_text())
            phone.sees("The door is awake")
            assert phone.complaints() == []
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.terminate()  # a demo that is killed leaves its door behind
        process.wait(60)
