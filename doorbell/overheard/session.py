"""One stretch of listening: what passed the broker, when. Kept in a file as one JSON object a line.

A line is ``{"at": seconds since 1970, "topic": …, "payload": base64, "retained": bool}``. The file holds nothing that
the broker's owner does not have anyway.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import field, frozen

from doorbell.errors import Mistake

LONGEST_LINE: Final = 4 * 1024 * 1024
MOST_BYTES: Final = 512 * 1024 * 1024
"""Of payloads in one session; what passes beyond that is counted, not kept."""


@frozen
class Heard:
    at: float
    topic: str
    payload: bytes = field(repr=False)
    retained: bool = False


def line(one: Heard) -> str:
    payload = base64.b64encode(one.payload).decode()
    return json.dumps({"at": round(one.at, 3), "topic": one.topic, "payload": payload, "retained": one.retained}) + "\n"


def read(path: Path) -> Iterator[Heard]:
    """The messages in their order. Raises Mistake for a file that is no session."""
    try:
        with path.open("rb") as file:
            number = 0
            while text := file.readline(LONGEST_LINE + 1):
                number += 1
                try:
                    yield _read(text)
                except (ValueError, KeyError, TypeError, RecursionError):
                    raise Mistake(
                        f"{path}, line {number}: no line of a recorded session (--record writes them)."
                    ) from None
    except OSError as error:
        raise Mistake(f"{path} cannot be read ({error.strerror}): give a file that --record wrote.") from None


def _read(text: bytes) -> Heard:
    if len(text) > LONGEST_LINE:
        raise ValueError("too long")
    found = json.loads(text)
    at, topic, retained = found["at"], found["topic"], found["retained"]
    if not isinstance(at, int | float) or not 0 <= at < 1e11 or not isinstance(topic, str) or len(topic) > 65535:
        raise ValueError("another shape")
    return Heard(float(at), topic, base64.b64decode(found["payload"], validate=True), retained is True)
