"""The demo shows the phone app on this computer's loopback, and where to begin."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from doorbell.demo.site import POLICY, Site, is_built


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<p>the app")
    return tmp_path


def test_the_page_comes_with_a_policy_that_lets_it_speak_to_this_computer_only(folder: Path) -> None:
    site = Site(folder)
    try:
        with urllib.request.urlopen(site.url) as page:
            assert page.read() == b"<p>the app"
            assert page.headers["Content-Security-Policy"] == POLICY
        for missing in ("nothing.js", "assets/", "../secret"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(site.url + missing)
    finally:
        site.stop()


def test_a_short_address_leads_to_the_invitation(folder: Path) -> None:
    site = Site(folder)
    try:
        short = site.short("/#/join/AQ")
        assert len(short) < 60
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.build_opener(_Stay).open(short)
        assert (answer.value.code, answer.value.headers["Location"]) == (303, "/#/join/AQ")
    finally:
        site.stop()


def test_an_app_that_is_not_built_is_none(tmp_path: Path) -> None:
    assert not is_built(tmp_path)
