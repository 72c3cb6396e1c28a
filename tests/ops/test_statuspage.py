"""The page that the daemon keeps: whether who wrote it still runs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from doorbell import statuspage


@pytest.mark.parametrize("now", [8116.04, 8116.06, 8116.0999])
def test_a_page_counts_from_the_moment_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: float
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: now)
    statuspage.write(tmp_path, {"door": "front"})
    page = json.loads((tmp_path / "status.json").read_bytes())
    assert page["door"] == "front"
    assert statuspage.is_running(page)


def test_a_page_that_is_no_longer_renewed_is_of_a_dead_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    statuspage.write(tmp_path, {})
    page = json.loads((tmp_path / "status.json").read_bytes())
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + 2 * statuspage.FRESH_S)
    assert not statuspage.is_running(page)
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    assert not statuspage.is_running(page), "written before the machine started"


def test_a_page_of_a_process_that_is_gone_is_of_a_dead_daemon(tmp_path: Path) -> None:
    statuspage.write(tmp_path, {})
    page = json.loads((tmp_path / "status.json").read_bytes())
    assert not statuspage.is_running({**page, "pid": 2**22 + 1})
