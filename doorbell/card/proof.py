"""The test clip: sealed to the key that the card names, and opened with what the owner holds in hand.

A key that was never tried is a hope. The recipient is read from the settings as they go onto the card, so what is shown
is that *this door's* clips open with *these* words.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import cache

from attrs import frozen

from doorbell import configfile
from doorbell.clips.seal import seal
from doorbell.errors import DamagedError, Mistake
from doorbell.owner.identity import WORDS, Identity
from doorbell.owner.unseal import unseal


@frozen
class Test:
    """A short real clip, sealed; ``digest`` is the SHA-256 of what it must open to."""

    __test__ = False  # no test of pytest's

    sealed: bytes
    digest: bytes


def sealed_clip(settings: str) -> Test:
    """One second of the invented door, sealed to the recipients in *settings* (doorbell.toml)."""
    clip = _clip()
    return Test(seal(configfile.parse(settings).keys.recipients, clip), hashlib.sha256(clip).digest())


@cache
def _clip() -> bytes:
    import av  # noqa: PLC0415  100 MB of libraries, for this one second

    from doorbell.clips.mux import Muxer  # noqa: PLC0415
    from doorbell.scene import Scene  # noqa: PLC0415
    from doorbell.senses.camera import Packet, Settings  # noqa: PLC0415
    from doorbell.senses.encoder import Encoder  # noqa: PLC0415
    from doorbell.vision.frames import planes_of  # noqa: PLC0415

    width, height, fps = 320, 240, 5
    scene, encoder = Scene(width, height), Encoder(width, height, Settings("scene", width, height, fps, 300))
    canvas, packets = av.VideoFrame(width, height, "yuv420p"), []
    planes = planes_of(canvas)
    for number in range(fps):
        drawn = scene.frame(number / fps)
        for mine, given in zip(planes, (drawn.y, drawn.u, drawn.v), strict=True):
            mine[:] = given
        packets += [Packet(number / fps, data, key) for data, key in encoder.encode(canvas, number / fps)]
    muxer = Muxer(packets[0], {"test": True}, "2000-01-01T00:00:00Z")
    return b"".join([*(muxer.add(packet) for packet in packets), muxer.finish()])


def opens(test: Test, identity: Identity) -> None:
    """Raises Mistake where *identity* does not open the clip to what was sealed."""
    try:
        opened = hashlib.sha256(b"".join(unseal([identity], io.BytesIO(test.sealed)))).digest()
    except DamagedError:
        opened = b""
    if opened != test.digest:
        raise Mistake("These words belong to another key: they do not open this door's test clip.")


def opens_with_words(test: Test, text: str) -> None:
    """The 24 *text* words, as typed. Raises Mistake, which names the word that is wrong."""
    opens(test, Identity.from_words(text))


def opens_with_some(test: Test, identity: Identity, places: Sequence[int], typed: Sequence[str]) -> None:
    """Of the 24 words only those at *places* (1 to 24) were *typed*; the rest is the identity's. Raises Mistake."""
    words = identity.words().split()
    for place, word in zip(places, typed, strict=True):
        if not 1 <= place <= WORDS:
            raise ValueError("there are 24 words")
        words[place - 1] = word.strip().lower() or "?"
    opens_with_words(test, " ".join(words))
