"""What doorman and recorder say to each other, as bytes: one message a datagram over a Unix seqpacket socket.

A message is one JSON object ``{"is": name, …}``, then, where the value carries bytes, a newline and those bytes. The
kernel keeps the messages' borders, and a send either takes a whole message or none of it, so neither side ever waits
for the other in the middle of one. The set of messages is closed: the recorder touches the camera and files a person
gave it, and the doorman believes nothing from it that does not meet the schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import cattrs
from attrs import field, fields, frozen

from doorbell import events

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
    events.StillMade,
)  # fmt: skip
DOWN = (SealTo, Watch, Unwatch, Look, Setup, Begin, End, Warmth, Go)

_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in (*UP, *DOWN)}
_CONVERTER = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)


def _exact(value: object, kind: type) -> Any:  # noqa: ANN401
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"not a {kind.__name__}")
    return value


for _kind in (str, int, float, bool, bytes):
    _CONVERTER.register_structure_hook(_kind, _exact)


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


def decode(data: bytes) -> Any:  # noqa: ANN401  one of UP or DOWN, by its name
    """Bytes to the message they are; raises ValueError for anything else."""
    text, _, tail = data.partition(b"\n")
    try:
        head = json.loads(text)
        kind = _KINDS[head.pop("is")]
        carried = [one.name for one in fields(kind) if one.type in (bytes, "bytes")]
        for name in carried:
            head[name] = tail
        return _CONVERTER.structure(head, kind)
    except Exception as error:  # whatever a wrong message does to the parser, it is one kind of wrong
        raise ValueError("no message of this pipe") from error
