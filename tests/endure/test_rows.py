"""The tables of docs/reliability.md and docs/threat-model.md: a figure is of the last whole run, or there is none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.endure import rows

ROW = "tests/endure/test_cuts.py::test_the_stock_tool_calls_no_cut_clip_complete"
PARTS = "tests/endure/test_kills.py::test_a_door_killed_at_any_moment_loses_nothing_that_anybody_was_told"
OLD = f"| 2 | a | b | c | 39 of 39 | 2026-01-01 | `{ROW.removeprefix('tests/endure/')}` |"
PAGE = f"{rows.BEGIN}\n\n{OLD}\n\n{rows.END}\n"


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As under ``make endure``."""
    monkeypatch.setattr(rows, "FULL", True)
    monkeypatch.setattr(rows, "RESULTS", tmp_path)
    monkeypatch.delenv("ENDURE_SEED", raising=False)
    return tmp_path


def runs(monkeypatch: pytest.MonkeyPatch, test: str, mark: Any, figure: str, outcome: str = "passed") -> None:
    """A test of this name, with this mark, tells this figure, if any, and ends like that."""
    item: Any = SimpleNamespace(nodeid=test, get_closest_marker=lambda name: mark if mark.name == name else None)
    rows.begins(item)
    monkeypatch.setenv("PYTEST_CURRENT_TEST", f"{test} (call)")
    if figure and mark.name == "row":
        rows.tell(mark.args[0], "how", figure, lives=50)
    elif figure:
        rows.show(mark.args[0], figure, lives=50)
    report: Any = SimpleNamespace(failed=outcome == "failed", skipped=outcome == "skipped", when="call")
    if outcome != "broken off":
        rows.ended(item, report)


def lines(made: str) -> list[str]:
    return [line for line in made.splitlines() if rows.NOT_RUN not in line][2:]


def test_what_was_measured_takes_the_place_of_the_line_before(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, ROW, pytest.mark.row(2).mark, "40 of 40")
    (line,) = lines(rows.table(PAGE, whole / "none"))
    assert f"| how | 40 of 40 | {rows.when()} |" in line


@pytest.mark.parametrize(
    ("figure", "outcome", "says"),
    [
        ("40 of 40", "failed", rows.FAILED), ("", "failed", rows.FAILED), ("", "broken off", rows.DID_NOT_END),
        ("", "passed", rows.TOLD_NOTHING),
    ],
)  # fmt: skip
def test_a_row_that_fails_keeps_no_figure(
    whole: Path, monkeypatch: pytest.MonkeyPatch, figure: str, outcome: str, says: str
) -> None:
    runs(monkeypatch, ROW, pytest.mark.row(2).mark, "39 of 39")
    runs(monkeypatch, ROW, pytest.mark.row(2).mark, figure, outcome)
    (line,) = lines(rows.table(PAGE, whole / "none"))
    assert says in line
    assert "39 of 39" not in line
    assert "40 of 40" not in line


def test_a_row_that_was_not_run_keeps_its_line_and_its_day(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, ROW, pytest.mark.row(2).mark, "", "skipped")
    assert lines(rows.table(PAGE, whole / "none")) == [OLD]


def test_one_part_that_fails_takes_the_sum_away(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = pytest.mark.row(1, parts=True).mark
    for first in ("0", "50"):
        runs(monkeypatch, f"{PARTS}[{first}]", mark, "{lives} lives")
    assert "| 100 lives |" in lines(rows.table("", whole / "none"))[0]
    runs(monkeypatch, f"{PARTS}[50]", mark, "", "failed")
    (line,) = lines(rows.table("", whole / "none"))
    assert f"| {rows.FAILED} (1 of 2 parts) |" in line


def test_the_parts_of_a_threat_are_added_up_over_tests(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = pytest.mark.threat("TLS", parts=True).mark
    for test in ("tests/link/test_tls.py::test_one", "tests/link/test_tls.py::test_another[x]"):
        runs(monkeypatch, test, mark, "{lives} refused")
    assert lines(rows.threats("")) == [f"| TLS | 100 refused | {rows.when()} | `link/test_tls.py::test_another` |"]


def test_a_test_that_is_no_more_leaves_no_line(whole: Path) -> None:
    assert lines(rows.table(PAGE.replace("test_the_stock_tool", "test_the_late_tool"), whole / "none")) == []


def test_a_test_tells_of_the_row_that_it_is_marked_with(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item: Any = SimpleNamespace(nodeid=ROW, get_closest_marker={"row": pytest.mark.row(2).mark}.get)
    rows.begins(item)
    monkeypatch.setenv("PYTEST_CURRENT_TEST", f"{ROW} (call)")
    with pytest.raises(ValueError, match="marked"):
        rows.tell(3, "how", "figure")
