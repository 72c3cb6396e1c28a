"""The clip that is being recorded: packets to MP4, sealed, and handed to the card's thread; and its sealed poster."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from typing import TYPE_CHECKING

from doorbell import __version__, pipe
from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import Sealer, seal
from doorbell.clips.store import MOST_POSTER
from doorbell.clips.writer import MOST_WAITING, CardWriter
from doorbell.config import Config

if TYPE_CHECKING:
    from doorbell.clips.mux import Muxer
    from doorbell.senses.camera import Packet, Still

log = logging.getLogger("recorder")

OVERDUE_S = 30.0
"""A clip that lasts this much longer than any visit may is ended here: its doorman has forgotten it."""


class Clip:
    """The clip that is being recorded: packets in, sealed bytes to the card."""

    def __init__(self, order: pipe.Begin, config: Config, card: CardWriter) -> None:
        self.order, self._config, self._card = order, config, card
        self._sealer = Sealer(config.keys.recipients)
        self._muxer: Muxer | None = None
        self._first = self._last = 0.0
        self._due: float | None = None
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
                log.warning("the card is over %d MB behind: the clip has a gap", MOST_WAITING // 2**20)
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

    def overdue(self, at: float) -> bool:
        """Whether at *at*, on the packets' clock, it lasts longer than any visit may; asked with each live packet."""
        if self._due is None:
            self._due = at + self._config.visit.longest_s + OVERDUE_S
        return at >= self._due

    def finish(self) -> bool:
        """Seal the end and have it kept; False where no frame ever came."""
        if self._muxer is None:
            return False
        self._put(self._muxer.finish())
        self._card.write(self._sealer.finish())
        self._card.keep(round(self._last - self._first, 3))
        return True


def sealed_poster(still: Still, order: pipe.Begin, config: Config) -> bytes:
    """The clip's picture as a sealed JPEG of at most MOST_POSTER bytes."""
    from doorbell.clips.poster import jpeg  # noqa: PLC0415

    about = {"v": 1, "door": config.door.id, "visit": order.visit, "software": __version__}
    # The age header takes some 200 bytes and 100 more a recipient.
    picture = jpeg(still, MOST_POSTER - 1024 - 128 * len(config.keys.recipients), about)
    return seal(config.keys.recipients, picture)


def zones_hash(config: Config) -> str:
    """Which zones and masks were in force: the first 16 hex digits of their SHA-256."""
    text = json.dumps([config.privacy.masks, config.motion.zones])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sealed_look(still: Still, look: pipe.Look, config: Config) -> bytes:
    """What the camera sees, as a sealed JPEG of at most MOST_STILL bytes, for one who asked."""
    from doorbell.clips.poster import jpeg  # noqa: PLC0415

    about = {"v": 1, "door": config.door.id, "software": __version__}
    return seal([Recipient.parse(look.recipient)], jpeg(still, pipe.MOST_STILL - 1024, about))
