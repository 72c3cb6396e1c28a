"""The two blueprints are one, but for how each learns of a ring; what they do is shown by `make test-ha`."""

from __future__ import annotations

from difflib import ndiff
from pathlib import Path

SHELF = Path(__file__).parents[2] / "docs/home-assistant"


def test_the_blueprints_differ_in_their_trigger_and_in_what_they_need() -> None:
    ring, rang = ((SHELF / f"doorbell-{name}.yaml").read_text().splitlines() for name in ("ring", "rang"))
    changed = [line for line in ndiff(ring, rang) if line[0] in "-+"]
    assert {line[2:].strip() for line in changed if line[0] == "-"} == {
        "name: Somebody is at the door", "- trigger: state", "entity_id: !input doorbell", "not_from: unavailable",
        "not_to:", "- unavailable", "- unknown",
    }  # fmt: skip
    assert {line[2:].strip() for line in changed if line[0] == "+"} == {
        "name: Somebody is at the door (doorbell rang)", "homeassistant:", "min_version: 2026.7.0",
        "- trigger: doorbell.rang", "target:", "entity_id: !input doorbell",
    }  # fmt: skip
