"""What is wrong with the door now: a word of a closed list, and a sentence for the owner with the fix."""

from __future__ import annotations

import logging

log = logging.getLogger("doorman")

PARTS = (
    "configuration", "deaths", "pins", "mask", "recipient", "storage", "journal", "camera", "tamper", "broker", "clock",
    "roster", "card", "power", "heat", "memory", "light", "offsite", "push",
)  # fmt: skip


class Problems:
    """Each part's trouble, told to the log once as it comes and once as it goes; ``changed`` until it is looked at."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._changed = True

    def tell(self, part: str, why: str) -> None:
        """The trouble of *part* (one of PARTS), or with an empty *why* that it is well."""
        if part not in PARTS:
            raise ValueError(f"{part} is no part of the door")
        if self._now.get(part, "") == why:
            return
        self._changed = True
        if why:
            log.warning("%s", why)
            self._now[part] = why
        else:
            log.info("%s: well again", part)
            del self._now[part]

    def look(self) -> bool:
        """Whether anything came or went since the last look."""
        changed, self._changed = self._changed, False
        return changed

    @property
    def parts(self) -> tuple[str, ...]:
        """The words alone, which say nothing private: they go out in clear."""
        return tuple(sorted(self._now))

    @property
    def sentences(self) -> list[str]:
        return list(self._now.values())

    def __contains__(self, part: str) -> bool:
        return part in self._now
