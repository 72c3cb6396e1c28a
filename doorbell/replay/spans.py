"""Looks of the motion core, one a picture, folded into rows: spans of motion, and what was held back."""

from collections.abc import Iterator

from attrs import define, field

from doorbell.vision.gates import Gate
from doorbell.vision.motion import Seen

Row = dict[str, object]

WHY = {
    Gate.START: "the core was still learning the scene",
    Gate.LIGHT: "smooth over many cells, so a change of light",
    Gate.PICTURE: "the whole picture changed at once, so the camera or the light did",
    Gate.GRAIN: "single cells here and there, so noise, rain or leaves",
    Gate.BRIEF: "nothing stayed connected for long, so rain, snow or an insect",
    Gate.STILL: "it stays where it is and nothing in it moves, so a lamp or an object",
    Gate.ZONE: "outside the watched zone",
    Gate.SMALL: "smaller than the smallest visitor",
    Gate.CLUTTER: "no more than this scene shows all the time",
    Gate.SHORT: "it looked like a visitor, not for long enough",
    Gate.TRAVEL: "it travelled over ground where nothing moved before",
    Gate.MASS: "many connected cells moved for long enough at one place",
}

_CALM_S = 1.0  # without any difference, after which something held back is over


@define
class _Open:
    """A span or a held-back episode that may still grow."""

    f0: int
    t: float
    began: float
    f1: int = 0
    until: float = 0.0
    gate: Gate = Gate.NOTHING
    strength: float = 0.0
    box: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 0.0)

    def take(self, frame: int, at: float, seen: Seen) -> None:
        self.f1, self.until = frame, at
        gate = Gate(seen.gate)
        if _rank(gate) > _rank(self.gate):
            self.gate = gate
        self.strength = max(self.strength, seen.strength)
        left, top, right, bottom = seen.box
        if right > left:
            box = self.box
            self.box = (min(box[0], left), min(box[1], top), max(box[2], right), max(box[3], bottom))

    def row(self, kind: str) -> Row:
        box = self.box if self.box[2] > self.box[0] else (0.0, 0.0, 0.0, 0.0)
        return {
            "type": kind,
            "f0": self.f0,
            "f1": self.f1,
            "t": round(self.t, 3),
            "seconds": round(self.until - self.t, 3),
            "began": round(self.began, 3),
            "box": [round(edge, 4) for edge in box],
            "strength": round(self.strength, 3),
            "gate": str(self.gate),
        }


@define
class Spans:
    """Feed it what the core saw of every picture; it gives a row as soon as a span is over, and never looks ahead."""

    why: bool = False
    _motion: _Open | None = field(default=None, init=False)
    _held: _Open | None = field(default=None, init=False)
    _tamper: bool = field(default=False, init=False)

    def take(self, frame: int, at: float, seen: Seen) -> Iterator[Row]:
        if seen.tamper and not self._tamper:
            yield {"type": "tamper", "frame": frame, "t": round(at, 3)}
        self._tamper = seen.tamper
        if not seen.active:
            yield from self._end_motion()
            yield from self._take_held(frame, at, seen)
            return
        self._held = None  # it passed after all
        if self._motion is None:
            self._motion = _Open(frame, at, seen.began)
        self._motion.take(frame, at, seen)

    def end(self) -> Iterator[Row]:
        """The rows of whatever is open when the pictures end."""
        yield from self._end_motion()
        yield from self._end_held()

    def _end_motion(self) -> Iterator[Row]:
        if self._motion is not None:
            row = self._motion.row("motion")
            if self.why:
                row["why"] = WHY[self._motion.gate]
            yield row
        self._motion = None

    def _take_held(self, frame: int, at: float, seen: Seen) -> Iterator[Row]:
        if self._held is not None and at - self._held.until > _CALM_S:
            yield from self._end_held()
        if seen.gate == Gate.NOTHING:
            return
        if self._held is None:
            self._held = _Open(frame, at, seen.began)
        self._held.take(frame, at, seen)

    def _end_held(self) -> Iterator[Row]:
        if self._held is not None and self.why:
            yield {**self._held.row("held"), "why": WHY[self._held.gate]}
        self._held = None


_ORDER = list(Gate)


def _rank(gate: Gate) -> int:
    return _ORDER.index(gate)
