"""Row 15, the idle half: what a door at which nothing happens writes to its card, over days of counted time."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorbell.journal.requests import Write
from tests.endure.rows import count, tell
from tests.endure.simulated_door import SimulatedDoor
from tests.rigs.journal import Door as Card

pytestmark = [pytest.mark.endure, pytest.mark.row(15), pytest.mark.timeout(600)]
PAGE = 4096 + 24
"""A page of the database in its write-ahead log, with its frame's header."""


def log_size(card: Card) -> int:
    return (card.state / "journal.sqlite3-wal").stat().st_size


def test_an_idle_door_writes_nothing_and_one_that_holds_motion_back_an_entry_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = count(6, 240)
    pages: dict[bool, list[int]] = {False: [], True: []}
    with monkeypatch.context() as patch:
        door = SimulatedDoor(tmp_path / "door", patch)
        card = Card(tmp_path / "card")
        for hour in range(hours):
            leaves = hour % 2 == 1  # every other hour a tree moves
            if leaves:
                door.doorman.upkeep.held_back.update({"sway": 7, "rain": 2})
            door.run_until(door.clock.now + 3600)
            assert door.rings == []
            before = log_size(card) if hour else 0
            wrote = [one for one in door.requests if isinstance(one, Write)]
            for request in door.requests:
                card.line.put(request)
            door.requests.clear()
            card.settle(3)
            if hour:
                pages[leaves].append(max(0, log_size(card) - before) // PAGE)
                assert len(wrote) == leaves, wrote
        card.writer.close()
        door.close()
    assert max(pages[False]) == 0
    assert max(pages[True]) <= 8
    most = max(pages[True])
    figure = f"{hours} idle hours: 0 pages an hour; where motion was held back 1 entry an hour, {most} pages at most"
    tell(15, "the real doorman in counted time, its requests given to the real journal", figure)
