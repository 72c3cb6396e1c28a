"""A broker without room: a real one behind it, whose PUBLISHes it refuses as MQTT 5 says it (0x97, quota exceeded)."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

PUBLISH, PUBACK = 0x30, 0x40
QUOTA_EXCEEDED = 0x97


class FullBroker:
    """Listens on ``port`` and forwards to *target*. While ``is_full`` nothing that asks for an answer passes.

    ``refused`` are the topics that found no room.
    """

    def __init__(self, target: int) -> None:
        self.is_full = False
        self.refused: list[str] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                # Both threads write to the client: its PUBACKs from here may not fall into a packet from there.
                lock = threading.Lock()
                threading.Thread(target=self._to_broker, args=(near, far, lock), daemon=True).start()
                threading.Thread(target=_to_client, args=(far, near, lock), daemon=True).start()

    def _to_broker(self, near: socket.socket, far: socket.socket, lock: threading.Lock) -> None:
        with suppress(OSError):
            while packet := _packet(near):
                if self.is_full and packet[0] & 0xF6 == PUBLISH | 2:
                    topic, mid = _named(packet)
                    self.refused.append(topic)
                    with lock:
                        near.sendall(bytes([PUBACK, 3]) + mid + bytes([QUOTA_EXCEEDED]))
                else:
                    far.sendall(packet)
        with suppress(OSError):
            far.shutdown(socket.SHUT_RDWR)


def _to_client(far: socket.socket, near: socket.socket, lock: threading.Lock) -> None:
    with suppress(OSError):
        while packet := _packet(far):
            with lock:
                near.sendall(packet)
    with suppress(OSError):
        near.shutdown(socket.SHUT_RDWR)


def _packet(sock: socket.socket) -> bytes:
    """The next whole MQTT packet; empty at the end."""
    head = _exactly(sock, 1)
    length = shift = 0
    while head:
        more = _exactly(sock, 1)
        head += more
        length |= (more[0] & 0x7F) << shift
        shift += 7
        if more[0] < 0x80:
            break
    return head + _exactly(sock, length)


def _exactly(sock: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count and (part := sock.recv(count - len(found))):
        found += part
    return found


def _named(packet: bytes) -> tuple[str, bytes]:
    """The topic and the packet identifier of a PUBLISH with QoS 1."""
    start = next(n for n in range(1, 5) if packet[n] < 0x80) + 1
    end = start + 2 + int.from_bytes(packet[start : start + 2], "big")
    return packet[start + 2 : end].decode(), packet[end : end + 2]
