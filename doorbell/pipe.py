"""What doorman and recorder say to each other, as bytes: one message a datagram over a Unix seqpacket socket.

A message is one JSON object ``{"is": name, …}``, then, where the value carries bytes, a newline and those bytes. The
kernel keeps the messages' borders, and a send either takes a whole message or none of it, so neither side ever waits
for the other in the middle of one. The set of messages is closed, one for each way: the recorder touches the camera and
files a person gave it, and the doorman believes nothing from it that does not meet the schema, numbers and lengths
included.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from attrs import field, fields, frozen

from doorbell import closed, events

LARGEST = 128 * 1024
"""Bytes of one message. A sealed poster has at most 24 KiB, a live message at most 96 KiB."""


@frozen
class Begin:
    """Doorman to recorder: keep a clip under this id, beginning with the pre-roll, and make its poster now."""

    clip: str
    visit: str
    trigger: str


@frozen
class End:
    """Doorman to recorder: the clip ends here."""

    clip: str


@frozen
class Warmth:
    """Doorman to recorder: the PIR rose at ``at``, so motion that agrees with it need not wait for more."""

    at: float


@frozen
class Go:
    """Doorman to recorder, with --fast: what was shown so far is decided, show more."""


@frozen
class Watch:
    """Doorman to recorder: somebody watches live from now on; ``session`` 16 bytes in hex, ``secret`` 32."""

    session: str
    secret: bytes = field(repr=False)


@frozen
class Unwatch:
    """Doorman to recorder: this session is over."""

    session: str


@frozen
class Look:
    """Doorman to recorder: one picture of now, sealed to this recipient alone."""

    token: str
    recipient: str


@frozen
class Seek:
    """Doorman to recorder: look for a pairing QR in the pictures, or no longer."""

    on: bool


@frozen
class SealTo:
    """Doorman to recorder: the household changed; whatever begins from now on is sealed to these recipients."""

    recipients: tuple[str, ...]


@frozen
class Setup:
    """Doorman to recorder, first of all: what to film, to whom to seal it, where to keep it.

    ``config`` is the part of the configuration that concerns the recorder, without any login; see recorder.py.
    """

    config: dict[str, Any]


UP = (
    events.RecorderReady, events.RecorderAlive, events.Saw, events.Tampered, events.HeldBack, events.PosterMade,
    events.ClipKept, events.ClipLost, events.RecorderTrouble, events.CameraEnded, events.LiveMade,
    events.StillMade, events.TicketShown,
)  # fmt: skip
DOWN = (SealTo, Seek, Watch, Unwatch, Look, Setup, Begin, End, Warmth, Go)

LONGEST_SENTENCE = 500
MOST_GATES = 32
MOST_RECIPIENTS = 17
MOST_POSTER = 24 * 1024
MOST_STILL = 48 * 1024
MOST_LIVE = 96 * 1024
MOST_TICKET = 525


def sentence(words: str) -> str:
    """*words* as they fit the pipe: at most 500 characters, without what UTF-8 cannot hold (a path from the disk)."""
    return words.encode("utf-8", "replace").decode()[:LONGEST_SENTENCE]


def encode(message: object) -> bytes:
    """A message's bytes. Raises ValueError for one larger than LARGEST: its maker has bounded it wrongly."""
    head: dict[str, Any] = {"is": type(message).__name__}
    tail = b""
    kind: Any = type(message)
    for one in fields(kind):
        value = getattr(message, one.name)
        if isinstance(value, bytes):
            tail = b"\n" + value
        else:
            head[one.name] = value
    data = json.dumps(head, separators=(",", ":"), allow_nan=False).encode() + tail
    if len(data) > LARGEST:
        raise ValueError(f"a {type(message).__name__} of {len(data)} bytes does not fit the pipe")
    return data


def decode(data: bytes, allowed: Collection[type]) -> Any:  # noqa: ANN401  one of *allowed*, by its name
    """Bytes to the message they are, UP or DOWN as *allowed* says; raises ValueError for anything else."""
    text, newline, tail = data.partition(b"\n")
    try:
        head = closed.load(text, LARGEST)
        kind = next(one for one in allowed if one.__name__ == head.get("is"))
        found = closed.fields(head, {"is": closed.text, **_SHAPES[kind]})
        del found["is"]
        return kind(**found, **_carried(kind, newline, tail))
    except (ValueError, StopIteration) as error:
        raise ValueError("no message of this pipe") from error


# ---- what each field may be


def _carried(kind: type, newline: bytes, tail: bytes) -> dict[str, bytes]:
    name, most = _CARRIED.get(kind, ("", 0))
    if bool(newline) != bool(name) or len(tail) > most:
        raise ValueError("bytes where none belong, or none, or too many")
    return {name: tail} if name else {}


def _share(value: object) -> float:
    found = closed.seconds(value)
    if found > 1:
        raise ValueError("more than the whole")
    return found


def _sentence(value: object) -> str:
    found = closed.text(value)
    if len(found) > LONGEST_SENTENCE:
        raise ValueError("a sentence too long for anybody")
    return found


def _gates(value: object) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) > MOST_GATES or any(len(name) > 32 for name in value):
        raise ValueError("no count of gates")
    return {closed.text(name): closed.count(count) for name, count in value.items()}


def _tables(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no tables")  # noqa: TRY004  one error for all that is wrong
    return value


_AT: dict[str, closed.Kind] = {"at": closed.seconds}
_ID = closed.matching("[a-z2-7]{26}")
_CLIP: dict[str, closed.Kind] = {"clip": _ID}
_RECIPIENT = closed.matching("age1[a-z0-9]{1,100}")
_SESSION: dict[str, closed.Kind] = {"session": closed.matching("[0-9a-f]{32}")}
_TOKEN: dict[str, closed.Kind] = {"token": closed.matching("[!-~]{1,128}")}
_SHAPES: Mapping[type, Mapping[str, closed.Kind]] = {
    events.RecorderReady: _AT,
    events.RecorderAlive: _AT | {"frames": closed.count, "dropped": closed.count},
    events.Saw: _AT | {
        "active": closed.flag, "began": closed.seconds, "box": closed.list_of(_share, 4, 4), "strength": _share,
    },
    events.Tampered: _AT | {"active": closed.flag},
    events.HeldBack: _AT | {"gates": _gates},
    events.PosterMade: _AT | _CLIP | {"kept": closed.flag},
    events.ClipKept: _AT | _CLIP | {
        "bytes": closed.count, "sha256": closed.matching("[0-9a-f]{64}"), "seconds": closed.seconds,
    },
    events.ClipLost: _AT | _CLIP | {"why": _sentence},
    events.RecorderTrouble: _AT | {"part": closed.matching("camera|storage|light"), "why": _sentence},
    events.CameraEnded: _AT,
    events.LiveMade: _SESSION,
    events.StillMade: _TOKEN,
    events.TicketShown: _AT,
    Setup: {"config": _tables},
    SealTo: {"recipients": closed.list_of(_RECIPIENT, 0, MOST_RECIPIENTS)},
    Watch: _SESSION,
    Unwatch: _SESSION,
    Seek: {"on": closed.flag},
    Look: _TOKEN | {"recipient": _RECIPIENT},
    Begin: _CLIP | {"visit": _ID, "trigger": closed.matching("[a-z-]{1,32}")},
    End: _CLIP,
    Warmth: _AT,
    Go: {},
}  # fmt: skip
_CARRIED: Mapping[type, tuple[str, int]] = {
    events.PosterMade: ("sealed", MOST_POSTER),
    events.LiveMade: ("sealed", MOST_LIVE),
    events.StillMade: ("sealed", MOST_STILL),
    events.TicketShown: ("text", MOST_TICKET),
    Watch: ("secret", 32),
}
"""The messages that carry bytes: in which field, and how many at most."""
