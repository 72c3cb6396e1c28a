"""The journal as the doorman's rooms write to it: stamped with the time, and silently absent where there is none."""

from __future__ import annotations

from typing import Any

from attrs import define

from doorbell.clock import WallClock
from doorbell.journal.thread import JournalThread


@define
class Ledger:
    """A door without a recipient keeps no journal: there is nobody its entries could be sealed to."""

    journal: JournalThread | None
    clock: WallClock
    days: int
    quota_mb: int

    def write(self, kind: str, what: dict[str, Any], at: float, token: str = "") -> None:
        """One entry of *kind* (journal.entry.KINDS), labelled with the moment *at*; its Kept carries *token*."""
        if self.journal is not None:
            self.journal.write(kind, what, self.clock.stamp(at), token)

    def clip_started(self, clip: str, visit: str, trigger: str, at: float) -> None:
        if self.journal is not None:
            what = {"id": clip, "visit": visit, "trigger": trigger}
            self.journal.clip_started(clip, what, self.clock.stamp(at))

    def clip_kept(self, clip: str, what: dict[str, Any], size: int, at: float) -> None:
        if self.journal is not None:
            self.journal.clip_kept(clip, {"id": clip, **what}, self.clock.stamp(at), size)

    def clip_lost(self, clip: str, why: str, at: float) -> None:
        """The recorder is done with it: what is whole of it is kept as cut."""
        if self.journal is not None:
            self.journal.clip_lost(clip, why, self.clock.stamp(at))

    def delete(self, clip: str, why: str, at: float) -> bool:
        """A person wants a clip gone; whether the wish was taken."""
        return self.journal is not None and self.journal.delete(clip, why, self.clock.stamp(at))

    def forget_old(self, at: float) -> None:
        """Let go of what is too old, or too much for the card."""
        if self.journal is not None:
            quota = self.quota_mb * 1_000_000
            self.journal.forget(self.clock.stamp(at), today=self.clock.day(at), days=self.days, quota=quota)
