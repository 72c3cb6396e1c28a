"""Chunks in turns, within their credit, and never more in hand than a few."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from doorbell.errands import read_part
from doorbell.transfers import CHUNK, MOST, MOST_OF_ONE, READ_AT_ONCE, Transfer, Transfers

CLIP = bytes(range(256)) * 4096  # 10.7 chunks


def part(one: Transfer) -> bytes:
    return CLIP[one.next * CHUNK : (one.next + READ_AT_ONCE) * CHUNK]


def asked(member: str, first: int, window: int) -> Transfer:
    return Transfer(member, member.encode() * 16, "a" * 26, first, first + window)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 14), st.integers(1, 20)), max_size=8), st.integers(0, 99)
)
def test_everybody_gets_what_they_asked_for_in_order_and_no_more(wishes: list[tuple[str, int, int]], seed: int) -> None:
    transfers, rng = Transfers(), random.Random(seed)
    taken = [one for wish in wishes if transfers.add(one := asked(*wish))]
    wanted = {id(one): list(range(one.next, min(one.end, 11))) for one in taken}
    got: dict[int, list[int]] = {id(one): [] for one in taken}
    for _ in range(2000):
        one = transfers.to_read()
        if one is not None:
            assert transfers.to_read() is None
            transfers.read(part(one), len(CLIP))
        assert len(transfers._ready) <= 2 * READ_AT_ONCE
        if (chunk := transfers.first()) is not None and rng.random() < 0.6:
            whose, n, sealed = chunk
            assert sealed == CLIP[n * CHUNK : (n + 1) * CHUNK]
            got[id(whose)].append(n)
            transfers.sent()
        if one is None and chunk is None:
            break
    assert got == wanted


def test_nobody_waits_until_another_has_everything() -> None:
    transfers = Transfers()
    transfers.add(asked("a", 0, 64))
    transfers.add(asked("b", 0, 64))
    first = []
    for _ in range(2):
        one = transfers.to_read()
        assert one
        first.append(one.member)
        transfers.read(part(one), len(CLIP))
        while transfers.first():
            transfers.sent()
    assert sorted(first) == ["a", "b"]


def test_there_is_room_for_so_many_and_no_more() -> None:
    transfers = Transfers()
    assert [transfers.add(asked("a", 0, 1)) for _ in range(MOST_OF_ONE + 1)] == [True] * MOST_OF_ONE + [False]
    more = [transfers.add(asked(member, 0, 1)) for member in "bcdefg" for _ in range(MOST_OF_ONE)]
    assert sum(more) == MOST - MOST_OF_ONE


def test_when_the_link_breaks_or_a_member_goes_nothing_more_is_sent() -> None:
    transfers = Transfers()
    transfers.add(asked("a", 0, 8))
    transfers.add(asked("b", 0, 8))
    one = transfers.to_read()
    assert one
    transfers.read(part(one), len(CLIP))
    transfers.end_of(one.member)
    assert transfers.first() is None
    other = transfers.to_read()
    assert other and other.member != one.member
    transfers.clear()
    assert transfers.read(part(other), len(CLIP)) is None
    assert transfers.first() is None
    assert transfers.to_read() is None


def test_a_part_is_what_lies_there_and_behind_the_end_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "clip"
    file.write_bytes(CLIP)
    assert read_part(file, 0, 10) == (CLIP[:10], len(CLIP))
    assert read_part(file, len(CLIP) - 5, 10) == (CLIP[-5:], len(CLIP))
    assert read_part(file, len(CLIP) + 5, 10) == (b"", len(CLIP))
