"""The reliability table: which row a test shows, how often it runs here, and what it measured.

The default test run takes a short form of each row. ``make endure`` sets ENDURE=full and runs them whole; then this
file, run as a program, prints what was measured and puts the table into docs/reliability.md.

A test says which row it shows by a mark, ``pytest.mark.row(3)`` or ``pytest.mark.threat("egress")``; what became of its
last whole run is a file in build/endure, written as "did not end" before it begins. So no figure outlives a failure.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

FULL: Final = os.environ.get("ENDURE") == "full"
HERE: Final = Path(__file__).parents[2]
RESULTS: Final = HERE / "build/endure"
PAGE: Final = HERE / "docs/reliability.md"
THREATS: Final = HERE / "docs/threat-model.md"
LAB_POWER: Final = HERE / "build/lab/power.xml"
NOT_RUN: Final = "not run here"
DID_NOT_END: Final = "**did not end**"
FAILED: Final = "**failed**"
TOLD_NOTHING: Final = "**passed and measured nothing**"
BEGIN, END = "<!-- made by make endure -->", "<!-- end of what make endure made -->"

BARS: Final = {
    1: ("SIGKILL at random points while recording", "500 of 500: 0 acknowledged clips or entries lost"),
    2: ("a clip cut at every kind of place", "10,000: a true prefix, none called complete"),
    3: ("enumerated crash states", "at least 20,000 states, 0 violations"),
    4: (
        "power cuts, ext4",
        "50 seeds: nothing acknowledged lost, of the running clip at most a chunk, a fragment and 2 s",
    ),
    5: ("card full", "oldest goes first, recording and ringing go on, 0 damaged files"),
    6: ("card read-only or gone", "the ring, MQTT and live go on; told within 60 s"),
    7: ("every system call of store and journal failed once", "0 uncaught, 0 lost, no fsync retried"),
    8: ("clock jumps of up to 10 years", "1,000: order kept, nothing expires early, no negative duration"),
    9: (
        "a camera that hangs, repeats, raises, dies, stops",
        "seen within 5 s, back within 10 s, 0 rings lost or delayed",
    ),
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

    A row that runs in parts (``pytest.mark.row(1, parts=True)``) names its *numbers* in the figure, ``{lives} lives``:
    the table adds them up.
    """
    print(f"row {row}: {figure.format(**numbers)}")
    _measured({"row": row}, {"method": method, "figure": figure, "numbers": numbers})


def show(threat: str, figure: str, **numbers: Any) -> None:
    """Note what was measured about *threat*, for the table of docs/threat-model.md; in parts as in ``tell``."""
    print(f"{threat}: {figure.format(**numbers)}")
    _measured({"threat": threat}, {"figure": figure, "numbers": numbers})


def _measured(what: dict[str, Any], found: dict[str, Any]) -> None:
    if not _counts():
        return
    file = _file(os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0])
    noted = json.loads(file.read_text())
    if any(noted.get(key) != value for key, value in what.items()):
        raise ValueError(f"the test is marked as {noted}, and tells of {what}")
    file.write_text(json.dumps(noted | found, indent=1) + "\n")


# ---- what became of a test, by the marks it has (tests/conftest.py calls these two)


def begins(item: pytest.Item) -> None:
    """Before a whole run of what a row rests on: the last figure goes, whatever becomes of this one."""
    row, threat = item.get_closest_marker("row"), item.get_closest_marker("threat")
    if not _counts() or not (row or threat):
        return
    parts = any(mark.kwargs.get("parts") for mark in (row, threat) if mark)
    what = {"row": row.args[0]} if row else {"threat": threat.args[0] if threat else ""}
    test = item.nodeid.partition("[")[0] if parts else item.nodeid
    RESULTS.mkdir(parents=True, exist_ok=True)
    noted = what | {"test": test, "parts": parts, "method": "", "figure": DID_NOT_END, "numbers": {}, "when": when()}
    _file(item.nodeid).write_text(json.dumps(noted, indent=1) + "\n")


def ended(item: pytest.Item, report: pytest.TestReport) -> None:
    """One of a test's three phases is over."""
    file = _file(item.nodeid)
    if not _counts() or not (item.get_closest_marker("row") or item.get_closest_marker("threat")) or not file.exists():
        return
    noted = json.loads(file.read_text())
    if report.failed:
        noted["figure"] = FAILED
    elif report.skipped:
        file.unlink()
        return
    elif report.when == "call" and noted["figure"] == DID_NOT_END:
        noted["figure"] = TOLD_NOTHING
    file.write_text(json.dumps(noted, indent=1) + "\n")


def _counts() -> bool:
    return FULL and "ENDURE_SEED" not in os.environ


def _file(test: str) -> Path:
    return RESULTS / (re.sub(r"[^\w.\[\]-]+", "-", test.removeprefix("tests/")) + ".json")


@cache
def when() -> str:
    """The day, and the commit where this is a clone."""
    words = ["git", "describe", "--always", "--dirty=*", "--exclude=*"]
    try:
        commit = subprocess.run(words, capture_output=True, text=True, check=True, cwd=HERE).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = ""
    return " ".join(filter(None, (datetime.now(UTC).date().isoformat(), commit)))


# ---- the tables


def table(page: str, power: Path = LAB_POWER) -> str:
    """The table in Markdown; what was not run this time keeps the line that *page* has, and else says so."""
    results = _added_up(_results("row"), "test")
    anew = {_test(one).strip("`") for one in results}
    before = _lines(page, BEGIN, END)
    methods = {line.rpartition(" | ")[2].strip(" |"): line.split(" | ")[3] for line in before}
    lines = {_key(line): line for line in before if not _is_of(line, anew)}
    for result in results:
        what, bar = BARS[result["row"]]
        method = result["method"] or methods.get(_test(result), "")  # a failed one told none
        line = f"| {result['row']} | {what} | {bar} | {method} | {result['figure']} | {result['when']} | "
        line += f"{_test(result)} |"
        lines[_key(line)] = line
    if cuts := power_cuts(power):
        what, bar = BARS[4]
        lines["| 4", "`make lab-power` |"] = (
            f"| 4 | {what} | {bar} | a virtual machine's card loses its cache | {cuts} | {_day_of(power)} | "
            "`make lab-power` |"
        )
    for row, (what, bar) in BARS.items():
        if not any(line.startswith(f"| {row} |") for line in lines.values()):
            lines[f"| {row}", ""] = f"| {row} | {what} | {bar} |  | {NOT_RUN} |  |  |"
    made = sorted(lines.values(), key=lambda line: (int(_key(line)[0].strip("| ")), _key(line)))
    head = ["| # | what | bar | method | figure | when | test |", "|---|---|---|---|---|---|---|"]
    return "\n".join([*head, *made])


def threats(page: str) -> str:
    """The threat model's figures, kept where nothing new was measured."""
    lines = {_key(line)[0]: line for line in _lines(page, BEGIN, END)}
    for one in _added_up(_results("threat"), "threat"):
        lines[f"| {one['threat']}"] = f"| {one['threat']} | {one['figure']} | {one['when']} | {_test(one)} |"
    made = (lines[key] for key in sorted(lines))
    return "\n".join(["| what | measured | when | test |", "|---|---|---|---|", *made])


def _day_of(report: Path) -> str:
    suite = next(iter(ET.parse(report).iter("testsuite")), None)
    return suite.get("timestamp", "")[:10] if suite is not None else ""


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
    parts = [re.search(r"(\d+) bytes synced of (\d+) running clips", text) for text in said]
    synced, running = (sum(int(found[place]) for found in parts if found) for place in (1, 2))
    lost = f"{len(bad)} of {len(cuts)} seeds failed" if bad else "0 lost"
    if len(cuts) < 50:
        return ""
    of_running = f"; of {running} running clips with {synced / 1e6:.1f} MB synced at most the unfinished chunk" * bool(
        running
    )
    return f"{len(cuts)} cuts: {entries:,} acknowledged entries and {clips} clips, {lost}{of_running}"


def _results(kind: str) -> list[dict[str, Any]]:
    found = (json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json")))
    return [one for one in found if kind in one]


def _added_up(results: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """The parts of one test, or threat, become one result; where one failed, all that is said is how many did."""
    whole: dict[str, list[dict[str, Any]]] = {}
    for one in results:
        whole.setdefault(one[by], []).append(one)
    return [_sum(parts) for parts in whole.values()]


def _sum(parts: list[dict[str, Any]]) -> dict[str, Any]:
    bad = [one for one in parts if one["figure"] in (DID_NOT_END, FAILED, TOLD_NOTHING)]
    if bad:
        of = f" ({len(bad)} of {len(parts)} parts)" if len(parts) > 1 else ""
        return bad[0] | {"figure": bad[0]["figure"] + of, "method": parts[0]["method"] or bad[0]["method"]}
    if not parts[0]["parts"]:
        return parts[0] | {"figure": parts[0]["figure"].format(**parts[0]["numbers"])}
    sums: Counter[str] = Counter()
    for one in parts:
        sums.update(one["numbers"])
    return parts[0] | {"figure": parts[0]["figure"].format(**sums), "when": min(one["when"] for one in parts)}


def _is_of(line: str, tests: set[str]) -> bool:
    """Whether a line of the page was made by one of these tests, or by a test that is no more."""
    name = line.rpartition(" | ")[2].strip(" |`")
    file, _, function = name.partition("::")
    place = HERE / "tests" / (file if "/" in file else f"endure/{file}")
    gone = function and (not place.exists() or f"def {function.partition('[')[0]}(" not in place.read_text())
    return bool(gone) or name in tests or name.partition("[")[0] in tests


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
