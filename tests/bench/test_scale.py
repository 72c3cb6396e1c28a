"""A long history costs what a short one does: no statement of the everyday reads what it does not need."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from doorbell.bench import scale
from doorbell.bench.years import make
from doorbell.check import check
from doorbell.journal.book import Book
from doorbell.journal.opening import open_to_read


def quiet(_: str) -> None:
    """Progress is for people."""


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("years") / "state"
    make(state, 300, quiet)
    return state


@pytest.mark.parametrize("task", [name for name in scale.TASKS if name not in ("forget", "clips", "journal")])
def test_what_is_measured_runs(card: Path, task: str) -> None:
    scale._DO[task](card)()


@pytest.mark.parametrize("task", ["clips", "journal"])
def test_a_measured_process_tells_its_time_and_memory(card: Path, task: str) -> None:
    took, mb = scale._median(task, card, quiet)
    assert took > 0
    assert 5 < mb < 200


@pytest.mark.parametrize(("seconds", "met"), [(0.6, True), (1.2, False)])
def test_a_check_of_ten_thousand_clips_has_a_row_with_its_bar(
    monkeypatch: pytest.MonkeyPatch, seconds: float, *, met: bool
) -> None:
    monkeypatch.setattr(scale, "_median", lambda *_: (seconds, 20.0))
    monkeypatch.setattr("doorbell.bench.years.make", lambda *_: None)
    for largest in (10_000, 100_000):
        (row,) = [row for row in scale.measure(largest, quiet) if "10,000 clips, beside" in row.what]
        assert (row.ours, row.reference, row.bar, row.unit, row.met) == (seconds * 1e3, 1000.0, 1.0, "ms", met)


def test_a_made_card_holds_every_invariant(card: Path) -> None:
    result = check(card, thorough=True)
    assert (result.findings, result.clips, result.entries) == ((), 300, 600)


USES: dict[str, Callable[[Book], object]] = {
    "retention looks at the oldest": lambda book: next(book.held()),
    "one clip's fate": lambda book: book.fate("a" * 26),
    "what is unfinished": lambda book: book.started(),
    "what is deleted": lambda book: book.deleted(),
    "the bodies that are left": lambda book: book.bodies(),
    "the oldest bodies": lambda book: next(book.lengths(0)),
    "what is due": lambda book: book.due(0, 16),
    "due without a body": lambda book: book.due_without_body(),
    "a page of history": lambda book: next(iter(book.entries(500))),
    "the head": lambda book: book.head(),
}


@pytest.mark.parametrize("use", USES)
def test_no_everyday_question_reads_a_whole_table(card: Path, use: str) -> None:
    book, asked = open_to_read(card), []
    book._db.set_trace_callback(asked.append)
    USES[use](book)
    book._db.set_trace_callback(None)
    plans = [row[3] for statement in asked for row in book._db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    book.close()
    assert plans
    for plan in plans:
        assert "TEMP B-TREE" not in plan, plan
        assert not plan.startswith(("SCAN entry", "SCAN clip")) or "USING" in plan or "ORDER BY idx DESC" in asked[0], (
            plan
        )


def test_a_check_needs_no_memory_for_what_it_looked_at(card: Path) -> None:
    """Each clip with its poster and two entries: 100,000 of them held would be a fifth of a Zero's memory."""
    check(card)  # what is loaded once
    tracemalloc.start()
    check(card)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300 * 1024
