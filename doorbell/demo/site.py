"""Serves the built phone app on this computer's loopback, for the demo alone: a real door listens on no port."""

from __future__ import annotations

import functools
import http.server
import secrets
import threading
from importlib.resources import files
from pathlib import Path
from typing import Any

BUILT = Path(str(files("doorbell"))) / "app"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
    "connect-src 'self' ws://localhost:* ws://127.0.0.1:*; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class _Pages(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, short: dict[str, str], **kwargs: Any) -> None:  # noqa: ANN401  the server's own
        self._short = short
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        if (place := self._short.get(self.path)) is None:
            super().do_GET()
            return
        self.send_response(303)
        self.send_header("Location", place)
        self.end_headers()

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def list_directory(self, _: object) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


class Site:
    """Listening from when it is made until ``stop``. Raises OSError where the machine gives no port."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._short: dict[str, str] = {}
        handler = functools.partial(_Pages, directory=str(folder), short=self._short)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, name="demo site", daemon=True).start()

    @property
    def url(self) -> str:
        """Browsers take keys without https on localhost only."""
        return f"http://localhost:{self._server.server_address[1]}/"

    def short(self, place: str) -> str:
        """A short address, which nobody guesses, that leads to *place* in the app: a terminal breaks long ones."""
        name = f"/{secrets.token_hex(6)}"
        self._short[name] = place
        return self.url.rstrip("/") + name

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def is_built(folder: Path = BUILT) -> bool:
    return (folder / "index.html").is_file()
