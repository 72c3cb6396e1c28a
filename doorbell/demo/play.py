"""The demo itself: starts a broker, a door and the owner's ear, and shows what they make of a visitor.

One inbox, one loop. The broker's eye, the owner's MQTT client and the signals only put values into it; everything is
decided, opened and shown here. Whatever ends it, everything that it started is ended and waited for.
"""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from attrs import define, field, frozen

from doorbell import ticket
from doorbell.demo import checks, site
from doorbell.demo.broker import Broker, Seen
from doorbell.demo.checks import Check
from doorbell.demo.daemon import Daemon
from doorbell.demo.ear import listening
from doorbell.demo.folder import DOOR, Folder, write_config
from doorbell.demo.household import Hello, Household, Line, Poster, Ring, Told
from doorbell.demo.keyboard import Keyboard
from doorbell.demo.screen import Screen
from doorbell.demo.visits import Visit, fetch
from doorbell.enrolment import enrol
from doorbell.errors import DamagedError, DeviceError, Mistake
from doorbell.owner.identity import Identity

TICK_S = 0.1
SEES_WITHIN_S = 40.0
"""A camera that shows nothing by then is a fault of this machine."""
ONCE_WITHIN_S = 150.0
"""An unattended demo that is not through by then has failed."""
MOST_SEEN = 5_000
"""Messages kept for the checks."""
MOST_VISITS = 200
"""Clips opened into the folder by one demo; the door goes on without."""
KEYS = "r rings   v sends a visitor   q quits"


@frozen
class Leave:
    """A signal asked for the end."""


class End(Enum):
    """How the loop ended: a person left, the story was through, the time was over."""

    LEFT = auto()
    THROUGH = auto()
    LATE = auto()


@define
class Demo:
    """One demo, from its start to its end."""

    folder: Folder
    identity: Identity
    once: bool
    seconds: float | None
    picture: Path | None

    _inbox: SimpleQueue[object] = field(factory=SimpleQueue, init=False)
    _began: float = field(factory=time.monotonic, init=False)
    _seen: list[Seen] = field(factory=list, init=False)
    _posters: list[Poster] = field(factory=list, init=False)
    _visits: list[Visit] = field(factory=list, init=False)
    _sent: bool = field(default=False, init=False)
    _recording: bool = field(default=False, init=False)
    _household: Household = field(init=False)
    _screen: Screen = field(init=False)
    _daemon: Daemon = field(init=False)

    def run(self) -> int:
        """The exit status: with ``once`` 0 only if every check held, else 0 unless something broke."""
        self._household = Household(self.identity, DOOR)
        with ExitStack() as ending:
            ending.enter_context(_signals(self._inbox))
            broker = Broker(self._inbox.put)
            broker.start()
            ending.callback(broker.stop)
            self._daemon = Daemon(self.folder.log)
            ending.callback(self._daemon.stop)
            write_config(self.folder, self.identity, self._daemon.runtime, broker.port)
            link = "" if self.once else self._invite(broker.sockets, ending)
            ending.enter_context(listening(broker.port, self._inbox))
            self._daemon.start(self.folder.config)
            keyboard = ending.enter_context(Keyboard())
            keys = KEYS if keyboard.here else "no keyboard here: Ctrl-C quits"
            self._screen = ending.enter_context(Screen(self._began, keys=keys))
            self._tell("an owner key was made; the door has its public half")
            self._screen.link(link)
            end = self._loop(keyboard)
            self._screen.foot("the door says goodbye")
            status = self._daemon.stop()
            self._drain()
        return self._conclude(end, status)

    def _invite(self, sockets: int, ending: ExitStack) -> str:
        """Where a browser opens the app and joins this door as its first phone, or how the app is built."""
        if not site.is_built():
            return "The phone app is not built: `make app` builds it, then the demo shows where it is."
        pages = site.Site()
        ending.callback(pages.stop)
        owner = self.identity.recipient
        secret = enrol(self.folder.path / "door", owner, self.identity.verify_key)
        broker = f"ws://localhost:{sockets}"
        one = ticket.Ticket(owner.key, self.identity.verify_key, secret, DOOR, broker)
        words = self.folder.path / "owner-words.txt"
        words.touch(0o600)
        words.write_text(f"{self.identity.words()}\n", encoding="utf-8")
        link = pages.short(f"/#/join/{ticket.to_paste(one)}")
        return f"the phone app, in a browser here: {link}   it asks for the words in {_shown(words)}"

    # ---- the loop

    def _loop(self, keyboard: Keyboard) -> End:
        """Until something ends it; raises DeviceError where the door or its camera does not work."""
        limit = self.seconds if self.seconds is not None else ONCE_WITHIN_S if self.once else None
        while True:
            try:
                event = self._inbox.get(timeout=TICK_S)
            except Empty:
                event = None
            if isinstance(event, Leave):
                return End.LEFT
            self._take(event)
            if not self._keys(keyboard.pressed()):
                return End.LEFT
            now = time.monotonic()
            self._look_after_the_door(now)
            if self.once and self._visits:
                return End.THROUGH
            if limit is not None and now - self._began > limit:
                return End.LATE

    def _look_after_the_door(self, now: float) -> None:
        self._daemon.refuse_if_dead()
        if not self._sent and self._household.verify_key and self._daemon.send_visitor():
            self._sent = True
            self._tell("a visitor comes up the path")
        elif not self._sent and now - self._began > SEES_WITHIN_S:
            raise DeviceError(
                f"The camera has shown nothing for {SEES_WITHIN_S:.0f} s. The door's last lines:\n"
                f"{self._daemon.last_lines()}\nIs this machine very busy? Try again when it is not."
            )
        doing = "recording a clip, sealed as it grows" if self._recording else "watching" if self._sent else "starting"
        problems = "; ".join(self._daemon.page().get("problems", ()))
        self._screen.foot(f"the door is {doing}{', but: ' + problems if problems else ''}")

    def _keys(self, pressed: str) -> bool:
        """Carry out single keys; False for the one that quits."""
        for key in pressed.lower():
            if key == "q":
                return False
            if key == "r":
                self._ring()
            if key == "v":
                sent = self._daemon.send_visitor()
                self._tell("a visitor comes up the path" if sent else "the camera does not see yet: try again soon")
        return True

    def _ring(self) -> None:
        try:
            self._daemon.press()
        except Mistake:
            self._tell("the door is not ready yet: try again soon")

    def _drain(self) -> None:
        """What was still on its way when the door said goodbye."""
        while True:
            try:
                self._take(self._inbox.get_nowait())
            except Empty:
                return

    # ---- what comes in

    def _take(self, event: object) -> None:
        match event:
            case Seen():
                if len(self._seen) < MOST_SEEN:
                    self._seen.append(event)
                self._screen.saw(event)
            case Told():
                try:
                    self._hear(event)
                except DamagedError as error:
                    self._tell(str(error), "bold red")

    def _hear(self, told: Told) -> None:
        if told.topic.endswith("/motion"):
            self._tell("something moves at the door" if told.payload == b"ON" else "all is calm again")
        match self._household.take(told):
            case Hello(verify_key=key):
                self._tell(f"the door's verify key, pinned: {key[:6].hex(' ')} …")
            case Ring() as ring:
                after = (ring.heard - ring.pressed) * 1000
                self._tell(f"IT RINGS {after:.0f} ms after the press; signature good", "bold")
            case Poster() as poster:
                self._posters.append(poster)
                path = self.folder.poster(len(self._posters))
                path.write_bytes(poster.jpeg)
                self._tell(f"the poster opened: {path.name}, {len(poster.jpeg)} bytes")
            case Line(entry=entry, body=body):
                fault = self._household.chain_fault()
                kind = body["kind"].replace("_", " ")
                self._tell(f"journal {entry.index}: {kind}, {'signed, chained' if fault is None else fault.sentence}")
                if body["kind"].startswith("clip"):
                    self._recording = body["kind"] == "clip_started"
                if body["kind"] == "clip" and len(self._visits) < MOST_VISITS:
                    self._open(body)

    def _open(self, entry: Mapping[str, Any]) -> None:
        number = len(self._visits) + 1
        visit = fetch(self.folder, self.identity, number, entry, self._household.rings)
        self._visits.append(visit)
        names = f"{self.folder.opened(number).name}, {visit.seconds:.1f} s, {self.folder.still(number).name}"
        self._tell(f"the clip opened: {names}", "bold")

    def _tell(self, sentence: str, style: str = "") -> None:
        self._screen.tell(sentence, time.monotonic(), style)

    # ---- the end

    def _conclude(self, end: End, status: int) -> int:
        found = self._verdict(status) if self.once and end is not End.LEFT else []
        if self.picture is not None:
            self._screen.picture(self.picture, found)
        self._screen.verdict(found)
        if end is End.LATE and self.once:
            self._screen.say(f"It took too long. The door's log: {_shown(self.folder.log)}")
        self._screen.say(f"\nEverything is in {_shown(self.folder.path)}")
        for visit in self._visits:
            self._screen.say(self._about(visit))
        good = bool(found) and all(check.good for check in found) if self.once else status == 0
        return int(not good)

    def _about(self, visit: Visit) -> str:
        folder, number = self.folder, visit.number
        opened, still, sealed = folder.opened(number), folder.still(number), folder.sealed(number)
        by_age = opened.with_name(f"visit-{number}-by-age.mp4")
        return (
            f"  {opened.name} plays anywhere, {still.name} is a picture of it, {sealed.name} is what the door keeps;\n"
            f"  without this software:  age -d -i {_shown(folder.key)} {_shown(sealed)} > {_shown(by_age)}"
        )

    def _verdict(self, status: int) -> list[Check]:
        rings = self._household.rings
        found = [checks.ring(rings), checks.poster(self._posters)]
        if self._visits:
            visit = self._visits[0]
            found += [
                checks.digest(visit.journalled_sha256, visit.found_sha256),
                checks.decodes(visit.film, visit.journalled_s),
                checks.begins_before(visit.created, rings[0].wall if rings else None, visit.film),
                checks.visitor(visit.film),
            ]
        else:
            found.append(Check("a clip was kept", good=False, figure="none"))
        found += [
            checks.nothing_but_ciphertext(self._seen),
            checks.chain(self._household),
            Check("the door left in good order", good=status == 0, figure=f"exit status {status}"),
        ]
        return found


# ---- what runs beside the loop, and what ends it


@contextmanager
def _signals(inbox: SimpleQueue[object]) -> Iterator[None]:
    """Ctrl-C, a closed terminal and SIGTERM ask for the end, once and again, and never interrupt it."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: inbox.put(Leave())) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _shown(path: Path) -> str:
    """A path as one would type it from here."""
    with suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return shlex.quote(str(path))
