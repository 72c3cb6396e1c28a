"""`make fuzz`: feed every parser of ours what coverage finds, for so many executions, and keep what was worth keeping.

One process per parser, one after the other (`--jobs` more at a time). What an input of interest looked like is kept in
`tests/fuzz/corpus/PARSER.txt` with `--keep`, one base64 line each; the next run begins with it and every test run
replays it. A finding is written to `build/fuzz/PARSER/` and named; the run then fails.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORPUS = HERE / "corpus"
BUILD = ROOT / "build" / "fuzz"
MOST_KEPT = 300
MOST_BYTES = 64 * 1024
"""Inputs of one kept corpus, and their bytes."""
MEMORY_MB = 1024
LONGEST_S = 30
"""Seconds that one input may take before it counts as a finding; they pass also while others use the processor."""
LAST_LINES = 60
"""Of the log of a finding: where it was raised, and the input in base64."""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("parsers", nargs="*", help="all of them, if none is named")
    asked.add_argument("--runs", type=int, default=10_000_000, help="executions of each parser")
    asked.add_argument("--seconds", type=int, default=0, help="at most so long each; 0: until --runs are done")
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)))
    asked.add_argument("--keep", action="store_true", help="write what was found of interest to the kept corpus")
    given = asked.parse_args()
    sys.path[:0] = [str(HERE), str(ROOT)]
    from parsers import PARSERS

    if unknown := set(given.parsers) - set(PARSERS):
        print(f"There is no parser {', '.join(sorted(unknown))}: choose of {', '.join(PARSERS)}.", file=sys.stderr)
        return 2
    print(f"seed {given.seed}", flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        good = list(pool.map(lambda name: _one(name, given), given.parsers or PARSERS))
    return 0 if all(good) else 1


def _one(name: str, given: argparse.Namespace) -> bool:
    """Search one parser in a process of its own; True when nothing was found."""
    folder = BUILD / name
    grown = folder / "corpus"
    grown.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(kept(name)):
        (grown / f"kept-{number:03}").write_bytes(data)
    flags = [
        f"-runs={given.runs}", f"-seed={given.seed}", f"-max_len={8192}", f"-timeout={LONGEST_S}",
        f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={folder}/", "-print_final_stats=1",
        *([f"-max_total_time={given.seconds}"] if given.seconds else []),
    ]  # fmt: skip
    began = time.monotonic()
    log = folder / "log.txt"
    with log.open("wb") as out:
        code = subprocess.run(
            [sys.executable, str(HERE / "search.py"), name, *flags, str(grown)],
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=False,
        ).returncode  # fmt: skip
    said = log.read_text(errors="replace")
    done = re.search(r"number_of_executed_units: (\d+)", said)
    took = time.monotonic() - began
    count = int(done[1]) if done else 0
    good = code == 0 and done is not None
    verdict = "nothing uncaught" if good else f"FOUND SOMETHING: {log}"
    print(f"{name:14} {count:>11,} executions in {took:>7,.0f} s: {verdict}", flush=True)
    if not good:
        print("\n".join(said.splitlines()[-LAST_LINES:]), flush=True)
    if given.keep and good:
        _keep(name, grown)
    return good


def kept(name: str) -> list[bytes]:
    """The kept corpus of one parser."""
    path = CORPUS / f"{name}.txt"
    return [base64.b64decode(line) for line in path.read_text().split()] if path.exists() else []


def _keep(name: str, grown: Path) -> None:
    """What covered something that nothing before it did, the shortest first, within the bounds."""
    room, lines = MOST_BYTES, []
    for data in sorted({path.read_bytes() for path in grown.iterdir()}, key=lambda data: (len(data), data)):
        room -= len(data)
        if room >= 0 and data and len(lines) < MOST_KEPT:
            lines.append(base64.b64encode(data).decode() + "\n")
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{name}.txt").write_text("".join(lines))


if __name__ == "__main__":
    sys.exit(main())
