"""Row 13, and the short form of ``make soak``: an undisturbed life grows by nothing, and faults lose nothing."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.endure.lifetime import Report
from tests.endure.rows import FULL, count, named, tell
from tests.endure.soak import FAULTS, Soak
from tests.endure.vitals import Vitals, limited

pytestmark = [pytest.mark.endure, pytest.mark.timeout(3600)]
LIMIT_MB = 120
EVENTS = 100_000


def test_a_life_of_faults_loses_nothing_and_leaves_the_card_in_order(tmp_path: Path) -> None:
    seed = 5
    with named(seed):
        faults = FAULTS if FULL else ("kill_recorder", "kill_doorman", "cut")
        report = Soak(tmp_path, seed, faults, fault_s=8.0 if FULL else 1.5).run(count(5, 300))
        print("\n".join(report.lines()))
        assert report.wrong() == []
        assert report.presses > 0
        assert sum(report.faults.values()) > 0
        assert report.clips > 0


@pytest.mark.row(13)
@pytest.mark.skipif(not FULL, reason="memory that grows is seen after minutes; the short form is above")
def test_a_hundred_thousand_events_leave_memory_descriptors_and_threads_as_they_were(tmp_path: Path) -> None:
    with limited(LIMIT_MB) as limit:
        assert limit or os.geteuid(), "no memory controller: a Pi needs cgroup_enable=memory in cmdline.txt"
        report = Soak(tmp_path, 1, (), limit.wrapper if limit else []).run(3000, EVENTS)
        killed = limit.killed() if limit else 0
    print("\n".join(report.lines()))
    mine, its = report.grew_kb(doorman=True), report.grew_kb(doorman=False)
    assert report.events >= EVENTS
    assert (report.doormen, report.recorders, killed) == (1, 1, 0)
    assert max(mine, its) < 1024
    assert (report.more("descriptors"), report.more("threads")) == (0, 0)
    assert report.lost == 0
    assert report.rang == report.presses
    limited_to = f"in a group of {LIMIT_MB} MB" if limit else "without a limit (not root)"
    figure = (
        f"{report.events:,} events ({report.presses} presses) at {report.speed:.0f}x: 0 kills; the doorman grew by "
    )
    figure += f"{mine:.0f} kB, the recorder by {its:.0f} kB; {report.most_mb():.0f} MB in all; "
    figure += "0 descriptors and 0 threads more"
    tell(13, f"the daemon {limited_to}, a film as fast as it goes (--fast), presses and a fluttering PIR", figure)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({"presses": 9, "rang": 8}, "1 of 9 presses"),
        ({"gone": [7]}, "1 entries lost"), ({"unheard": {7: "due"}}, "1 entries lost"),
        ({"stale": [11.0, 12.0]}, "2 stale"),
        ({"twice": 17}, "17 entries were sent twice"), ({"findings": ("A clip is gone.",)}, "1 findings"),
        ({"lives": {7: [Vitals(float(at), 0, at * 200, 9, 9, 0, 0) for at in range(20)]}}, "grew by"),
        ({"lives": {7: [Vitals(float(at), 0, 0, 9 + at, 9, 0, 0) for at in range(20)]}}, "descriptors"),
        ({"lives": {7: [Vitals(float(at), 0, 0, 9, 9 + at, 0, 0) for at in range(20)]}}, "threads"),
    ],
)  # fmt: skip
def test_a_life_that_breaks_a_promise_fails(what: dict[str, Any], says: str) -> None:
    (sentence,) = Report(1, faults=Counter(cut=1), **what).wrong()
    assert says in sentence
    assert Report(1, faults=Counter(cut=1), twice=16).wrong() == []
