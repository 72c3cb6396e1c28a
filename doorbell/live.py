"""One live view as it leaves the recorder: every message sealed, numbered, and used once (docs/formats/live.md).

The key comes from 32 bytes that only the door and one phone know. It is in the memory of this process alone and ends
with the session. A number is never used twice: a message that could not be sent is a gap, by which the viewer knows to
wait for the next keyframe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from doorbell.hkdf import hkdf

INIT, VIDEO, AUDIO, END = range(4)
FIRST, LAST, KEYFRAME = 1, 2, 4
MOST_MESSAGE: Final = 96 * 1024
SECRET: Final = 32
SESSION: Final = 16
_ROOM: Final = MOST_MESSAGE - 8 - 16 - 2
"""Bytes of a fragment in one message, beside number, tag, kind and flags."""
_AD: Final = b"doorbell/v1/live\x00"


class Sender:
    """The way down of one session: *secret* has 32 bytes, *session* 16."""

    def __init__(self, secret: bytes, session: bytes) -> None:
        self._key = hkdf(secret, info=b"doorbell/v1/live-down" + session)
        self._session = session
        self._number = 0

    def messages(self, kind: int, data: bytes, *, keyframe: bool = False) -> Iterator[bytes]:
        """*data* in as many messages as it takes, each at most 96 KiB. A keyframe's flag stands in its first one."""
        starts = range(0, max(1, len(data)), _ROOM)
        for start in starts:
            flags = FIRST * (start == 0) | LAST * (start == starts[-1]) | KEYFRAME * (keyframe and start == 0)
            yield self._sealed(bytes([kind, flags]) + data[start : start + _ROOM])

    def _sealed(self, data: bytes) -> bytes:
        number = self._number.to_bytes(8, "big")
        self._number += 1
        sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
            data, _AD + self._session + number, bytes(16) + number, self._key
        )
        return number + sealed
