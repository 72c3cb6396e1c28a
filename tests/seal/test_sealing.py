"""What the door writes opens to what it saw, with every reader there is, however it came and wherever it was cut."""

import io
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import CHUNK, MAX_RECIPIENTS, SEALED_CHUNK, Sealer, seal, whole_chunks
from doorbell.errors import Mistake
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import ChangedError, CutError, UnsealError, unseal

HOME = [Identity(bytes([n]) * 32) for n in range(1, 18)]
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 1_000_000]


def plaintext(size: int) -> bytes:
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


def household(count: int) -> list[Recipient]:
    return [identity.recipient for identity in HOME[:count]]


def opened(sealed: bytes, identity: Identity = HOME[0]) -> bytes:
    return b"".join(unseal([identity], io.BytesIO(sealed)))


def shown(sealed: bytes, identity: Identity = HOME[0]) -> tuple[bytes, UnsealError | None]:
    """All that was given away, and what ended it."""
    plain = b""
    try:
        for chunk in unseal([identity], io.BytesIO(sealed)):
            plain += chunk
    except UnsealError as error:
        return plain, error
    return plain, None


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("size", SIZES)
def test_a_clip_opens_with_stock_age(size: int, count: int, tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    key.write_text(HOME[count - 1].line() + "\n", encoding="ascii")
    sealed = seal(household(count), plaintext(size))
    done = subprocess.run(["age", "-d", "-i", key], input=sealed, capture_output=True, timeout=30, check=True)
    assert done.stdout == plaintext(size)


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("size", SIZES)
def test_what_stock_age_sealed_opens_here(size: int, count: int) -> None:
    people = [word for recipient in household(count) for word in ("-r", str(recipient))]
    done = subprocess.run(["age", *people], input=plaintext(size), capture_output=True, timeout=30, check=True)
    assert opened(done.stdout, HOME[count - 1]) == plaintext(size)


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("size", SIZES)
def test_rage_opens_ours_and_we_open_rages(size: int, count: int) -> None:
    key = pyrage.x25519.Identity.from_str(HOME[count - 1].line())
    assert pyrage.decrypt(seal(household(count), plaintext(size)), [key]) == plaintext(size)
    people = [pyrage.x25519.Recipient.from_str(str(recipient)) for recipient in household(count)]
    assert opened(pyrage.encrypt(plaintext(size), people), HOME[count - 1]) == plaintext(size)


def test_every_member_of_a_full_house_opens_the_clip() -> None:
    sealed = seal(household(MAX_RECIPIENTS), b"ring")
    assert [opened(sealed, identity) for identity in HOME] == [b"ring"] * MAX_RECIPIENTS


def test_a_clip_is_sealed_to_somebody_and_to_a_full_house_at_most() -> None:
    for count in (0, MAX_RECIPIENTS + 1):
        with pytest.raises(Mistake, match="1 to 17"):
            Sealer((household(MAX_RECIPIENTS) * 2)[:count])


def test_no_two_clips_share_a_key() -> None:
    first, second = seal(household(1), b"same"), seal(household(1), b"same")
    assert not set(first.splitlines()[1:]) & set(second.splitlines()[1:])


@given(
    size=st.one_of(st.integers(0, 300), st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5])),
    cuts=st.lists(st.floats(0, 1), max_size=12),
    kind=st.sampled_from([bytes, bytearray, memoryview]),
)
@settings(max_examples=80, deadline=None)
def test_a_clip_opens_to_its_plaintext_however_it_came(
    size: int, cuts: list[float], kind: Callable[[bytes], bytes]
) -> None:
    whole = plaintext(size)
    edges = sorted({0, size, *(round(cut * size) for cut in cuts)})
    sealer = Sealer(household(2))
    sealed = sealer.header
    for start, end in pairwise(edges):
        piece = kind(whole[start:end])
        more = sealer.update(piece)
        assert len(more) % SEALED_CHUNK == 0
        sealed += more
    assert opened(sealed + sealer.finish(), HOME[1]) == whole


def test_a_piece_that_is_written_over_later_is_sealed_as_it_was() -> None:
    sealer = Sealer(household(1))
    reused = bytearray(b"first")
    sealed = sealer.header + sealer.update(reused)
    reused[:] = b"later"
    assert opened(sealed + sealer.finish()) == b"first"


def test_a_chunk_leaves_only_when_more_follows() -> None:
    sealer = Sealer(household(1))
    assert sealer.update(bytes(CHUNK)) == b""
    assert sealer.update(b"") == b""
    assert len(sealer.update(b"1")) == SEALED_CHUNK
    assert len(sealer.finish()) == 1 + 16


def test_empty_pieces_are_not_kept() -> None:
    sealer = Sealer(household(1))
    sealer.update(b"")
    assert sealer._held == []


def test_a_finished_clip_takes_nothing_more() -> None:
    sealer = Sealer(household(1))
    sealer.finish()
    with pytest.raises(ValueError, match="finished"):
        sealer.update(b"more")
    with pytest.raises(ValueError, match="finished"):
        sealer.finish()


LONG = plaintext(2 * CHUNK + 700)
SEALED = seal(household(2), LONG)
PAYLOAD = len(Sealer(household(2)).header)


@given(st.one_of(st.integers(0, 600), st.integers(0, len(SEALED) - 1)))
@settings(max_examples=300, deadline=None)
def test_a_cut_clip_opens_to_its_whole_chunks_and_is_never_called_complete(size: int) -> None:
    plain, error = shown(SEALED[:size])
    whole = max(0, size - PAYLOAD) // SEALED_CHUNK * CHUNK
    assert plain == LONG[:whole]
    assert isinstance(error, CutError)
    assert error.opened == whole


@given(st.integers(0, len(SEALED) - 1))
@settings(max_examples=200, deadline=None)
def test_what_a_power_cut_left_is_trimmed_to_what_opens(size: int) -> None:
    kept = whole_chunks(SEALED[: min(size, 4096)], size)
    assert kept <= size
    assert size - kept < max(SEALED_CHUNK, PAYLOAD)
    if size >= PAYLOAD:
        assert shown(SEALED[:kept])[0] == shown(SEALED[:size])[0]
    else:
        assert kept == 0


def test_a_file_of_another_kind_has_no_whole_chunks() -> None:
    assert whole_chunks(b"", 0) == 0
    assert whole_chunks(b"\x00\x00\x00\x18ftypisom" + SEALED[:4096], 10**6) == 0
    assert whole_chunks(SEALED[:4096].replace(b"\n--- ", b"\n--- x"), 10**6) == 0


@given(st.one_of(st.integers(0, 8 * 600 - 1), st.integers(0, 8 * len(SEALED) - 1)))
@settings(max_examples=300, deadline=None)
def test_a_flipped_bit_never_yields_a_changed_picture(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    plain, error = shown(bytes(changed))
    assert error is not None
    assert LONG.startswith(plain)
    assert len(plain) % CHUNK == 0


HEADER_PARTS = [
    b"age-encryption.org/v1\n",
    b"-> X25519 ",
    b"-> ",
    b"\n",
    b"--- ",
    b"A" * 43,
    b"A" * 64,
    b"=",
    b"\r",
    SEALED[:PAYLOAD],
    SEALED[22:PAYLOAD],
    SEALED[-700:],
]


@given(st.lists(st.one_of(st.sampled_from(HEADER_PARTS), st.binary(max_size=40)), max_size=12).map(b"".join))
@settings(max_examples=500, deadline=None)
def test_no_bytes_whatever_break_the_reader(hostile: bytes) -> None:
    plain, error = shown(hostile)
    assert plain == b""
    assert error is not None
    assert whole_chunks(hostile, len(hostile)) <= len(hostile)


def test_a_header_without_end_is_given_up() -> None:
    endless = io.BytesIO(SEALED[:22] + b"-> x\n\n" * 100_000)
    with pytest.raises(UnsealError, match="header is longer"):
        unseal(HOME[:1], endless)
    assert endless.tell() < 70_000


def test_a_clip_cut_before_its_payload_is_told_at_once() -> None:
    with pytest.raises(CutError):
        unseal(HOME[:1], io.BytesIO(SEALED[: PAYLOAD - 1]))


def test_the_changed_chunk_is_named() -> None:
    changed = bytearray(SEALED)
    changed[PAYLOAD + SEALED_CHUNK] ^= 1
    plain, error = shown(bytes(changed))
    assert plain == LONG[:CHUNK]
    assert isinstance(error, ChangedError)
    assert (error.chunk, error.opened) == (2, CHUNK)
    assert "chunk 2" in str(error)


def test_a_slow_pipe_opens_like_a_file() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(1000, size or 0))

    assert b"".join(unseal(HOME[:1], Trickle(SEALED))) == LONG


def test_a_stranger_is_told_so() -> None:
    with pytest.raises(UnsealError, match="not sealed to this identity"):
        unseal([HOME[9]], io.BytesIO(SEALED))


def test_the_right_one_of_several_identities_is_found() -> None:
    assert b"".join(unseal([HOME[9], HOME[1]], io.BytesIO(SEALED))) == LONG


@pytest.mark.parametrize(
    ("beginning", "sentence"),
    [
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "armored"),
        (b"age-encryption.org/v2\n", "another version"),
        (b"\xff\xd8\xff\xe0" + bytes(300), "not an age file"),
        (
            SEALED[:22] + b"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n" + b"A" * 43 + b"\n--- " + b"A" * 43 + b"\n",
            "passphrase",
        ),
    ],
)
def test_what_else_it_may_be_is_said_plainly(beginning: bytes, sentence: str) -> None:
    with pytest.raises(UnsealError, match=sentence):
        unseal(HOME[:1], io.BytesIO(beginning))
