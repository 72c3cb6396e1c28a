"""The reliability table: which row a test shows, how often it runs here, and what it measured.

The default test run takes a short form of each row. ``make endure`` sets ENDURE=full and runs them whole; then this
file, run as a program, prints what was measured and puts the table into docs/reliability.md.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

FULL: Final = os.environ.get("ENDURE") == "full"
HERE: Final = Path(__file__).parents[2]
RESULTS: Final = HERE / "build/endure"
PAGE: Final = HERE / "docs/reliability.md"
BEGIN, END = "<!-- made by make endure -->", "<!-- end of what make endure made -->"

BARS: Final = {
    1: ("SIGKILL at random points while recording", "500 of 500: 0 acknowledged clips or entries lost"),
    2: ("a clip cut at every kind of place", "10,000: a true prefix, none called complete"),
    3: ("enumerated crash states", "at least 20,000 states, 0 violations"),
    4: ("power cuts in the lab machine, ext4", "50 seeds, nothing acknowledged lost"),
    5: ("card full", "oldest goes first, recording and ringing go on, 0 damaged files"),
    6: ("card read-only or gone", "the ring, MQTT and live go on; told within 60 s"),
    7: ("every system call of store and journal failed once", "0 uncaught, 0 lost, no fsync retried"),
    8: ("clock jumps of up to 10 years", "1,000: order kept, nothing expires early, no negative duration"),
    9: ("a camera that hangs, repeats, raises, dies, stops", "seen within 5 s, back within 10 s, 0 rings lost"),
    10: ("presses, spikes, a fluttering PIR", "10,000 of 10,000 rings, 0 doubles, 0 from 1,000 spikes"),
    11: ("broker away for 7 days, 50 kills", "0 entries lost, drained within 60 s, each once, no stale ring"),
    12: ("the journal's bound", "oldest routine first, presses last, counted"),
    13: ("memory over 100,000 events", "0 kills, slope under 1 MB, descriptors and threads constant"),
    14: ("a tenth of a CPU", "press to message within 2 s; drops counted, none torn"),
    15: ("writes to the card", "idle 1 page an hour; a sync every 2 s; a commit a second"),
    16: ("plaintext on the card", "0 hits; the control hits each"),
    17: ("open ports, outbound hosts", "0 and 1"),
    18: ("fsync delayed by 5 s, 100 presses", "chime and alert unaffected"),
}


def count(short: int, full: int) -> int:
    """How often here: *full* under ``make endure``."""
    return full if FULL else short


def seeds(short: int, full: int) -> list[int]:
    """The seeds to run, or the one that ENDURE_SEED names."""
    one = os.environ.get("ENDURE_SEED")
    return [int(one)] if one else list(range(count(short, full)))


@contextmanager
def named(seed: int) -> Iterator[None]:
    """Whatever fails inside says by which seed it can be run again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"the seed was {seed}: run this test alone with ENDURE_SEED={seed}")
        raise


def tell(row: int, method: str, figure: str, **numbers: Any) -> None:
    """Note what was measured for *row*; only full counts, and not a single seed's, reach the table."""
    print(f"row {row}: {figure}")
    if FULL and "ENDURE_SEED" not in os.environ:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        RESULTS.mkdir(parents=True, exist_ok=True)
        what = {"row": row, "method": method, "figure": figure, "numbers": numbers, "test": test}
        name = test.partition("::")[2]
        (RESULTS / f"{row:02}-{name}.json").write_text(json.dumps(what, indent=1) + "\n")


def table() -> str:
    """The table in Markdown; a row without a result says so."""
    done: dict[int, list[dict[str, Any]]] = {}
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text())
        done.setdefault(result["row"], []).append(result)
    lines = ["| # | what | bar | method | figure | test |", "|---|---|---|---|---|---|"]
    for row, (what, bar) in BARS.items():
        for one in done.get(row, [{"method": "", "figure": "not run here", "test": ""}]):
            test = one["test"].removeprefix("tests/endure/")
            lines.append(f"| {row} | {what} | {bar} | {one['method']} | {one['figure']} | {f'`{test}`' * bool(test)} |")
    return "\n".join(lines)


def main() -> int:
    made = table()
    print(made)
    results = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    (HERE / "build/endure.json").write_text(json.dumps(results, indent=1) + "\n")
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
