"""What doorman and postman say to each other: one JSON object a datagram, a closed set each way.

The postman gets what it needs to send and nothing else: the door's VAPID key, and for each letter one subscription and
the signed text for it. It never sees the roster, a clip's name, the broker or the door's own keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, cast

from attrs import asdict, field, frozen

from doorbell import closed
from doorbell.push.book import MOST_ENDPOINT, from_url64, to_url64

LARGEST: Final = 8 * 1024
MOST_TEXT: Final = 900
"""Bytes of one letter: a signed alert has some 330."""


@frozen
class Setup:
    """Doorman to postman, first of all. ``server`` is the ntfy server or empty, ``own`` is push.own_host."""

    key: bytes = field(repr=False)
    own: str
    server: str
    topic: str = field(repr=False)
    token: str = field(repr=False)
    ca_file: str


@frozen
class Letter:
    """Doorman to postman: tell this phone. ``born`` is monotonic seconds; ``text`` the JSON that the phone opens."""

    token: str
    born: float
    endpoint: str = field(repr=False)
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)
    text: str = field(repr=False)


@frozen
class Shout:
    """Doorman to postman: say "ring" on the ntfy topic."""

    token: str
    born: float


@frozen
class Ready:
    """Postman to doorman: the public half of the key (65 bytes); letters are taken from now on."""

    public: bytes


@frozen
class Done:
    """Postman to doorman: what became of a letter. ``status`` is the HTTP status or 0, ``why`` a word of WHYS."""

    token: str
    status: int
    why: str


WHYS: Final = ("", "late", "busy", "refused", "unreachable", "tls")
"""Empty: delivered to the service. refused: see the status. unreachable, tls: no answer, or none to be trusted."""
UP: Final = (Ready, Done)
DOWN: Final = (Setup, Letter, Shout)


def encode(message: Any) -> bytes:  # noqa: ANN401  one of UP or DOWN
    """Raises ValueError for what is larger than LARGEST."""
    plain = {name: to_url64(value) if isinstance(value, bytes) else value for name, value in asdict(message).items()}
    data = closed.dump({"is": type(message).__name__} | plain)
    if len(data) > LARGEST:
        raise ValueError(f"a {type(message).__name__} of {len(data)} bytes does not fit the pipe")
    return data


def decode(data: bytes, allowed: Collection[type]) -> Any:  # noqa: ANN401  one of *allowed*
    """Bytes to the message they are; raises ValueError for anything else."""
    head = closed.load(data, LARGEST)
    kind = next((one for one in allowed if one.__name__ == head.get("is")), None)
    if kind is None:
        raise ValueError("no message of this pipe")
    found = closed.fields(head, {"is": closed.text, **_SHAPES[kind]})
    del found["is"]
    return kind(**found)


def _bytes(value: object) -> bytes:
    return from_url64(closed.text(value))


def _short(most: int) -> closed.Kind:
    def kind(value: object) -> str:
        found = closed.text(value)
        if len(found.encode()) > most:
            raise ValueError("too long")
        return found

    return kind


def _status(value: object) -> int:
    if (found := closed.count(value)) > 999:
        raise ValueError("no HTTP status")
    return found


_TOKEN: Final[dict[str, closed.Kind]] = {"token": closed.matching("[!-~]{1,64}"), "born": closed.seconds}
_SHAPES: Final = cast(
    "Mapping[type, Mapping[str, closed.Kind]]",
    {
        Setup: {"key": _bytes, "own": _short(300), "server": _short(300), "topic": _short(64), "token": _short(300),
                "ca_file": _short(4096)},
        Letter: _TOKEN | {
            "endpoint": _short(MOST_ENDPOINT), "p256dh": _bytes, "auth": _bytes, "text": _short(MOST_TEXT),
        },
        Shout: _TOKEN,
        Ready: {"public": _bytes},
        Done: {"token": _TOKEN["token"], "status": _status, "why": closed.matching("|".join(WHYS))},
    },
)  # fmt: skip
