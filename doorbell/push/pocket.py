"""What wakes the phones in the pockets: who wants to be woken how, the letters for a ring, and the tests that prove it.

The ring never waits for it: by the time this room is asked, the chime sounds and the broker has the alert. A letter
holds the very alert, signed, that goes to the broker; the postman encrypts it for one browser. ntfy hears "ring".
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from attrs import define, evolve, field

from doorbell import closed, durable, events
from doorbell.config import Push
from doorbell.errands import Errands
from doorbell.link.messages import rfc3339
from doorbell.problems import Problems
from doorbell.push import book
from doorbell.push.book import Book, Phone, Subscription
from doorbell.push.letters import Done, Letter, Ready, Setup, Shout
from doorbell.push.office import NEVER, Office
from doorbell.roster import Roster

log = logging.getLogger("doorman")

NAME: Final = "push.json"
KEPT: Final = "push kept"
CONFIRM_S: Final = 600.0
"""How long after a test ring a person may say that it was heard."""
MOST_TESTS: Final = 16
MOST_AWAITED: Final = 128
FIRST_CHECK_S: Final = 3600.0
CHECK_S: Final = 24 * 3600.0
"""Subscriptions rot silently, so each is asked after once a day. On an iPhone that could not be done without a sign on
the screen: there the app's own look at its subscription has to do."""

Text = Callable[[Literal["ring", "test", "check"], str, float], str]


class Refusal(Exception):  # noqa: N818  a refusal is no error
    """``word`` is one of link.commands.REASONS."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@define
class _Test:
    member: str
    visit: str
    due: float
    everywhere: bool
    rung: bool = False


@define
class Pocket:
    """``text(kind, visit, at)`` gives a signed alert as JSON; ``ring`` rings a test on the broker."""

    state: Path
    config: Push
    errands: Errands
    problems: Problems
    wall: Callable[[float], float]
    text: Text
    ring_test: Callable[[str, bool, float], None]
    new_id: Callable[[], str]
    clear_events: bool = field(default=True, kw_only=True)
    """Whether Home Assistant hears rings at all."""
    office: Office = field(init=False)

    _book: Book | None = None
    _tests: list[_Test] = field(factory=list)
    _awaited: dict[str, str] = field(factory=dict)
    """Letters on their way, by token, and whose they are."""
    _count: int = 0
    _check: float = NEVER
    _troubles: dict[str, str] = field(factory=dict)
    _put: Callable[[object], None] = field(kw_only=True)

    def __attrs_post_init__(self) -> None:
        self.office = Office(self._put, self._hear_postman, lambda why: self._tell("postman", why))

    def start(self, roster: Roster | None, at: float) -> None:
        """Take up what the card keeps. A file that cannot be read is set aside in memory only: phones have to choose
        anew, and the owner is told."""
        try:
            found = durable.read(self.state / NAME, book.MOST_FILE)
            self._book = None if found is None else book.load(found)
        except (OSError, ValueError) as error:
            path = self.state / NAME
            self._tell("book", f"How phones are woken cannot be read ({path}, {error}): choose again on each phone.")
        if self._book is not None and roster is not None:
            gone = [member for member in self._book.phones if roster.find(member) is None]
            self._book = self._book.without(*gone)
        self._check = at + FIRST_CHECK_S
        self._tell_of_ended()
        self.follow(self.config, at)

    @property
    def deadline(self) -> float:
        return min([self.office.deadline, self._check, *(one.due for one in self._tests if not one.rung)])

    def take(self, event: object, at: float) -> None:
        """Take one event, or None at a deadline."""
        self.office.hear(event, at)
        if isinstance(event, events.ErrandDone) and event.token == KEPT:
            self._tell("card", "How phones are woken cannot be kept: the card refuses." * bool(event.why))
        for one in [one for one in self._tests if at >= one.due + (CONFIRM_S if one.rung else 0)]:
            if one.rung:
                self._tests.remove(one)
            else:
                one.rung = True
                self._ring_test(one, at)
        if at >= self._check:
            self._check = at + CHECK_S
            self._ask_after(at)
        self.office.tick(at)

    def follow(self, config: Push, at: float) -> None:
        """The settings in force."""
        self.config = config
        if (config.web or config.ntfy) and self._book is None:
            self._keep_soon(book.begin(os.urandom(48)))
        self._staff(at)

    # ---- the ring

    def ring(self, visit: str, pressed: float, at: float) -> None:
        """Somebody pressed: tell every phone that wants to be told by the door."""
        if self._book is None:
            return
        self._write(list(self._book.phones), "ring", visit, pressed, at)
        if self.config.ntfy:
            self.office.send(Shout(self._token("", at), at))

    def _write(
        self, members: list[str], kind: Literal["ring", "test", "check"], visit: str, happened: float, at: float
    ) -> None:
        wanted = [(member, one) for member in members if (one := self._subscription(member)) is not None]
        if not wanted or not self.config.web:
            return
        text = self.text(kind, visit, happened)
        for member, one in wanted:
            self.office.send(Letter(self._token(member, at), at, one.endpoint, one.p256dh, one.auth, text))

    def _subscription(self, member: str) -> Subscription | None:
        phone = self._book.phones.get(member) if self._book else None
        return phone.subscription if phone is not None and phone.way == "web" and not phone.ended else None

    def _token(self, member: str, _: float) -> str:
        self._count += 1
        token = str(self._count)
        self._awaited[token] = member
        while len(self._awaited) > MOST_AWAITED:
            del self._awaited[next(iter(self._awaited))]
        return token

    # ---- tests

    def test(self, member: str, after: int, at: float, *, everywhere: bool) -> str:
        """Ring as a test, *after* so many seconds, in which the phone can be locked; the visit it will name."""
        one = _Test(member, self.new_id(), at + after, everywhere)
        self._tests = [*self._tests, one][-MOST_TESTS:]
        self.take(None, at)
        return one.visit

    def _ring_test(self, one: _Test, at: float) -> None:
        self.ring_test(one.visit, one.everywhere, at)
        self._write(
            list(self._book.phones) if self._book and one.everywhere else [one.member], "test", one.visit, at, at
        )
        phone = self._book.phones.get(one.member) if self._book else None
        if self.config.ntfy and (one.everywhere or (phone is not None and phone.way == "ntfy")):
            self.office.send(Shout(self._token("", at), at))

    def _ask_after(self, at: float) -> None:
        phones = [
            member for member in (self._book.phones if self._book else ())
            if (one := self._subscription(member)) is not None and ".push.apple.com" not in one.endpoint
        ]  # fmt: skip
        self._write(phones, "check", self.new_id(), at, at)

    # ---- what a phone asks

    def shown(self, member: str) -> Mapping[str, Any]:
        """The result of the command: what is offered, and what this phone chose."""
        phone = self._book.phones.get(member) if self._book else None
        public = self._book.public if self._book and self.config.web else b""
        ntfy = {"server": self.config.ntfy, "topic": self._book.topic} if self._book and self.config.ntfy else None
        return {
            "web": self.config.web,
            "key": closed.to_base64(public) if public else None,
            "ntfy": ntfy,
            "homeassistant": self.clear_events,
            "way": phone.way if phone else None,
            "confirmed": phone.confirmed or None if phone else None,
            "ended": phone is not None and phone.ended,
        }

    def changed(self, member: str, args: Mapping[str, Any], at: float) -> Book:
        """The book as *member* wants it; raises Refusal."""
        now = self._book or book.begin(os.urandom(48))
        if args["do"] == "confirm":
            return self._confirmed(now, member, args, at)
        way, subscription = args.get("way"), args.get("subscription")
        if args["do"] != "choose" or way is None or (way == "web") != (subscription is not None) or "visit" in args:
            raise Refusal("args")
        offered = {"web": self.config.web, "ntfy": bool(self.config.ntfy), "homeassistant": self.clear_events}
        if not offered.get(way, True):
            raise Refusal("off")
        if subscription is not None:
            try:
                book.place(subscription.endpoint, self.config.own_host)
            except ValueError:
                raise Refusal("host") from None
        before = now.phones.get(member)
        if before is not None and (before.way, before.subscription, before.ended) == (way, subscription, False):
            return now
        try:
            return now.with_phone(member, Phone(way, subscription))
        except ValueError:
            raise Refusal("busy") from None

    def _confirmed(self, now: Book, member: str, args: Mapping[str, Any], at: float) -> Book:
        phone, visit = now.phones.get(member), args.get("visit")
        if phone is None or visit is None or "way" in args or "subscription" in args:
            raise Refusal("args")
        if not any((one.member, one.visit, one.rung) == (member, visit, True) for one in self._tests):
            raise Refusal("gone")
        return now.with_phone(member, evolve(phone, confirmed=rfc3339(self.wall(at))))

    def keep(self, new: Book) -> None:
        """Put *new* on the card, durably, before it is adopted. Raises OSError."""
        durable.replace(self.state / NAME, book.dump(new))

    def adopt(self, new: Book, member: str, at: float) -> None:
        """*new* was kept: what it says of *member* counts from here on. Of the others it may be behind: somebody may
        have left, or a push service let go of them, while the card wrote."""
        self._book = new if self._book is None else self._book.with_phone(member, new.phones[member])
        if self._book != new:
            self._keep_soon(self._book)
        self._tell_of_ended()
        self._staff(at)

    def forget(self, members: list[str], at: float) -> None:
        """They left the household."""
        if self._book is not None and set(members) & set(self._book.phones):
            self._keep_soon(self._book.without(*members))
            self._tests = [one for one in self._tests if one.member not in members]
            self._tell_of_ended()
            self._staff(at)

    # ---- how it is

    @property
    def summary(self) -> str:
        """For the status page and ``doctor``: counts alone."""
        phones = list(self._book.phones.values()) if self._book else []
        silent = sum(one.way == "none" for one in phones)
        sure = sum(one.is_sure for one in phones if one.way != "none")
        unsure = len(phones) - silent - sure
        parts = [f"{sure} confirmed", f"{unsure} not confirmed", f"{silent} chose none"]
        return ", ".join(part for part, count in zip(parts, (sure, unsure, silent), strict=True) if count) or "none"

    # ---- the postman

    def _staff(self, at: float) -> None:
        now, config = self._book, self.config
        web = now is not None and config.web and (not now.public or any(map(self._subscription, now.phones)))
        if now is None or not (web or config.ntfy):
            self.office.want(None, at)
            return
        self.office.want(Setup(now.key, config.own_host, config.ntfy, now.topic, config.ntfy_token, config.ca_file), at)

    def _hear_postman(self, said: Ready | Done, at: float) -> None:
        if isinstance(said, Ready):
            if self._book is not None and self._book.public != said.public:
                self._keep_soon(evolve(self._book, public=said.public))
            return
        member = self._awaited.pop(said.token, None)
        if member is None:
            return
        if said.status in (404, 410) and member:
            self._ended(member, at)
        elif said.why:
            self._tell(f"of {member}", _sentence(said, ntfy=not member))
        else:
            self._tell(f"of {member}", "")

    def _ended(self, member: str, at: float) -> None:
        phone = self._book.phones.get(member) if self._book else None
        if self._book is not None and phone is not None:
            log.warning("a push service has let go of a phone's subscription")
            self._tell(f"of {member}", "")
            self._keep_soon(self._book.with_phone(member, Phone("web", ended=True)))
            self._tell_of_ended()
            self._staff(at)

    def _tell_of_ended(self) -> None:
        ended = sum(one.ended for one in self._book.phones.values()) if self._book else 0
        why = f"The push services have let go of {ended} phone(s): open the app there, More, How this phone rings."
        self._tell("ended", why * bool(ended))

    def _keep_soon(self, new: Book) -> None:
        """What the door itself has to remember: in force at once, on the card as soon as it takes it."""
        self._book = new
        if not self.errands.send(KEPT, lambda: self.keep(new)):
            self._tell("card", "How phones are woken cannot be kept: the card refuses.")

    def _tell(self, what: str, why: str) -> None:
        self._troubles.pop(what, None)
        if why:
            self._troubles[what] = why
        self.problems.tell("push", " ".join(dict.fromkeys(self._troubles.values())))


def _sentence(said: Done, *, ntfy: bool) -> str:
    who = "The ntfy server" if ntfy else "A push service"
    match said.why:
        case "refused" if said.status in (401, 403) and not ntfy:
            return f"{who} does not accept the door's proof ({said.status}): check the door's clock."
        case "refused" if said.status in (401, 403):
            return f"{who} refuses the door ({said.status}): check push.ntfy_token."
        case "refused":
            return f"{who} refuses what the door says ({said.status or 'no such address'}): choose again in the app."
        case "tls":
            return f"{who} cannot prove who it is: check the door's clock, and push.ca_file for a server of your own."
        case _:
            return f"{who} cannot be reached: check the door's way to the internet."
