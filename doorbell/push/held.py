"""The postman's process as the doorman holds it."""

from __future__ import annotations

from collections.abc import Callable

from doorbell.child import Kind, Process
from doorbell.events import PostmanGone, PostmanSaid
from doorbell.push import letters

_POSTMAN = Kind(
    "postman", "doorbell.push.postman", letters.encode, lambda data: letters.decode(data, letters.UP), letters.LARGEST,
    PostmanSaid, PostmanGone, may_linger=False,
)  # fmt: skip


class Held(Process):
    """One postman: says what stands in letters.UP, and PostmanGone when it has ended. Raises DeviceError as Process."""

    def __init__(self, setup: letters.Setup, generation: int, put: Callable[[object], None]) -> None:
        super().__init__(_POSTMAN, setup, generation, put, [])
