"""A card that fails or loses power at the n-th call: the real calls, counted."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from doorbell.clips.files import Files

CALLS = (
    "make_folder", "create", "write", "fsync", "close", "rename", "sync_folder", "open_existing", "truncate", "unlink",
)  # fmt: skip


class PowerCut(BaseException):
    """Not an Exception: nothing may catch it."""


class Card(Files):
    """``at`` is the call (from 1) that fails with ``code``, or before which the power is cut (``code`` 0).

    ``tear`` lets a failing or cut write reach the card by half.
    """

    def __init__(self, at: int = 0, code: int = errno.EIO, *, tear: bool = False) -> None:
        self.at, self.code, self.tear = at, code, tear
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        real = super().__getattribute__(name)
        if name not in CALLS:
            return real

        def counted(*arguments: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) != self.at:
                return real(*arguments)
            if name == "write" and self.tear:
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            if not self.code:
                raise PowerCut
            if name == "close":
                real(*arguments)  # a close that fails has closed
            raise OSError(self.code, os.strerror(self.code))

        return counted


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    path.chmod(0o600)
    return path
