"""Makes the roster's test vectors; the same bytes at every run: ``python tests/vectors/roster/make.py``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from attrs import asdict, evolve
from nacl.bindings import crypto_scalarmult_base, crypto_sign, crypto_sign_seed_keypair

from doorbell import pairing, roster, ticket
from doorbell.clips.recipient import Recipient
from doorbell.closed import to_base64
from doorbell.doorkeys import DoorKeys
from doorbell.roster import Member, Role, Roster
from doorbell.ticket import Ticket

DOOR = DoorKeys(bytes(range(32)), bytes(range(1, 33)))
FRONT = "front"


def seed(name: str) -> bytes:
    return hashlib.sha256(f"a test's signing seed of {name}".encode()).digest()


def age_secret(name: str) -> bytes:
    return hashlib.sha256(f"a test's age secret of {name}".encode()).digest()


def member(name: str, role: Role = "member") -> Member:
    verify_key, _ = crypto_sign_seed_keypair(seed(name))
    return Member(name, role, Recipient(crypto_scalarmult_base(age_secret(name))), verify_key)


def signed(text: bytes, by: str) -> dict[str, str]:
    _, secret = crypto_sign_seed_keypair(seed(by))
    return {"json": text.decode(), "sig": to_base64(crypto_sign(b"doorbell/v1/roster\x00" + text, secret)[:64])}


OWNER, ANNA, BEN = member("owner", "admin"), member("Anna", "admin"), member("Ben")
FIRST = roster.begin(FRONT, [OWNER, ANNA], DOOR.sign)


def following(before: Roster, household: list[Member], by: str, /, **changed: Any) -> dict[str, str]:
    """The next revision behind *before*, signed by the member called *by*; *changed* keys of its JSON differ."""
    text = roster.text_of(before.door, before.revision + 1, before.hash, household, member(by).id)
    if changed:
        text = json.dumps(json.loads(text) | changed, separators=(",", ":"), ensure_ascii=False).encode()
    return signed(text, by)


def good(name: str, document: dict[str, str], present: Roster | None) -> Any:
    now = roster.accept(document, present) if present else roster.accept_first(document, FRONT, DOOR.verify_key)
    return _case(name, document, present) | {
        "good": True,
        "hash": now.hash.hex(),
        "members": [one.id for one in now.members],
    }


def bad(name: str, word: str, document: Any, present: Roster | None = FIRST) -> Any:
    return _case(name, document, present) | {"good": False, "word": word}


def _case(name: str, document: Any, present: Roster | None) -> dict[str, Any]:
    return {"name": name, "present": present.document() if present else None, "document": document}


def cases() -> list[Any]:
    second = following(FIRST, [OWNER, ANNA, BEN], "Anna")
    after = roster.accept(second, FIRST)
    many = [OWNER, *(member(f"guest {number}") for number in range(15))]
    plain = json.loads(second["json"])
    ben = plain["members"][2]
    strong = member("Ben", "admin")

    def changed(**what: Any) -> dict[str, str]:
        return following(FIRST, [OWNER, ANNA, BEN], "Anna", **what)

    def with_ben(**what: Any) -> dict[str, str]:
        return changed(members=[*plain["members"][:2], ben | what])

    def raw(text: str) -> dict[str, str]:
        return signed(text.encode(), "Anna")

    return [
        good("revision 1, signed by the door", FIRST.document(), None),
        good("a member joins", second, FIRST),
        good("the owner's words sign when every phone is lost", following(FIRST, [OWNER], "owner"), FIRST),
        good("a member goes", following(after, [OWNER, BEN], "Anna"), after),
        good("a member becomes admin", following(after, [OWNER, ANNA, strong], "Anna"), after),
        good("sixteen members", following(FIRST, many, "Anna"), FIRST),
        good("other white space, as it was signed", raw(json.dumps(plain, indent=1)), FIRST),
        bad("revision 1 signed by its admin", "signature", _sig_of(FIRST.document(), "Anna"), None),
        bad("a household that begins with revision 2", "revision", second, None),
        bad("revision 1 says that a member signed it", "signer", _first_by("Anna"), None),
        bad("signed by a member who is no admin", "signer", following(after, [OWNER, ANNA, BEN], "Ben"), after),
        bad("signed by a stranger", "signer", following(FIRST, [OWNER, ANNA], "Carol")),
        bad("a stranger signs for an admin", "signature", _sig_of(second, "Carol")),
        bad("signed by the door again", "signer", _by_door(FIRST)),
        bad("the same revision again", "revision", changed(revision=1)),
        bad("a revision is left out", "revision", changed(revision=3)),
        bad("an older one comes back", "revision", second, after),
        bad("it continues another roster", "prev", changed(prev=to_base64(bytes(32)))),
        bad("another door's", "door", changed(door="back")),
        bad("nobody is left", "nobody", changed(members=[])),
        bad("the owner is left out", "owner", following(FIRST, [ANNA], "Anna")),
        bad("the owner comes second", "owner", following(FIRST, [ANNA, OWNER], "Anna")),
        bad("the owner is no admin", "owner", following(FIRST, [member("owner"), ANNA], "Anna")),
        bad("the owner's keys are changed", "owner", following(FIRST, [member("Eve", "admin"), ANNA], "Anna")),
        bad("seventeen members", "schema", following(FIRST, [*many, BEN], "Anna")),
        bad("a member twice", "schema", following(FIRST, [OWNER, ANNA, ANNA], "Anna")),
        bad("two members with one recipient", "schema", with_ben(recipient=str(ANNA.recipient))),
        bad("a key that nobody knows", "schema", changed(more=1)),
        bad("a member with a key that nobody knows", "schema", with_ben(more=1)),
        bad("a role that nobody knows", "schema", with_ben(role="guest")),
        bad("a name of 33 characters", "schema", with_ben(name="n" * 33)),
        bad("an empty name", "schema", with_ben(name="")),
        bad("a name with a line break", "schema", with_ben(name="a\nb")),
        bad("a recipient with a typing error", "schema", with_ben(recipient=str(BEN.recipient)[:-1] + "q")),
        bad("a verify key of 31 bytes", "schema", with_ben(verify_key=to_base64(bytes(31)))),
        bad("revision as text", "schema", changed(revision="2")),
        bad("revision 2.0", "schema", raw(second["json"].replace('"revision":2', '"revision":2.0'))),
        bad("revision true", "schema", changed(revision=True)),
        bad("a key twice", "schema", raw(second["json"][:-1] + ',"revision":2}')),
        bad("a list", "schema", raw("[]")),
        bad("cut short", "schema", raw(second["json"][:-1])),
        bad("more than 6,144 bytes", "schema", raw(second["json"] + " " * 6144)),
        bad("a signature of 63 bytes", "schema", second | {"sig": to_base64(bytes(63))}),
        bad("no signature", "schema", {"json": second["json"]}),
        bad("one letter of the text is changed", "signature", second | {"json": second["json"].replace("Ben", "Bea")}),
    ]


def _sig_of(document: dict[str, str], by: str) -> dict[str, str]:
    return document | {"sig": signed(document["json"].encode(), by)["sig"]}


def _first_by(name: str) -> dict[str, str]:
    return signed(roster.text_of(FRONT, 1, bytes(32), [OWNER, ANNA], member(name).id), name)


def _by_door(before: Roster) -> dict[str, str]:
    text = roster.text_of(FRONT, 2, before.hash, [OWNER, ANNA, BEN], "door")
    return {"json": text.decode(), "sig": to_base64(DOOR.sign("roster", text))}


def joins() -> dict[str, Any]:
    """Section 7's two MACs in hex, and requests to join as they stand in the box."""
    secret = bytes(range(16))
    mac = pairing.phone_mac(secret, BEN.recipient.key, BEN.verify_key)
    row = json.loads(roster.text_of(FRONT, 1, bytes(32), [BEN], "door"))["members"][0]

    def case(name: str, value: Any, *, good: bool = False) -> Any:
        return {"name": name, "good": good, "json": value if isinstance(value, str) else json.dumps(value)}

    right = {"member": row, "mac": to_base64(mac)}
    return {
        "door": FRONT,
        "secret": secret.hex(),
        "door_verify_key": DOOR.verify_key.hex(),
        "box_key": DOOR.box_key.hex(),
        "door_mac": pairing.door_mac(secret, FRONT, DOOR.verify_key, DOOR.box_key).hex(),
        "recipient": BEN.recipient.key.hex(),
        "verify_key": BEN.verify_key.hex(),
        "phone_mac": mac.hex(),
        "joins": [
            case("Ben asks", right, good=True),
            case("a wrong MAC", right | {"mac": to_base64(bytes(32))}),
            case(
                "another's keys under Ben's MAC", right | {"member": row | {"verify_key": to_base64(ANNA.verify_key)}}
            ),
            case("no MAC", {"member": row}),
            case("a MAC of 31 bytes", right | {"mac": to_base64(mac[:31])}),
            case("a key that nobody knows", right | {"more": 1}),
            case("a key twice", json.dumps(right)[:-1] + ',"mac":"' + to_base64(mac) + '"}'),
            case("more than 2,048 bytes", json.dumps(right) + " " * 2048),
        ],
    }


def tickets() -> list[Any]:
    """Section 7's QR: bytes in hex with what they say, and both spellings; or bytes and texts to be refused."""
    keys = {"owner": OWNER.recipient.key, "owner_verify_key": OWNER.verify_key, "secret": bytes(range(16))}
    anna = {"phone": ANNA.recipient.key, "phone_verify_key": ANNA.verify_key}
    for_door = Ticket(
        **keys, **anna, door="front", broker="mqtts://broker.example:8883", login="front", password="pässwort-42",
        broker_pin=bytes(range(32)),
    )  # fmt: skip
    joins = Ticket(**keys, door="front", broker="wss://broker.example:8884/mqtt")
    whole = ticket.written(for_door)
    texts = whole.index(b"\x05front")

    def good(name: str, one: Ticket) -> Any:
        says = {key: value.hex() if isinstance(value, bytes) else value for key, value in asdict(one).items()}
        spelt = {"qr": ticket.to_qr(one), "paste": ticket.to_paste(one)}
        return {"name": name, "good": True, "bytes": ticket.written(one).hex(), "says": says} | spelt

    def bad(name: str, data: bytes) -> Any:
        return {"name": name, "good": False, "bytes": data.hex()}

    def with_texts(*parts: bytes) -> bytes:
        return whole[:texts] + b"".join(bytes([len(part)]) + part for part in parts)

    usual = (b"front", b"mqtts://broker.example:8883", b"front", b"pw")
    filled = Ticket(**keys, **anna, door="front", broker="mqtt://10.0.0.2", login="front", password="p" * 144)
    return [
        good("for a door, by light", for_door),
        good("for a phone that joins", joins),
        good(
            "for a phone, with the login it uses",
            evolve(joins, login="us", password="pw", broker="ws://[fe80::1]:9001"),
        ),
        good("350 bytes", filled),
        bad("351 bytes", ticket.written(filled)[:-145] + bytes([145]) + b"p" * 145),
        bad("nothing", b""),
        bad("of version 2", b"\x02" + whole[1:]),
        bad("cut in a key", whole[:100]),
        bad("cut in a text", whole[:-1]),
        bad("cut before a length", whole[:texts]),
        bad("something behind it", whole + b"\x00"),
        bad("no owner", b"\x01" + bytes(32) + whole[33:]),
        bad("a phone that cannot sign", whole[:97] + bytes(32) + whole[129:]),
        bad("a phone that can only sign", whole[:65] + bytes(32) + whole[97:]),
        bad("a door id in capitals", with_texts(b"Front", *usual[1:])),
        bad("no door id", with_texts(b"", *usual[1:])),
        bad("a broker of the web", with_texts(usual[0], b"https://broker.example", *usual[2:])),
        bad("a broker's address with a login", with_texts(usual[0], b"mqtts://me@broker.example", *usual[2:])),
        bad("a broker without a name", with_texts(usual[0], b"mqtts://", *usual[2:])),
        bad("port 0", with_texts(usual[0], b"mqtts://broker.example:0", *usual[2:])),
        bad("port 65536", with_texts(usual[0], b"mqtts://broker.example:65536", *usual[2:])),
        bad("a door's broker with a path", with_texts(usual[0], b"mqtts://broker.example/mqtt", *usual[2:])),
        bad("a password without a login", with_texts(*usual[:2], b"", b"pw")),
        bad("a login with a line break", with_texts(*usual[:2], b"fr\nont", b"pw")),
        bad("a password that is no UTF-8", with_texts(*usual[:3], b"\xff\xfe")),
        {"name": "lower case", "good": False, "qr": ticket.to_qr(joins).lower()},
        {"name": "a letter that no base45 has", "good": False, "qr": "#" + ticket.to_qr(joins)[1:]},
        {"name": "a letter is missing", "good": False, "qr": ticket.to_qr(joins)[:-1]},
        {"name": "three letters above 65535", "good": False, "qr": ":::" + ticket.to_qr(joins)[3:]},
        {"name": "something else", "good": False, "qr": "HTTPS://EXAMPLE.ORG/"},
    ]


def made() -> dict[str, str]:
    """File name to text. ``present`` null: the first roster of a door that has none."""
    whole = {"door": FRONT, "door_verify_key": to_base64(DOOR.verify_key), "cases": cases()}
    files = {"revisions.json": whole, "pairing.json": joins(), "tickets.json": {"cases": tickets()}}
    return {name: json.dumps(value, indent=1, ensure_ascii=False) + "\n" for name, value in files.items()}


if __name__ == "__main__":
    for file, text in made().items():
        (Path(__file__).parent / file).write_text(text)
