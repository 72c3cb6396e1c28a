"""A message that only one browser can read (RFC 8291), and the door's proof of who sends it (RFC 8292).

Pure, and the only room that needs P-256: PyNaCl has none, so it is ``cryptography``'s, loaded in the postman alone. The
encoding itself is these few lines of RFC 8188 with one record, because the libraries that have it (http-ece, pywebpush)
cannot pad to a fixed size, keep the drafts' older forms alive and bring an HTTP client of their own.
"""

from __future__ import annotations

import json
from typing import Final

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorbell.hkdf import hkdf
from doorbell.push.book import to_url64

PADDED: Final = 1024
"""Bytes of every letter before it is encrypted, so that a test, a ring and a check weigh the same."""
RECORD: Final = 4096
VALID_S: Final = 3600
"""How long a proof holds; RFC 8292 allows a day. A door whose clock is hours off is refused by the push service."""
_CURVE: Final = ec.SECP256R1()
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256's base point (NIST SP 800-186, 3.2.1.3)."""


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The point, uncompressed: 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """From 32 bytes; raises ValueError for 0 and for what is beyond the curve's order (FIPS 186-5, 3.1)."""
    number = int.from_bytes(secret, "big")
    if not 0 < number < _ORDER:  # some versions of the library would take it modulo the order
        raise ValueError("no key of P-256")
    return ec.derive_private_key(number, _CURVE)


def fresh_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(_CURVE)


def encrypted(
    plain: bytes, p256dh: bytes, auth: bytes, *, salt: bytes, ephemeral: ec.EllipticCurvePrivateKey,
    padded: int = PADDED,
) -> bytes:  # fmt: skip
    """The body of the request, ``Content-Encoding: aes128gcm``: one record, *plain* padded to *padded* bytes.

    *salt* (16 bytes) and *ephemeral* are fresh for each message. Raises ValueError for a *p256dh* that is no point of
    the curve and for a *plain* that is too long.
    """
    if len(plain) >= padded:
        raise ValueError(f"a letter of {len(plain)} bytes does not fit {padded}")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh)
    ours = public_bytes(ephemeral)
    shared = ephemeral.exchange(ec.ECDH(), theirs)
    ikm = hkdf(shared, salt=auth, info=b"WebPush: info\0" + p256dh + ours)
    key = hkdf(ikm, salt=salt, info=b"Content-Encoding: aes128gcm\0")[:16]
    nonce = hkdf(ikm, salt=salt, info=b"Content-Encoding: nonce\0")[:12]
    record = plain + b"\x02" + bytes(padded - len(plain) - 1)
    header = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(key).encrypt(nonce, record, None)


@frozen
class Vapid:
    """The door's proof towards push services. ``contact`` is what RFC 8292 calls ``sub``."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    contact: str

    def header(self, origin: str, wall: float) -> str:
        """The value of ``Authorization`` for the push service at *origin*; *wall* is seconds since 1970."""
        claims = {"aud": origin, "exp": int(wall) + VALID_S, "sub": self.contact}
        text = ".".join(to_url64(json.dumps(one).encode()) for one in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(SHA256())))
        signature = to_url64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return f"vapid t={text}.{signature}, k={to_url64(public_bytes(self.key))}"
