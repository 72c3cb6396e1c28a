"""A recipient is taken only if it is surely one, and what else it may be is said plainly."""

import subprocess

import pytest
from bech32 import bech32_encode, convertbits
from hypothesis import given
from hypothesis import strategies as st

from doorbell.clips.recipient import Recipient
from doorbell.errors import Mistake
from doorbell.owner.identity import Identity

GOOD = str(Identity(bytes(range(32))).recipient)
PRIVATE = Identity(bytes(range(32))).line()
# Each times eight is the neutral point: 0, 1, the two points of order 8, -1, and 0 and 1 written as p and p + 1.
LOW_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ec" + "ff" * 30 + "7f"),
    bytes.fromhex("ed" + "ff" * 30 + "7f"),
    bytes.fromhex("ee" + "ff" * 30 + "7f"),
    bytes(31) + b"\x80",
]


def bech32(kind: str, data: bytes) -> str:
    return bech32_encode(kind, convertbits(data, 8, 5) or [])


@given(st.binary(min_size=32, max_size=32))
def test_a_recipient_is_written_as_it_is_read(secret: bytes) -> None:
    recipient = Identity(secret).recipient
    assert Recipient.parse(f"  {recipient}\n") == recipient


def test_age_itself_knows_our_recipients() -> None:
    done = subprocess.run(["age-keygen", "-y"], input=PRIVATE.encode(), capture_output=True, timeout=10, check=True)
    assert done.stdout.decode().strip() == GOOD


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (PRIVATE, "private key"),
        (PRIVATE.lower(), "private key"),
        (GOOD[:-1] + ("q" if GOOD[-1] != "q" else "p"), "checksum"),
        (GOOD[:-1], "checksum"),
        (GOOD.upper(), "lower case"),
        (GOOD[:10] + GOOD[10:].upper(), "checksum"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA someone", "SSH"),
        (bech32("bc", bytes(20)), "starts with age1"),
        (bech32("age1yubikey", bytes(33)), "Hardware"),
        (bech32("age1pq", bytes(1216)), "Hardware"),
        (bech32("age", bytes(range(31))), "32 bytes"),
        (bech32("age", bytes(range(33))), "32 bytes"),
        (bech32_encode("age", [*(convertbits(bytes(range(32)), 8, 5) or [])[:-1], 31]), "checksum"),
        ("", "starts with age1"),
        ("age1", "checksum"),
        ("age1\u00e4\u00f6", "checksum"),
    ],
)
def test_what_is_no_recipient_is_told_apart_and_not_repeated(text: str, sentence: str) -> None:
    with pytest.raises(Mistake, match=sentence) as caught:
        Recipient.parse(text)
    assert not text or text not in str(caught.value) or text == "age1"


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda point: point.hex()[:8] + point.hex()[-4:])
def test_a_point_that_gives_everybody_the_same_secret_is_refused(point: bytes) -> None:
    with pytest.raises(Mistake, match="weak"):
        Recipient.parse(bech32("age", point))


@given(st.text(max_size=100))
def test_any_text_is_a_recipient_or_a_mistake(text: str) -> None:
    with pytest.raises(Mistake):
        Recipient.parse(text)
