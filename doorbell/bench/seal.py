"""How fast sealing is beside the bare cipher it cannot do without."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt

from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import CHUNK, Sealer, chunk_nonce
from doorbell.hkdf import hkdf

BAR: Final = 0.9
_CHUNKS: Final = 64  # 4 MiB, a clip of half a minute at 1 Mbit/s
_ROUNDS: Final = 41
_PIECES: Final = {
    "sealing a clip in chunk-sized pieces": CHUNK,
    "sealing a clip in fragments of 40,000 bytes": 40_000,
}  # 250 ms at 1.3 Mbit/s


def measure() -> list[dict[str, str | float]]:
    """Rows of what, ours, reference (MB/s, medians), ratio (median of the pairwise ratios), bar and unit.

    Ours is a Sealer from its first byte to its last, key wrapping included; the reference encrypts the same chunks, cut
    beforehand, with PyNaCl's binding. Each round times both, so a busy machine slows both.
    """
    clip = os.urandom(CHUNK * _CHUNKS)
    recipient = Recipient(hkdf(b"bench", info=b"any point that is not of low order"))
    chunks = [clip[start : start + CHUNK] for start in range(0, len(clip), CHUNK)]
    rows = []
    for what, size in _PIECES.items():
        pieces = [clip[start : start + size] for start in range(0, len(clip), size)]
        rows.append(_row(what, len(clip), partial(_seal, recipient, pieces), partial(_encrypt, chunks)))
    return rows


def _row(what: str, size: int, ours: Callable[[], None], reference: Callable[[], None]) -> dict[str, str | float]:
    pairs = [(_seconds(ours), _seconds(reference)) for _ in range(_ROUNDS)]
    megabytes = size / 1e6
    return {
        "what": what,
        "ours": round(megabytes / statistics.median(mine for mine, _ in pairs), 1),
        "reference": round(megabytes / statistics.median(theirs for _, theirs in pairs), 1),
        "ratio": round(statistics.median(theirs / mine for mine, theirs in pairs), 3),
        "bar": BAR,
        "unit": "MB/s",
    }


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _seal(recipient: Recipient, pieces: Sequence[bytes]) -> None:
    sealer = Sealer([recipient])
    for piece in pieces:
        sealer.update(piece)
    sealer.finish()


def _encrypt(chunks: Sequence[bytes]) -> None:
    key = bytes(32)
    for index, chunk in enumerate(chunks):
        crypto_aead_chacha20poly1305_ietf_encrypt(chunk, None, chunk_nonce(index, final=False), key)
