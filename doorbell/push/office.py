"""Keeps a postman at work while one is wanted, and the letters that wait for it, for a minute at most.

A postman that ends is started again after 1 s, then twice as long each time, up to 60 s. What was with it is lost and
not sent again: the phone may have heard it, and a ring must not come twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from attrs import define, field

from doorbell import events
from doorbell.errors import DeviceError
from doorbell.push.held import Held
from doorbell.push.letters import Done, Letter, Ready, Setup, Shout

MOST_WAITING: Final = 32
STALE_S: Final = 60.0
SHORTEST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
START_S: Final = 60.0
"""A Zero W takes its time to import TLS and P-256; then the postman counts as one that hangs."""
STEADY_S: Final = 60.0
ANSWER_S: Final = 120.0
"""Every letter is answered for, one that hangs after 80 s at the latest: a postman that says nothing longer hangs."""

NEVER: Final = float("inf")
WHY_NOT: Final = {
    4: "it needs python3-cryptography: sudo apt install python3-cryptography",
    3: "push.ca_file cannot be read or holds no certificate",
}
"""Exit statuses that a person can mend."""


@define
class Office:
    """``said`` hears what the postman says; ``trouble`` gets a sentence, or an empty one when all is well."""

    put: Callable[[object], None]
    said: Callable[[Ready | Done, float], None]
    trouble: Callable[[str], None]
    start: Callable[[Setup, int, Callable[[object], None]], Held] = Held

    _setup: Setup | None = None
    _held: Held | None = None
    _generation: int = 0
    _ready: bool = False
    _since: float = 0.0
    _failures: int = 0
    _retry: float = NEVER
    _waiting: deque[Letter | Shout] = field(factory=deque)
    _carried: dict[str, float] = field(factory=dict)
    """Letters that the postman has, by token, and since when."""

    @property
    def deadline(self) -> float:
        due = [self._retry, self._since + START_S if self._held and not self._ready else NEVER]
        due += [since + ANSWER_S for since in self._carried.values()]
        return min([*due, self._waiting[0].born + STALE_S] if self._waiting else due)

    def want(self, setup: Setup | None, at: float) -> None:
        """Work by this *setup* from now on; None: nobody is to be at work."""
        if setup == self._setup:
            return
        self._setup = setup
        self._failures = 0
        self._let_go()
        self._retry = at if setup is not None else NEVER
        if setup is None:
            self._waiting.clear()
            self.trouble("")
        self.tick(at)

    def send(self, letter: Letter | Shout) -> None:
        """Give it to the postman now, or as soon as there is one. Never waits; the oldest make room."""
        if self._setup is None:
            return
        if self._ready and self._held is not None and self._held.send(letter):
            self._carried[letter.token] = letter.born
        else:
            self._waiting.append(letter)
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()

    def hear(self, event: object, at: float) -> None:
        match event:
            case events.PostmanSaid() if event.generation == self._generation and self._held is not None:
                if isinstance(event.message, Ready):
                    self._ready = True
                    self.trouble("")
                else:
                    self._carried.pop(getattr(event.message, "token", ""), None)
                if self._ready:  # one that was full a moment ago may have room again
                    for letter in [self._waiting.popleft() for _ in range(len(self._waiting))]:
                        self.send(letter)
                if isinstance(event.message, Ready | Done):
                    self.said(event.message, at)
            case events.PostmanGone() if event.generation == self._generation and self._held is not None:
                self._gone(event.status, at)

    def tick(self, at: float) -> None:
        while self._waiting and at >= self._waiting[0].born + STALE_S:
            self._waiting.popleft()
        if self._held is not None and not self._ready and at >= self._since + START_S:
            self._let_go()
            self._failed("it did not begin its work within a minute", at)
        if any(at >= since + ANSWER_S for since in self._carried.values()):
            self._let_go()
            self._failed("it hung", at)
        if self._setup is not None and self._held is None and at >= self._retry:
            self._begin(self._setup, at)

    def close(self) -> None:
        self._let_go()

    def _begin(self, setup: Setup, at: float) -> None:
        self._generation += 1
        self._retry, self._since, self._ready = NEVER, at, False
        try:
            self._held = self.start(setup, self._generation, self.put)
        except DeviceError as error:
            self._failed(str(error), at)

    def _gone(self, status: int, at: float) -> None:
        self._held = None
        if self._ready and at - self._since >= STEADY_S:
            self._failures = 0
        self._failed(WHY_NOT.get(status, f"it ended, status {status}"), at)

    def _failed(self, why: str, at: float) -> None:
        self._ready = False
        self._carried.clear()
        self._retry = at + min(LONGEST_WAIT_S, SHORTEST_WAIT_S * 2 ** min(self._failures, 6))
        self._failures += 1
        self.trouble(f"The postman, who wakes the phones, is not at work: {why}.")

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.kill()
        self._held, self._ready = None, False
        self._carried.clear()
