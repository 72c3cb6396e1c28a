"""What has to be done from time to time: signs of life, health, the status page, retention, what is said again.

Each duty has a name and the moment it is due; whoever calls ``settle`` late does it late, and once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping

from attrs import define, field, frozen

from doorbell import __version__, statuspage
from doorbell.config import Config
from doorbell.events import ErrandDone
from doorbell.glance import EVERY_S, HANGS_S, Glances, hangs
from doorbell.health import Systemd, strains
from doorbell.inbox import Inbox
from doorbell.ledger import Ledger
from doorbell.link.homeassistant import SAID_AGAIN_AFTER_S
from doorbell.offsite.news import trouble
from doorbell.problems import Problems
from doorbell.recording import Recording
from doorbell.voice import Voice

log = logging.getLogger("doorman")

HEALTH_S = 300.0
HOUR_S = 3600.0
MINUTE_S = 60.0
UNSET_MINUTES = 10
"""So long after its start a door on a network knows the time; one that does not tells its owner."""
REPEAT_S = 30.0
"""Motion that goes on is said again: Home Assistant takes it for over after 60 s of silence."""
CUT_OFF_S = 600.0
"""A broker that is away for so long shows by the LED; as long as the text on the boot volume waits."""
SOON_S = 0.5
"""How soon the status page shows what changed."""
CARD_S = 5.0
"""How often it is looked whether the card holds anybody up."""
STUCK_S = 600.0
"""Only after this long it is a reason to withhold the watchdog's sign of life. A card that hangs in the kernel is not
healed by a restart, and the bell works without it."""


@frozen
class Shown:
    """What the status page tells of the front: does the camera see, does anything move, rings and entries so far."""

    sees: bool
    moves: bool
    clip: str
    rings: int
    entries: int


@define
class Upkeep:
    """One door's regular duties. ``voice`` is None where there is no broker."""

    config: Config
    systemd: Systemd
    inbox: Inbox
    ledger: Ledger
    problems: Problems
    recording: Recording
    bell_only: bool
    voice: Voice | None = None
    glances: Glances | None = None
    """How the card is looked at, where there is one."""
    strained: Callable[[], Mapping[str, str]] = strains
    """What strains the machine now; looked at each minute."""
    phones: Callable[[], str] = lambda: "none"
    """How many phones are known to ring in a pocket, in words."""
    held_back: Counter[str] = field(factory=Counter)
    """What the motion core held back since the last hour, by gate."""

    _due: dict[str, float] = field(factory=dict)
    is_cut_off: bool = False
    """A broker is configured, and has been away for ten minutes."""
    _away_since: float | None = None
    _told_phones: str = ""
    _unset: int = 0
    """For how many looks in a row the clock was not set."""
    _shown: Shown = Shown(sees=False, moves=False, clip="", rings=0, entries=0)

    def start(self, at: float) -> None:
        self._due = {
            "health": at + HEALTH_S, "hour": at + HOUR_S, "minute": at + MINUTE_S, "card": at + CARD_S, "status": at,
        }  # fmt: skip
        if self.glances is not None:
            self._due["glance"] = at + EVERY_S
        if self.systemd.watchdog_s:
            self._due["watchdog"] = at

    @property
    def deadline(self) -> float:
        return min(self._due.values())

    def online(self, at: float) -> None:
        """Home Assistant listens to a device only after it has read its discovery: what is not retained and was said
        right behind it is said once more."""
        self._due["again"] = at + SAID_AGAIN_AFTER_S

    def born(self, at: float) -> None:
        """Home Assistant started: everything is told again, but not by all doors of a house at once."""
        if self.voice is not None:
            self._due.setdefault("birth", at + self.voice.birth_delay())

    def moves(self, at: float) -> None:
        self._due["again"] = at + REPEAT_S

    def settle(self, at: float, shown: Shown) -> None:
        """Do what is due at *at*."""
        self._look_at_broker(at)
        if self.problems.look():
            self._due |= {"health": at, "status": at}
        if (shown, phones := self.phones()) != (self._shown, self._told_phones):
            self._shown, self._told_phones = shown, phones
            self._due["status"] = min(self._due["status"], at + SOON_S)
        for name in [name for name, due in self._due.items() if at >= due]:
            del self._due[name]
            self._do(name, at)

    def _do(self, name: str, at: float) -> None:
        match name:
            case "watchdog":
                self._due[name] = at + self.systemd.watchdog_s / 3
                journal = self.ledger.journal
                if journal is None or at - journal.last_turn < STUCK_S:
                    self.systemd.alive()
            case "health":
                self._due[name] = at + HEALTH_S
                if self.voice is not None:
                    self.voice.health(at)
            case "status":
                self._due[name] = at + statuspage.FRESH_S
                self._tell_status()
            case "card":
                self._due[name] = at + CARD_S
                self._look_at_card(at)
            case "glance" if self.glances is not None:
                self._due[name] = at + EVERY_S
                self.glances.ask(at)
            case "birth" if self.voice is not None:
                self.voice.states(at)
                self.online(at)
            case "again" if self.voice is not None:
                self.voice.again(self._shown.moves, at)
                if self._shown.moves:
                    self.moves(at)
            case "minute":
                self._due[name] = at + MINUTE_S
                for part, why in self.strained().items():
                    self.problems.tell(part, why)
                self._look_at_clock()
                if by := self.ledger.clock.stepped():
                    self.ledger.write("clock_stepped", {"seconds": round(by, 1)}, at)
            case "hour":
                self._due[name] = at + HOUR_S
                self._each_hour(at)

    def _each_hour(self, at: float) -> None:
        if self.held_back:
            self.ledger.write("quiet", {"gates": dict(self.held_back)}, at)
            self.held_back.clear()
        self.ledger.forget_old(at)
        if self.config.offsite.remote:
            self.problems.tell("offsite", trouble(self.config.offsite.workplace, self.ledger.clock.wall(at)))

    def glanced(self, done: ErrandDone, at: float) -> None:
        """The card answered, or refused."""
        if self.glances is not None:
            self.glances.answered(done.value)
            self._look_at_card(at)

    def _look_at_broker(self, at: float) -> None:
        away = bool(self.config.mqtt.host) and (self.voice is None or not self.voice.is_online)
        since = at if self._away_since is None else self._away_since
        self._away_since = since if away else None
        self.is_cut_off = away and at - since >= CUT_OFF_S

    def _look_at_clock(self) -> None:
        self._unset = 0 if self.ledger.clock.synced() else self._unset + 1
        why = (
            "The clock was not set since the start: dates may be wrong; connect the door to its network (timedatectl)."
        )
        self.problems.tell("clock", why * (self._unset >= UNSET_MINUTES))

    def _look_at_card(self, at: float) -> None:
        journal = self.ledger.journal
        stuck = journal is not None and at - journal.last_turn > HANGS_S
        self.problems.tell("card", hangs() if stuck else self.glances.why(at) if self.glances else "")

    def _tell_status(self) -> None:
        sentences = self.problems.sentences
        self.systemd.status(("bell only: " * self.bell_only) + ("; ".join(sentences) or "all is well"))
        page = {
            "door": self.config.door.id,
            "software": __version__,
            "bell_only": self.bell_only,
            "camera": "sees" if self._shown.sees else "does not see" if self.recording.wanted else "off",
            "recording": bool(self._shown.clip),
            "broker": self.voice is not None and self.voice.is_online,
            "phones": self.phones(),
            "rings": self._shown.rings,
            "entries": self._shown.entries,
            "dropped": self.inbox.dropped,
            "frames_dropped": self.recording.dropped,
            "pressed": list(self.recording.pressed),
            "problems": sentences,
        }
        try:
            statuspage.write(self.config.door.runtime, page)
        except OSError as error:
            log.debug("the status page cannot be written (%s)", error.strerror)
