"""Makes the vectors of commands and replies; the same bytes at every run: ``python tests/vectors/commands/make.py``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from nacl.bindings import (
    crypto_box,
    crypto_box_seal_open,
    crypto_box_seed_keypair,
    crypto_sign,
    crypto_sign_seed_keypair,
)
from nacl.encoding import RawEncoder
from nacl.hash import blake2b

from doorbell import household, roster
from doorbell.clips.recipient import Recipient
from doorbell.closed import dump, to_base64
from doorbell.doorkeys import DoorKeys
from doorbell.link.acceptance import Acceptance, Again, No, Order
from doorbell.link.replies import Facts, reply_text
from doorbell.roster import Member, Role, Roster

DOOR = DoorKeys(bytes(range(32)), bytes(range(1, 33)))
EPOCH, OTHER_EPOCH = bytes(range(16)), bytes(range(16, 32))


def seed(name: str) -> bytes:
    return hashlib.sha256(f"a test's signing seed of {name}".encode()).digest()


def member(name: str, role: Role = "member") -> Member:
    verify_key, _ = crypto_sign_seed_keypair(seed(name))
    # An X25519 public key that nobody can open anything with: in these vectors nothing is opened.
    public, _ = crypto_box_seed_keypair(seed(name))
    return Member(name, role, Recipient(public), verify_key)


OWNER, ANNA, BEN, CAROL = member("owner", "admin"), member("Anna", "admin"), member("Ben"), member("Carol")


def home() -> Roster:
    """Revision 2: Carol has been removed."""
    first = roster.begin("front", [OWNER, ANNA, BEN, CAROL], DOOR.sign)
    text = roster.text_of("front", 2, first.hash, [OWNER, ANNA, BEN], ANNA.id)
    return roster.accept({"json": text.decode(), "sig": to_base64(sign("roster", text, "Anna"))}, first)


def sign(kind: str, text: bytes, by: str) -> bytes:
    _, secret = crypto_sign_seed_keypair(seed(by))
    return crypto_sign(f"doorbell/v1/{kind}".encode() + b"\0" + text, secret)[:64]


HOME = home()
FORMER = (household.Known(CAROL.recipient, CAROL.verify_key),)


def box(plain: bytes, number: int) -> bytes:
    """crypto_box_seal to the door's box key, with a sender's key that is the same at every run."""
    public, secret = crypto_box_seed_keypair(hashlib.sha256(f"ephemeral {number}".encode()).digest())
    nonce = blake2b(public + DOOR.box_key, digest_size=24, encoder=RawEncoder)
    return public + crypto_box(plain, nonce, DOOR.box_key, secret)


def command(by: str, cmd: str, args: object, counter: int, **changed: Any) -> bytes:
    """The JSON as a phone writes it; *changed* keys differ."""
    fields = {
        "v": 1,
        "door": "front",
        "from": member(by).id,
        "roster": 2,
        "epoch": to_base64(EPOCH),
        "expires": 1030,
        "counter": counter,
        "id": to_base64(hashlib.sha256(f"{by} {counter}".encode()).digest()[:16]),
        "cmd": cmd,
        "args": args,
    }
    fields |= {{"sender": "from"}.get(name, name): value for name, value in changed.items()}
    return dump({name: value for name, value in fields.items() if value is not None})


def home_without(name: str) -> Roster:
    """Revision 3."""
    members = [one for one in HOME.members if one.name != name]
    text = roster.text_of("front", 3, HOME.hash, members, ANNA.id)
    return roster.accept({"json": text.decode(), "sig": to_base64(sign("roster", text, "Anna"))}, HOME)


class Trace:
    """One door from its start; each ``hears`` is one message and what the door does about it."""

    def __init__(self, name: str) -> None:
        self.name, self.steps = name, []
        self.now = household.Household("front", Path("/nonexistent"), (), HOME, FORMER)
        self.door = Acceptance("front", EPOCH, self.now, opened)

    def hears(self, text: bytes | str, by: str = "Anna", at: float = 1000.0, *, said: str, **raw: Any) -> Trace:
        text = text.encode() if isinstance(text, str) else text
        plain = raw.get("plain", sign(raw.get("kind", "command"), text, by) + text)
        sealed = raw.get("sealed", box(plain, len(self.steps)))
        verdict = self.door.hear(sealed, at)
        step: dict[str, Any] = {"at": at, "sealed": to_base64(sealed), "plain": to_base64(plain), "verdict": said}
        match verdict:
            case None:
                assert said == "silence", self.name
            case Order():
                assert said == "carry out", self.name
                step |= {"member": verdict.member.id, "cmd": verdict.name}
                self.door.answered(verdict.member.id, verdict.id, b"the reply")
            case Again():
                assert said == "again", self.name
            case No():
                assert said == verdict.reason, (self.name, verdict.reason)
        self.steps.append(step)
        return self


def opened(sealed: bytes) -> bytes | None:
    try:
        return crypto_box_seal_open(sealed, DOOR.box_key, DOOR.box_secret)
    except Exception:  # noqa: BLE001  whatever is wrong with it, it does not open
        return None


def traces() -> list[Trace]:
    say = command
    first = say("Anna", "recording", {"on": False}, 5)
    ben = say("Ben", "journal", {"since": 0}, 1)
    same = to_base64(bytes(16))
    return [
        Trace("an admin switches the recording off").hears(first, said="carry out"),
        Trace("a member reads the journal").hears(ben, "Ben", said="carry out"),
        Trace("the same command comes twice").hears(first, said="carry out").hears(first, said="again"),
        Trace("it comes again after it has expired").hears(first, said="carry out").hears(first, at=2000, said="again"),
        Trace("an id is used for another command")
        .hears(say("Anna", "recording", {"on": False}, 5, id=same), said="carry out")
        .hears(say("Anna", "recording", {"on": True}, 6, id=same), said="id"),
        Trace("an earlier command is held back and delivered later")
        .hears(say("Anna", "recording", {"on": True}, 6), said="carry out")
        .hears(first, said="counter"),
        Trace("two members count for themselves").hears(first, said="carry out").hears(ben, "Ben", said="carry out"),
        Trace("expired this moment").hears(say("Anna", "journal", {"since": 0}, 1, expires=1000), said="expired"),
        Trace("expires within the minute").hears(
            say("Anna", "journal", {"since": 0}, 1, expires=1060), said="carry out"
        ),
        Trace("expires beyond the minute").hears(
            say("Anna", "journal", {"since": 0}, 1, expires=1060.001), said="too_far"
        ),
        Trace("of an earlier start of the door").hears(
            say("Anna", "journal", {"since": 0}, 1, epoch=to_base64(OTHER_EPOCH)), said="epoch"
        ),
        Trace("for another door").hears(say("Anna", "journal", {"since": 0}, 1, door="back"), said="door"),
        Trace("of a removed member").hears(say("Carol", "journal", {"since": 0}, 1), "Carol", said="member"),
        Trace("of a stranger").hears(say("Eve", "journal", {"since": 0}, 1), "Eve", said="silence"),
        Trace("signed by a stranger in a member's name").hears(first, "Eve", said="silence"),
        Trace("signed by another member in an admin's name").hears(first, "Ben", said="silence"),
        Trace("signed as another kind of document").hears(first, said="silence", kind="reply"),
        Trace("a member wants what an admin may").hears(say("Ben", "recording", {"on": False}, 1), "Ben", said="role"),
        Trace("a command nobody knows").hears(say("Anna", "open_sesame", {}, 1), said="unknown"),
        Trace("a reserved command").hears(say("Anna", "talk", {}, 1), said="unknown"),
        Trace("an argument too many").hears(say("Anna", "recording", {"on": True, "x": 1}, 1), said="args"),
        Trace("an argument too few").hears(say("Anna", "recording", {}, 1), said="args"),
        Trace("an argument of another type").hears(say("Anna", "recording", {"on": 1}, 1), said="args"),
        Trace("a clip id with a way out of the folder").hears(
            say("Anna", "poster", {"clip": "../" * 9}, 1), said="args"
        ),
        Trace("a refused command is spent")
        .hears(say("Anna", "recording", {}, 2), said="args")
        .hears(say("Anna", "recording", {"on": True}, 1), said="counter"),
        Trace("a newer roster than the door has").hears(
            say("Anna", "journal", {"since": 0}, 1, roster=3), said="roster"
        ),
        Trace("an older roster than the door has").hears(
            say("Anna", "journal", {"since": 0}, 1, roster=1), said="carry out"
        ),
        Trace("hello needs no epoch, expiry or counter").hears(
            say("Anna", "hello", {}, 0, epoch=to_base64(bytes(16)), expires=0), said="carry out"
        ),
        Trace("hello is answered once a second")
        .hears(say("Anna", "hello", {}, 0), said="carry out")
        .hears(say("Anna", "hello", {}, 0), at=1000.5, said="silence")
        .hears(say("Ben", "hello", {}, 0), "Ben", at=1000.6, said="carry out")
        .hears(say("Anna", "hello", {}, 0), at=1001, said="carry out"),
        Trace("hello of a removed member").hears(say("Carol", "hello", {}, 0), "Carol", said="member"),
        Trace("hello spends no counter")
        .hears(say("Anna", "hello", {}, 9), said="carry out")
        .hears(first, said="carry out"),
        *refused_shapes(first),
    ]


def refused_shapes(first: bytes) -> list[Trace]:
    text = first.decode()
    changed = box(sign("command", first, "Anna") + first, 0)[:-1] + b"x"

    def shape(name: str, text: str) -> Trace:
        return Trace(name).hears(text, said="silence")

    return [
        shape("another version", text.replace('"v":1', '"v":2')),
        shape("a key twice", text[:-1] + ',"counter":9}'),
        shape("a key that nobody knows", text[:-1] + ',"more":1}'),
        shape("a key is missing", text.replace('"counter":5,', "")),
        shape("a counter as text", text.replace('"counter":5', '"counter":"5"')),
        shape("a counter of 2^53", text.replace('"counter":5', '"counter":9007199254740992')),
        shape("a counter below 0", text.replace('"counter":5', '"counter":-1')),
        shape("an id of 15 bytes", text.replace(json.loads(text)["id"], to_base64(bytes(15)))),
        shape("base64 without padding", text.replace("==", "")),
        shape("expires NaN", text.replace('"expires":1030', '"expires":NaN')),
        shape("no object", "[]"),
        shape("nothing", ""),
        Trace("a sealed box that was changed").hears(first, said="silence", sealed=changed),
        Trace("a sealed box of nothing").hears(first, said="silence", sealed=b""),
        Trace("a box of 63 bytes").hears(first, said="silence", plain=bytes(63)),
        Trace("8 KiB").hears(padded(first, 8192), said="carry out"),
        Trace("more than 8 KiB").hears(padded(first, 8193), said="silence"),
    ]  # fmt: skip


def padded(text: bytes, size: int) -> bytes:
    """With so much white space that the sealed command has *size* bytes."""
    return text + b" " * (size - 48 - 64 - len(text))


def replies() -> list[Any]:
    facts = Facts("front", EPOCH, bytes(range(100, 116)), 7, hashlib.sha256(b"entry 7").digest())
    wanted = bytes(range(200, 216))
    text = reply_text(facts, to=ANNA.id, command=wanted, uptime=1000.25, result={"recording": False})
    no = reply_text(facts, to=ANNA.id, command=wanted, uptime=1000.25, refused="role")

    def case(name: str, plain: bytes, *, good: bool) -> Any:
        return {"name": name, "good": good, "plain": to_base64(plain)}

    return [
        case("a result", DOOR.sign("reply", text) + text, good=True),
        case("a refusal", DOOR.sign("reply", no) + no, good=True),
        case("signed as another kind of document", DOOR.sign("alert", text) + text, good=False),
        case("signed by a member", sign("reply", text, "Anna") + text, good=False),
        case("changed", DOOR.sign("reply", text) + text.replace(b"false", b"true"), good=False),
        case("shorter than a signature", bytes(63), good=False),
    ]


def made() -> dict[str, str]:
    """File name to text."""
    door = {
        "door": "front",
        "verify_key": to_base64(DOOR.verify_key),
        "box_key": to_base64(DOOR.box_key),
        "box_secret": to_base64(DOOR.box_secret),
    }
    people = {name: to_base64(seed(name)) for name in ("owner", "Anna", "Ben", "Carol", "Eve")}
    cases = [{"name": one.name, "steps": one.steps} for one in traces()]
    files: dict[str, Any] = {
        "acceptance.json": door
        | {"epoch": to_base64(EPOCH), "signing_seeds": people, "roster": HOME.document(), "cases": cases},
        "replies.json": door | {"cases": replies()},
    }
    return {name: json.dumps(value, indent=1, ensure_ascii=False) + "\n" for name, value in files.items()}


if __name__ == "__main__":
    for file, text in made().items():
        (Path(__file__).parent / file).write_text(text)
