"""Reads QR codes in pictures, in a process that can do nothing else.

Whoever stands before the door chooses the picture, and a C++ library (ZXing) looks for codes in it. So this file is a
whole program that uses nothing else of ours: it loads the library, gives up every right the kernel lets it give up, and
then reads pictures and writes texts until its standard input ends. After ``lock`` a system call that is not on the list
fails: it can open no file and no socket, start nothing, signal nobody. (It fails and does not kill: a C library may ask
for a file that it does well without.)

Standard input: for each picture u16be width, u16be height, then width x height bytes of luma. Standard output: the
byte ``R`` once it is locked, then for each picture u16be length and that many characters of the first code whose text
is as long as a ticket's; length 0 where there is none.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from typing import Any

MOST_SIDE = 4096
LEAST_TEXT, MOST_TEXT = 270, 525
"""Characters of base45 of a ticket: of 181 to 350 bytes, and some leeway below."""
MEMORY = 256 * 1024 * 1024
"""Bytes of address space: the interpreter, the library, one picture and the library's copies of it."""
CPU_S = 300
READY = b"R"
CANNOT = 2
"""Exit status where it cannot work on this machine."""
ALPHANUMERIC = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")

# linux/seccomp.h, linux/prctl.h, linux/audit.h, linux/bpf_common.h
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER, _SET_DUMPABLE = 38, 22, 2, 4
_KILL, _FAIL, _ALLOW = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_AT_NUMBER, _AT_ARCHITECTURE = 0, 4

MACHINES = {
    "x86_64": (0xC000003E, (0, 1, 9, 10, 11, 12, 15, 25, 28, 60, 202, 228, 231)),
    "aarch64": (0xC00000B7, (63, 64, 93, 94, 98, 113, 139, 214, 215, 216, 222, 226, 233)),
    "armv7l": (0x40000028, (1, 3, 4, 45, 91, 119, 125, 163, 173, 192, 220, 240, 248, 263, 403, 422)),
}
"""By machine: its audit number, and the calls it may make: read, write, exit, exit_group, sigreturn, futex and the
clock, and what ``malloc`` asks for (brk, mmap, munmap, mremap, mprotect, madvise)."""
MACHINES["armv6l"] = MACHINES["armv8l"] = MACHINES["armv7l"]


def text_in(width: int, height: int, luma: bytes) -> bytes:
    """The text of the first code in *luma* (height x width bytes) that may be a ticket, or nothing."""
    import zxingcpp  # noqa: PLC0415  whoever only wants the names above needs no library

    library: Any = zxingcpp  # its types differ between version 2 and 3, its calls do not
    picture = memoryview(luma).cast("B", (height, width))
    for code in library.read_barcodes(picture, formats=library.BarcodeFormat.QRCode):
        text = bytes(code.bytes)
        if LEAST_TEXT <= len(text) <= MOST_TEXT and ALPHANUMERIC.issuperset(text):
            return text
    return b""


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("value", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def lock() -> None:
    """Give up everything but reading what is given and answering it. Raises OSError where the kernel does not take it.

    The limits stand behind the list of calls, and a service's own filter may forbid to set them; the list may not fail.
    """
    for what, most in (
        (resource.RLIMIT_NOFILE, 0), (resource.RLIMIT_NPROC, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_S),
    ):  # fmt: skip
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):
            continue
    # A 64-bit kernel may run a 32-bit system: what counts is what this interpreter is.
    machine = platform.machine()
    architecture, calls = MACHINES["armv7l" if machine == "aarch64" and sys.maxsize < 2**32 else machine]
    steps = [_Step(_LOAD, 0, 0, _AT_ARCHITECTURE), _Step(_JUMP_EQUAL, 1, 0, architecture), _Step(_RETURN, 0, 0, _KILL)]
    steps.append(_Step(_LOAD, 0, 0, _AT_NUMBER))
    for call in calls:
        steps += [_Step(_JUMP_EQUAL, 0, 1, call), _Step(_RETURN, 0, 0, _ALLOW)]
    steps.append(_Step(_RETURN, 0, 0, _FAIL))
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    for order in (
        (_SET_DUMPABLE, 0, 0, 0, 0),
        (_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*order):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _taken(source: int, length: int) -> bytes:
    """Exactly *length* bytes, or what there was before the end."""
    parts = []
    while length > 0 and (part := os.read(source, min(length, 65536))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def main() -> int:
    """0 at the end of its input, 1 for what is no picture, 2 where the library is missing or it could not be locked."""
    try:
        text_in(64, 64, bytes(64 * 64))  # whatever is loaded at first use is loaded now
        lock()
    except (ImportError, OSError, KeyError):
        return CANNOT
    os.write(1, READY)
    while len(head := _taken(0, 4)) == 4:
        width, height = struct.unpack(">HH", head)
        if not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE):
            return 1
        luma = _taken(0, width * height)
        if len(luma) < width * height:
            return 1
        text = text_in(width, height, luma)
        os.write(1, struct.pack(">H", len(text)) + text)
    return 0


if __name__ == "__main__":
    os._exit(main())
