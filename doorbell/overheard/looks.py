"""Whether bytes look like ciphertext. Nobody can prove that they are; but what can be read at a glance is found.

Four looks, each of which random bytes pass but for one time in a million and more: how files and messages of this door
begin, 24 characters of text in a row, bytes that compress, bytes of which some are much more frequent than others.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from typing import Final

AGE: Final = b"age-encryption.org/v1\n"
_BEGINNINGS: Final = (
    (re.compile(rb"\xff\xd8\xff[\xdb\xe0-\xef\xfe]"), "a JPEG picture"),
    (re.compile(rb"....(ftyp|moov|moof)", re.DOTALL), "MP4 video"),
    (re.compile(rb'\s*[{\[]\s*["{\[\]}]'), "JSON"),
    (re.compile(rb"\0\0\0?\x01[\x06\x09\x25\x27\x41\x61\x65\x67\x68]"), "H.264 video"),
)
_INSIDE: Final = ((re.compile(rb"moof\0\0\0\x10mfhd\0\0\0\0"), "MP4 video"),)
_TEXT: Final = re.compile(rb"[\t\n\r\x20-\x7e]{24,}")
FEW: Final = 64
"""Bytes below which compression and frequencies say nothing."""
MANY: Final = 1024


def readable(data: bytes) -> str:
    """What can be read in *data*, in a word; empty where it looks like ciphertext."""
    for pattern, name in _BEGINNINGS:
        if pattern.match(data):
            return name
    for pattern, name in _INSIDE:
        if pattern.search(data):
            return name
    if _TEXT.search(data):
        return "text"
    if len(data) >= FEW and len(zlib.compress(data, 9)) < 0.9 * len(data):
        return "bytes that compress"
    if len(data) >= MANY and _chi_squared(data) > 255 + 12 * 22.6:  # 255 degrees of freedom: deviation 22.6
        return "bytes that are no random ones"
    return ""


def unsealed_part(data: bytes) -> tuple[int, bytes] | None:
    """Of an age file: to how many it is sealed, and all behind its header. None for what is no age file."""
    if not data.startswith(AGE):
        return None
    header, mac, rest = data.partition(b"\n--- ")
    _, newline, body = rest.partition(b"\n")
    if not mac or not newline:
        return None
    return header.count(b"\n-> "), body


def _chi_squared(data: bytes) -> float:
    expected = len(data) / 256
    counts = Counter(data)
    return sum((counts[value] - expected) ** 2 for value in range(256)) / expected
