"""HKDF-SHA256 (RFC 5869) for one 32-byte key, the only length this project derives."""

import hashlib
import hmac


def hkdf(secret: bytes, *, info: bytes, salt: bytes = b"") -> bytes:
    """Derive 32 bytes from `secret` for the purpose that `info` names.

    One block of Expand suffices: SHA-256 gives 32 bytes. HMAC pads an empty salt to the 32 zero bytes that the RFC asks
    for.
    """
    extracted = hmac.digest(salt, secret, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)
