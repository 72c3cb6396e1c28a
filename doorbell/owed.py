"""What the card, the camera, the journal or the recorder still owes a command, and for how long it may wait. Pure.

What comes, or comes too late, turns into the ``Outcome`` of its command; whoever answers the phones says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from attrs import define, field, frozen

from doorbell.link.acceptance import Order

MOST_WAITING: Final = 32
"""Commands under way, and as many deletions."""
CARD_S: Final = 10.0
"""How long a command waits for the card."""


class Refused(Exception):  # noqa: N818  a refusal is no error
    """The command is not carried out; ``word`` says why, as docs/formats/commands.md lists them."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


@frozen
class Outcome:
    """How a command ended: with a result, or refused with a word."""

    order: Order
    result: Mapping[str, Any] | None
    refused: str = ""


@define
class _Waiting:
    order: Order
    until: float
    done: Callable[[Any, float], Mapping[str, Any] | None] = field(repr=False)
    """What came, and when, to the result of the command; None: it waits for something else now."""
    late: str
    """The word when nothing comes."""
    films: bool
    """It waits for a recorder that films by the new settings."""
    lasts: bool
    """What comes after its time is done all the same: the card has it already."""
    told: bool = False
    """Its sender was told that it did not come in time."""
    ended: bool = False
    """The recorder that filmed by the old ones is gone."""


@define
class _Deletion:
    order: Order
    until: float
    open: set[str]
    deleted: list[str] = field(factory=list)
    unknown: list[str] = field(factory=list)


@define
class Owed:
    """Everything that is waited for. Times are monotonic seconds."""

    _waiting: dict[str, _Waiting] = field(factory=dict)
    _deletions: list[_Deletion] = field(factory=list)

    @property
    def deadline(self) -> float | None:
        due = [one.until for one in self._waiting.values()] + [one.until for one in self._deletions]
        return min(due, default=None)

    def wait(
        self, order: Order, at: float, done: Callable[[Any, float], Mapping[str, Any] | None], *, late: str = "storage",
        within: float = CARD_S, films: bool = False, lasts: bool = False,
    ) -> str:  # fmt: skip
        """Remember that *order* waits for something; the token by which it will come. Raises Refused."""
        if len(self._waiting) >= MOST_WAITING:
            raise Refused("busy")
        token = order.member.id + order.id.hex()
        self._waiting[token] = _Waiting(order, at + within, done, late, films, lasts)
        return token

    def forget(self, token: str) -> None:
        """Nobody could be asked for it."""
        del self._waiting[token]

    def is_waiting(self, command: str) -> bool:
        """Whether a command of this name is under way: of some there is one at a time."""
        return any(one.order.name == command for one in self._waiting.values())

    def came(self, token: str, value: object, why: str, at: float) -> list[Outcome]:
        """What was owed under *token*; *why* is the word if it could not be given."""
        one = self._waiting.pop(token, None)
        if one is None:
            return []  # it was given up: its sender has been told
        result = None if why else one.done(value, at)
        if one.told or (result is None and not why):
            return []
        return [Outcome(one.order, result, why)]

    def recorder_ended(self) -> None:
        """Whatever films next was begun after everything that waits now."""
        for one in self._waiting.values():
            one.ended = True

    def recorder_films(self, at: float) -> list[Outcome]:
        """It has given its first frame."""
        ready = [token for token, one in self._waiting.items() if one.films and one.ended]
        return [outcome for token in ready for outcome in self.came(token, None, "", at)]

    def delete(self, order: Order, clips: Iterable[str], at: float) -> None:
        """*order* ends when each of *clips* is gone or was never there. Raises Refused."""
        if len(self._deletions) >= MOST_WAITING:
            raise Refused("busy")
        self._deletions.append(_Deletion(order, at + CARD_S, set(clips)))

    def forget_deletion(self) -> None:
        """The last one that was begun was not taken by the journal."""
        self._deletions.pop()

    def deleted(self, clip: str, *, known: bool) -> list[Outcome]:
        """*clip* is gone; not *known*: there was none of that name."""
        ended = []
        for one in [one for one in self._deletions if clip in one.open]:
            one.open.remove(clip)
            (one.deleted if known else one.unknown).append(clip)
            if not one.open:
                self._deletions.remove(one)
                ended.append(Outcome(one.order, {"deleted": sorted(one.deleted), "unknown": sorted(one.unknown)}))
        return ended

    def late(self, at: float) -> list[Outcome]:
        """What has waited too long."""
        ended = []
        for token, waiting in [(token, one) for token, one in self._waiting.items() if at >= one.until]:
            ended.append(Outcome(waiting.order, None, waiting.late))
            if waiting.lasts:
                waiting.told, waiting.until = True, float("inf")
            else:
                del self._waiting[token]
        for one in [one for one in self._deletions if at >= one.until]:
            self._deletions.remove(one)
            ended.append(Outcome(one.order, None, "storage"))
        return ended
