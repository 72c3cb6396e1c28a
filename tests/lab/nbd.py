"""A disk that can lose power: an NBD server (newstyle, fixed) with a write cache that is gone at the cut.

Protocol: the NBD project's doc/proto.md, as much of it as qemu's client speaks.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from pathlib import Path

from attrs import define, field, frozen

GREETING = b"NBDMAGIC" + b"IHAVEOPT"
HAS_FLAGS, CAN_FLUSH, CAN_FUA = 1, 4, 8
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
EXPORT_NAME, INFO, GO = 1, 6, 7
ACK, INFO_REPLY, UNSUPPORTED = 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
SECTOR = 512
KEPT, TORN = 0.4, 0.2
"""Shares of what waits in the cache that a cut leaves whole, and that it leaves by half; the rest is gone."""


@frozen
class Cut:
    waiting: int
    kept: int
    torn: int
    flushes: int


@define
class Disk:
    """*image* with the writes since the last flush in memory only; a write that asks for FUA flushes everything."""

    image: Path
    _waiting: list[tuple[int, bytes]] = field(factory=list)
    _flushes: int = 0
    _off: bool = False
    _turn: threading.Lock = field(factory=threading.Lock)

    @property
    def size(self) -> int:
        return self.image.stat().st_size

    def read(self, at: int, length: int) -> bytes:
        with self._turn:
            with self.image.open("rb") as file:
                file.seek(at)
                data = bytearray(file.read(length))
            for start, piece in self._waiting:
                low, high = max(start, at), min(start + len(piece), at + length)
                if low < high:
                    data[low - at : high - at] = piece[low - start : high - start]
            return bytes(data)

    def write(self, at: int, data: bytes, *, through: bool) -> None:
        with self._turn:
            if not self._off:
                self._waiting.append((at, data))
                if through:
                    self._settle()

    def flush(self) -> None:
        with self._turn:
            if not self._off:
                self._settle()

    def _settle(self) -> None:
        with self.image.open("r+b") as file:
            for at, data in self._waiting:
                file.seek(at)
                file.write(data)
        self._waiting.clear()
        self._flushes += 1

    def holds(self, writes: int) -> bool:
        """Whether at least so many writes would be lost now."""
        with self._turn:
            return len(self._waiting) >= writes

    def cut(self, seed: int) -> Cut:
        """The power goes: of what waits a part chosen by *seed* reaches the image, and nothing does afterwards."""
        chance = random.Random(seed)
        with self._turn:
            self._off = True
            waiting, kept, torn = len(self._waiting), 0, 0
            with self.image.open("r+b") as file:
                for at, data in self._waiting:
                    draw = chance.random()
                    whole = draw < KEPT
                    length = len(data) if whole else chance.randrange(0, len(data) + 1, SECTOR)
                    if draw >= KEPT + TORN:
                        continue
                    kept, torn = kept + whole, torn + (not whole)
                    file.seek(at)
                    file.write(data[:length])
            self._waiting.clear()
            return Cut(waiting, kept, torn, self._flushes)


def serve(disk: Disk, path: Path) -> None:
    """Offer *disk* on the Unix socket *path*, from threads that end with this program."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def accept() -> None:
        while True:
            client, _ = server.accept()
            threading.Thread(target=_client, args=(disk, client), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _client(disk: Disk, client: socket.socket) -> None:
    try:
        with client:
            if _agreed(disk, client):
                _transmission(disk, client)
    except (EOFError, OSError):
        return


def _read(client: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = client.recv(length - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _agreed(disk: Disk, client: socket.socket) -> bool:
    """The handshake; whether the client goes on to use the disk."""
    flags = HAS_FLAGS | CAN_FLUSH | CAN_FUA
    client.sendall(GREETING + struct.pack(">H", FIXED_NEWSTYLE | NO_ZEROES))
    _read(client, 4)
    while True:
        _, option, length = struct.unpack(">8sII", _read(client, 16))
        _read(client, length)
        if option == EXPORT_NAME:
            client.sendall(struct.pack(">QH", disk.size, flags))
            return True
        if option in (INFO, GO):
            _reply(client, option, INFO_REPLY, struct.pack(">HQH", 0, disk.size, flags))
            _reply(client, option, ACK)
            if option == GO:
                return True
        else:
            _reply(client, option, UNSUPPORTED)


def _reply(client: socket.socket, option: int, kind: int, data: bytes = b"") -> None:
    client.sendall(struct.pack(">QIII", 0x3E889045565A9, option, kind, len(data)) + data)


def _transmission(disk: Disk, client: socket.socket) -> None:
    while True:
        _, flags, kind, handle, at, length = struct.unpack(">IHHQQI", _read(client, 28))
        answer = b""
        if kind == READ:
            answer = disk.read(at, length)
        elif kind == WRITE:
            disk.write(at, _read(client, length), through=bool(flags & 1))
        elif kind == FLUSH:
            disk.flush()
        elif kind == DISCONNECT:
            return
        client.sendall(struct.pack(">IIQ", 0x67446698, 0, handle) + answer)
