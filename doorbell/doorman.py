"""The doorman: the main process. It owns every decision and no picture; the ring is its first and last duty.

    pins, pipe, paho, journal, signals -- put one value --> inbox --> the pure core --> effects --> the world

One loop, one place that waits, one owner for each piece of state. What may fail is held at arm's length: without
journal, voice or recording this same loop still turns a press into a chime, which is all that bell-only mode is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Protocol

from attrs import define, evolve

from doorbell import __version__, effects, events, overlay, schedule, switch, visit
from doorbell.answers import Answers
from doorbell.bell import Bell
from doorbell.clips.recipient import Recipient
from doorbell.config import Config, Keys
from doorbell.glance import TOKEN as GLANCE
from doorbell.health import Systemd
from doorbell.inbox import Inbox
from doorbell.leaving import Leaving
from doorbell.ledger import Ledger
from doorbell.light.lookout import Lookout
from doorbell.link.homeassistant import BIRTH
from doorbell.link.messages import Message
from doorbell.link.topics import topic
from doorbell.problems import Problems
from doorbell.push.pocket import Pocket
from doorbell.recording import Recording, new_id
from doorbell.senses.pins import LED_BLINK, LED_DARK, LED_LOOKS, LED_STEADY, LED_TROUBLE
from doorbell.switch import Switch
from doorbell.upkeep import Shown, Upkeep
from doorbell.voice import Voice

log = logging.getLogger("doorman")

SLOW_S = 0.25
LONGEST_SLEEP_S = 60.0
LONGEST_BUSY_S = 1.0


class Participant(Protocol):
    """A room that hears everything that happens and takes what is its own, once the ring is on its way."""

    @property
    def deadline(self) -> float | None:
        """When it wants to be asked, though nothing happened."""

    def take(self, event: object, at: float) -> None:
        """Take one event, or None at a deadline."""


@define
class Doorman:
    """The main loop around the pure core. Everything it talks to is given to it."""

    config: Config
    inbox: Inbox
    bell: Bell
    systemd: Systemd
    ledger: Ledger
    problems: Problems
    recording: Recording
    upkeep: Upkeep
    switch: Switch
    leaving: Leaving
    voice: Voice | None = None
    answers: Answers | None = None
    lookout: Lookout | None = None
    pocket: Pocket | None = None
    bell_only: bool = False
    fast: bool = False
    """The video runs as fast as it goes: visits are measured in its time, which stands still between two looks."""

    again: bool = False
    """It ends only to begin afresh, with what it has learnt."""
    _video_at: float = 0.0
    _visit: visit.Visit = visit.Visit()
    _ready_to_keep: bool = False
    """The journal is open and the clips of the last time are in order: only then may a new one begin."""
    _busy_since: float = float("inf")
    _rings: int = 0
    _entries: int = 0

    # ---- the loop

    def run(self) -> int:
        """Until told to stop; the exit status: 1 where a thread died and systemd should start the daemon afresh."""
        self._start(time.monotonic())
        while not self._has_left(time.monotonic()):
            event = self.inbox.get(min(self._deadline() - time.monotonic(), LONGEST_SLEEP_S))
            began = time.monotonic()
            self.handle(event, began)
            if (took := time.monotonic() - began) > SLOW_S:
                log.warning("handling %s took %.1f s", type(event).__name__ if event else "a deadline", took)
        return self._end()

    def _start(self, at: float) -> None:
        self.upkeep.start(at)
        self.bell.start(at)
        self.ledger.write("started", {"software": __version__}, at)
        self.ledger.forget_old(at)
        if self.voice is not None:
            self.voice.start(at)
        self.film(at)
        self.show_led()
        self.systemd.ready()
        log.info("at the door %s%s, software %s", self.config.door.id, ", bell only" * self.bell_only, __version__)

    def _deadline(self) -> float:
        due = [
            None if self.fast else visit.deadline(self._visit, self._limits),
            self.recording.deadline,
            self.voice.deadline if self.voice else None,
            self.bell.deadline,
            self.leaving.deadline,
            self.upkeep.deadline,
            *(one.deadline for one in self._participants),
        ]
        return min(one for one in due if one is not None)

    @property
    def _participants(self) -> list[Participant]:
        """In the order in which they hear of an event."""
        everybody: tuple[Participant | None, ...] = (self.answers, self.lookout, self.pocket)
        return [one for one in everybody if one is not None]

    def handle(self, event: object, at: float) -> None:
        """Take one event, or None at a deadline, and do what is due at *at*."""
        if isinstance(event, events.Said):
            event = self.recording.heard_from(event)
        # What waits in the inbox may have happened before *at*: an edge that ends a spike, an acknowledgement, a
        # frame. So deadlines are looked at once it is empty, or after a second of never being so.
        empty = self.inbox.is_empty
        self._busy_since = float("inf") if empty else min(self._busy_since, at)
        punctual = empty or at - self._busy_since > LONGEST_BUSY_S
        self._press(event, at, punctual=punctual)
        self._hear(event, at)
        held = self.bell.held(at) if punctual else None
        for one in self._participants:
            if held is not None:
                one.take(held, at)
            one.take(event, at)
        if punctual:
            self._step(None, at)
            self.recording.settle(at)
            if self.voice is not None:
                self.voice.tick(at)
        if (missed := self.bell.settle(at)) is not None:
            self._step(missed, at)
        front = self._visit
        self.upkeep.settle(at, Shown(front.eyes, front.told, self.recording.clip, self._rings, self._entries))
        self.show_led()

    def _press(self, event: object, at: float, *, punctual: bool) -> None:
        pressed = self.bell.feel(event, at, punctual=punctual)
        if pressed is not None:
            self._step(pressed, at)

    def _hear(self, event: object, at: float) -> None:
        match event:
            case events.ButtonEdge() if event.down and self.voice is not None:
                self.voice.expect(at)
            case events.LiveMade() | events.StillMade() | events.TicketShown():
                pass
            case events.PostmanSaid() | events.PostmanGone():
                pass
            case None | events.ButtonEdge() | events.JournalPage() | events.NoSuchClip():
                pass
            case events.ErrandDone():
                if event.token == switch.KEPT:
                    self.problems.tell("storage", "The switch of the recording cannot be kept." * bool(event.why))
                elif event.token == GLANCE:
                    self.upkeep.glanced(event, at)
            case events.Pir():
                if event.active:
                    self.recording.warmth(event.at)
                self._step(event, at)
            case events.Kept() | events.DueEntries() | events.JournalTrouble() | events.JournalReady():
                self._from_journal(event, at)
            case events.Online() | events.Offline() | events.Acked() | events.Refused() if self.voice is not None:
                self.voice.hear(event, at)
                if isinstance(event, events.Online):
                    self.upkeep.online(at)
            case events.Heard():
                self._heard(event, at)
            case events.Stop():
                self._stop(at)
            case events.Died():
                log.critical("the thread %s died (%s): ending, to be started afresh", event.thread, event.error)
                self.leaving.failed = True
                self._stop(at)
            case _:
                self._from_recorder(event, at)

    def _from_recorder(self, event: object, at: float) -> None:
        if self.fast and isinstance(event, events.Saw | events.RecorderAlive):
            self._video_at = event.at
        match event:
            case events.Saw():
                self._step(event, at)
            case events.PosterMade():
                if (whose := self.recording.poster(event)) and self.voice is not None:
                    self.voice.poster(whose, event.sealed, at)
            case events.CameraEnded():
                log.info("the video is at its end")
                self._stop(at)
            case events.HeldBack():
                self.upkeep.held_back.update(event.gates)
            case events.Tampered():
                self.problems.tell("tamper", "The lens is covered, or the camera was turned away." * event.active)
                self.ledger.write("tamper", {"active": event.active}, at)
            case _ if self.recording.hear(event, at):
                if isinstance(event, events.RecorderGone) and self.answers is not None:
                    self.answers.viewing.end_all(at)
                self._step(event, at)
                if self.fast and isinstance(event, events.RecorderAlive):
                    self.recording.go()

    # ---- the pure core and its effects

    @property
    def _limits(self) -> visit.Limits:
        chosen, motion = self.config.visit, self.config.motion
        record_on = schedule.record_on(motion.record_on, motion.schedule, self.ledger.clock.of_the_week)
        return visit.Limits(chosen.linger_s, chosen.longest_s, record_on)

    def _step(self, event: object, at: float) -> None:
        when = self._video_at or at
        self._visit, todo = visit.step(self._visit, event, when, self._limits, new_id())
        self._carry_out(todo, at)

    def _carry_out(self, todo: Iterable[effects.Effect], at: float) -> None:
        for effect in todo:
            match effect:
                case effects.Ring():
                    self._ring(effect, at)
                case effects.Motion() if self.voice is not None:
                    self.voice.motion(effect.active, at)
                    if effect.active:
                        self.upkeep.moves(at)
                case effects.Record() if self.lookout is None or not self.lookout.is_looking:
                    self.recording.begin(effect, at)
                case effects.Finish():
                    self.recording.finish()
                case effects.VisitEnded():
                    what = {"visit": effect.visit, "trigger": effect.trigger, "presses": effect.presses}
                    self.ledger.write("visit", {**what, "seconds": round(effect.ended - effect.began, 3)}, at)

    def _ring(self, ring: effects.Ring, at: float) -> None:
        # In this order: the chime in the hall, then whoever is told over the network, then the card.
        self.bell.ring(at)
        self._rings += 1
        pressed = min(ring.at, at)  # a fast video's time runs ahead of the world's
        if self.voice is not None:
            self.voice.ring(ring.visit, pressed, at)
        if self.pocket is not None:
            self.pocket.ring(ring.visit, pressed, at)
        self.ledger.write("ring", {"visit": ring.visit}, pressed)
        log.info("somebody rings")

    # ---- what it hears from the card and the broker

    def _from_journal(self, event: object, at: float) -> None:
        match event:
            case events.Kept():
                self._entries = max(self._entries, event.index)
                self.leaving.kept(event.token)
                if self.voice is not None:
                    self.voice.kept(at)
            case events.DueEntries() if self.voice is not None:
                self.voice.due(event.question, event.entries, at)
            case events.JournalTrouble():
                self.problems.tell("journal", event.why)
            case events.JournalReady():
                for sentence in event.said:
                    log.warning("%s", sentence)
                self._ready_to_keep = True
                self.ledger.clock.resume(event.newest_day)
                if self.voice is not None:
                    self.voice.journal_opened(event.journal_id, at)
                self.film(at)

    def _heard(self, event: events.Heard, at: float) -> None:
        if event.topic == topic("homeassistant", self.config.door.id):
            if event.payload == BIRTH:
                self.upkeep.born(at)
        elif (
            event.topic == topic("recording_set", self.config.door.id)
            and self.config.homeassistant.may_switch_recording
            and event.payload in (b"ON", b"OFF")
            and not event.retained
        ):
            self.switch_recording(event.payload == b"ON", "homeassistant", at)

    # ---- filming, or not

    def film(self, at: float) -> None:
        """Start or end the recorder, by what is configured and what a person switched."""
        config = self.config
        if config.recording_refused:
            self.problems.tell("mask", f"Nothing is recorded: {config.recording_refused}")
        elif not config.keys.recipients and not self.bell_only:
            self.problems.tell("recipient", "Nothing is recorded: hold the button 5 s and show the app's QR.")
        able = config.camera.source != "none" and not config.recording_refused
        looks = self.lookout is not None and self.lookout.is_looking
        self.recording.want(able and (looks or (self._ready_to_keep and self.switch.is_on)), at)

    def is_recording_on(self) -> bool:
        return self.switch.is_on

    def switch_recording(self, on: bool, by: str, at: float) -> bool:
        """Somebody switches it; False where the card already has too much to do. What changes nothing is not told."""
        if on == self.switch.is_on:
            return True
        if not self.switch.turn(on):
            return False
        self.ledger.write("settings", {"recording": on, "by": by}, at)
        self.film(at)
        if self.voice is not None:
            self.voice.states(at)
        return True

    # ---- what the household asks for (orders.Door)

    def say(self, message: Message, at: float) -> bool:
        return self.voice is not None and self.voice.say(message, at)

    def test_ring(self, visit: str, everywhere: bool, at: float) -> None:
        if self.voice is not None:
            self.voice.test_ring(visit, at, everywhere=everywhere)

    def follow(self, recipients: tuple[Recipient, ...], at: float) -> None:
        """Whatever is sealed from now on is sealed to *recipients*."""
        self.config = evolve(self.config, keys=Keys(recipients))
        if self.voice is not None:
            self.voice.config = self.config
        self.recording.follow(self.config, at)

    def apply(self, after: Config, at: float) -> bool:
        """The household changed its settings; whether a recorder has to begin anew, and will say when it has."""
        renewed = overlay.needs_recorder(self.config, after)
        self.config = self.recording.config = after
        if self.voice is not None:
            self.voice.config = after
        if self.pocket is not None:
            self.pocket.follow(after.push, at)
        self.ledger.days = after.storage.days
        self.ledger.forget_old(at)
        if not after.recording_refused:
            self.problems.tell("mask", "")
        renewed = renewed and self.recording.begin_anew(after)
        self.film(at)
        return renewed

    def show_led(self) -> None:
        """Steady while a clip is recorded; blinking while anybody watches, whatever else happens. Dark: all is well."""
        watched = self.answers is not None and self.answers.viewing.is_watched
        looks = self.lookout is not None and self.lookout.is_looking
        quiet = LED_TROUBLE if self.upkeep.is_cut_off else LED_DARK
        recorded = LED_STEADY if self.recording.clip else quiet
        shown = LED_BLINK if watched else LED_LOOKS if looks else recorded
        self.bell.show(LED_TROUBLE if self.bell_only else shown)

    # ---- the end

    def begin_again(self, at: float) -> None:
        """Leave in good order; whoever runs this begins anew (daemon.py)."""
        self.again = True
        self._stop(at)

    def _stop(self, at: float) -> None:
        if self.leaving.has_begun:
            return
        if not self.again:
            self.systemd.stopping()
        self.leaving.begin(at)
        self._visit, todo = visit.goodbye(self._visit, self._video_at or at)
        self._carry_out(todo, at)
        self.recording.stop()

    def _has_left(self, at: float) -> bool:
        return self.leaving.is_over(at, drained=self.voice is None or self.voice.delivery.is_drained)

    def _end(self) -> int:
        self.bell.hush()
        self.leaving.end()
        if self.voice is not None:
            self.voice.close()
        if self.pocket is not None:
            self.pocket.office.close()
        self.bell.close()
        log.info("goodbye")
        return int(self.leaving.failed)
