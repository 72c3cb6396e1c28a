"""The postman: a process of its own that carries letters to push services and the word "ring" to ntfy.

It is there only where the household turned push on. It holds no door key, no picture and no login of the broker; it
opens https connections to the hosts of ``book.place`` and to one ntfy server, follows no redirection, and reads no more
than the status of an answer. Whatever a push service does to it, the bell, the chime and the broker do not wait for it.

    standard input: one Unix seqpacket socket to the doorman; it ends when that closes
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Full, Queue
from typing import Final
from urllib.parse import urlsplit

from attrs import define

from doorbell.push import book
from doorbell.push.letters import DOWN, LARGEST, Done, Letter, Ready, Setup, Shout, decode, encode

try:
    from doorbell.push import webpush
except ModuleNotFoundError:  # python3-cryptography is installed only where push is wanted
    raise SystemExit(4) from None

STALE_S: Final = 60.0
"""A letter older than this is not sent, and a push service keeps none for longer: never a stale ring."""
WORKERS: Final = 4
"""Letters on their way at once: one push service that hangs does not keep the others' phones from ringing."""
MOST_WAITING: Final = 32
STEP_S: Final = 10.0
"""For connecting, and for each step of the exchange."""
WHOLE_S: Final = 20.0
"""For one attempt in all: a server that drips its answer is hung up on."""
PAUSES_S: Final = (1.0, 4.0)
"""Before the second and the third attempt."""
CONTACT: Final = "https://doorbell.invalid"
"""RFC 8292 wants a way to reach the sender's operator. There is none, and an owner's address is nobody's business."""
_AGAIN: Final = (429, 500, 502, 503, 504)


@define
class Postman:
    """``tell`` says something to the doorman; ``context`` is whom it trusts."""

    setup: Setup
    context: ssl.SSLContext
    vapid: webpush.Vapid
    tell: Callable[[object], None]

    def carry(self, letter: Letter | Shout) -> None:
        """Deliver one letter, or say why not. Never raises."""
        done = Done(letter.token, 0, "late")
        for pause in (0.0, *PAUSES_S):
            if pause:
                threading.Event().wait(pause)
            if time.monotonic() - letter.born >= STALE_S:
                break
            done, again = self._attempt(letter)
            if not again:
                break
        self.tell(done)

    def _attempt(self, letter: Letter | Shout) -> tuple[Done, bool]:
        """What came of it, and whether to try again. "ring" is never said twice: nobody could tell the second one from
        another visitor, so it is tried again only where nothing had been sent."""
        try:
            host, port, path, headers, body = self._request(letter)
        except ValueError:
            return Done(letter.token, 0, "refused"), False
        connection = http.client.HTTPSConnection(host, port, timeout=STEP_S, context=self.context)
        sent = False
        hang_up = threading.Timer(WHOLE_S, _hang_up, (connection,))
        hang_up.daemon = True
        hang_up.start()
        try:
            connection.connect()
            sent = True
            connection.request("POST", path, body, dict(headers))
            status = connection.getresponse().status
        except ssl.SSLError:
            return Done(letter.token, 0, "tls"), False
        except (OSError, http.client.HTTPException):
            return Done(letter.token, 0, "unreachable"), isinstance(letter, Letter) or not sent
        finally:
            hang_up.cancel()
            connection.close()
        good = 200 <= status < 300
        again = status in _AGAIN and isinstance(letter, Letter)
        return Done(letter.token, status, "" if good else "refused"), again

    def _request(self, letter: Letter | Shout) -> tuple[str, int, str, Mapping[str, str], bytes]:
        if isinstance(letter, Shout):
            return self._shout()
        host, port, path = book.place(letter.endpoint, self.setup.own)
        body = webpush.encrypted(
            letter.text.encode(), letter.p256dh, letter.auth, salt=os.urandom(16), ephemeral=webpush.fresh_key()
        )
        origin = f"https://{host}" + (f":{port}" if port != 443 else "")
        headers = {
            "Authorization": self.vapid.header(origin, time.time()), "TTL": f"{STALE_S:.0f}", "Urgency": "high",
            "Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream",
        }  # fmt: skip
        return host, port, path, headers, body

    def _shout(self) -> tuple[str, int, str, Mapping[str, str], bytes]:
        """``Cache: no``: the ntfy server keeps nothing for a phone that is away, which would ring hours late."""
        server = urlsplit(self.setup.server)
        headers = {"Priority": "urgent", "Cache": "no", "Content-Type": "text/plain"}
        if self.setup.token:
            headers["Authorization"] = f"Bearer {self.setup.token}"
        return server.hostname or "", server.port or 443, f"/{self.setup.topic}", headers, b"ring"


def _hang_up(connection: http.client.HTTPSConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def trust(ca_file: str) -> ssl.SSLContext:
    """The system's authorities, and those of *ca_file* where one is named. Raises OSError."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def main() -> int:
    """Until the doorman closes the socket; 2: the first message is no Setup, 3: the trust file is unusable."""
    threading.excepthook = _end_at_once
    end = socket.socket(fileno=0)
    lock = threading.Lock()

    def tell(message: object) -> None:
        with lock, suppress(OSError):
            end.send(encode(message))

    try:
        setup = decode(end.recv(LARGEST), (Setup,))
        key = webpush.private_key(setup.key)
    except ValueError:
        return 2
    try:
        postman = Postman(setup, trust(setup.ca_file), webpush.Vapid(key, CONTACT), tell)
    except OSError:
        return 3
    waiting: Queue[Letter | Shout] = Queue(MOST_WAITING)
    for number in range(WORKERS):
        threading.Thread(target=_work, args=(waiting, postman), name=f"postman {number}", daemon=True).start()
    tell(Ready(webpush.public_bytes(key)))
    while data := end.recv(LARGEST):
        letter = decode(data, DOWN)
        try:
            waiting.put_nowait(letter)
        except Full:
            tell(Done(letter.token, 0, "busy"))
    return 0


def _end_at_once(end: threading.ExceptHookArgs) -> None:
    """A worker that dies ends the postman, and the doorman starts it afresh."""
    sys.__excepthook__(end.exc_type, end.exc_value or end.exc_type(), end.exc_traceback)
    os._exit(1)


def _work(waiting: Queue[Letter | Shout], postman: Postman) -> None:
    while True:
        postman.carry(waiting.get())


if __name__ == "__main__":
    os._exit(main())  # whatever a worker still waits for is given up
