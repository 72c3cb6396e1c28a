"""One measurement in a process of its own: rows as JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from attrs import asdict

from doorbell.bench.rows import Row, Say
from doorbell.errors import DoorbellError

SIZES: dict[str, tuple[int, int] | None] = {
    "press": (1000, 100), "seal": None, "clip": (31, 7), "memory": (3, 1), "start": (30, 8), "plaintext": (50, 10),
    "motion": None, "scene": None, "scale": (100_000, 10_000),
    "phone": (30, 6),
}  # fmt: skip
"""How often each measures, and how often with --quick; None where a measurement knows by itself."""


def rows(name: str, *, quick: bool, say: Say) -> list[Row]:
    """What the measurement *name* gives. Raises DoorbellError."""
    measure = import_module(f"doorbell.bench.{name}").measure
    sizes = SIZES[name]
    found: list[Row | dict[str, Any]] = measure() if sizes is None else measure(sizes[quick], say)
    return [row if isinstance(row, Row) else Row(**row, at_least=row["unit"] == "MB/s") for row in found]


def main(name: str, *, quick: bool) -> int:
    """Exit status 0, or 1 with a sentence on standard error."""

    def say(line: str) -> None:
        sys.stderr.write(f"{name}: {line}\n")

    try:
        found = rows(name, quick=quick, say=say)
    except DoorbellError as error:
        say(str(error))
        return 1
    sys.stdout.write(json.dumps([asdict(row) for row in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], quick="--quick" in sys.argv))
