"""What Home Assistant made of the doors, to read on the terminal and as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from house import House


def write(house: House, path: Path) -> None:
    """Print a table of every door's entities; write the same, with attributes and complaints, to *path*."""
    entities = [
        _row(house, row) for row in sorted(house.registry(), key=lambda row: (row["unique_id"], row["entity_id"]))
    ]
    document = {
        "home_assistant": house.version,
        "entities": entities,
        "automations_run": {
            name: house.runs(name)
            for name in sorted(
                {str(one["data"]["name"]) for one in house.heard if one["event_type"] == "automation_triggered"}
            )
        },
        "complaints": house.complaints(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False))
    print(_table(document), file=sys.__stdout__, flush=True)
    print(f"in full: {path}", file=sys.__stdout__, flush=True)


def _row(house: House, row: dict[str, Any]) -> dict[str, Any]:
    state = house.states.get(row["entity_id"])
    return {
        "entity": row["entity_id"],
        "name": row["name"] or row["original_name"],
        "class": row["device_class"] or row["original_device_class"],
        "category": row["entity_category"],
        "disabled": row["disabled_by"],
        "state": None if state is None else state["state"],
        "attributes": {} if state is None else state["attributes"],
    }


def _table(document: dict[str, Any]) -> str:
    head = ("entity", "name", "class", "category", "state")
    lines = [[str(one[key] or "") for key in head] for one in document["entities"]]
    for line, one in zip(lines, document["entities"], strict=True):
        line[-1] = f"(disabled: {one['disabled']})" if one["disabled"] else line[-1]
    widths = [max(len(line[column]) for line in [list(head), *lines]) for column in range(len(head))]
    text = [f"\nHome Assistant {document['home_assistant']} made of the doors:"]
    text += [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [list(head), *lines]
    ]
    text += [f"automation {name!r} ran {times} times" for name, times in document["automations_run"].items()]
    text += [f"complaint: {line}" for line in document["complaints"]] or ["no complaint in its log"]
    return "\n".join(text)
