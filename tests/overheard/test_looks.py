"""What looks like ciphertext, and what can be read at a glance."""

from __future__ import annotations

import os
import random

import pytest

from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.overheard.looks import readable, unsealed_part
from doorbell.overheard.report import report
from doorbell.overheard.session import Heard
from doorbell.overheard.shown import lines
from doorbell.owner.identity import Identity

RANDOM = random.Random(5)


@pytest.mark.parametrize("size", [0, 1, 48, 63, 64, 200, 1024, 98_304])
def test_random_bytes_are_not_taken_for_anything(size: int) -> None:
    assert [readable(RANDOM.randbytes(size)) for _ in range(20 if size > 10_000 else 300)].count("") >= 20
    assert not any(readable(RANDOM.randbytes(size)) for _ in range(20))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\xd8\xff\xe0" + os.urandom(500), "a JPEG picture"),
        (b"\x00\x00\x00\x18ftypiso5" + os.urandom(500), "MP4 video"),
        (os.urandom(3000) + b"moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x05" + os.urandom(3000), "MP4 video"),
        (b"\0\0\0\x01\x67" + os.urandom(300), "H.264 video"),
        (b'{"kind":"ring"}', "JSON"),
        (os.urandom(100) + b"somebody is at the front door" + os.urandom(100), "text"),
        (bytes(100), "bytes that compress"),
        (bytes(byte for byte in RANDOM.randbytes(9000) if byte < 240), "bytes that are no random ones"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_can_be_read_is_named(data: bytes, name: str) -> None:
    assert readable(data) == name


def test_of_a_sealed_file_the_header_is_open_and_the_rest_is_not() -> None:
    recipients = [Recipient.parse(str(Identity.make().recipient)) for _ in range(3)]
    found = unsealed_part(seal(recipients, bytes(5000)))
    assert found is not None
    count, body = found
    assert (count, readable(body)) == (3, "")
    assert unsealed_part(b"age-encryption.org/v1\n-> X25519 ") is None
    assert unsealed_part(b"") is None


def test_who_heard_nothing_is_not_told_that_all_is_well() -> None:
    """A login that may not read # is let in, and hears nothing."""
    *_, last = lines(report([]))
    assert last.startswith("Nothing at all was heard")
    *_, last = lines(report([Heard(1.0, "doorbell/front/availability", b"online")]))
    assert last.startswith("Nothing but the clear topics")
