"""What the broker's owner can read, byte by byte, of what a door and its phones say; and what that lets them guess.

Every message is put under the row of the topic table (link/topics.py) that it belongs to. A clear row is read. Of a
sealed one only what its format leaves open is (an entry's number and hashes, a live message's number), and the rest has
to look like ciphertext; where it does not, that is a leak.
"""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from attrs import asdict, define, field, frozen

from doorbell.closed import to_base64
from doorbell.link.topics import TABLE, Topic
from doorbell.overheard import guesses
from doorbell.overheard.guesses import Guess, Passed
from doorbell.overheard.looks import readable, unsealed_part
from doorbell.overheard.session import Heard

MOST_SAMPLES: Final = 200
LONGEST_SAMPLE: Final = 16 * 1024
"""Different readable payloads of a row that are kept, and characters of each."""
MOST_LEAKS: Final = 50
NUMBER_BYTES: Final = 8
BOX_LEAST: Final = 48
HEAD: Final = 8 * 1024
HEADS: Final = ("availability", "hello", "recording", "alert", "poster")
"""Of these the beginning is looked at again for guesses; of the others, which may be large, only sizes and times."""
_PART: Final = r"[^/]{1,64}"


@define
class Read:
    """One row of the table as it passed: how often, how many bytes, of these how many readable, and samples of them."""

    topic: str
    meant: str
    """clear or sealed, by the table; foreign: it is no row of it."""
    messages: int = 0
    bytes: int = 0
    readable: int = 0
    samples: list[str] = field(factory=list)


@frozen
class Leak:
    topic: str
    at: float
    why: str


@define
class Report:
    began: float
    ended: float
    doors: list[str]
    rows: list[Read]
    leaks: list[Leak]
    guesses: dict[str, list[Guess]]
    """By door."""

    @property
    def is_tight(self) -> bool:
        """Nothing but the clear topics could be read."""
        return not self.leaks

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"tight": self.is_tight}


def report(session: Iterable[Heard]) -> Report:
    """Of a whole session, in the order in which it was heard."""
    rows = {row.name: Read(row.template, row.open_to) for row in TABLE}
    foreign: dict[str, Read] = {}
    leaks: list[Leak] = []
    doors: dict[str, list[Passed]] = defaultdict(list)
    began = ended = 0.0
    for one in session:
        began, ended = began or one.at, one.at
        row, door, parts = _row(one.topic)
        if row is None:
            base = "/".join(one.topic.split("/")[:2])
            _count(foreign.setdefault(base, Read(f"{base}/…", "foreign")), one, len(one.payload), _sample(one.payload))
            if one.topic.startswith("doorbell/"):
                leaks.append(Leak(one.topic, one.at, "a topic that the table does not have"))
            continue
        if door:
            doors[door].append(
                Passed(one.at, row.name, parts, len(one.payload), one.payload[:HEAD] * (row.name in HEADS))
            )
        if row.open_to == "clear":
            _count(rows[row.name], one, len(one.payload), _sample(one.payload))
            continue
        open_bytes, sample, why = _sealed(row.name, parts, one.payload)
        _count(rows[row.name], one, open_bytes, sample)
        if why:
            leaks.append(Leak(one.topic, one.at, why))
    return Report(
        began, ended, sorted(doors),
        [one for one in (*rows.values(), *foreign.values()) if one.messages], leaks[:MOST_LEAKS],
        {door: guesses.guesses(passed) for door, passed in sorted(doors.items())},
    )  # fmt: skip


def _pattern(row: Topic) -> re.Pattern[str]:
    parts = re.sub(r"<(?!door)[a-z]+>", f"({_PART})", re.escape(row.template))
    return re.compile(parts.replace("<door>", "(?P<door>[a-z0-9-]{1,32})"))


_PATTERNS: Final = [(row, _pattern(row)) for row in TABLE]


def _row(topic: str) -> tuple[Topic | None, str, tuple[str, ...]]:
    for row, pattern in _PATTERNS:
        if match := pattern.fullmatch(topic):
            door = match.groupdict().get("door", "")
            return row, door, match.groups()[1:] if door else ()
    return None, "", ()


def _count(read: Read, one: Heard, open_bytes: int, sample: str) -> None:
    read.messages += 1
    read.bytes += len(one.payload)
    read.readable += open_bytes
    if sample and sample not in read.samples and len(read.samples) < MOST_SAMPLES:
        read.samples.append(sample)


def _sample(payload: bytes) -> str:
    text = payload[:LONGEST_SAMPLE].decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() else "·" for letter in text)
    return shown + "…" * (len(payload) > LONGEST_SAMPLE)


# ---- what a sealed message leaves open: how many bytes, a sample of them, and why it is no sealed message


_Found = tuple[int, str, str]


def _sealed(name: str, parts: tuple[str, ...], payload: bytes) -> _Found:
    if name == "clip":
        # A clip is one age file in pieces: its header is in the first, and no piece has another beginning.
        return _age(payload) if parts[-1] == "0" else _random(payload)
    return _KINDS.get(name, _age)(payload)


def _age(payload: bytes) -> _Found:
    found = unsealed_part(payload)
    if found is None:
        return len(payload), _sample(payload), readable(payload) or "no age file, though it should be one"
    recipients, body = found
    return len(payload) - len(body), f"sealed to {recipients} keys", readable(body)


def _entry(payload: bytes) -> _Found:
    try:
        entry: Mapping[str, Any] = json.loads(payload)
        body = entry["body"]
        data = b"" if body is None else _unbase64(body)
    except (ValueError, KeyError, TypeError, RecursionError):
        return len(payload), _sample(payload), "no entry of the journal"
    index, prev, sig = entry.get("index"), entry.get("prev"), entry.get("sig")
    strange = set(entry) - {"index", "prev", "body", "body_hash", "sig"}
    if strange:
        return len(payload), _sample(payload), "an entry with more in it than it should have"
    open_bytes, _, why = _age(data) if data else (0, "", "")
    return open_bytes + len(f"{prev}{sig}{index}"), "its number, the hash of the one before, the signature", why


def _box(payload: bytes) -> _Found:
    """crypto_box_seal: a fresh public key, then ciphertext."""
    if len(payload) < BOX_LEAST:
        return len(payload), _sample(payload), readable(payload) or "too short for a sealed box"
    return 0, "", readable(payload)


def _live(payload: bytes) -> _Found:
    if len(payload) <= NUMBER_BYTES:
        return len(payload), _sample(payload), "no live message"
    return NUMBER_BYTES, "its number", readable(payload[NUMBER_BYTES:]) or readable(payload)


def _random(payload: bytes) -> _Found:
    return 0, "", readable(payload)


_KINDS: Final[Mapping[str, Callable[[bytes], _Found]]] = {
    "journal": _entry, "from": _box, "pair": _box, "live": _live, "talk": _live,
}  # fmt: skip


def _unbase64(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("no text")
    data = base64.b64decode(value, validate=True)
    if to_base64(data) != value:
        raise ValueError("not its one spelling")
    return data
