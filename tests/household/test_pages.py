"""The journal in pages, as a phone that was away for a week asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from doorbell.clips.seal import seal
from doorbell.doorkeys import DoorKeys
from doorbell.events import JournalPage, Kept
from doorbell.journal.entry import MOST_BODY, Head, Stamp, read_document, verify
from doorbell.journal.requests import MOST_PAGES
from doorbell.journal.thread import JournalThread
from doorbell.link.commands import MOST_PAGE
from tests.roster.test_roster import make

KEYS = DoorKeys(bytes(range(32)), bytes(range(32)))
STAMP = Stamp("2026-03-01T07:30:00Z", "synced", 1.0)


@pytest.fixture
def inbox() -> SimpleQueue[object]:
    return SimpleQueue()


@pytest.fixture
def journal(tmp_path: Path, inbox: SimpleQueue[object]) -> Iterator[JournalThread]:
    one = JournalThread(
        tmp_path, verify_key=KEYS.verify_key, sign_entry=KEYS.sign_entry, put=inbox.put, started=STAMP,
        seal=lambda plain: seal([make.OWNER.recipient], plain),
    )  # fmt: skip
    one.start()
    yield one
    assert one.stop(10)


def wait(inbox: SimpleQueue[object], kind: type) -> object:
    while not isinstance(found := inbox.get(timeout=20), kind):
        pass
    return found


def test_the_whole_journal_comes_in_pages_of_bounded_size(journal: JournalThread, inbox: SimpleQueue[object]) -> None:
    for number in range(300):
        journal.write("settings", {"text": "x" * number}, STAMP)
    last = None
    for _ in range(300):
        last = wait(inbox, Kept)
    seen, pages, more = [], 0, True
    while more:
        assert journal.ask_page(seen[-1].index if seen else 0, MOST_PAGE, str(pages))
        page = wait(inbox, JournalPage)
        assert isinstance(page, JournalPage)
        assert page.token == str(pages)
        assert sum(len(text) + 1 for text in page.entries) <= MOST_PAGE
        seen += [read_document(text) for text in page.entries]
        pages, more = pages + 1, page.more
    assert pages > 2
    assert isinstance(last, Kept)
    assert (seen[-1].index, seen[-1].hash) == (300, last.hash)
    assert verify(seen[1:], b"", KEYS.verify_key, after=Head(1, seen[0].hash)) is None


def test_the_largest_entry_of_all_fits_into_a_reply_alone(journal: JournalThread, inbox: SimpleQueue[object]) -> None:
    journal.write("settings", {"text": "x" * 32_000}, STAMP)
    wait(inbox, Kept)
    assert journal.ask_page(0, 100, "")
    page = wait(inbox, JournalPage)
    assert isinstance(page, JournalPage)
    assert len(page.entries) == 1
    assert MOST_BODY * 4 // 3 + 512 < MOST_PAGE


def test_behind_the_last_entry_there_is_an_empty_page(journal: JournalThread, inbox: SimpleQueue[object]) -> None:
    journal.ask_page(2**53 - 1, MOST_PAGE, "t")
    assert wait(inbox, JournalPage) == JournalPage("t", (), more=False)


def test_only_so_many_pages_may_be_asked_for_at_a_time(tmp_path: Path) -> None:
    idle = JournalThread(
        tmp_path, verify_key=KEYS.verify_key, sign_entry=KEYS.sign_entry, put=print, started=STAMP, seal=bytes
    )
    assert [idle.ask_page(0, 1, "") for _ in range(MOST_PAGES + 1)] == [True] * MOST_PAGES + [False]
