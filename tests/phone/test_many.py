"""Ten thousand entries on the phone, and no stutter: the longest task of the page's own thread, by Chromium."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from doorbell import doorkeys, household
from doorbell.clips.seal import seal
from doorbell.journal import opening
from doorbell.journal.entry import Entry, Stamp, body_text, entry_hash
from doorbell.recording import new_id
from tests.phone.conftest import House
from tests.phone.hand import missing
from tests.rigs.door import Door

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.skipif(bool(missing()), reason=missing())]

ENTRIES = int(os.environ.get("DOORBELL_ENTRIES", "10000"))

WATCH = """
    await page.addInitScript(() => {
        window.tasks = [];
        new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => [one.duration, one.startTime])))
            .observe({ type: 'longtask', buffered: true });
    });
"""
TASKS = """
    return page.evaluate(() => {
        // Until something is on the screen nothing can stutter: that is the start, the same for an empty door.
        const shown = performance.getEntriesByName('first-contentful-paint')[0].startTime;
        return Math.round(Math.max(0, ...tasks.filter(([, at]) => at > shown).map(([lasts]) => lasts)));
    });
"""


def fill(door: Door) -> None:
    """A journal of five months: somebody rings or walks by, and is filmed."""
    keys = doorkeys.load_or_make(door.state / "keys")
    home = household.load("front", door.state, (door.owner.recipient,))
    book = opening.open_to_write(door.state, keys.verify_key, new_boot=True).book
    began = dt.datetime.now(dt.UTC) - dt.timedelta(days=13)
    book.begin()
    head = book.head()
    prev, visit, clip = head.hash, "", ""
    for index in range(1, ENTRIES + 1):
        at = began + dt.timedelta(seconds=100 * index)
        stamp = Stamp(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "synced", float(index))
        step = index % 4
        if step == 1:
            visit, clip = new_id(), new_id()
        fields: tuple[str, dict[str, Any]] = [
            ("visit", {"visit": visit, "trigger": "press", "presses": 1, "seconds": 12.0}),
            ("ring", {"visit": visit}),
            ("clip_started", {"id": clip, "visit": visit, "trigger": "press"}),
            (
                "clip",
                {"id": clip, "visit": visit, "bytes": 900_000, "sha256": "0" * 64, "seconds": 12.0, "trigger": "press"},
            ),
        ][step]
        body = seal(home.recipients, body_text(*fields, stamp, 1))
        unsigned = Entry(index=index, prev=prev, body=body, body_hash=_sha256(body), sig=bytes(64))
        digest = entry_hash(index, prev, unsigned.body_hash)
        book.add(Entry(index, prev, body, unsigned.body_hash, keys.sign_entry(digest)), stamp.day)
        prev = digest
    book.acknowledged(range(1, ENTRIES + 1))
    book.commit()
    book.close()


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_ten_thousand_entries_come_open_and_scroll_without_stutter(
    house: Callable[..., House], record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    home = house(before=fill)
    phone = home.phone

    def story() -> int:
        return int(phone.do("return page.evaluate(() => document.querySelectorAll('.row-at').length)"))

    phone.do(WATCH)
    # All of it from the door, checked entry by entry; this page loads anew with the observer in it.
    phone.do("await page.reload()")
    phone.do(f"await page.getByText(/Verified up to entry {ENTRIES // 1000}\\d\\d\\d/).waitFor({{timeout: 600000}})")
    came = phone.do(TASKS)
    phone.do("await page.reload()")
    phone.do(f"await page.getByText(/Verified up to entry {ENTRIES // 1000}\\d\\d\\d/).waitFor()")
    phone.opens("history")
    began = phone.do("return Date.now()")
    phone.do(
        """
        await page.waitForFunction(() => parseFloat(document.querySelector('.rows')?.style.height) > 6.5 * VISITS, null,
            { timeout: 300000 });
    """.replace("VISITS", str(ENTRIES // 4 - 50))
    )
    opened = phone.do(f"return Date.now() - {began}")
    whole = phone.do(TASKS)
    phone.do("await page.evaluate(() => { tasks.length = 0 })")
    phone.do("for (let n = 0; n < 60; n++) { await page.mouse.wheel(0, 3000); await page.waitForTimeout(50); }")
    rows = story()
    scrolled = phone.do(TASKS)
    phone.opens("journal")
    phone.do("""
        await page.waitForFunction(() => {
            scrollTo(0, document.body.scrollHeight);
            return [...document.querySelectorAll('.line .number')].at(-1)?.textContent === '1';
        });
    """)
    assert story() < 60
    figures = (
        f"longest task: {came} ms as they came, {whole} ms opened, {scrolled} ms scrolled; all open in {opened} ms"
    )
    record_property("figures", figures)
    with capsys.disabled():
        print(f"\n{ENTRIES} entries: {figures}; {rows} rows exist at once")
    assert rows < 60
