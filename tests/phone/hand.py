"""The app in a real Chromium, as built, from a server of this machine; driven by `phone/tests/hand.mjs`."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

from attrs import define, field

from doorbell.clips.recipient import Recipient
from doorbell.roster import Member

PUBLIC = """
    return page.evaluate(() => new Promise((resolve) => {
        indexedDB.open('doorbell').onsuccess = ({ target }) => {
            const asking = target.result.transaction('keys').objectStore('keys').get('mine');
            asking.onsuccess = () => resolve([asking.result.recipient, [...asking.result.verifyKey]]);
        };
    }));
"""

PHONE = Path(__file__).parents[2] / "phone"
BUILT = PHONE / "dist"


def missing() -> str:
    """What these tests lack here, with the fix; empty when all is there."""
    if not shutil.which("node") or not (PHONE / "node_modules/playwright-core").is_dir() or not BUILT.is_dir():
        return "the app is not built: make app"
    return "" if shutil.which("chromium") else "Chromium is missing: sudo apt-get install chromium"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@define
class Site:
    """Serves the built app on localhost, where browsers allow keys without https."""

    server: http.server.ThreadingHTTPServer = field(
        factory=lambda: http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(BUILT))
        )
    )

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server.server_address[1]}/"


@define
class Phone:
    """One phone, with a profile of its own. ``do`` runs the body of an async JavaScript function of (page, context)."""

    look: str = "light"
    words: list[str] = field(factory=list)
    """More for Chromium's command line, or `large` and `still`: large type, reduced motion."""
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        browser = shutil.which("chromium")
        assert browser
        self.process = subprocess.Popen(
            ["node", "tests/hand.mjs", browser, self.look, *self.words], cwd=PHONE, env=os.environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._hear()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process and self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def do(self, code: str) -> Any:
        assert self.process and self.process.stdin
        self.process.stdin.write(json.dumps({"do": code}) + "\n")
        self.process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        assert self.process and self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the browser is gone"
        said = json.loads(line)
        assert "gave" in said, (
            f"{said['failed']}\nthe page complained: {said['complaints']}\nand showed: {said['shown']}"
        )
        return said["gave"]

    def complaints(self) -> list[str]:
        found: list[str] = self.do("return complaints")
        return found

    def requests(self) -> list[str]:
        """The address of every request and WebSocket of the page since it was opened."""
        found: list[str] = self.do("return requests")
        return found

    def shows(self, folder: Path | None, name: str) -> None:
        """A screenshot into *folder*, if there is one."""
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            file = json.dumps(str(folder / f"{name}.png"))
            self.do(f"await page.waitForTimeout(400); await page.screenshot({{path: {file}}})")

    def press(self, button: str) -> None:
        self.do(f"await page.getByRole('button', {{name: {json.dumps(button)}}}).first().click()")

    def opens(self, page: str) -> None:
        """The screen at ``#/page``."""
        target = json.dumps("#/" + page)
        self.do(
            f"await page.evaluate((to) => {{ location.hash = to }}, {target}); await page.locator('main h1').waitFor()"
        )

    def sees(self, text: str, within: float = 20.0) -> None:
        found = json.dumps(text)
        self.do(f"await page.getByText({found}).first().waitFor({{timeout: {int(within * 1000)}}})")

    def arrives(self, site: Site) -> Member:
        """A phone that has no door yet: it makes its keys, and shows the login that is added at the broker for it."""
        self.do(f"await page.goto({json.dumps(site.url + '#/add/words')})")
        self.do("await page.locator('code.command', {hasText: /phone [a-z2-7]{26} /}).waitFor()")
        recipient, verify_key = self.do(PUBLIC)
        return Member("Phone", "admin", Recipient.parse(recipient), bytes(verify_key))

    def comes(self, broker: int, password: str | None = "", door: str = "front", login: str = "") -> None:
        """As a person does at the screen where it arrived: where the broker is, and its password (None: typed)."""
        fields: dict[str, str | None] = {
            "broker": f"ws://127.0.0.1:{broker}", "door": door, "phonePassword": password, "login": login,
            "me": "New phone",
        }  # fmt: skip
        for name, value in fields.items():
            if value is None:
                continue
            self.do(f"await page.locator('[name={name}]').fill({json.dumps(value)})")
        self.press("Go on")

    def says_the_words(self, words: str) -> None:
        self.do(f"await page.locator('[name=words]').fill({json.dumps(words)})")
        self.press("Go on")
