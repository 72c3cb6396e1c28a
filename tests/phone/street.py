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
from doorbell.ticket import Ticket
from tests.light.pictures import Luma
from tests.phone.hand import Phone, Site
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door


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

    def asks(self, phone: Phone, site: Site, one: Ticket, name: str) -> str:
        """By the link that tools print; the member id of who asks."""
        goes(phone, f"{site.url}#/join/{ticket.to_paste(one)}")
        phone.do(f"await page.locator('[name=me]').fill({json.dumps(name)})")
        me = self.lets_in(phone)
        phone.press("Join")
        return me

    def ticket_of_the_card(self) -> Ticket:
        """As the tool that writes a card prints it."""
        owner = self.door.owner
        secret = enrol(self.door.state, owner.recipient, owner.verify_key)
        address = f"ws://127.0.0.1:{self.sockets}"
        return Ticket(owner.recipient.key, owner.verify_key, secret, door="front", broker=address)


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
