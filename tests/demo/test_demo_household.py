"""The owner's end of the demo: it believes what the door signed, and nothing else."""

import secrets

import pytest

from doorbell.clips.seal import seal
from doorbell.demo.household import Hello, Household, Line, Poster, Ring, Told
from doorbell.doorkeys import DoorKeys
from doorbell.errors import DamagedError
from doorbell.journal.entry import Entry, Stamp, body_text, document, entry_hash, first_prev
from doorbell.link import messages
from doorbell.link.messages import Message
from doorbell.owner.identity import Identity

OWNER = Identity.make()
DOOR, STRANGER = (DoorKeys(secrets.token_bytes(32), secrets.token_bytes(32)) for _ in range(2))
EPOCH, JOURNAL = secrets.token_bytes(16), secrets.token_bytes(16)
AT = 1000.0


def _seal(plain: bytes) -> bytes:
    return seal([OWNER.recipient], plain)


def _told(message: Message, at: float = AT) -> Told:
    return Told(at, message.topic, message.payload)


def _hello(keys: DoorKeys) -> Told:
    return _told(messages.hello("demo", keys.sign, software="1", verify_key=keys.verify_key, box_key=keys.box_key,
                                epoch=EPOCH, journal=JOURNAL))  # fmt: skip


def _alert(keys: DoorKeys, *, epoch: bytes = EPOCH) -> Message:
    return messages.alert("demo", keys.sign, _seal, visit="abc", epoch=epoch, uptime=AT - 0.01, wall=5e8, synced=True)


def _entries(count: int) -> list[Entry]:
    made, prev = [], first_prev(JOURNAL, DOOR.verify_key)
    for index in range(1, count + 1):
        body = _seal(body_text("ring", {}, Stamp("2026-01-01T00:00:00Z", "synced", 1.0), 1))
        from hashlib import sha256

        digest = sha256(body).digest()
        link = entry_hash(index, prev, digest)
        made.append(Entry(index, prev, body, digest, DOOR.sign_entry(link)))
        prev = link
    return made


def _entry(entry: Entry) -> Told:
    return Told(AT, f"doorbell/demo/journal/{entry.index}", document(entry))


@pytest.fixture
def house() -> Household:
    household = Household(OWNER, "demo")
    assert isinstance(household.take(_hello(DOOR)), Hello)
    return household


def test_a_ring_is_opened_and_verified(house: Household) -> None:
    ring = house.take(_told(_alert(DOOR)))
    assert isinstance(ring, Ring)
    assert (ring.visit, ring.wall, ring.heard) == ("abc", 5e8, AT)
    assert house.rings == [ring]


def test_a_strangers_ring_rings_nowhere(house: Household) -> None:
    with pytest.raises(DamagedError):
        house.take(_told(_alert(STRANGER)))
    assert house.rings == []


def test_a_ring_before_any_hello_rings_nowhere() -> None:
    with pytest.raises(DamagedError):
        Household(OWNER, "demo").take(_told(_alert(DOOR)))


@pytest.mark.parametrize("late", [61.0, -5.0])
def test_a_ring_of_another_time_rings_nowhere(house: Household, late: float) -> None:
    with pytest.raises(DamagedError):
        house.take(_told(_alert(DOOR), at=AT + late))


def test_a_ring_from_before_the_doors_restart_rings_nowhere(house: Household) -> None:
    with pytest.raises(DamagedError):
        house.take(_told(_alert(DOOR, epoch=bytes(16))))


def test_a_second_door_that_says_hello_is_not_believed(house: Household) -> None:
    with pytest.raises(DamagedError):
        house.take(_hello(STRANGER))
    assert house.verify_key == DOOR.verify_key


def test_a_poster_is_opened(house: Household) -> None:
    poster = house.take(_told(messages.poster("demo", visit="abc", sealed=_seal(b"picture"))))
    assert poster == Poster("abc", b"picture")


def test_what_is_sealed_to_somebody_else_does_not_open(house: Household) -> None:
    sealed = seal([Identity.make().recipient], b"picture")
    with pytest.raises(DamagedError):
        house.take(_told(messages.poster("demo", visit="abc", sealed=sealed)))


def test_entries_are_opened_and_their_chain_holds(house: Household) -> None:
    entries = _entries(3)
    lines = [house.take(_entry(one)) for one in (*entries, entries[2])]  # the last one twice, as QoS 1 may
    assert all(isinstance(line, Line) and line.body["kind"] == "ring" for line in lines)
    assert house.chain_fault() is None


def test_a_missing_entry_breaks_the_chain(house: Household) -> None:
    for one in (_entries(3)[0], _entries(3)[2]):
        house.take(_entry(one))
    fault = house.chain_fault()
    assert fault is not None and fault.what == "gap"


def test_clear_topics_hold_nothing_to_open(house: Household) -> None:
    assert house.take(_told(messages.motion("demo", active=True))) is None
