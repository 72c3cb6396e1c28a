"""What the door answers: ``age(sender, sig ‖ json)``, the signature of kind ``reply`` (docs/formats/commands.md)."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from doorbell import closed


@frozen
class Facts:
    """What every reply says beside its answer: this start of the door, and how far its journal is on the card."""

    door: str
    epoch: bytes
    journal: bytes
    head_index: int
    head_hash: bytes


def reply_text(
    facts: Facts, *, to: str, command: bytes, uptime: float, result: dict[str, Any] | None = None, refused: str = ""
) -> bytes:
    """The JSON of a reply to *command* (its id) of member *to*, with a *result* or the word of a refusal."""
    said: dict[str, Any] = {
        "v": 1,
        "door": facts.door,
        "to": to,
        "id": closed.to_base64(command),
        "epoch": closed.to_base64(facts.epoch),
        "uptime": round(uptime, 3),
        "journal": closed.to_base64(facts.journal),
        "head": {"index": facts.head_index, "hash": closed.to_base64(facts.head_hash)},
    }
    return closed.dump(said | ({"refused": refused} if refused else {"result": result}))
