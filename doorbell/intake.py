"""What the camera's threads hand to the recorder's loop, bounded: a live camera waits for nobody.

When the loop is behind, luma is skipped (motion looks at the next one) and packets go in whole GOPs, so that what is
kept can always be decoded; both are counted. A file that is read as fast as it goes waits instead.
"""

from __future__ import annotations

import logging
import threading
import time
from queue import Empty, SimpleQueue

import numpy as np

from doorbell.errors import DeviceError
from doorbell.events import CameraEnded
from doorbell.senses.camera import Luma, Packet, Still

log = logging.getLogger("recorder")

MOST_PACKETS = 300
"""Packets that may wait: ten seconds at 30 fps."""
MOST_LUMAS = 3
LONGEST_WAIT_S = 10.0
"""How long a camera that may wait does wait for a loop that stands still."""


class Intake:
    """The camera's sink. With *wait* a full inbox makes the camera wait; without it, frames are dropped."""

    def __init__(self, inbox: SimpleQueue[object], *, wait: bool) -> None:
        self._inbox, self._wait = inbox, wait
        self._room = threading.Semaphore(MOST_PACKETS)
        self._planes: SimpleQueue[np.ndarray | None] = SimpleQueue()
        for _ in range(MOST_LUMAS):
            self._planes.put(None)
        self._skipping = False
        self.dropped = 0

    def packet(self, packet: Packet) -> None:
        """From the camera's thread."""
        if self._skipping and not packet.keyframe:
            self.dropped += 1
            return
        if not self._room.acquire(timeout=LONGEST_WAIT_S if self._wait else 0):
            if not self._skipping:
                log.warning("the recorder is behind: frames are dropped up to the next keyframe")
            self._skipping = True
            self.dropped += 1
            return
        self._skipping = False
        self._inbox.put(packet)

    def luma(self, luma: Luma) -> None:
        """From the camera's thread; the plane is copied, the camera may use its own again."""
        try:
            plane = self._planes.get(timeout=LONGEST_WAIT_S) if self._wait else self._planes.get_nowait()
        except Empty:
            self.dropped += 1
            return
        if plane is None or plane.shape != luma.plane.shape:
            plane = np.empty_like(luma.plane)
        np.copyto(plane, luma.plane)
        self._inbox.put(Luma(luma.at, plane))

    def still(self, still: Still) -> None:
        """From the camera's thread, one for each ``want_still``."""
        self._inbox.put(still)

    def ended(self) -> None:
        """A file camera came to its end."""
        self._inbox.put(CameraEnded(time.monotonic()))

    def trouble(self, why: str) -> None:
        """The camera cannot go on; *why* is a sentence for the owner."""
        self._inbox.put(DeviceError(why))

    def done_packet(self) -> None:
        """The loop has taken one packet."""
        self._room.release()

    def done_luma(self, luma: Luma) -> None:
        """The loop has looked at this luma; its plane may be filled again."""
        self._planes.put(luma.plane)
