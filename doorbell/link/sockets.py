"""What the kernel is told about the one socket of a connection."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Any, Final

SEND_BUFFER: Final = 128 * 1024
"""Bytes the kernel may hold unsent: a ring waits behind no more than this."""


def linger(sock: socket.socket, *, on: bool) -> None:
    """On, whoever closes the socket makes the kernel send RST and throw away what was not sent, a ring among it."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", on, 0))


def prompt(sock: socket.socket) -> None:
    """Acknowledge now what was read. The kernel forgets this wish, so it is told after every read.

    mosquitto leaves Nagle's algorithm on: its next small message, an acknowledgement or a phone's command, waits until
    the last one is acknowledged by TCP, which Linux may put off for 40 ms. A clip of 10 MB lost half a second so, and a
    ring waits behind a probe's acknowledgement in the same way.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def pending(sock: Any) -> bool:  # noqa: ANN401  paho's own types say no more
    """Bytes that TLS has read and decrypted but not handed on: poll does not see them."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
