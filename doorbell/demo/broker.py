"""An MQTT broker of the demo's own (amqtt), on a free loopback port, with an eye on every message that passes.

It runs in one thread with its own event loop and dies with the process. What it sees is what any broker would.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from amqtt.broker import Broker as Amqtt
from amqtt.broker import BrokerContext
from amqtt.errors import AMQTTError
from amqtt.plugins.base import BasePlugin
from attrs import frozen

from doorbell.errors import DeviceError

STARTS_WITHIN_S = 20.0
ENDS_WITHIN_S = 10.0
TRIES = 5
"""Between choosing a free port and listening on it another program may take it."""
_SILENT = logging.CRITICAL + 1


@frozen
class Seen:
    """One message as it reached the broker; ``at`` in monotonic seconds."""

    at: float
    topic: str
    payload: bytes


class Eye(BasePlugin[BrokerContext]):  # type: ignore[misc]  # amqtt has no types where mypy looks
    """amqtt's plugin that is told of every message published."""

    see: Callable[[Seen], None] | None = None

    async def on_broker_message_received(self, *, client_id: str, message: Any) -> None:  # noqa: ANN401, ARG002
        if self.see is not None:
            self.see(Seen(time.monotonic(), str(message.topic), bytes(message.data or b"")))


class Broker:
    """Start it, read ``port`` and ``sockets`` (WebSockets, for browsers), stop it. *see* is called in the broker's
    thread and must not wait."""

    def __init__(self, see: Callable[[Seen], None]) -> None:
        self.port = self.sockets = 0
        self._see = see
        self._loop = asyncio.new_event_loop()
        self._leave = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo broker", daemon=True)

    def start(self) -> None:
        """Listening when this returns; raises DeviceError where the machine gives no port."""
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(_SILENT)
        self._thread.start()
        if not self._started.wait(STARTS_WITHIN_S) or not self.port:
            raise DeviceError("The demo's broker could not listen on the loopback: is networking switched off here?")

    def stop(self) -> None:
        """Every connection closed and the port free, at the latest after ENDS_WITHIN_S."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._leave.set)
            self._thread.join(ENDS_WITHIN_S)

    def _run(self) -> None:
        # amqtt leaves tasks behind that die with their connection; nobody needs to read about them.
        self._loop.set_exception_handler(lambda *_: None)
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        for _ in range(TRIES):
            port, sockets = _free_port(), _free_port()
            broker = Amqtt(_settings(port, sockets), loop=self._loop)
            eye: Any = broker.plugins_manager.get_plugin("Eye")
            eye.see = self._see
            try:
                await broker.start()
            except AMQTTError:
                continue
            self.port, self.sockets = port, sockets
            self._started.set()
            await self._leave.wait()
            await asyncio.wait_for(broker.shutdown(), ENDS_WITHIN_S / 2)
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(port: int, sockets: int) -> dict[str, Any]:
    return {
        "listeners": {
            "default": {"type": "tcp", "bind": f"127.0.0.1:{port}"},
            "browsers": {"type": "ws", "bind": f"127.0.0.1:{sockets}"},
        },
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
            f"{Eye.__module__}.{Eye.__name__}": {},
        },
    }
