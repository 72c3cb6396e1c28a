"""Makes the vectors of live view; the same bytes at every run: ``python tests/vectors/live/make.py``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from doorbell import live
from doorbell.closed import to_base64
from doorbell.live import END, INIT, VIDEO, Sender

SECRET, SESSION = bytes(range(32)), bytes(range(50, 66))


def sent() -> list[bytes]:
    """Messages 0 to 6: an init segment, three pictures of which the second needs two messages, init again, the end."""
    sender = Sender(SECRET, SESSION)
    large = hashlib.shake_256(b"a large picture").digest(live.MOST_MESSAGE)
    return [
        *sender.messages(INIT, b"init"),
        *sender.messages(VIDEO, b"first", keyframe=True),
        *sender.messages(VIDEO, large),
        *sender.messages(VIDEO, b"third"),
        *sender.messages(INIT, b"init"),
        *sender.messages(END, b""),
    ]


def made() -> dict[str, str]:
    """File name to text. A case hears messages by their place; ``shown``: kind and SHA-256 of what the viewer shows."""
    said = sent()
    changed = said[1][:-1] + bytes([said[1][-1] ^ 1])
    said += [changed, next(Sender(SECRET, bytes(16)).messages(INIT, b"init")), bytes(23)]
    large = "video:" + hashlib.sha256(hashlib.shake_256(b"a large picture").digest(live.MOST_MESSAGE)).hexdigest()
    init, first, third, end = (
        kind + ":" + hashlib.sha256(data).hexdigest()
        for kind, data in (("init", b"init"), ("video", b"first"), ("video", b"third"), ("end", b""))
    )
    whole = [init, first, large, third, init, end]

    def case(name: str, hears: list[int], shown: list[str]) -> Any:
        return {"name": name, "hears": hears, "shown": shown}

    cases = [
        case("all of it", [0, 1, 2, 3, 4, 5, 6], whole),
        case("each message twice", [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6], whole),
        case("an old message comes late", [0, 1, 0], [init, first]),
        case(
            "half of a picture is lost: nothing before the next keyframe", [0, 1, 3, 4, 5, 6], [init, first, init, end]
        ),
        case("the keyframe is lost", [0, 2, 3, 4, 5, 6], [init, init, end]),
        case("a message was changed", [0, 7], [init]),
        case("another session's", [8], []),
        case("shorter than number and tag", [9], []),
    ]
    file = {
        "secret": to_base64(SECRET),
        "session": to_base64(SESSION),
        "messages": [to_base64(one) for one in said],
        "cases": cases,
    }
    return {"messages.json": json.dumps(file, indent=1) + "\n"}


if __name__ == "__main__":
    for file, text in made().items():
        (Path(__file__).parent / file).write_text(text)
