"""A TCP proxy between the door and its broker that can cut, stall and delay what passes."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress
from typing import Self


class Proxy:
    """Listens on ``port`` of the loopback and forwards to *target*; one thread does everything.

    ``stall()`` stops forwarding both ways and keeps every connection open; bytes that arrive meanwhile wait in the
    kernel, as they would at a radio that has gone, and are delivered by ``flow()``. ``stall_after(bytes)`` stalls
    once so many more have passed; ``stalled`` tells. ``cut()`` resets every connection. ``delay_s`` holds each piece
    back for that long.
    """

    def __init__(self, target: int, *, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.accepted = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._late: list[tuple[float, socket.socket, bytes]] = []
        self._lock = threading.Lock()
        self._stalled = self._ended = False
        self._left: int | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join(5)
        self.cut()
        self._listener.close()

    def stall(self) -> None:
        with self._lock:
            self._stalled = True

    def stall_after(self, count: int) -> None:
        with self._lock:
            self._left = count

    @property
    def stalled(self) -> bool:
        return self._stalled

    def flow(self) -> None:
        with self._lock:
            self._stalled = False

    def cut(self) -> None:
        with self._lock:
            for one in list(self._pairs):
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                one.close()
            self._pairs.clear()
            self._late.clear()

    def _run(self) -> None:
        while not self._ended:
            with self._lock:
                watched = [] if self._stalled else [self._listener, *self._pairs]
            with suppress(OSError, ValueError):  # cut() closed one of them while we looked
                ready, _, _ = select.select(watched, [], [], 0.002 if self._late or not watched else 0.05)
                for one in ready:
                    with self._lock:
                        self._serve(one)
            with self._lock:
                self._send_late()

    def _serve(self, one: socket.socket) -> None:
        if self._stalled:
            return
        if one is self._listener:
            near, _ = self._listener.accept()
            self.accepted += 1
            try:
                far = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                near.close()
                return
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs[near], self._pairs[far] = far, near
        elif one in self._pairs:
            try:
                data = one.recv(65536)
            except OSError:
                data = b""
            if data:
                self._late.append((time.monotonic() + self.delay_s, self._pairs[one], data))
            else:
                other = self._pairs.pop(one)
                self._pairs.pop(other, None)
                one.close()
                other.close()

    def _send_late(self) -> None:
        while self._late and not self._stalled and self._late[0][0] <= time.monotonic():
            _, to, data = self._late.pop(0)
            with suppress(OSError):
                to.sendall(data)
            if self._left is not None:
                self._left -= len(data)
                if self._left <= 0:
                    self._stalled, self._left = True, None
