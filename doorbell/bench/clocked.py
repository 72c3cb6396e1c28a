"""The real daemon whose recorder draws this machine's clock into the scene; it tells more than `stamped` does.

On standard output stands each press as in `stamped`, and behind the word ``alert`` the moment before an alert is given
to the client library.

`clocked CONFIGURATION` is the daemon. Without a word it is the daemon's recorder: each picture of the scene carries
CLOCK_MONOTONIC, in milliseconds, of the moment at which it is drawn, which is when a camera would expose it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from doorbell import child, daemon, recorder
from doorbell.bench.stamped import Telling
from doorbell.link.connection import Connection
from doorbell.scene.clock import draw_clock
from doorbell.senses.scenery import Scenery

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from doorbell.link.messages import Message
    from doorbell.senses.camera import Planes


class _Clocked(Scenery):
    def _planes(self, t: float) -> Planes:
        began = time.monotonic()
        y, u, v = super()._planes(t)
        draw_clock(y, u, v, began)
        return y, u, v


def _telling(publish: Callable[[Connection, Message], int | None]) -> Callable[[Connection, Message], int | None]:
    def tells(link: Connection, message: Message) -> int | None:
        if message.topic.endswith("/alert"):
            os.write(1, f"alert {time.monotonic()!r}\n".encode())
        return publish(link, message)

    return tells


def _started(theirs: socket.socket, module: str, flags: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "doorbell.bench.clocked" if module == recorder.__name__ else module, *flags],
        stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=child.environment(), process_group=0,
    )  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("--"):
        vars(daemon)["Inbox"] = Telling
        vars(child)["_started"] = _started
        Connection.publish = _telling(Connection.publish)  # type: ignore[method-assign,assignment]
        sys.exit(daemon.main(Path(sys.argv[1])))
    from doorbell.senses import scenery

    vars(scenery)["Scenery"] = _Clocked
    sys.exit(recorder.main())
