"""Makes the journal's test vectors; the same bytes at every run: ``python tests/vectors/journal/make.py``."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from attrs import evolve

from doorbell.doorkeys import DoorKeys
from doorbell.journal.entry import Entry, Stamp, body_text, document, entry_hash, first_prev

KEYS = DoorKeys(bytes(range(32)), bytes(32))
OTHER = DoorKeys(bytes(range(1, 33)), bytes(32))
JOURNAL = bytes(range(100, 116))


def chain(count: int, keys: DoorKeys = KEYS, text: str = "") -> list[Entry]:
    """Entries whose bodies stand unsealed: an age message is random, and the chain does not look inside."""
    entries: list[Entry] = []
    prev = first_prev(JOURNAL, KEYS.verify_key)
    for index in range(1, count + 1):
        body = body_text("ring", {"visit": f"{text}{index}"}, Stamp("2026-03-01T07:30:00Z", "synced", index), 1)
        body_hash = hashlib.sha256(body).digest()
        digest = entry_hash(index, prev, body_hash)
        entries.append(Entry(index, prev, body, body_hash, keys.sign_entry(digest)))
        prev = digest
    return entries


def case(name: str, entries: list[Entry], fault: str | None = None, index: int | None = None, **more: Any) -> Any:
    return {
        "name": name,
        "journal_id": JOURNAL.hex(),
        "verify_key": KEYS.verify_key.hex(),
        "documents": [document(entry).decode() for entry in entries],
        "fault": fault,
        "index": index,
        "hashes": [] if fault else [entry.hash.hex() for entry in entries],
        **more,
    }


def chains() -> list[Any]:
    good = chain(5)
    flipped = good[2].body[:-1] + b"]"
    bad_sig = evolve(good[4], sig=good[4].sig[:-1] + bytes([good[4].sig[-1] ^ 1]))
    forgotten = [evolve(entry, body=None) if entry.index in (1, 3) else entry for entry in good]
    wrong_hash = evolve(good[0], body=None, body_hash=bytes(32))
    seen = {"index": 5, "hash": good[4].hash.hex()}
    strange = hashlib.sha256(flipped).digest()
    return [
        case("five entries", good, seen=seen),
        case("two bodies forgotten", forgotten),
        case("nothing yet", []),
        case("the first is missing", good[1:], "gap", 2),
        case("the third is missing", good[:2] + good[3:], "gap", 4),
        case("the third stands twice", [*good[:3], good[2]], "gap", 3),
        case("two change places", [good[0], good[2], good[1]], "gap", 3),
        case("a body was changed", [*good[:2], evolve(good[2], body=flipped, body_hash=strange)], "signature", 3),
        case("prev of the first is another journal's", [evolve(good[0], prev=bytes(32))], "prev", 1),
        case("prev of the fourth was changed", [*good[:3], evolve(good[3], prev=bytes(32))], "prev", 4),
        case("a signature was changed", [*good[:4], bad_sig], "signature", 5),
        case("signed by another door", chain(2, OTHER), "signature", 1),
        case("the hash of a forgotten body was changed", [wrong_hash], "signature", 1),
        case("an older copy was put back", good[:3], "behind", 3, seen=seen),
        case("the same door wrote it anew", chain(5, text="x"), "rewritten", 5, seen=seen),
    ]


def documents() -> list[Any]:
    entry = chain(1)[0]
    fields = json.loads(document(entry))
    forgotten = json.loads(document(evolve(entry, body=None)))

    def good(name: str, text: str) -> Any:
        return {"name": name, "good": True, "document": text, "hash": entry.hash.hex()}

    def bad(name: str, text: str | dict[str, Any]) -> Any:
        return {"name": name, "good": False, "document": text if isinstance(text, str) else json.dumps(text)}

    def without(name: str) -> dict[str, Any]:
        return {key: value for key, value in fields.items() if key != name}

    return [
        good("as written", document(entry).decode()),
        good("forgotten", document(evolve(entry, body=None)).decode()),
        good("a key from a newer door", json.dumps(fields | {"more": [1]})),
        good("other white space", json.dumps(fields, indent=1)),
        *(bad(f"no {name}", without(name)) for name in ("index", "prev", "body", "sig")),
        bad("forgotten without its hash", {key: value for key, value in forgotten.items() if key != "body_hash"}),
        bad("index 0", fields | {"index": 0}),
        bad("index below 0", fields | {"index": -1}),
        bad("index true", fields | {"index": True}),
        bad("index 1.5", fields | {"index": 1.5}),
        bad("index 2^53", fields | {"index": 2**53}),
        bad("index as text", fields | {"index": "1"}),
        bad("prev of 31 bytes", fields | {"prev": base64.b64encode(bytes(31)).decode()}),
        bad("signature of 63 bytes", fields | {"sig": base64.b64encode(bytes(63)).decode()}),
        bad("base64 without padding", fields | {"prev": fields["prev"].rstrip("=")}),
        bad("base64 for addresses", fields | {"body": "_-_-"}),
        bad("base64 with loose bits", fields | {"body": "QR=="}),
        bad("base64 with a line break", fields | {"body": "QUFB\n"}),
        bad("a key twice", document(entry).decode()[:-1] + ',"index":1}'),
        bad("a list", "[]"),
        bad("nothing", ""),
        bad("cut short", document(entry).decode()[:-1]),
        bad("NaN", document(entry).decode()[:-1] + ',"more":NaN}'),
    ]


def bodies() -> list[Any]:
    text = body_text("ring", {"visit": "a"}, Stamp("2026-03-01T07:30:00Z", "synced", 1.5), 1).decode()
    fields = json.loads(text)

    def bad(name: str, **changed: Any) -> Any:
        return {"name": name, "good": False, "body": json.dumps(fields | changed)}

    return [
        {"name": "as written", "good": True, "body": text, "kind": "ring"},
        {
            "name": "a kind from a newer door",
            "good": True,
            "kind": "glow",
            "body": json.dumps(fields | {"kind": "glow"}),
        },
        {"name": "a key from a newer door", "good": True, "kind": "ring", "body": json.dumps(fields | {"hue": 1})},
        bad("another version", v=2),
        bad("a kind that is no text", kind=1),
        bad("a clock of another word", clock="maybe"),
        bad("a boot below 0", boot=-1),
        bad("an uptime that is no number", uptime="1"),
        bad("an uptime that is true", uptime=True),
        bad("no time", at=None),
        {"name": "a key twice", "good": False, "body": text[:-1] + ',"kind":"visit"}'},
        {"name": "no object", "good": False, "body": '"ring"'},
    ]


def made() -> dict[str, str]:
    """File name to text."""
    files = {"chains.json": chains(), "documents.json": documents(), "bodies.json": bodies()}
    return {name: json.dumps({"cases": cases}, indent=1, ensure_ascii=False) + "\n" for name, cases in files.items()}


if __name__ == "__main__":
    for name, text in made().items():
        (Path(__file__).parent / name).write_text(text)
