"""A push service and an ntfy server on the loopback, with TLS of an authority of their own; and a browser.

What the browser opens and what the service checks is written from RFC 8188, 8291 and 8292, with none of the door's
code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unurl64(spelt: str) -> bytes:
    return base64.urlsafe_b64decode(spelt + "=" * (-len(spelt) % 4))


@frozen
class Request:
    at: float
    path: str
    headers: dict[str, str]
    body: bytes


class PushService:
    """Answers each POST with ``status``; ``got`` is what came. ``silent`` lets it accept and never answer."""

    def __init__(self, pair: tuple[Path, Path], *, newest: ssl.TLSVersion | None = None) -> None:
        self.status = 201
        self.got: list[Request] = []
        self.silent = threading.Event()
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if newest is not None:
            context.maximum_version = newest
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = int(self._server.server_address[1])

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request(time.monotonic(), self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                with service._news:
                    service.got.append(request)
                    service._news.notify_all()
                if service.silent.is_set():
                    threading.Event().wait(60)
                self.send_response(service.status)
                self.send_header("Location", "https://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def wait(self, count: int = 1, within: float = 20.0) -> list[Request]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.got) >= count, within), f"{len(self.got)} of {count} requests"
        return list(self.got)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@define
class Browser:
    """The one whose keys a subscription names."""

    service: str
    path: str = field(factory=lambda: "/push/" + url64(os.urandom(24)))
    key: Any = field(factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = field(factory=lambda: os.urandom(16))

    @property
    def point(self) -> bytes:
        return bytes(self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    @property
    def subscription(self) -> dict[str, str]:
        return {
            "endpoint": f"https://{self.service}{self.path}", "p256dh": url64(self.point), "auth": url64(self.auth),
        }  # fmt: skip

    def opened(self, body: bytes) -> bytes:
        """RFC 8188 and 8291, one record; raises cryptography's InvalidTag for what is not for this browser."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        secret = expand(extract(self.auth, shared), b"WebPush: info\0" + self.point + sender, 32)
        pseudo = extract(salt, secret)
        key = expand(pseudo, b"Content-Encoding: aes128gcm\0", 16)
        nonce = expand(pseudo, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None)
        text, mark, rest = padded.rpartition(b"\x02")
        assert mark and not rest.strip(b"\0")
        return text


def extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.new(salt, secret, hashlib.sha256).digest()


def expand(pseudo: bytes, info: bytes, length: int) -> bytes:
    return hmac.new(pseudo, info + b"\x01", hashlib.sha256).digest()[:length]


def proved(request: Request, origin: str) -> tuple[bytes, dict[str, Any]]:
    """The key (65 bytes) that signed for this request, and the claims; raises InvalidSignature."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    assert scheme == "vapid"
    parts = dict(one.strip().split("=", 1) for one in rest.split(","))
    head, claims, signature = parts["t"].split(".")
    raw = unurl64(signature)
    assert json.loads(unurl64(head)) == {"typ": "JWT", "alg": "ES256"} and len(raw) == 64
    point = unurl64(parts["k"])
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    said = json.loads(unurl64(claims))
    assert said["aud"] == origin
    assert time.time() < said["exp"] <= time.time() + 24 * 3600
    return point, said
