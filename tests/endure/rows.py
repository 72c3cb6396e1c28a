"""The reliability table: which row a test shows, how often it runs here, and what it measured.

The default test run takes a short form of each row. ``make endure`` sets ENDURE=full and runs them whole; then this
file, run as a program, prints what was measured and puts the table into docs/reliability.md.
"""

from __future__ import annotations

import json
import os
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

FULL: Final = os.environ.get("ENDURE") == "full"
HERE: Final = Path(__file__).parents[2]
RESULTS: Final = HERE / "build/endure"
PAGE: Final = HERE / "docs/reliability.md"
THREATS: Final = HERE / "docs/threat-model.md"
LAB_POWER: Final = HERE / "build/lab/power.xml"
NOT_RUN: Final = "not run here"
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


def seeds(short: int, full: int, first: int = 0) -> list[int]:
    """The seeds to run, from *first* on, or the one that ENDURE_SEED names."""
    one = os.environ.get("ENDURE_SEED")
    return [int(one)] if one else list(range(first, first + count(short, full)))


@contextmanager
def named(seed: int) -> Iterator[None]:
    """Whatever fails inside says by which seed it can be run again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"the seed was {seed}: run this test alone with ENDURE_SEED={seed}")
        raise


def tell(row: int, method: str, figure: str, **numbers: Any) -> None:
    """Note what was measured for *row*; only full counts, and not a single seed's, reach the table.

    A row that runs in parts names its *numbers* in the figure, ``{lives} lives``: the table adds them up.
    """
    print(f"row {row}: {figure.format(**numbers)}")
    if FULL and "ENDURE_SEED" not in os.environ:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        RESULTS.mkdir(parents=True, exist_ok=True)
        what = {"row": row, "method": method, "figure": figure, "numbers": numbers, "test": test}
        name = test.partition("::")[2]
        (RESULTS / f"{row:02}-{name}.json").write_text(json.dumps(what, indent=1) + "\n")


def show(threat: str, figure: str) -> None:
    """Note what was measured about *threat*, for the table of docs/threat-model.md."""
    print(f"{threat}: {figure}")
    if FULL and "ENDURE_SEED" not in os.environ:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        RESULTS.mkdir(parents=True, exist_ok=True)
        what = {"threat": threat, "figure": figure, "test": test}
        (RESULTS / f"threat-{threat.replace(', ', '-').replace(' ', '-')}.json").write_text(
            json.dumps(what, indent=1) + "\n"
        )


def table(page: str, power: Path = LAB_POWER) -> str:
    """The table in Markdown; what was not run this time keeps the line that *page* has, and else says so."""
    lines = {_key(line): line for line in _lines(page, BEGIN, END)}
    for result in _added_up(_results("row")):
        what, bar = BARS[result["row"]]
        line = f"| {result['row']} | {what} | {bar} | {result['method']} | {result['figure']} | {_test(result)} |"
        lines[_key(line)] = line
    if cuts := power_cuts(power):
        what, bar = BARS[4]
        lines["| 4", "`make lab-power` |"] = (
            f"| 4 | {what} | {bar} | a virtual machine's card loses its cache | {cuts} | `make lab-power` |"
        )
    for row, (what, bar) in BARS.items():
        if not any(line.startswith(f"| {row} |") for line in lines.values()):
            lines[f"| {row}", ""] = f"| {row} | {what} | {bar} |  | {NOT_RUN} |  |"
    made = sorted(lines.values(), key=lambda line: (int(_key(line)[0].strip("| ")), line))
    return "\n".join(["| # | what | bar | method | figure | test |", "|---|---|---|---|---|---|", *made])


def threats(page: str) -> str:
    """The threat model's figures, kept where nothing new was measured."""
    lines = {_key(line)[0]: line for line in _lines(page, BEGIN, END)}
    for one in _results("threat"):
        lines[f"| {one['threat']}"] = f"| {one['threat']} | {one['figure']} | {_test(one)} |"
    return "\n".join(["| what | measured | test |", "|---|---|---|", *(lines[key] for key in sorted(lines))])


def power_cuts(report: Path) -> str:
    """What `make lab-power` found, from its JUnit file; empty where it did not run, or ran fewer than 50 seeds."""
    if not report.exists():
        return ""
    cases = list(ET.parse(report).iter("testcase"))
    cuts = [case for case in cases if "was_acknowledged_before" in case.get("name", "")]
    bad = [case for case in cuts if case.find("failure") is not None or case.find("error") is not None]
    said = [" ".join(one.get("value", "") for one in case.iter("property")) for case in cuts]
    kept = [re.search(r"(\d+) entries, (\d+) clips", text) for text in said]
    entries, clips = (sum(int(found[place]) for found in kept if found) for place in (1, 2))
    lost = f"{len(bad)} of {len(cuts)} seeds failed" if bad else "0 lost"
    return f"{len(cuts)} cuts: {entries:,} acknowledged entries and {clips} clips, {lost}" if len(cuts) >= 50 else ""


def _results(kind: str) -> list[dict[str, Any]]:
    found = (json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json")))
    return [one for one in found if kind in one]


def _added_up(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts of one test, ``name[0]``, ``name[50]``, become one result where its figure has room for sums."""
    whole: dict[str, dict[str, Any]] = {}
    for one in results:
        parts = "{" in one["figure"]
        name = one["test"].partition("[")[0] if parts else one["test"]
        before = whole[name]["numbers"] if parts and name in whole else Counter()
        sums = {key: before.get(key, 0) + number for key, number in one["numbers"].items()} if parts else {}
        whole[name] = one | {"test": name, "numbers": sums}
    return [one | {"figure": one["figure"].format(**one["numbers"])} for one in whole.values()]


def _test(result: dict[str, Any]) -> str:
    return f"`{result['test'].removeprefix('tests/endure/').removeprefix('tests/')}`"


def _key(line: str) -> tuple[str, str]:
    """What a line is about, and the test that made it."""
    return line.partition(" | ")[0], line.rpartition(" | ")[2]


def _lines(page: str, begin: str, end: str) -> list[str]:
    table = page.partition(begin)[2].partition(end)[0]
    lines = [line for line in table.splitlines() if line.startswith("| ") and NOT_RUN not in line]
    return [line for line in lines if not line.startswith(("| #", "| what"))]


def main() -> int:
    for page, make in ((PAGE, table), (THREATS, threats)):
        text = page.read_text()
        before, _, rest = text.partition(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{make(text)}\n\n{END}{rest.partition(END)[2]}")
        print(make(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
