"""A journal entry's exact bytes, and how anyone tells that a journal is whole (docs/formats/journal.md).

Nothing is canonicalised. What is hashed are the bytes as they were written, so a reader never has to write JSON the
way the door does. The hash covers the body's hash, not the body: forgetting deletes a body and leaves the chain.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final, Literal

from attrs import Attribute, field, frozen
from nacl.bindings import crypto_sign_BYTES, crypto_sign_open
from nacl.exceptions import CryptoError

from doorbell.errors import DamagedError

KINDS: Final = (
    "started", "stopped", "ring", "visit",
    "clip_started", "clip", "clip_cut", "clip_deleted",
    "quiet", "settings", "roster", "pairing", "live",
    "camera_lost", "camera_back", "storage", "clock_stepped", "tamper", "forgotten",
)  # fmt: skip
"""What the door writes. A reader shows kinds it does not know: a door may be newer than its app."""

MOST_TEXT: Final = 32 * 1024
"""Bytes of a body before it is sealed."""
MOST_BODY: Final = 64 * 1024
"""Bytes of a sealed body: in base64, with the rest of its document, it stays below the 96 KiB of a message."""
LAST_DAY: Final = 100_000
"""The UTC day, in 2243, beyond which a day counts as unknown."""
MOST_DOCUMENT: Final = 96 * 1024
HASH: Final = 32
JOURNAL_ID: Final = 16
VERIFY_KEY: Final = 32
SIGNATURE: Final = crypto_sign_BYTES
_LARGEST_INDEX: Final = 2**53 - 1
_OWN: Final = ("v", "kind", "at", "clock", "boot", "uptime")
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")

Field = str | int | float | bool | None | list["Field"] | dict[str, "Field"]


def _exactly(length: int) -> Callable[[object, Attribute[bytes], bytes], None]:
    def check(_: object, attribute: Attribute[bytes], value: bytes) -> None:
        if len(value) != length:
            raise ValueError(f"{attribute.name} has {len(value)} bytes, not {length}")

    return check


def _utc(_: object, __: object, value: str) -> None:
    if not _UTC.fullmatch(value):
        raise ValueError("a stamp's at is RFC 3339 in UTC, as in 2026-01-31T08:05:00Z")


@frozen
class Stamp:
    """When something happened: ``at`` RFC 3339 UTC by the wall clock, ``uptime`` seconds since the machine started.

    Only ``uptime`` orders anything; ``at`` is a label, and worth what ``clock`` says.
    """

    at: str = field(validator=_utc)
    clock: Literal["synced", "unsynced"]
    uptime: float
    believed: bool = True
    """Whether retention may go by the day that ``at`` says (doorbell/days.py)."""

    @property
    def day(self) -> int:
        """UTC days since 1970; 0 while the clock is unsynced or not believed, or says what no card will live to see."""
        if self.clock != "synced" or not self.believed:
            return 0
        day = (date.fromisoformat(self.at[:10]) - date(1970, 1, 1)).days
        return day if 0 < day <= LAST_DAY else 0


@frozen
class Entry:
    """One link of the chain. ``body`` is an age message, None once it was forgotten; ``body_hash`` stays."""

    index: int
    prev: bytes = field(validator=_exactly(HASH))
    body: bytes | None = field(repr=False)
    body_hash: bytes = field(validator=_exactly(HASH))
    sig: bytes = field(validator=_exactly(SIGNATURE))

    @property
    def hash(self) -> bytes:
        """32 bytes that stand for this entry and all before it."""
        return entry_hash(self.index, self.prev, self.body_hash)


@frozen
class Head:
    """An entry that somebody has seen, by which they know the journal again."""

    index: int
    hash: bytes = field(validator=_exactly(HASH))


@frozen
class Fault:
    """The first thing wrong in a chain. ``what`` is gap, prev, body, signature, behind or rewritten."""

    index: int
    what: str
    sentence: str


# ---- the body


def body_text(kind: str, fields: Mapping[str, Field], stamp: Stamp, boot: int) -> bytes:
    """A body before it is sealed: JSON, UTF-8, no spaces, our six keys first, then ``fields`` in their order.

    Raises ValueError for what a door must never write: an unknown kind, a field of our own name, a number that JSON
    or a phone cannot hold, more than 32 KiB.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of entry")
    if taken := sorted(set(fields) & set(_OWN)):
        raise ValueError(f"the fields of {kind} may not replace {', '.join(taken)}")
    _refuse_large(dict(fields))
    own = {"v": 1, "kind": kind, "at": stamp.at, "clock": stamp.clock, "boot": boot, "uptime": round(stamp.uptime, 3)}
    text = json.dumps(own | dict(fields), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if len(text) > MOST_TEXT:
        raise ValueError(f"an entry of kind {kind} has {len(text)} bytes, at most {MOST_TEXT} are allowed")
    return text


def read_body(text: bytes) -> dict[str, Any]:
    """An opened body, as the owner reads it; unknown keys stay in, unknown kinds too. Raises DamagedError."""
    if len(text) > MOST_TEXT:
        raise DamagedError(f"An entry's body is longer than {MOST_TEXT} bytes: the door did not write it.")
    body = _json_object(text)
    if (
        body.get("v") != 1
        or not isinstance(body.get("kind"), str)
        or not isinstance(body.get("at"), str)
        or body.get("clock") not in ("synced", "unsynced")
        or not _is_count(body.get("boot"))
        or isinstance(body.get("uptime"), bool)
        or not isinstance(body.get("uptime"), int | float)
    ):
        raise DamagedError("An entry's body lacks what every entry says: it may come from a newer door, update this.")
    return body


def _refuse_large(value: Field) -> None:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            _refuse_large(each)
    elif isinstance(value, int) and abs(value) > _LARGEST_INDEX:
        raise ValueError("a number in an entry is beyond 2^53, where a phone would round it")


# ---- the chain


def first_prev(journal_id: bytes, verify_key: bytes) -> bytes:
    """What entry 1 points to: this journal, of this door."""
    if len(journal_id) != JOURNAL_ID or len(verify_key) != VERIFY_KEY:
        raise ValueError("a journal id has 16 bytes and a verify key 32")
    return hashlib.sha256(b"doorbell/v1/journal\x00" + journal_id + verify_key).digest()


def entry_hash(index: int, prev: bytes, body_hash: bytes) -> bytes:
    return hashlib.sha256(b"doorbell/v1/entry\x00" + index.to_bytes(8, "big") + prev + body_hash).digest()


def signed_text(entry_hash_: bytes) -> bytes:
    """The exact bytes under an entry's signature."""
    return b"doorbell/v1/sign-entry\x00" + entry_hash_


def verify(
    entries: Iterable[Entry],
    journal_id: bytes,
    verify_key: bytes,
    after: Head | None = None,
    seen: Head | None = None,
    *,
    every_signature: bool = True,
) -> Fault | None:
    """The first fault in ``entries``, oldest first, or None.

    They must begin at entry 1, or right behind ``after`` (a page of a longer journal). ``seen`` is a head that this
    reader was told before: a journal that ends earlier was put back, one with another hash there was rewritten.
    Without ``every_signature`` only the last one is checked: its hash stands for all entries before it, so that nobody
    but the door can have written any of them; what stays unseen is a signature, and nothing else, that a card damaged.
    """
    last, newest = after or Head(0, first_prev(journal_id, verify_key)), None
    for entry in entries:
        newest = entry
        if fault := _link_fault(entry, last) or (_signature_fault(entry, verify_key) if every_signature else None):
            return fault
        last = Head(entry.index, entry.hash)
        if seen is not None and seen.index == last.index and seen.hash != last.hash:
            return Fault(last.index, "rewritten", f"Entry {last.index} is not the one that was seen before.")
    if newest is not None and not every_signature and (fault := _signature_fault(newest, verify_key)):
        return fault
    if seen is not None and last.index < seen.index:
        return Fault(
            last.index, "behind", f"Entry {seen.index} was seen before, this journal ends at {last.index}: it is older."
        )
    return None


def _link_fault(entry: Entry, last: Head) -> Fault | None:
    index = entry.index
    if index != last.index + 1:
        return Fault(index, "gap", f"Entry {last.index + 1} is missing: after {last.index} comes {index}.")
    if entry.prev != last.hash:
        return Fault(index, "prev", f"Entry {index} does not continue entry {last.index}.")
    if entry.body is not None and hashlib.sha256(entry.body).digest() != entry.body_hash:
        return Fault(index, "body", f"The body of entry {index} was changed.")
    return None


def _signature_fault(entry: Entry, verify_key: bytes) -> Fault | None:
    try:
        crypto_sign_open(entry.sig + signed_text(entry.hash), verify_key)
    except CryptoError:
        return Fault(entry.index, "signature", f"Entry {entry.index} was not signed by this door.")
    return None


# ---- the document of topic journal/<index>


def document(entry: Entry) -> bytes:
    """JSON ``{index, prev, body, sig}``; of a forgotten entry ``{index, prev, body: null, body_hash, sig}``."""
    fields: dict[str, Any] = {"index": entry.index, "prev": _b64(entry.prev)}
    if entry.body is None:
        fields |= {"body": None, "body_hash": _b64(entry.body_hash)}
    else:
        fields["body"] = _b64(entry.body)
    fields["sig"] = _b64(entry.sig)
    return json.dumps(fields, separators=(",", ":")).encode()


def read_document(text: bytes) -> Entry:
    """Read what ``document`` wrote; keys it does not know are ignored. Raises DamagedError."""
    if len(text) > MOST_DOCUMENT:
        raise DamagedError(f"An entry is longer than {MOST_DOCUMENT} bytes: the door did not write it.")
    fields = _json_object(text)
    index = fields.get("index")
    if not isinstance(index, int) or not _is_count(index) or index == 0:
        raise DamagedError("An entry's index is a number from 1: this one comes from somewhere else.")
    body = None if fields.get("body") is None and "body" in fields else _unb64(fields.get("body"))
    if body is not None and len(body) > MOST_BODY:
        raise DamagedError(f"The body of entry {index} is longer than {MOST_BODY} bytes: the door did not write it.")
    body_hash = _unb64(fields.get("body_hash")) if body is None else hashlib.sha256(body).digest()
    try:
        return Entry(index, _unb64(fields.get("prev")), body, body_hash, _unb64(fields.get("sig")))
    except ValueError:
        raise DamagedError(f"A hash or the signature of entry {index} has the wrong length: it is damaged.") from None


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_no_twins, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise DamagedError("An entry is no JSON of the kind the door writes: it is damaged.") from None
    if not isinstance(value, dict):
        raise DamagedError("An entry is a JSON object, this one is not: it is damaged.")
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_INDEX


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: object) -> bytes:
    """Standard base64 with padding, in its one spelling."""
    try:
        if isinstance(text, str) and _b64(data := base64.b64decode(text, validate=True)) == text:
            return data
    except (binascii.Error, ValueError):
        pass
    raise DamagedError("A part of an entry is not base64: it is damaged.")
