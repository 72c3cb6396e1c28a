"""The exact bytes of an entry, and every way a chain can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from doorbell.doorkeys import DoorKeys
from doorbell.errors import DamagedError
from doorbell.journal.entry import (
    KINDS,
    MOST_DOCUMENT,
    Head,
    Stamp,
    body_text,
    document,
    entry_hash,
    first_prev,
    read_body,
    read_document,
    verify,
)
from tests.rigs.journal import chain

KEYS = DoorKeys(bytes(range(32)), bytes(32))
JOURNAL = bytes(16)
VECTORS = Path(__file__).parents[1] / "vectors" / "journal"
STAMP = Stamp("2026-03-01T07:30:00Z", "synced", 12.3456)


def test_a_body_is_written_in_these_very_bytes() -> None:
    text = body_text("ring", {"visit": "Tür"}, STAMP, 3)
    expected = (
        '{"v":1,"kind":"ring","at":"2026-03-01T07:30:00Z","clock":"synced","boot":3,"uptime":12.346,"visit":"Tür"}'
    )
    assert text == expected.encode()
    assert read_body(text)["visit"] == "Tür"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("knock", {}),
        ("ring", {"at": "now"}),
        ("ring", {"n": 2**53}),
        ("ring", {"deep": [{"n": -(2**53)}]}),
        ("ring", {"x": float("nan")}),
        ("ring", {"x": "a" * 40_000}),
    ],
)
def test_a_door_never_writes_what_readers_refuse(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        body_text(kind, fields, STAMP, 1)


def test_only_utc_is_a_stamp() -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        Stamp("2026-03-01T07:30:00+01:00", "synced", 1.0)


def test_an_unsynced_clock_gives_no_day() -> None:
    assert Stamp("1970-01-03T00:00:00Z", "synced", 0.0).day == 2
    assert Stamp("1970-01-03T00:00:00Z", "unsynced", 0.0).day == 0
    assert Stamp("1960-01-01T00:00:00Z", "synced", 0.0).day == 0
    assert Stamp("9999-01-01T00:00:00Z", "synced", 0.0).day == 0


def test_a_whole_chain_has_no_fault() -> None:
    entries = chain(KEYS, 9)
    assert verify(entries, JOURNAL, KEYS.verify_key) is None
    assert verify(entries[4:], JOURNAL, KEYS.verify_key, after=Head(4, entries[3].hash)) is None


def test_forgotten_bodies_leave_the_chain_whole() -> None:
    entries = [evolve(entry, body=None) if entry.index % 2 else entry for entry in chain(KEYS, 9)]
    assert verify(entries, JOURNAL, KEYS.verify_key) is None


def test_another_journal_or_door_does_not_continue() -> None:
    entries = chain(KEYS, 2)
    assert verify(entries, b"x" * 16, KEYS.verify_key).what == "prev"  # type: ignore[union-attr]
    other = DoorKeys(b"o" * 32, bytes(32))
    assert verify(entries[1:], JOURNAL, other.verify_key, after=Head(1, entries[0].hash)).what == "signature"  # type: ignore[union-attr]


@pytest.mark.parametrize("gone", range(1, 9))
def test_a_removed_entry_is_a_gap(gone: int) -> None:
    entries = chain(KEYS, 9)
    del entries[gone - 1]
    fault = verify(entries, JOURNAL, KEYS.verify_key)
    assert fault is not None
    assert (fault.what, fault.index) == ("gap", gone + 1)


def test_a_cut_or_rewritten_journal_is_told_by_a_head_that_was_seen() -> None:
    entries = chain(KEYS, 9)
    seen = Head(9, entries[8].hash)
    assert verify(entries, JOURNAL, KEYS.verify_key, seen=seen) is None
    assert verify(entries[:8], JOURNAL, KEYS.verify_key, seen=seen).what == "behind"  # type: ignore[union-attr]
    assert verify(entries, JOURNAL, KEYS.verify_key, seen=Head(5, bytes(32))).what == "rewritten"  # type: ignore[union-attr]


@given(st.data())
def test_any_changed_bit_is_found(data: st.DataObject) -> None:
    import hashlib

    entries = []
    prev = first_prev(JOURNAL, KEYS.verify_key)
    from doorbell.journal.entry import Entry

    for index in (1, 2, 3):
        body = bytes([index]) * 9
        digest = entry_hash(index, prev, hashlib.sha256(body).digest())
        entries.append(Entry(index, prev, body, hashlib.sha256(body).digest(), KEYS.sign_entry(digest)))
        prev = digest
    place = data.draw(st.integers(0, 2))
    name = data.draw(st.sampled_from(["prev", "body", "body_hash", "sig"]))
    value = bytearray(getattr(entries[place], name))
    value[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    entries[place] = evolve(entries[place], **{name: bytes(value)})
    fault = verify(entries, JOURNAL, KEYS.verify_key)
    assert fault is not None
    assert fault.index == place + 1


def test_a_document_reads_back_as_it_was() -> None:
    for entry in chain(KEYS, 3):
        assert read_document(document(entry)) == entry
        forgotten = evolve(entry, body=None)
        assert read_document(document(forgotten)) == forgotten


def test_the_largest_entry_fits_a_message() -> None:
    assert len(document(evolve(chain(KEYS, 1)[0], body=bytes(64 * 1024), index=2**53 - 1))) <= MOST_DOCUMENT


@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_stumble(text: bytes) -> None:
    for read in (read_document, read_body):
        try:
            read(text)
        except DamagedError:
            continue


@pytest.mark.parametrize("text", [b"[" * 30_000, b'{"a":' * 9_000, b'{"index":' + b"9" * 9_000 + b"}"])
def test_deep_or_long_nonsense_is_refused(text: bytes) -> None:
    with pytest.raises(DamagedError):
        read_document(text)
    with pytest.raises(DamagedError):
        read_body(text)


# ---- the vectors, which the phone's tests read too


def vectors(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((VECTORS / name).read_text())["cases"]
    return cases


@pytest.mark.parametrize("case", vectors("chains.json"), ids=lambda case: case["name"])
def test_every_reader_gives_the_same_verdict_on_a_chain(case: dict[str, Any]) -> None:
    seen = Head(case["seen"]["index"], bytes.fromhex(case["seen"]["hash"])) if "seen" in case else None
    entries = [read_document(text.encode()) for text in case["documents"]]
    fault = verify(entries, bytes.fromhex(case["journal_id"]), bytes.fromhex(case["verify_key"]), seen=seen)
    assert (fault and fault.what, fault and fault.index) == (case["fault"], case["index"])
    if fault is None:
        assert [entry.hash.hex() for entry in entries] == case["hashes"]


@pytest.mark.parametrize("case", vectors("documents.json"), ids=lambda case: case["name"])
def test_every_reader_takes_and_refuses_the_same_documents(case: dict[str, Any]) -> None:
    if case["good"]:
        assert read_document(case["document"].encode()).hash.hex() == case["hash"]
    else:
        with pytest.raises(DamagedError):
            read_document(case["document"].encode())


@pytest.mark.parametrize("case", vectors("bodies.json"), ids=lambda case: case["name"])
def test_every_reader_takes_and_refuses_the_same_bodies(case: dict[str, Any]) -> None:
    if case["good"]:
        assert read_body(case["body"].encode())["kind"] == case["kind"]
    else:
        with pytest.raises(DamagedError):
            read_body(case["body"].encode())


def test_the_vectors_are_what_their_script_makes() -> None:
    import runpy

    made = runpy.run_path(str(VECTORS / "make.py"))["made"]()
    assert {name: (VECTORS / name).read_text() for name in made} == made


def test_the_kinds_are_the_contracts() -> None:
    assert len(set(KINDS)) == len(KINDS) == 19
