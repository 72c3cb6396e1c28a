"""The recorder as the doorman sees it: the child process, and the clips it was told to begin."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable

from attrs import define, field

from doorbell import effects, events, pipe, supervision
from doorbell.child import Child
from doorbell.config import Config
from doorbell.configfile import for_recorder
from doorbell.errors import DeviceError
from doorbell.ledger import Ledger
from doorbell.problems import Problems

log = logging.getLogger("doorman")

LEAVE_S = 25.0
"""How long a child that was let go may take to finish its clip, before it is killed."""
MOST_PRESSED = 200
MOST_UNDEAD = 2
"""Children that not even SIGKILL ended; with so many of them no other is started: each holds some 100 MB."""
ROOM_S = 20.0
"""How often room is made on the card while a clip runs: a long one is larger than what was kept free for it."""


def new_id() -> str:
    """16 random bytes in lower-case base32: the name of a visit or a clip."""
    return base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()


@define
class _Begun:
    visit: str
    child: int
    """The generation of the child that records it."""
    trigger: str = ""
    poster: bytes = field(default=b"", repr=False)
    """The sealed poster, if it lies on the card."""


@define
class _Leaving:
    """A child that was told to go: killed when it has not ended by ``until``, and then only waited for."""

    child: Child
    until: float
    killed: bool = False


@define
class Recording:
    """Starts, heals and ends the child. What it finds out for the visit is put into the inbox as an event."""

    config: Config
    ledger: Ledger
    problems: Problems
    put: Callable[[object], None]
    flags: list[str] = field(factory=list)
    start: Callable[[pipe.Setup, int, Callable[[object], None], list[str]], Child] = Child

    clip: str = ""
    """The clip that runs, or empty."""
    pressed: deque[str] = field(factory=lambda: deque(maxlen=MOST_PRESSED))
    """The last kept clips that a press began, for whoever copies rings first. On the card nothing tells."""
    dropped: int = 0
    """Frames that the recorder there is, or the last one, has given up since its start."""
    _supervision: supervision.Supervision = supervision.Supervision()
    _child: Child | None = None
    _generation: int = 0
    _warmed: float = float("-inf")
    _clips: dict[str, _Begun] = field(factory=dict)
    """Clips begun and not yet known to be kept or lost."""
    _let_gone: dict[int, _Leaving] = field(factory=dict)
    _room: float = float("inf")
    _poster_of: str = ""
    """The visit whose poster went out last: the second clip of a visit brings no second one."""

    @property
    def deadline(self) -> float | None:
        leaving = [one.until for one in self._let_gone.values() if not one.killed]
        due = [supervision.deadline(self._supervision), self._room if self.clip else None, *leaving]
        return min((one for one in due if one is not None), default=None)

    @property
    def wanted(self) -> bool:
        return self._supervision.wanted

    @property
    def idle(self) -> bool:
        """No child, and no clip whose fate is open."""
        return self._child is None and not self._clips

    def settle(self, at: float) -> None:
        for one in self._let_gone.values():
            if not one.killed and at >= one.until:
                log.error("a recorder that was told to go did not within %.0f s: it is killed", LEAVE_S)
                one.child.kill()
                one.killed = True
        if self.clip and at >= self._room:
            self._room = at + ROOM_S
            self.ledger.forget_old(at)
        self._supervision, todo = supervision.settle(self._supervision, at)
        self._carry_out(todo, at)

    def want(self, wanted: bool, at: float) -> None:
        """Film, or let go of the camera (the running clip is finished first)."""
        self._supervision, todo = supervision.want(self._supervision, wanted, at)
        self._carry_out(todo, at)

    def stop(self) -> None:
        """No more children; the one there is finishes its clip and is waited for until ``idle``."""
        self._supervision = supervision.Supervision()
        if self._child is not None:
            self._child.close()

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def begin(self, record: effects.Record, at: float) -> None:
        """Record a new clip of this visit, unless the recorder is gone or about to go."""
        if self._child is None or not self.wanted:
            return
        self.clip = new_id()
        self._room = at + ROOM_S
        self._clips[self.clip] = _Begun(record.visit, self._generation, record.trigger)
        self.ledger.clip_started(self.clip, record.visit, record.trigger, at)
        self._child.send(pipe.Begin(self.clip, record.visit, record.trigger))

    def warmth(self, at: float) -> None:
        """The PIR rose: said at most once a second, however it flutters."""
        if self._child is not None and at - self._warmed >= 1.0:
            self._warmed = at
            self._child.send(pipe.Warmth(at))

    def go(self) -> None:
        """What the recorder showed so far is decided; with --fast it waits for this."""
        if self._child is not None and "--fast" in self.flags:
            self._child.send(pipe.Go())

    def send(self, message: object) -> bool:
        """Tell the recorder; False where there is none that listens."""
        return self._child is not None and self._child.send(message)

    def begin_anew(self, config: Config) -> bool:
        """Let the recorder finish its clip, and another one start with *config*; False where none films."""
        self.config = config
        if self._child is None:
            return False
        self.finish()
        self._child.close()
        return True

    def follow(self, config: Config, at: float) -> None:
        """The household changed: what is recorded from here on is sealed to who is in it now."""
        self.config = config
        running = self._clips.get(self.clip)
        if running is not None:
            self.finish()
        if self._child is not None:
            told = self._child.send(pipe.SealTo(tuple(str(one) for one in config.keys.recipients)))
            if not told:
                # It would go on sealing to who has left: a fresh one is started with the new household.
                self._child.kill()
        if running is not None:
            self.begin(effects.Record(at, running.visit, running.trigger), at)

    def finish(self) -> None:
        """The running clip ends here."""
        if self._child is not None and self.clip:
            self._child.send(pipe.End(self.clip))
        self.clip = ""

    def poster(self, made: events.PosterMade) -> str:
        """A clip's poster is there: whose visit it shows; empty for a clip that is settled already."""
        begun = self._clips.get(made.clip)
        if begun is None:
            return ""
        begun.poster = made.sealed if made.kept else b""
        first, self._poster_of = begun.visit != self._poster_of, begun.visit
        return begun.visit if first else ""

    def heard_from(self, said: events.Said) -> object | None:
        """What a child said, if it still counts: of one that was let go, only what became of its clips."""
        ours = self._child is not None and said.generation == self._generation
        settles = isinstance(said.message, events.ClipKept | events.ClipLost | events.PosterMade)
        known = getattr(said.message, "clip", "") in self._clips
        return said.message if (known if settles else ours) else None

    def hear(self, event: object, at: float) -> bool:
        """Take what the recorder said; True where it concerns this child and the visit should hear it too."""
        match event:
            case events.RecorderReady():
                self._frames(at, 0, at)
            case events.RecorderAlive():
                # As fast as it goes, a frame's time is the video's.
                self._frames(at if "--fast" in self.flags else min(event.at, at), event.dropped, at)
            case events.RecorderTrouble():
                self.problems.tell(event.part, event.why)
            case events.ClipKept():
                begun = self._clips.pop(event.clip, _Begun("", 0))
                what = {
                    "visit": begun.visit, "bytes": event.bytes, "sha256": event.sha256, "seconds": event.seconds,
                    "trigger": begun.trigger,
                    "poster_sha256": hashlib.sha256(begun.poster).hexdigest() if begun.poster else "",
                }  # fmt: skip
                self.ledger.clip_kept(event.clip, what, event.bytes + len(begun.poster), at)
                if begun.trigger == "press":
                    self.pressed.append(event.clip)
                self.problems.tell("storage", "")
                self.ledger.forget_old(at)
                log.info("a clip of %.0f s is kept, %.1f MB", event.seconds, event.bytes / 1e6)
            case events.ClipLost():
                running, self.clip = event.clip == self.clip, "" if event.clip == self.clip else self.clip
                self._clips.pop(event.clip, None)
                self.problems.tell("storage", event.why)
                self.ledger.clip_lost(event.clip, event.why, at)
                self.ledger.forget_old(at)
                return running
            case events.RecorderGone():
                return self._gone(event, at)
        return True

    def _frames(self, seen: float, dropped: int, at: float) -> None:
        self.dropped = dropped
        self._supervision, todo = supervision.frames(self._supervision, seen)
        self._carry_out(todo, at)
        self.problems.tell("camera", "")

    def _gone(self, event: events.RecorderGone, at: float) -> bool:
        if event.generation == 0:
            return True
        self._let_gone.pop(event.generation, None)
        ours = event.generation == self._generation and self._child is not None
        if ours:
            self.problems.tell("tamper", "")
            log.log(logging.WARNING if event.status else logging.INFO, "the recorder ended, status %d", event.status)
            self._child = None
            self.clip = ""
            self._supervision, todo = supervision.gone(self._supervision, at)
            self._carry_out(todo, at)
        # Whatever that child had not finished is cut to what is whole, now that nobody writes to it any more.
        for clip in [clip for clip, begun in self._clips.items() if begun.child == event.generation]:
            del self._clips[clip]
            self.ledger.clip_lost(clip, "The recorder ended before the clip did.", at)
        return ours

    def _carry_out(self, todo: Iterable[effects.Effect], at: float) -> None:
        for effect in todo:
            match effect:
                case effects.StartRecorder():
                    self._start(at)
                case effects.KillRecorder():
                    log.error("the recorder shows no new frame: it is ended and started again")
                    self._let_go(at, kill=True)
                case effects.FinishRecorder():
                    self._let_go(at, kill=False)
                case effects.CameraLost():
                    if "camera" not in self.problems:
                        self.problems.tell(
                            "camera", "The camera gives no picture: check its cable, then doorbell doctor."
                        )
                    self.ledger.write("camera_lost", {}, at)
                case effects.CameraBack():
                    self.ledger.write("camera_back", {}, at)

    def _start(self, at: float) -> None:
        self._generation += 1
        generation = self._generation
        why = ""
        if sum(one.killed for one in self._let_gone.values()) >= MOST_UNDEAD:
            why = "The camera's driver holds recorders that cannot be ended: restart the Pi."
        else:
            try:
                setup = pipe.Setup(for_recorder(self.config))
                self._child = self.start(setup, generation, self.put, self.flags)
            except DeviceError as error:
                why = str(error)
            except (OSError, RuntimeError):
                why = "The recorder cannot be started: memory or processes are short."
        if why:
            self.problems.tell("camera", why)
            self._supervision, todo = supervision.gone(self._supervision, at)
            self._carry_out(todo, at)

    def _let_go(self, at: float, *, kill: bool) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill() if kill else child.close()
            self._let_gone[self._generation] = _Leaving(child, at + LEAVE_S, killed=kill)
        self.clip = ""
        # The visit hears at once that nobody looks any more; that child's own end comes whenever it comes.
        self.put(events.RecorderGone(at, 0, 0))
