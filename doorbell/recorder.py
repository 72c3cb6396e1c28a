"""The recorder: the child process that owns the camera, every frame, and the writing of clips.

It has no network socket; it talks to the doorman over one Unix socket (its standard input) and ends when that closes,
finishing the clip that runs. It never waits for the doorman: what does not fit the socket waits here, bounded, and
what can be spared is dropped and counted.

    camera threads -- packets, luma, stills --> inbox --> pre-roll, motion --> mux -> seal --> card thread
    doorman ---------------- Begin, End -------^                      facts, posters ---------> doorman
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from attrs import evolve

from doorbell import pipe
from doorbell.clip import Clip, sealed_look, sealed_poster
from doorbell.clips.preroll import MOST_BYTES, Preroll
from doorbell.clips.recipient import Recipient
from doorbell.clips.store import lock_recorder, trouble
from doorbell.clips.writer import CardWriter
from doorbell.config import Config, Keys
from doorbell.errors import DeviceError, DoorbellError
from doorbell.events import (
    CameraEnded,
    Died,
    HeldBack,
    LiveMade,
    RecorderAlive,
    RecorderReady,
    RecorderTrouble,
    Saw,
    StillMade,
    Tampered,
)
from doorbell.health import died, forbid_core_dumps, spare_memory, start_log
from doorbell.intake import Intake
from doorbell.parent import Closed, Parent
from doorbell.vision.motion import Motion
from doorbell.vision.zones import watch

if TYPE_CHECKING:
    from pathlib import Path

    from doorbell.light.looking import Looking
    from doorbell.screening import Screening
    from doorbell.senses.camera import Camera, Luma, Packet, Still

log = logging.getLogger("recorder")

ALIVE_S = 1.0
HELD_BACK_S = 600.0
MOST_LOOKS = 8
LAST_SYNC_S = 20.0
LOCK_S = 10.0
"""How long a recorder waits for the one before it to finish its clip."""
LOOK_S = 0.05
STEP_S = 0.1
LONGEST_STEP_S = 10.0


class Recorder:
    """The child's loop: everything that happens to it is one value in one inbox."""

    def __init__(
        self,
        config: Config,
        doorman: Parent,
        inbox: SimpleQueue[object],
        camera: Camera,
        *,
        once: bool = False,
        fast: bool = False,
    ) -> None:
        self._config, self._doorman, self._inbox, self._camera = config, doorman, inbox, camera
        self._once, self._fast = once, fast
        self._preroll = Preroll(config.visit.preroll_s, MOST_BYTES)
        self._motion: Motion | None = None
        self._clip: Clip | None = None
        self._poster_of: pipe.Begin | None = None
        self._looks: deque[pipe.Look] = deque(maxlen=MOST_LOOKS)
        self._screenings: dict[str, Screening] = {}
        self._looking: Looking | None = None
        self._moving = self._covered = False
        self._frames = 0
        self._looked = self._coded = self._told = 0.0
        """When the last picture was looked at, when one was coded, and the older of both as it was told."""
        self._alive_at = self._held_at = 0.0
        self._ready = False
        self._held: deque[object] = deque()
        self._next_step = 0.0

    def run(self) -> None:
        """Until the doorman's end closes or the camera ended for good. Raises DeviceError for a camera that fails."""
        self._card = CardWriter(self._config.door.state / "clips", self._inbox.put)
        self._intake = Intake(self._inbox, wait=self._fast)
        try:
            self._camera.start(self._intake)
            self._loop()
        finally:
            self._camera.stop()
            self._seek(on=False)
            self._end_clip()
            if not self._card.stop(LAST_SYNC_S):
                log.error("the card did not take the last bytes within %.0f s: the clip is cut", LAST_SYNC_S)
            self._drain()

    def _loop(self) -> None:
        while True:
            event = self._held.popleft() if self._held else self._next()
            if isinstance(event, Closed):
                return
            self._take(event)
            self._every_second(time.monotonic())
            self._doorman.flush()

    def _next(self) -> object | None:
        try:
            return self._inbox.get(timeout=ALIVE_S)
        except Empty:
            return None

    def _keep_step(self, at: float) -> None:
        """As fast as it goes, but never ahead of the doorman: it decides about each tenth of a second of the video
        before the next one is looked at, so that a clip begins and ends where it would have in real time."""
        self._next_step = at + STEP_S
        self._doorman.tell(RecorderAlive(at, self._frames, 0))
        ends = time.monotonic() + LONGEST_STEP_S
        while time.monotonic() < ends:
            match event := self._next():
                case pipe.Go():
                    return
                case Closed():
                    self._held.appendleft(event)
                    return
                case pipe.Begin() | pipe.End() | pipe.Warmth() | pipe.SealTo():
                    self._take(event)
                case None:
                    self._doorman.flush()
                case _:
                    self._held.append(event)  # bounded by the intake: 300 packets and 3 lumas

    def _drain(self) -> None:
        """After the card has ended: what it still said goes up, if anybody listens."""
        while True:
            try:
                event = self._inbox.get_nowait()
            except Empty:
                return
            if isinstance(event, pipe.UP):
                self._doorman.tell(event)

    def _take(self, event: object) -> None:
        from doorbell.senses.camera import Luma, Packet, Still  # noqa: PLC0415

        match event:
            case Packet():
                self._intake.done_packet()
                self._packet(event)
            case Luma():
                try:
                    self._luma(event)
                finally:
                    self._intake.done_luma(event)
            case Still():
                self._still(event)
            case CameraEnded() if not self._once:
                raise DeviceError("The camera ended by itself: look at its cable; it is tried again.")
            case DeviceError():
                raise event
            case Died():
                raise RuntimeError(f"the thread {event.thread} died of {event.error}")
            case None:
                pass
            case _ if isinstance(event, pipe.DOWN):
                self._obey(event)
            case _:
                self._doorman.tell(event)

    def _obey(self, event: object) -> None:
        """What the doorman says."""
        match event:
            case pipe.Begin():
                self._begin(event)
            case pipe.End():
                self._end_clip(event.clip)
            case pipe.Warmth():
                if self._motion is not None:
                    self._motion.agree(event.at)
            case pipe.Watch():
                self._watch(event)
            case pipe.Unwatch():
                if (one := self._screenings.pop(event.session, None)) is not None:
                    one.end()
            case pipe.Look():
                self._looks.append(event)
                self._camera.want_still()
            case pipe.Seek():
                self._seek(on=event.on)
            case pipe.SealTo():
                keys = Keys(tuple(Recipient.parse(one) for one in event.recipients))
                self._config = evolve(self._config, keys=keys)

    def _seek(self, *, on: bool) -> None:
        from doorbell.light.looking import Looking  # noqa: PLC0415  a door pairs by light once in its life

        if self._looking is not None:
            self._looking.end()
        self._looking = Looking(self._inbox.put) if on else None

    def _packet(self, packet: Packet) -> None:
        self._coded = time.monotonic()
        if self._clip is not None:
            self._clip.add(packet)
            if self._clip.overdue(packet.at):
                log.error("nobody ended a clip that lasts longer than any visit: it ends here, and is kept")
                self._end_clip()
        for one in self._screenings.values():
            one.add(packet)
        self._preroll.add(packet)

    def _luma(self, luma: Luma) -> None:
        self._frames += 1
        self._looked = time.monotonic()
        if self._motion is None:
            height, width = luma.plane.shape
            mask = watch(self._config.motion.zones, width, height) if self._config.motion.zones else None
            self._motion = Motion(width, height, 10, mask, self._config.motion.sensitivity)
        if self._looking is not None and self._looking.is_due(luma.at):
            self._camera.want_still()
        seen = self._motion.feed(luma.plane, luma.at)
        if not self._ready:
            self._ready = True
            self._doorman.tell(RecorderReady(luma.at))
        if seen.active != self._moving:
            self._moving = seen.active
            self._doorman.tell(Saw(luma.at, seen.active, seen.began, seen.box, seen.strength))
        if seen.tamper != self._covered:
            self._covered = seen.tamper
            self._doorman.tell(Tampered(luma.at, seen.tamper))
        if self._fast and luma.at >= self._next_step:
            self._keep_step(luma.at)

    def _still(self, still: Still) -> None:
        if self._looking is not None:
            self._looking.show(still.planes[0])
        order, self._poster_of = self._poster_of, None
        if order is not None:
            self._card.poster(order.clip, sealed_poster(still, order, self._config))
        while self._looks:
            look = self._looks.popleft()
            self._doorman.tell(StillMade(look.token, sealed_look(still, look, self._config)))

    def _watch(self, order: pipe.Watch) -> None:
        from doorbell.screening import Screening  # noqa: PLC0415

        one = Screening(
            order.secret, bytes.fromhex(order.session),
            lambda sealed: self._doorman.offer(LiveMade(order.session, sealed)),
        )  # fmt: skip
        self._screenings[order.session] = one
        one.begin(self._preroll.give())

    def _begin(self, order: pipe.Begin) -> None:
        self._end_clip()
        self._clip = Clip(order, self._config, self._card)
        for packet in self._preroll.give():
            self._clip.add(packet)
        self._poster_of = order
        self._camera.want_still()

    def _end_clip(self, clip: str = "") -> None:
        if self._clip is None or clip not in ("", self._clip.order.clip):
            return
        ended, self._clip = self._clip, None
        self._poster_of = None  # a poster that came after its clip was kept would be nobody's
        if not ended.finish():
            self._card.lose(ended.order.clip, "The camera gave no picture for it.")

    def _every_second(self, at: float) -> None:
        if at - self._alive_at < ALIVE_S:
            return
        self._alive_at = at
        # A camera lives while it looks and its pictures are coded: either alone is a stall.
        if (lived := min(self._looked, self._coded)) > self._told and not self._fast:
            self._told = lived
            self._doorman.tell(RecorderAlive(lived, self._frames, self._intake.dropped + self._camera.dropped))
        if self._motion is not None and at - self._held_at >= HELD_BACK_S:
            self._held_at = at
            if gates := self._motion.held_back():
                self._doorman.tell(HeldBack(at, gates))


def opened(config: Config, *, once: bool, fast: bool) -> Camera:
    """The camera the owner chose. Raises ConfigError, DeviceError."""
    from doorbell.senses.camera import Settings  # noqa: PLC0415
    from doorbell.senses.sources import open_camera  # noqa: PLC0415

    chosen = config.camera
    settings = Settings(
        chosen.source, chosen.width, chosen.height, chosen.fps, chosen.bitrate_kbps,
        rotation=chosen.rotation, flip=chosen.flip, masks=config.privacy.masks,
    )  # fmt: skip
    return open_camera(settings, pace=not fast, once=once, stage=config.door.runtime)


def hold_the_card(state: Path) -> None:
    """Be the card's one recorder until this process ends. Raises DeviceError where another will not let go.

    On a card that takes no lock nothing can be recorded either, which the first clip tells; the camera still looks.
    """
    ends = time.monotonic() + LOCK_S
    try:
        while lock_recorder(state) is None:  # the descriptor stays open, and with it the lock, as long as the process
            if time.monotonic() >= ends:
                raise DeviceError("The recorder before this one still finishes its clip: it is waited for.")
            threading.Event().wait(LOOK_S)
    except OSError as error:
        log.warning("%s", trouble(error))


def main() -> int:
    """Entry point of the child. Exit status 0: told to end; 1: a sentence went up the pipe and to the log."""
    start_log()
    forbid_core_dumps()
    spare_memory()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTTOU):
        # The doorman closes the pipe when it is ready, and that ends this process; no terminal stops its log.
        signal.signal(number, signal.SIG_IGN)
    inbox: SimpleQueue[object] = SimpleQueue()
    threading.excepthook = lambda end: inbox.put(died(end))
    doorman = Parent(socket.socket(fileno=os.dup(0)), inbox.put)
    once, fast = "--once" in sys.argv, "--fast" in sys.argv
    try:
        config = doorman.setup()
        doorman.listen()
        hold_the_card(config.door.state)
        Recorder(config, doorman, inbox, opened(config, once=once, fast=fast), once=once, fast=fast).run()
    except Closed:
        return 0
    except DoorbellError as error:
        doorman.tell(RecorderTrouble(time.monotonic(), "camera", pipe.sentence(str(error))))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
