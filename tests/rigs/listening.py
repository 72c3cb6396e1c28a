"""At the recorder's seam: a child that only notes what would go down its pipe."""

from __future__ import annotations

from attrs import define, field


@define
class Listening:
    """Made as doorbell.child.Child is; ``ended`` is empty, closed or killed."""

    setup: object
    generation: int
    put: object
    flags: object
    heard: list[object] = field(factory=list)
    ended: str = ""

    def send(self, message: object) -> bool:
        self.heard.append(message)
        return True

    def close(self) -> None:
        self.ended = "closed"

    def kill(self) -> None:
        self.ended = "killed"
