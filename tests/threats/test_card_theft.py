"""Who holds the card, and every key on it, opens nothing, takes nothing away unnoticed, and plants nothing."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from doorbell.check import check
from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.doorkeys import DoorKeys
from doorbell.hkdf import hkdf
from doorbell.journal.entry import Entry, Head, entry_hash, first_prev, verify
from doorbell.journal.requests import ClipKept, ClipStarted
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import NotOursError, unseal
from tests.endure.rows import FULL, count, named, seeds, show
from tests.rigs.door import Door
from tests.rigs.journal import Door as Card
from tests.rigs.journal import chain, clip_id, stamp

pytestmark = [pytest.mark.endure, pytest.mark.timeout(1800)]
JOURNAL = bytes(16)


def opens(key: bytes, sealed: bytes) -> bool:
    try:
        next(iter(unseal([Identity(key)], io.BytesIO(sealed))))
    except NotOursError:
        return False
    return True


def keys_in(data: bytes) -> Iterator[bytes]:
    """Whatever of it may be a secret: each 32 bytes in a row, as they are and as a signing key's twin for sealing."""
    for start in range(len(data) - 31):
        yield data[start : start + 32]
    if len(data) == 32:
        yield hashlib.sha512(data).digest()[:32]  # how an Ed25519 seed becomes an X25519 secret
        yield hkdf(data, salt=b"", info=b"doorbell/v1/owner-signing")


def in_the_journal(state: Path) -> Iterator[bytes]:
    """Each value that its tables hold but the sealed bodies."""
    with closing(sqlite3.connect(f"file:{state}/journal.sqlite3?mode=ro", uri=True)) as book:
        tables = [name for (name,) in book.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            rows = book.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            for row in rows:
                held = (value for name, value in zip(names, row, strict=True) if name != "body")
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in held)


@pytest.mark.threat("theft, keys")
def test_no_key_on_the_card_opens_a_clip_a_poster_or_an_entry(tmp_path: Path) -> None:
    with Door(tmp_path / "door", settings={"camera": {"source": "scene"}}) as door:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        door.press()
        door.until(lambda: door.clips, 60)
        door.stop()
    sealed = [path.read_bytes() for path in (door.state / "clips").iterdir()]
    assert len(sealed) >= 2
    with closing(sqlite3.connect(f"file:{door.state}/journal.sqlite3?mode=ro", uri=True)) as book:
        bodies = [bytes(body) for (body,) in book.execute("SELECT body FROM entry WHERE body IS NOT NULL")]
    assert bodies
    sealed.append(bodies[-1])
    small = [path for path in door.state.rglob("*") if path.is_file() and path.stat().st_size < 4000]
    small = [path for path in small if not path.name.endswith(".age")]
    assert len([path for path in small if path.parent.name == "keys"]) >= 2
    contents = {path.name: path.read_bytes() for path in small}
    contents |= {f"journal, value {number}": value for number, value in enumerate(in_the_journal(door.state))}
    book_itself = b"".join(path.read_bytes() for path in sorted(door.state.glob("journal.sqlite3*")))
    if FULL:
        contents["journal, as it lies there"] = book_itself
    tried: set[bytes] = set()
    for name, content in contents.items():
        for key in set(keys_in(content)) - tried:
            assert not any(opens(key, one) for one in sealed), name
            tried.add(key)
    for content in (*contents.values(), book_itself):
        assert b"AGE-SECRET-KEY" not in content
        assert door.owner.secret not in content
    assert all(b"".join(unseal([door.owner], io.BytesIO(one))) for one in sealed), "the control: the owner opens each"
    figure = (
        f"{len(tried):,} keys from {len(small)} files of the card and its journal open 0 of {len(sealed)} sealed files"
    )
    show("theft, keys", figure)


def again(entries: list[Entry], keys: DoorKeys) -> list[Entry]:
    """The same entries numbered, chained and signed afresh, by one who holds the door's signing key."""
    made, prev = [], first_prev(JOURNAL, keys.verify_key)
    for index, entry in enumerate(entries, 1):
        digest = entry_hash(index, prev, entry.body_hash)
        made.append(evolve(entry, index=index, prev=prev, sig=keys.sign_entry(digest)))
        prev = digest
    return made


@pytest.mark.threat("theft, removal")
def test_whatever_is_taken_from_below_a_head_that_a_phone_saw_is_noticed() -> None:
    keys = DoorKeys(os.urandom(32), os.urandom(32))
    whole = chain(keys, 60, JOURNAL)
    times, found, kinds = 0, 0, {"left out": 0, "signed afresh": 0, "filled up": 0}
    for seed in seeds(100, 1000):
        times += 1
        with named(seed):
            chance = random.Random(seed)
            seen = whole[chance.randrange(2, 60)]
            gone = set(chance.sample(range(1, seen.index + 1), chance.randrange(1, min(5, seen.index))))
            if chance.random() < 0.2:  # an older card: the whole end is gone
                gone = set(range(chance.randrange(1, seen.index + 1), 61))
            left = [entry for entry in whole if entry.index not in gone]
            how = chance.choice(list(kinds))
            if how != "left out":
                left = again(left, keys)
            if how == "filled up":  # as many as there were: other entries stand in their place
                left = again([*left, *left[: 60 - len(left)]], keys)
            kinds[how] += 1
            head = Head(seen.index, seen.hash)
            assert verify(whole, JOURNAL, keys.verify_key, seen=head) is None
            found += verify(left, JOURNAL, keys.verify_key, seen=head) is not None
    assert found == times
    how = ", ".join(f"{number} {name}" for name, number in kinds.items())
    show(
        "theft, removal",
        f"{found:,} of {times:,} removals below a seen head found ({how}; the thief signs as the door)",
    )


@pytest.mark.threat("forged clip")
def test_a_planted_clip_is_told_whether_it_replaces_one_or_stands_beside_them(tmp_path: Path) -> None:
    door = Card(tmp_path / "state")
    door.settle(1)
    half = count(100, 5000)
    folder = door.state / "clips"
    real = door.seal(b"a real clip" * 20)
    for number in range(half):
        clip = clip_id(number)
        (folder / f"{clip}.mp4.age").write_bytes(real)
        (folder / f"{clip}.mp4.age").chmod(0o600)
        fields = {"bytes": len(real), "sha256": hashlib.sha256(real).hexdigest(), "poster_sha256": ""}
        door.line.put(ClipStarted(clip, {}, stamp()))
        door.line.put(ClipKept(clip, fields, stamp(), len(real)))
        if number % 90 == 89:
            door.settle(2)
    door.settle(5)
    assert check(door.state, thorough=True, identities=[door.owner]).findings == ()
    recipient = Recipient.parse(str(door.owner.recipient))  # it is public
    for number in range(2 * half):
        forged = folder / f"{clip_id(number)}.mp4.age"
        forged.write_bytes(seal([recipient], b"a fake clip" * 20))
        assert forged.stat().st_size == len(real)
        forged.chmod(0o600)
        os.utime(forged, (1e9, 1e9))  # of a file of the last minute the entry may be on its way
    told = {found.clip for found in check(door.state, thorough=True, identities=[door.owner]).findings}
    door.writer.close()
    assert told == {clip_id(number) for number in range(2 * half)}
    show(
        "forged clip", f"{len(told):,} of {2 * half:,} told by `doorbell check`: half replace a clip, half stand beside"
    )
