"""The recorder: the child process that owns the camera, every frame, and the writing of clips.

It has no network socket; it talks to the doorman over one Unix socket (its standard input) and ends when that closes,
finishing the clip that runs. It never waits for the doorman: what does not fit the socket waits here, bounded, and
what can be spared is dropped and counted.

    camera threads -- packets, luma, stills --> inbox --> pre-roll, motion --> mux -> seal --> card thread
    doorman ---------------- Begin, End -------^                      facts, posters ---------> doorman
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from attrs import evolve

from doorbell import __version__, pipe
from doorbell.clips.preroll import Preroll
from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import Sealer, seal
from doorbell.clips.writer import MOST_WAITING, CardWriter
from doorbell.config import Config, Keys, structure
from doorbell.errors import DeviceError, DoorbellError
from doorbell.events import (
    ClipLost,
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
from doorbell.health import forbid_core_dumps, spare_memory, start_log
from doorbell.intake import Intake
from doorbell.vision.motion import Motion
from doorbell.vision.zones import watch

if TYPE_CHECKING:
    from doorbell.clips.mux import Muxer
    from doorbell.screening import Screening
    from doorbell.senses.camera import Camera, Luma, Packet, Still

log = logging.getLogger("recorder")

ALIVE_S = 1.0
HELD_BACK_S = 600.0
MOST_UNSENT = 200
"""Facts that may wait for a doorman that does not read; then the oldest go, counted."""
PREROLL_BYTES = 24 * 1024 * 1024
"""Bytes of pre-roll at most: 30 s, the longest that can be chosen, at 6 Mbit/s."""
LARGEST_POSTER = 24 * 1024
LARGEST_STILL = 48 * 1024
MOST_LOOKS = 8
LAST_SYNC_S = 20.0
STEP_S = 0.1
LONGEST_STEP_S = 10.0


class Closed(Exception):  # noqa: N818
    """The doorman's end of the socket is closed."""


class Doorman:
    """The recorder's end of the pipe: reads in a thread of its own, writes without ever waiting."""

    def __init__(self, end: socket.socket, put: Any) -> None:  # noqa: ANN401
        self._end, self._put = end, put
        self._unsent: deque[bytes] = deque(maxlen=MOST_UNSENT)

    def setup(self) -> Config:
        """The first message. Raises Closed or ValueError."""
        data = self._end.recv(pipe.LARGEST)
        if not data:
            raise Closed
        message = pipe.decode(data)
        if not isinstance(message, pipe.Setup):
            raise TypeError("the first message is no Setup")
        return structure(message.config)

    def listen(self) -> None:
        """From here on every message goes to *put*, and Closed at the end."""
        threading.Thread(target=self._read, name="doorman", daemon=True).start()

    def _read(self) -> None:
        while data := self._end.recv(pipe.LARGEST):
            self._put(pipe.decode(data))
        self._put(Closed())

    def tell(self, message: object) -> None:
        self._unsent.append(pipe.encode(message))
        self.flush()

    def offer(self, message: object) -> bool:
        """Send it now or not at all: live pictures wait for nobody, and nothing waits for them."""
        self.flush()
        if self._unsent:
            return False
        try:
            self._end.send(pipe.encode(message), socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True

    def flush(self) -> None:
        """Send what waits, as far as the kernel takes it now."""
        while self._unsent:
            try:
                self._end.send(self._unsent[0], socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                self._unsent.clear()
                return
            self._unsent.popleft()


class Clip:
    """The clip that is being recorded: packets in, sealed bytes to the card."""

    def __init__(self, order: pipe.Begin, config: Config, card: CardWriter) -> None:
        self.order, self._config, self._card = order, config, card
        self._sealer = Sealer(config.keys.recipients)
        self._muxer: Muxer | None = None
        self._first = self._last = 0.0
        self._skipping = False
        card.begin(order.clip)
        card.write(self._sealer.header)

    def add(self, packet: Packet) -> None:
        """One packet; where the card is too far behind, whole GOPs are left out and it is said once."""
        if self._muxer is None and not packet.keyframe:
            return
        if packet.keyframe:
            behind = self._card.backlog > MOST_WAITING
            if behind and not self._skipping:
                log.warning("the card is %d MB behind: the clip has a gap", MOST_WAITING // 2**20)
            self._skipping = behind
        if self._skipping:
            return
        if self._muxer is None:
            from doorbell.clips.mux import Muxer  # noqa: PLC0415

            self._first = packet.at
            began = time.time() - max(0.0, time.monotonic() - packet.at)
            about = {
                "v": 1,
                "door": self._config.door.id,
                "visit": self.order.visit,
                "trigger": self.order.trigger,
                "zones": zones_hash(self._config),
                "software": __version__,
            }
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
            self._muxer = Muxer(packet, about, stamp)
        self._last = packet.at
        self._put(self._muxer.add(packet))

    def _put(self, data: bytes) -> None:
        if data and (sealed := self._sealer.update(data)):
            self._card.write(sealed)

    def finish(self) -> bool:
        """Seal the end and have it kept; False where no frame ever came."""
        if self._muxer is None:
            return False
        self._put(self._muxer.finish())
        self._card.write(self._sealer.finish())
        self._card.keep(round(self._last - self._first, 3))
        return True


def sealed_poster(still: Still, order: pipe.Begin, config: Config) -> bytes:
    """The clip's picture as a sealed JPEG of at most LARGEST_POSTER bytes."""
    from doorbell.clips.poster import jpeg  # noqa: PLC0415

    about = {"v": 1, "door": config.door.id, "visit": order.visit, "software": __version__}
    # The age header takes some 200 bytes and 100 more a recipient.
    picture = jpeg(still, LARGEST_POSTER - 1024 - 128 * len(config.keys.recipients), about)
    return seal(config.keys.recipients, picture)


def zones_hash(config: Config) -> str:
    """Which zones and masks were in force: the first 16 hex digits of their SHA-256."""
    import hashlib  # noqa: PLC0415

    text = json.dumps([config.privacy.masks, config.motion.zones])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sealed_look(still: Still, look: pipe.Look, config: Config) -> bytes:
    """What the camera sees, as a sealed JPEG of at most LARGEST_STILL bytes, for one who asked."""
    from doorbell.clips.poster import jpeg  # noqa: PLC0415

    about = {"v": 1, "door": config.door.id, "software": __version__}
    return seal([Recipient.parse(look.recipient)], jpeg(still, LARGEST_STILL - 1024, about))


class Recorder:
    """The child's loop: everything that happens to it is one value in one inbox."""

    def __init__(
        self, config: Config, doorman: Doorman, inbox: SimpleQueue[object], *, once: bool = False, fast: bool = False
    ) -> None:
        self._config, self._doorman, self._inbox = config, doorman, inbox
        self._once, self._fast = once, fast
        self._preroll = Preroll(config.visit.preroll_s, PREROLL_BYTES)
        self._motion: Motion | None = None
        self._clip: Clip | None = None
        self._poster_of: pipe.Begin | None = None
        self._looks: deque[pipe.Look] = deque(maxlen=MOST_LOOKS)
        self._screenings: dict[str, Screening] = {}
        self._moving = self._covered = False
        self._frames = self._told_frames = 0
        self._alive_at = self._held_at = 0.0
        self._ready = False
        self._held: deque[object] = deque()
        self._next_step = 0.0

    def run(self) -> None:
        """Until the doorman's end closes or the camera ended for good. Raises DeviceError for a camera that fails."""
        from doorbell.senses.camera import Settings  # noqa: PLC0415
        from doorbell.senses.sources import open_camera  # noqa: PLC0415

        chosen, door = self._config.camera, self._config.door
        settings = Settings(
            chosen.source, chosen.width, chosen.height, chosen.fps, chosen.bitrate_kbps,
            rotation=chosen.rotation, flip=chosen.flip, masks=self._config.privacy.masks,
        )  # fmt: skip
        self._camera: Camera = open_camera(settings, pace=not self._fast, once=self._once, stage=door.runtime)
        self._card = CardWriter(door.state / "clips", self._inbox.put)
        self._intake = Intake(self._inbox, wait=self._fast)
        try:
            self._camera.start(self._intake)
            self._loop()
        finally:
            self._camera.stop()
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
            case DeviceError():
                raise event
            case Died():
                raise RuntimeError(f"the thread {event.thread} died: {event.error}")
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
            case pipe.SealTo():
                keys = Keys(tuple(Recipient.parse(one) for one in event.recipients))
                self._config = evolve(self._config, keys=keys)

    def _packet(self, packet: Packet) -> None:
        if self._clip is not None:
            self._clip.add(packet)
        for one in self._screenings.values():
            one.add(packet)
        self._preroll.add(packet)

    def _luma(self, luma: Luma) -> None:
        self._frames += 1
        if self._motion is None:
            height, width = luma.plane.shape
            mask = watch(self._config.motion.zones, width, height) if self._config.motion.zones else None
            self._motion = Motion(width, height, 10, mask, self._config.motion.sensitivity)
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
            self._doorman.tell(ClipLost(time.monotonic(), ended.order.clip, "The camera gave no picture for it."))

    def _every_second(self, at: float) -> None:
        if at - self._alive_at < ALIVE_S:
            return
        self._alive_at = at
        if self._frames != self._told_frames and not self._fast:
            self._told_frames = self._frames
            self._doorman.tell(RecorderAlive(at, self._frames, self._intake.dropped + self._camera.dropped))
        if self._motion is not None and at - self._held_at >= HELD_BACK_S:
            self._held_at = at
            if gates := self._motion.held_back():
                self._doorman.tell(HeldBack(at, gates))


def main() -> int:
    """Entry point of the child. Exit status 0: told to end; 1: a sentence went up the pipe and to the log."""
    start_log()
    forbid_core_dumps()
    spare_memory()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Ctrl-C reaches the whole group: the doorman closes the pipe when it is ready, and that ends this process.
        signal.signal(number, signal.SIG_IGN)
    inbox: SimpleQueue[object] = SimpleQueue()
    threading.excepthook = lambda args: inbox.put(
        Died(args.thread.name if args.thread else "?", getattr(args.exc_type, "__name__", "?"))
    )
    doorman = Doorman(socket.socket(fileno=os.dup(0)), inbox.put)
    try:
        config = doorman.setup()
        doorman.listen()
        Recorder(config, doorman, inbox, once="--once" in sys.argv, fast="--fast" in sys.argv).run()
    except Closed:
        return 0
    except DoorbellError as error:
        doorman.tell(RecorderTrouble(time.monotonic(), "camera", str(error)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
