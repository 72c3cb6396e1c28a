"""A viewer of live view, as docs/formats/live.md describes it, with none of the door's code."""

from __future__ import annotations

import hmac

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.exceptions import CryptoError

KINDS = ("init", "video", "audio", "end")
FIRST, LAST, KEYFRAME = 1, 2, 4


class Viewer:
    """``shown`` are the fragments that may be shown, as (kind, bytes)."""

    def __init__(self, secret: bytes, session: bytes) -> None:
        prk = hmac.digest(bytes(32), secret, "sha256")
        self._key = hmac.digest(prk, b"doorbell/v1/live-down" + session + b"\x01", "sha256")
        self._session = session
        self._next = 0
        self._waits = True
        self._parts: list[bytes] | None = None
        self.shown: list[tuple[str, bytes]] = []

    def hear(self, message: bytes) -> None:
        number = message[:8]
        at = int.from_bytes(number, "big")
        if len(message) < 24 or at < self._next:
            return
        try:
            data = crypto_aead_xchacha20poly1305_ietf_decrypt(
                message[8:], b"doorbell/v1/live\0" + self._session + number, bytes(16) + number, self._key
            )
        except CryptoError:
            return
        if at != self._next:
            self._waits, self._parts = True, None
        self._next = at + 1
        kind, flags = KINDS[data[0]], data[1]
        if flags & FIRST:
            self._parts = []
            if flags & KEYFRAME:
                self._waits = False
        if self._parts is None or (kind == "video" and self._waits):
            self._parts = None
            return
        self._parts.append(data[2:])
        if flags & LAST:
            self.shown.append((kind, b"".join(self._parts)))
            self._parts = None
