"""Seals bytes into a standard age v1 file (C2SP age.md) for the recipients in force.

This file can only seal. It knows public keys; the file key is made here, wrapped once for each recipient, turned into
the payload key, and forgotten; nothing in this process can open what was written, not even the clip that is being
written.

The shape of what comes out:

    age-encryption.org/v1
    -> X25519 <ephemeral share>          one such stanza a recipient
    <file key, wrapped, 32 bytes>
    --- <HMAC of everything above>
    <16 bytes nonce><chunk><chunk>…<final chunk>

A chunk is 64 KiB of plaintext plus a 16-byte tag. Its nonce says whether it is the final one, so a chunk may only be
sealed when it is known whether more follows: up to 64 KiB are held back. That is what a power cut can cost, and it is
also what makes a cut file known as cut: its final chunk is missing.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from typing import Final

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt, crypto_scalarmult, crypto_scalarmult_base

from doorbell.clips.recipient import Recipient
from doorbell.errors import Mistake
from doorbell.hkdf import hkdf

Bytes = bytes | bytearray | memoryview

INTRO: Final = b"age-encryption.org/v1\n"
STANZA_LABEL: Final = b"age-encryption.org/v1/X25519"
CHUNK: Final = 64 * 1024  # bytes of plaintext
TAG: Final = 16  # bytes of Poly1305
SEALED_CHUNK: Final = CHUNK + TAG
NONCE: Final = 16  # bytes between header and payload
FILE_KEY: Final = 16  # bytes
MAX_RECIPIENTS: Final = 17  # a full roster of 16, and one more
_WRAP_NONCE: Final = bytes(12)  # each wrap key is used once
_MAC_LINE: Final = b"\n--- "
_MAC_CHARS: Final = 43  # 32 bytes in base64 without padding


def b64(data: bytes) -> bytes:
    """Standard base64 without padding, as age writes it."""
    return base64.b64encode(data).rstrip(b"=")


def header_mac(file_key: bytes, header: bytes) -> bytes:
    """32 bytes over the header up to and including its `---`."""
    return hmac.digest(hkdf(file_key, info=b"header"), header, hashlib.sha256)


def payload_key(file_key: bytes, nonce: bytes) -> bytes:
    return hkdf(file_key, salt=nonce, info=b"payload")


def chunk_nonce(index: int, *, final: bool) -> bytes:
    """12 bytes: the chunk's index as 11 bytes big-endian, then 1 for the final chunk."""
    return index.to_bytes(11, "big") + (b"\x01" if final else b"\x00")


class Sealer:
    """Seals one stream to `recipients` (1 to 17).

    Write `header` first, then what each `update` returns, then what `finish` returns. `random` gives n unpredictable
    bytes; it is asked for the file key (16), one ephemeral secret a recipient (32 each, in their order), and the nonce
    (16). Raises Mistake for a number of recipients outside 1 to 17.
    """

    __slots__ = ("_finished", "_held", "_index", "_key", "_size", "header")

    def __init__(self, recipients: Sequence[Recipient], random: Callable[[int], bytes] = os.urandom) -> None:
        if not 1 <= len(recipients) <= MAX_RECIPIENTS:
            raise Mistake(
                f"A clip is sealed to 1 to {MAX_RECIPIENTS} recipients, not {len(recipients)}: change the roster."
            )
        file_key = random(FILE_KEY)
        stanzas = (_stanza(file_key, recipient, random(32)) for recipient in recipients)
        header = INTRO + b"".join(stanzas) + b"---"
        nonce = random(NONCE)
        self.header: Final = header + b" " + b64(header_mac(file_key, header)) + b"\n" + nonce
        self._key = payload_key(file_key, nonce)
        # At most CHUNK bytes, `_size` in all, in the pieces that were given: joining them is the only copy made.
        self._held: list[bytes | memoryview] = []
        self._size = 0
        self._index = 0
        self._finished = False

    def update(self, data: Bytes) -> bytes:
        """Take more plaintext; returns the chunks that are now known not to be the final one (often none)."""
        if self._finished:
            raise ValueError("this sealer is finished: a clip ends with its final chunk")
        piece = bytes(data)  # no copy of what is bytes already
        if not piece:
            return b""
        if self._size + len(piece) <= CHUNK:
            self._held.append(piece)
            self._size += len(piece)
            return b""
        start = CHUNK - self._size
        if start:  # joining a lone bytes object copies nothing, with an empty piece beside it everything
            self._held.append(memoryview(piece)[:start])
        sealed = [self._seal(b"".join(self._held), final=False)]
        while len(piece) - start > CHUNK:
            sealed.append(self._seal(piece[start : start + CHUNK], final=False))
            start += CHUNK
        self._held = [piece[start:]]
        self._size = len(piece) - start
        return b"".join(sealed)

    def finish(self) -> bytes:
        """The final chunk. Without it every reader calls the file cut."""
        if self._finished:
            raise ValueError("this sealer is finished: a clip has one final chunk")
        self._finished = True
        last = self._seal(b"".join(self._held), final=True)
        self._held.clear()
        self._key = b""
        return last

    def _seal(self, plaintext: bytes, *, final: bool) -> bytes:
        nonce = chunk_nonce(self._index, final=final)
        self._index += 1
        return crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, None, nonce, self._key)


def seal(recipients: Sequence[Recipient], plaintext: Bytes, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """A whole small thing (a poster, an alert, a journal body) as one age file in memory."""
    sealer = Sealer(recipients, random)
    return sealer.header + sealer.update(plaintext) + sealer.finish()


def whole_chunks(prefix: Bytes, size: int) -> int:
    """How many bytes of a file of `size` bytes are header, nonce and whole 64 KiB chunks.

    `prefix` is the file's beginning, at least its header (4 KiB hold any of ours). 0 if the header and nonce are not
    whole. For a file that a power cut left: it needs no key, so it cannot tell a short final chunk from a torn one and
    cuts both.
    """
    head = bytes(prefix)
    mark = head.find(_MAC_LINE)  # neither an argument line nor base64 can hold it
    if not head.startswith(INTRO) or mark < 0:
        return 0
    end = mark + len(_MAC_LINE) + _MAC_CHARS
    payload = end + 1 + NONCE
    if head[end : end + 1] != b"\n" or size < payload:
        return 0
    return payload + (size - payload) // SEALED_CHUNK * SEALED_CHUNK


def _stanza(file_key: bytes, recipient: Recipient, ephemeral: bytes) -> bytes:
    share = crypto_scalarmult_base(ephemeral)
    shared = crypto_scalarmult(ephemeral, recipient.key)
    wrap_key = hkdf(shared, salt=share + recipient.key, info=STANZA_LABEL)
    body = crypto_aead_chacha20poly1305_ietf_encrypt(file_key, None, _WRAP_NONCE, wrap_key)
    return b"-> X25519 " + b64(share) + b"\n" + b64(body) + b"\n"
