"""Every parser of ours that meets bytes from outside, each as a function that must end or refuse, and nothing else.

A parser here takes any bytes. It returns, or raises one of its ``refusals``; whatever it accepts it must accept again
in the same meaning. What stands behind a seal or a signature would never be reached by chance, so the members' keys of
the vectors sign what the fuzzer makes, and a file key that is known here authenticates its headers.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Final, get_type_hints

from attrs import fields, frozen

from doorbell import closed, configfile, household, overlay, pairing, pipe, roster, ticket
from doorbell.boot import adopt
from doorbell.clips import seal
from doorbell.clips.recipient import Recipient
from doorbell.errors import ConfigError, DamagedError, DoorbellError, Mistake
from doorbell.journal import entry
from doorbell.light import kept as by_light
from doorbell.link import acceptance, commands
from doorbell.link.acceptance import Acceptance
from doorbell.link.topics import TABLE
from doorbell.overheard import shown
from doorbell.overheard.report import report
from doorbell.overheard.session import Heard
from doorbell.owner import copies, remux, restore
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import UnsealError, unseal
from doorbell.push import book, letters
from doorbell.roster import RosterError

VECTORS: Final = Path(__file__).parents[1] / "vectors"
TOPICS: Final = [row.template.replace("<door>", "front") for row in TABLE]
LARGEST: Final = 8192
"""Bytes of an input; libFuzzer is told the same."""


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_{path.parent.name}_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


made: Final = _module(VECTORS / "commands" / "make.py")


@frozen
class Parser:
    """``read`` is fed; ``refusals`` are what it may raise; ``seeds`` gives what the search begins with."""

    read: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...]
    seeds: Callable[[], Iterator[bytes]]


# ---- clips

OWNER: Final = Identity(bytes(range(32)))
FILE_KEY: Final = bytes(range(16))


def _counted(size: int) -> bytes:
    """In place of chance: the file key first, so that headers can be authenticated here."""
    return FILE_KEY[:size] if size == len(FILE_KEY) else hashlib.sha256(b"fuzz").digest()[:size]


_HEADER: Final = seal.Sealer([OWNER.recipient], _counted).header
_STANZA: Final = _HEADER[len(seal.INTRO) : _HEADER.rindex(b"---")]


def clip(data: bytes) -> None:
    """As it is; with lines of the fuzzer's in an authentic header; or with an authentic header before it."""
    kind, rest = data[:1], data[1:]
    if kind == b"h":
        lines, _, payload = rest.partition(b"\n\n")
        header = seal.INTRO + _STANZA + lines + b"\n" * bool(lines) + b"---"
        rest = header + b" " + seal.b64(seal.header_mac(FILE_KEY, header)) + b"\n" + payload
    elif kind == b"p":
        rest = _HEADER + rest
    size = 0
    for chunk in unseal([OWNER], io.BytesIO(rest)):
        size += len(chunk)
        assert len(chunk) <= seal.CHUNK
    assert size <= len(rest)


def _clips() -> Iterator[bytes]:
    for name in ("header.json", "stream.json"):
        file = json.loads((VECTORS / "clip" / name).read_text())
        for piece in file["pieces"].values():
            yield b"c" + base64.b64decode(piece)[: LARGEST - 1]
    sealed = seal.seal([OWNER.recipient], b"a short clip", _counted)
    yield b"c" + sealed
    yield b"p" + sealed[len(_HEADER) :]
    yield b"h" + b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n\n" + sealed[len(_HEADER) - 16 :]
    yield b"h-> grease a b c\n" + b"A" * 64 + b"\n\n\n"


# ---- the journal


def document(data: bytes) -> None:
    found = entry.read_document(data)
    assert entry.read_document(entry.document(found)) == found


def _documents() -> Iterator[bytes]:
    for case in json.loads((VECTORS / "journal" / "documents.json").read_text())["cases"]:
        yield case["document"].encode()


def body(data: bytes) -> None:
    found = entry.read_body(data)
    assert isinstance(found["kind"], str)


def _bodies() -> Iterator[bytes]:
    for case in json.loads((VECTORS / "journal" / "bodies.json").read_text())["cases"]:
        yield case["body"].encode()


# ---- commands


def command(data: bytes) -> None:
    """What a phone seals: signed by a member, by one who was, or by nobody; heard twice, carried out once."""
    by = {b"A": "Anna", b"B": "Ben", b"C": "Carol"}.get(data[:1])
    text = data[1:]
    plain = made.sign("command", text, by) + text if by else text
    door = Acceptance(
        "front", made.EPOCH, household.Household("front", Path("/nonexistent"), (), made.HOME, made.FORMER), bytes
    )
    first = door.hear(plain, 1000.0)
    second = door.hear(plain, 1000.5)
    assert not (isinstance(first, acceptance.Order) and isinstance(second, acceptance.Order))
    if by in (None, "Carol"):
        assert not isinstance(first, acceptance.Order)


def _commands() -> Iterator[bytes]:
    for case in json.loads((VECTORS / "commands" / "acceptance.json").read_text())["cases"]:
        for step in case["steps"]:
            yield b"A" + base64.b64decode(step["plain"])[64:]
            yield b"C" + base64.b64decode(step["plain"])[64:]


def arguments(data: bytes) -> None:
    """The arguments of any command, and the tables of ``settings``."""
    name, _, text = data.partition(b" ")
    wanted = commands.COMMANDS.get(name.decode("ascii", "replace"))
    if wanted is None:
        raise ValueError("no command")
    read = commands.read_args(wanted, closed.load(text, commands.MOST_COMMAND))
    if wanted is commands.COMMANDS["settings"]:
        for tables in read.values():
            overlay.changed(_CONFIG, tables)


def _arguments() -> Iterator[bytes]:
    for name in commands.COMMANDS:
        yield name.encode() + b" {}"
    yield b'settings {"set":{"storage":{"days":7},"motion":{"sensitivity":"high"}}}'
    yield b'settings {"set":{"privacy":{"masks":[[[0,0],[0.5,0],[0.5,0.5]]]}}}'
    yield b'clip {"clip":"aaaaaaaaaaaaaaaaaaaaaaaaaa","from":0,"window":4}'
    yield b'journal {"since":12}'
    yield b'recording {"on":true}'


# ---- the household


def membership(data: bytes) -> None:
    """The next roster, signed by an admin; and the file on the card."""
    kind, text = data[:1], data[1:]
    if kind == b"f":
        household.read(text)
        return
    signed = {"json": text.decode(), "sig": closed.to_base64(made.sign("roster", text, "Anna"))}
    after = roster.accept(signed, made.HOME)
    assert after.revision == made.HOME.revision + 1
    assert after.owner.verify_key == made.HOME.owner.verify_key


def _memberships() -> Iterator[bytes]:
    yield b"r" + roster.text_of("front", 3, made.HOME.hash, made.HOME.members, made.ANNA.id)
    yield b"r" + roster.text_of("front", 3, made.HOME.hash, made.HOME.members[:1], made.ANNA.id)
    yield b"f" + closed.dump({"v": 1, "roster": made.HOME.document(), "former": []})


def joining(data: bytes) -> None:
    """A phone's request to join, and the invitation on the card."""
    (pairing.read_join if data[:1] == b"j" else pairing.read)(data[1:])


def _joinings() -> Iterator[bytes]:
    phone = made.ANNA
    row = {
        "name": phone.name,
        "role": phone.role,
        "recipient": str(phone.recipient),
        "verify_key": closed.to_base64(phone.verify_key),
    }
    yield b"j" + closed.dump({"member": row, "mac": closed.to_base64(bytes(32))})
    yield b"i" + pairing.written(pairing.Invitation(bytes(16), made.OWNER, until=1_700_000_000))


def seen(data: bytes) -> None:
    """A QR in front of the camera: its letters, and the bytes that they mean."""
    if data[:1] == b"q":
        found = ticket.from_qr(data[1:].decode())
        assert ticket.from_qr(ticket.to_qr(found)) == found
    else:
        assert ticket.written(ticket.read(data[1:])) == data[1:]


def _seen() -> Iterator[bytes]:
    for case in json.loads((VECTORS / "roster" / "tickets.json").read_text())["cases"]:
        yield b"b" + bytes.fromhex(case.get("bytes", ""))
        yield b"q" + case.get("qr", "").encode()


def pocketed(data: bytes) -> None:
    """A phone's push subscription, the file of all of them, and what the postman says."""
    kind, text = data[:1], data[1:]
    if kind == b"f":
        book.load(text)
    elif kind == b"s":
        book.read_subscription(closed.load(text, commands.MOST_COMMAND))
    else:
        letters.decode(text, letters.UP)


def _pocketed() -> Iterator[bytes]:
    subscription = {
        "endpoint": "https://fcm.googleapis.com/fcm/send/abc",
        "p256dh": book.to_url64(b"\4" + bytes(64)),
        "auth": book.to_url64(bytes(16)),
    }
    yield b"s" + closed.dump(subscription)
    yield b"f" + book.dump(book.begin(bytes(48)))
    yield b"l" + letters.encode(letters.Ready(b"\4" + bytes(64)))
    yield b"l" + letters.encode(letters.Done("a", 201, ""))


# ---- what an owner writes


def configuration(data: bytes) -> None:
    found = configfile.parse(data.decode())
    if found.recording_refused:
        return  # masks that cannot be read are not among its tables: the door films nothing instead
    assert configfile.structure(configfile.tables(found)) == found


_EXAMPLE: Final = Path(configfile.__file__).with_name("example.toml").read_text()
_CONFIG: Final = configfile.parse("")


def _configurations() -> Iterator[bytes]:
    yield _EXAMPLE.encode()[:LARGEST]
    yield "\n".join(line[2:] if line.startswith("# ") and "=" in line else line for line in _EXAMPLE.splitlines())[
        :LARGEST
    ].encode()
    yield b'[door]\nid = "front"\n[pins]\nbutton = 17\n[privacy]\nmasks = [[[0,0],[1,0],[1,1]]]\n'


def keys(data: bytes) -> None:
    """A recipient, an identity and the 24 words, as a person types or pastes them."""
    kind, text = data[:1], data[1:].decode()
    if kind == b"r":
        recipient = Recipient.parse(text)
        assert str(recipient) == text.strip()
    elif kind == b"w":
        identity = Identity.from_words(text)
        assert Identity.from_words(identity.words()) == identity
    else:
        assert Identity.parse(text).line() == text


def _keys() -> Iterator[bytes]:
    yield b"r" + str(OWNER.recipient).encode()
    yield b"w" + OWNER.words().encode()
    yield b"i" + OWNER.line().encode()


# ---- what an owner hears at the broker


def overheard(data: bytes) -> None:
    """A topic and its payload, of a broker that may say anything."""
    topic, _, payload = data.partition(b"\n")
    session = [Heard(1.0, topic.decode("utf-8", "replace"), payload)]
    assert list(shown.lines(report(session)))


def _overheard() -> Iterator[bytes]:
    for name in TOPICS:
        yield name.encode() + b"\n" + b"online"
    for name in ("alert", "poster/a", "journal/1"):
        yield f"doorbell/front/{name}\n".encode() + seal.seal([OWNER.recipient], b"x", _counted)
    yield b"doorbell/front/journal/1\n" + next(_documents())
    yield b'doorbell/front/hello\n{"json":"{}","sig":""}'


# ---- what the recorder says


def passage(data: bytes) -> None:
    """The recorder decodes what cameras give; the doorman believes nothing of it."""
    pipe.decode(data, pipe.UP)


def _passages() -> Iterator[bytes]:
    """One of each message, with a plain value in each field."""
    plain = {str: "a" * 26, float: 1.0, int: 1, bool: True, bytes: bytes(20)}
    for kind in pipe.UP:
        types = get_type_hints(kind)
        yield pipe.encode(kind(**{one.name: plain.get(types[one.name], {}) for one in fields(kind)}))


# ---- what an owner opens, and what lies on the card


def boxes(data: bytes) -> None:
    """An opened clip's fragments: what is whole of it is whole by itself."""
    whole = remux.whole_fragments(io.BytesIO(data))
    assert 0 <= whole <= len(data)
    assert remux.whole_fragments(io.BytesIO(data[:whole])) == whole


def _boxes() -> Iterator[bytes]:
    def box(kind: bytes, inside: bytes = b"") -> bytes:
        return struct.pack(">I", 8 + len(inside)) + kind + inside

    fragment = box(b"moof", bytes(20)) + box(b"mdat", bytes(40))
    yield box(b"ftyp", b"isom") + box(b"moov", bytes(30)) + fragment * 2
    yield box(b"moov") + struct.pack(">I4sQ", 1, b"mdat", 20) + bytes(4) + fragment[:30]
    yield box(b"moov") + struct.pack(">I", 0) + b"mdat" + bytes(9)


def backup(data: bytes) -> None:
    """The inside of a file that anybody can have sealed to the owner and called a backup."""
    found = restore._read(data, [OWNER])
    assert found.settings.door.id == found.door
    assert len(found.keys.verify_key) == len(found.keys.box_key)


def _backups() -> Iterator[bytes]:
    settings = f'[door]\nid = "front"\n[keys]\nrecipients = ["{OWNER.recipient}"]\n'.encode()
    files = {"doorbell.toml": settings, "keys/signing.key": bytes(32), "keys/box.key": bytes(32)}
    head = {"journal": "AAAAAAAAAAAAAAAAAAAAAA==", "index": 3, "hash": closed.to_base64(bytes(32))}
    for more, journal in (({}, None), ({overlay.NAME: next(_kept())[1:], "recording-off": b""}, head)):
        page = {"v": 1, "door": "front", "made": "2026-03-01T07:30:00Z", "software": "0.1.0", "journal": journal}
        yield closed.dump({**page, "files": {name: closed.to_base64(one) for name, one in {**files, **more}.items()}})


def kept(data: bytes) -> None:
    """What the household set, what a ticket taught, and whose journal a folder of copies says that it holds."""
    kind, text = data[:1], data[1:]
    if kind == b"s":
        overlay.read(_CONFIG, text)
    elif kind == b"l":
        by_light.read(_CONFIG, text)
    else:
        copies.read_about(text)


def _kept() -> Iterator[bytes]:
    yield b's{"v":1,"settings":{"storage":{"days":7},"privacy":{"masks":[[[0,0],[0.5,0],[0.5,0.5]]]}}}'
    ticket_ = {"owner": str(OWNER.recipient), "door": "front", "login": "door", "password": "secret"}
    for broker in ("mqtts://broker.lan:8883", "mqtt://[fe80::1]"):
        yield b"l" + closed.dump({"v": 1, **ticket_, "broker": broker, "pin": closed.to_base64(bytes(32))})
    about = {"verify_key": closed.to_base64(bytes(32)), "journal": closed.to_base64(bytes(16))}
    yield b"j" + closed.dump({"v": 1, **about})


def booted(data: bytes) -> None:
    """Settings off a FAT volume, written in any editor: what is handed on means what was understood."""
    found, why = adopt._understood(data)
    assert found is not None or why
    if found is not None:
        assert adopt._understood(adopt._text(data)) == (found, why)


def _booted() -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + b'[door]\r\nid = "front"\r\n[mqtt]\r\npassword = "secret"\r\n'
    yield b"[privacy]\nmasks = [[[0,0],[9,0],[1,1]]]\n"


PARSERS: Final[dict[str, Parser]] = {
    "clip": Parser(clip, (UnsealError,), _clips),
    "document": Parser(document, (DamagedError,), _documents),
    "body": Parser(body, (DamagedError,), _bodies),
    "command": Parser(command, (), _commands),
    "arguments": Parser(arguments, (ValueError, ConfigError), _arguments),
    "roster": Parser(membership, (RosterError, ValueError, Mistake), _memberships),
    "joining": Parser(joining, (ValueError,), _joinings),
    "ticket": Parser(seen, (ValueError,), _seen),
    "push": Parser(pocketed, (ValueError,), _pocketed),
    "configuration": Parser(configuration, (ConfigError, UnicodeDecodeError), _configurations),
    "keys": Parser(keys, (Mistake, UnicodeDecodeError), _keys),
    "overheard": Parser(overheard, (), _overheard),
    "pipe": Parser(passage, (ValueError,), _passages),
    "boxes": Parser(boxes, (), _boxes),
    "backup": Parser(backup, (ValueError, DoorbellError), _backups),
    "kept": Parser(kept, (ValueError, Mistake), _kept),
    "boot": Parser(booted, (), _booted),
}


def fed(name: str, data: bytes) -> None:
    """Feed *data* to the parser *name*: raises whatever is no refusal of its."""
    parser = PARSERS[name]
    try:
        parser.read(data)
    except parser.refusals:
        return
