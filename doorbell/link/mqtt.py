"""The link to the broker, as the main loop sees it: one connection at a time, and no call that blocks."""

from __future__ import annotations

import time

from doorbell.events import Offline
from doorbell.link import messages
from doorbell.link.connection import Connection, Put
from doorbell.link.messages import Message
from doorbell.link.settings import MqttSettings

STUCK = 4
"""At most so many threads of given-up connections may still hang (in a name lookup, say) before a new one starts."""


class Link:
    """One connection at a time; what happens to it is *put*, from its thread. All methods are the main loop's."""

    def __init__(
        self, settings: MqttSettings, door: str, put: Put, subscriptions: tuple[tuple[str, int], ...] = ()
    ) -> None:
        self._settings, self._door, self._put, self._subscriptions = settings, door, put, subscriptions
        self._current: Connection | None = None
        self._threads: list[Connection] = []
        self._protocol = 5

    def open(self, generation: int) -> None:
        """Begin a connection and return at once; ends in Online or Offline of this *generation*."""
        self.drop()
        self._threads = [one for one in self._threads if one.is_alive()]
        if len(self._threads) >= STUCK:
            why = "Earlier attempts to reach the broker still hang: check the door's network and its name server."
            self._put(Offline(time.monotonic(), generation, why))
            return
        connection = Connection(
            self._settings, self._door, self._put, self._subscriptions,
            generation=generation, protocol=self._protocol, learn=self._learn,
        )  # fmt: skip
        self._current = connection
        self._threads.append(connection)
        connection.start()

    def publish(self, message: Message) -> int | None:
        """Hand *message* to the connection; its id for Acked, or None where there is none or it is too large for it."""
        return self._current.publish(message) if self._current else None

    def let_through(self, seconds: float) -> None:
        """Give the connection's thread the processor until what was published is written, at most *seconds*."""
        if self._current:
            self._current.let_through(seconds)

    def drop(self) -> None:
        """End the connection now; what is unsent is never sent."""
        if self._current:
            self._current.drop()
        self._current = None

    def close(self) -> None:
        """Say goodbye (``offline``), end the connection in good order, wait GOODBYE_S at most. For shutdown only."""
        if self._current:
            self._current.close(messages.availability(self._door, online=False))
        self.drop()

    def _learn(self, protocol: int) -> None:
        self._protocol = protocol
