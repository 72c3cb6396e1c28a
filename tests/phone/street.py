"""A street: a door that nobody has paired, a broker that lets nobody in whom its owner did not add, and phones."""

from __future__ import annotations

import base64
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
from attrs import define

from doorbell import ticket
from doorbell.brokersetup import ACL, PASSWORDS
from doorbell.enrolment import enrol
from doorbell.journal.entry import read_body
from doorbell.journal.opening import open_to_read
from doorbell.ticket import Ticket
from tests.light.pictures import Luma
from tests.phone.hand import Phone, Site
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door
from tests.rigs.reading import opened


@define
class Street:
    door: Door
    broker: Mosquitto
    sockets: int
    """The port at which the broker speaks WebSockets."""
    stack: ExitStack

    def phone(self) -> Phone:
        return self.stack.enter_context(Phone(os.environ.get("DOORBELL_LOOK", "light")))

    def at_the_broker(self, command: str) -> str:
        """Its owner types *command* there and has mosquitto read its files again; the password that was printed."""
        program, *words = shlex.split(command)
        assert program == "doorbell"
        done = subprocess.run(
            [sys.executable, "-m", "doorbell", *words, "--folder", str(self.broker.folder)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.broker.reload()
        return done.stdout.partition("Password: ")[2].partition("\n")[0]

    def login_of(self, door: str) -> dict[str, str]:
        """A door's own at the broker, for its configuration."""
        return {"username": door, "password": self.at_the_broker(f"doorbell broker-setup add door {door}")}

    def lets_in(self, phone: Phone) -> str:
        """Type at the broker what this phone's screen says; its member id."""
        text = phone.do(
            "return page.locator('code.command', {hasText: /add phone [a-z2-7]{26} /}).textContent()",
        )
        password = self.at_the_broker(text)
        assert password
        phone.do(f"await page.locator('[name=phonePassword]').fill({json.dumps(password)})")
        return str(shlex.split(text)[4])

    def rings_anew(self) -> None:
        """A press that is a visit of its own: a second one within a visit rings at no phone."""
        self.door.until(self._nobody_is_there)
        self.door.press()

    def _nobody_is_there(self) -> bool:
        book = open_to_read(self.door.state)
        try:
            told = [read_body(opened(self.door.owner, one.body)) for one in book.entries() if one.body]
        finally:
            book.close()
        rung, over = ([one["visit"] for one in told if one["kind"] == kind] for kind in ("ring", "visit"))
        return len(rung) == self.door.log().count("somebody rings") and set(rung) <= set(over)

    def asks(self, phone: Phone, site: Site, one: Ticket, name: str) -> str:
        """By the link that tools print; the member id of who asks."""
        goes(phone, f"{site.url}#/join/{ticket.to_paste(one)}")
        phone.do(f"await page.locator('[name=me]').fill({json.dumps(name)})")
        me = self.lets_in(phone)
        phone.press("Join")
        return me

    def ticket_of_the_card(self, door: Door | None = None) -> Ticket:
        """As the tool that writes a card prints it, of the street's door or of another, before it is started first."""
        door = door or self.door
        owner, name = door.owner, door.settings.get("door", {}).get("id", "front")
        secret = enrol(door.state, owner.recipient, owner.verify_key)
        address = f"ws://127.0.0.1:{self.sockets}"
        return Ticket(owner.recipient.key, owner.verify_key, secret, door=name, broker=address)

    def another(self, name: str) -> Door:
        """A second door of the same owner, with a login of its own at the broker."""
        login = self.login_of(name)
        settings = {"door": {"id": name}, "mqtt": login}
        return Door(self.door.folder.parent / name, self.broker.port, settings, owner=self.door.owner)


@contextmanager
def a_street(folder: Path) -> Iterator[Street]:
    with ExitStack() as stack:
        sockets = free_port()
        for name in (PASSWORDS, ACL):
            (folder / name).touch(0o600)
        settings = [
            f"listener {sockets} 127.0.0.1", "protocol websockets",
            f"password_file {folder / PASSWORDS}", f"acl_file {folder / ACL}",
        ]  # fmt: skip
        broker = stack.enter_context(Mosquitto(folder, settings="\n".join(settings)))
        street = Street(Door(folder / "door", broker.port), broker, sockets, stack)
        street.door.settings["mqtt"] = street.login_of("front")
        yield street


def goes(phone: Phone, address: str) -> None:
    phone.do(f"await page.goto({json.dumps(address)})")


def types_the_words(phone: Phone, words: str) -> None:
    phone.do(f"await page.locator('[name=paper]').fill({json.dumps(words)})")
    phone.press("Open the test clip")


def code_on(phone: Phone) -> Luma:
    """The QR code on this phone's screen, its pixels' luma."""
    phone.do("await page.locator('svg.code path[d*=M]').waitFor()")
    png = base64.b64decode(
        phone.do("return (await page.locator('svg.code').screenshot({scale: 'css'})).toString('base64')")
    )
    with av.open(io.BytesIO(png)) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray")
