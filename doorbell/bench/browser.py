"""The app as built, in a real Chromium, from a server of this machine; driven by `phone/tests/hand.mjs`."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from doorbell.bench.paired import DOOR
from doorbell.errors import DeviceError
from doorbell.owner.identity import Identity

PHONE = Path(__file__).parents[2] / "phone"
BUILT = PHONE / "dist"


def missing() -> str:
    """What the measurements in a browser lack here, with the fix; empty when all is there."""
    if not shutil.which("node") or not (PHONE / "node_modules/playwright-core").is_dir() or not BUILT.is_dir():
        return "the app is not built (make app, in a checkout)"
    return "" if shutil.which("chromium") else "Chromium is missing (sudo apt-get install chromium)"


def bundle() -> str:
    """The references of `phone/tools/bare.mjs` as one script that sets `bare`. Raises DeviceError."""
    words = ["node_modules/.bin/esbuild", "tools/bare.mjs", "--bundle", "--format=iife", "--global-name=bare"]
    done = subprocess.run(
        [*words, "--define:global=globalThis"], cwd=PHONE, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DeviceError("The bare references could not be bundled: run make app again.")
    return done.stdout + "\nglobalThis.bare = bare;"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def site(more: dict[str, Path]) -> Iterator[str]:
    """The app's address on localhost, where browsers allow keys without https; *more* are files beside it, by name."""

    class Files(_Quiet):
        def translate_path(self, path: str) -> str:
            found = more.get(path.lstrip("/"))
            return str(found) if found else super().translate_path(path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(BUILT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@frozen
class Page:
    """One page of a browser with a profile of its own."""

    process: subprocess.Popen[str]

    def do(self, code: str) -> Any:  # noqa: ANN401
        """What the body of an async JavaScript function of Playwright's (page, context) gives. Raises DeviceError."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": code}) + "\n")
        self.process.stdin.flush()
        return self.hear()

    def inside(self, code: str, given: object = None) -> Any:  # noqa: ANN401
        """The same in the page itself: the body of an async function of *given*, which goes as JSON."""
        return self.do(f"return page.evaluate(async (given) => {{ {code} }}, {json.dumps(given)})")

    def hear(self) -> Any:  # noqa: ANN401
        """What the hand says next. Raises DeviceError."""
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline() or '{"failed": "the browser is gone"}')
        if "gave" not in said:
            raise DeviceError(f"The browser did not do it: {said['failed'].splitlines()[0]}")
        return said["gave"]

    def clock(self) -> float:
        """What the page's `performance.now()` (ms) lacks to this machine's monotonic clock (ms).

        Node reads that very clock; the shortest of 40 round trips is taken, whose half is the error.
        """
        offset: float = self.do("""
            let best = [Infinity, 0];
            for (let n = 0; n < 40; n++) {
                const from = Number(process.hrtime.bigint()) / 1e6;
                const there = await page.evaluate(() => performance.now());
                const to = Number(process.hrtime.bigint()) / 1e6;
                if (to - from < best[0]) best = [to - from, (from + to) / 2 - there];
            }
            return best[1];
        """)
        return offset

    def join(self, url: str, sockets: int, owner: Identity) -> None:
        """As on a new phone when every other is lost: where the broker is, and the owner's words."""
        self.do(f"""
            page.setDefaultTimeout(60_000);
            await page.goto({json.dumps(url + "#/add/words")});
            await page.locator('[name=broker]').fill('ws://127.0.0.1:{sockets}');
            await page.locator('[name=door]').fill({json.dumps(DOOR)});
            await page.getByRole('button', {{name: 'Go on'}}).click();
            await page.locator('[name=words]').fill({json.dumps(owner.words())});
            await page.getByRole('button', {{name: 'Go on'}}).click();
            await page.getByRole('button', {{name: 'Let this phone in'}}).click();
            await page.getByRole('navigation').waitFor();
            await page.getByText('The door is awake').first().waitFor();
        """)


@contextmanager
def page() -> Iterator[Page]:
    """A page as large as a phone's. Raises DeviceError."""
    program = shutil.which("chromium")
    assert program is not None
    with subprocess.Popen(
        ["node", "tests/hand.mjs", program, "light"], cwd=PHONE, env=os.environ, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        one = Page(process)
        one.hear()
        try:
            yield one
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            finally:
                process.kill()
