"""The gates between a difference and an alarm, and the evidence that opens the last of them.

    light     the difference is smooth over eight cells: a lamp, a cloud, exposure
    picture   it is everywhere at once: an IR-cut filter, a switched lamp
    grain     no 3x3 of cells holds four of it: noise, rain
    brief     it does not stay connected from look to look: rain, snow, a flash
    still     it stays, but nothing in it moves: a lamp, a parcel, a parked car
    zone      it is outside the watched zone
    small     fewer moving cells in any 8x8 than the smallest visitor has
    clutter   no more of it than this scene shows all the time: leaves, snow
    short     it looks like a visitor, not yet for long enough

What comes through has mass (many connected, lasting, moving cells at one place) or travels (its front keeps reaching
cells where nothing was for seconds, which leaves and lamps do not), and is not one speck among many (snow).
"""

from enum import StrEnum

from attrs import define, frozen


class Gate(StrEnum):
    """What let motion pass (mass, travel) or held it back, in the order in which they are met."""

    NOTHING = ""
    START = "start"
    LIGHT = "light"
    PICTURE = "picture"
    GRAIN = "grain"
    BRIEF = "brief"
    STILL = "still"
    ZONE = "zone"
    SMALL = "small"
    CLUTTER = "clutter"
    SHORT = "short"
    TRAVEL = "travel"
    MASS = "mass"


RANK = {gate: rank for rank, gate in enumerate(Gate)}


@frozen(slots=True)
class Sensitivity:
    """The one knob. floor: steps of brightness (512 an octave); smallest: moving cells; need: evidence to pass."""

    floor: int
    smallest: int
    need: float


SENSITIVITIES = {
    "low": Sensitivity(floor=60, smallest=8, need=6.0),
    "medium": Sensitivity(floor=37, smallest=4, need=4.0),
    "high": Sensitivity(floor=24, smallest=3, need=3.0),
}


@frozen(slots=True)
class Found:
    """The counts of one look, in cells, each a part of the one before it.

    different from the background; dense: with three more about it; lasting since an earlier look; moving meanwhile.
    mass: moving in the fullest 8x8 window of the zone, beyond what chance makes of the `elsewhere`, those in the zone
    outside that window. front: on fresh ground in the fullest window. row, column: of the window's upper left cell.
    """

    different: int = 0
    dense: int = 0
    lasting: int = 0
    moving: int = 0
    mass: int = 0
    front: int = 0
    elsewhere: int = 0
    row: int = 0
    column: int = 0


_AT_ONCE_S = 0.05  # one look may give this much time's worth of the needed evidence: a big thing passes at its second
_SURE = 16  # cells of mass that one look with movement is enough for
BIG = 16  # cells; what is about something smaller counts as a crowd of specks
_DENSE = 24  # cells of mass that edges alone do not reach
_STILL = 8  # times more still cells than moving ones: not somebody who moves
_MOST = 40  # cells of mass beyond which more says nothing
_ALONG = 3.0  # front cells within two seconds that still mean nothing
_AGREED = 3  # the part of the evidence that is enough when another sense agrees


@define(slots=True)
class Evidence:
    """Weighs look after look; time constants in seconds, so that any picture rate gives the same verdicts."""

    knob: Sensitivity
    amount: float = 0.0
    clutter: float = 0.0
    crowd: float = 0.0
    travel: float = 0.0
    streak: int = 0

    def rest(self, seconds: float, known: float, *, alarmed: bool) -> None:
        """Nothing dense was there for *seconds*."""
        self.streak = 0
        self.amount *= _left(seconds, 0.3)
        self.travel *= _left(seconds, 2.0)
        self._grow_used(0, seconds, known, alarmed=alarmed)

    def weigh(self, found: Found, seconds: float, known: float, *, alarmed: bool, agreed: bool) -> Gate:
        """Take one look in; the gate it reached. *known*: seconds since the first look; *alarmed*: a span is open."""
        need = self.knob.need / _AGREED if agreed else self.knob.need
        self.travel = self.travel * _left(seconds, 2.0) + min(found.front, 6)
        if found.mass < BIG:
            self.crowd += (min(found.elsewhere, _MOST) - self.crowd) * _share(seconds, self._pace(found))
        over = self._mass_over(found, agreed=agreed)
        along = max(0.0, min(self.travel - _ALONG - 3 * self.crowd, 10.0))
        if found.mass < _SURE and _STILL * found.moving < found.lasting:
            over = along = 0.0  # noise at the rim of something large and still
        gain = min((10 * over + 5 * along) * seconds, need * seconds / _AT_ONCE_S)
        if gain > 0:
            self.streak += 1
            self.amount = min(self.amount * _left(seconds, 0.6) + gain, 2 * need)
        else:
            self.streak = 0
            self.amount *= _left(seconds, 0.3)
        self._grow_used(found.mass, seconds, known, alarmed=alarmed)
        there = found.mass >= 2 or found.front > 0
        if self.amount >= need and there and self.streak >= (1 if agreed or found.mass >= _SURE else 2):
            return Gate.MASS if over > 0 else Gate.TRAVEL
        if gain > 0:
            return Gate.SHORT
        return self._held(found)

    def _mass_over(self, found: Found, *, agreed: bool) -> float:
        """The mass that speaks for a visitor."""
        if found.mass < _SURE and self.travel < 1 and not agreed:
            return 0.0  # something small that came from nowhere: a leaf that turned, a letter of a clock
        mass = min(found.mass, _MOST)
        if mass < _DENSE:
            mass -= found.elsewhere // 2  # edges all over the picture: the mount shakes
        return max(0.0, mass - self.knob.smallest + 1 - 2 * self.clutter)

    def _pace(self, found: Found) -> float:
        return 1.0 if found.elsewhere > self.crowd else 10.0

    def _grow_used(self, mass: int, seconds: float, known: float, *, alarmed: bool) -> None:
        """Learn the mass this scene shows while nobody is there: within 4 s (at first sooner), forgotten in 10 s."""
        if alarmed:
            return
        rising = mass > self.clutter
        self.clutter += (min(mass, 15) - self.clutter) * _share(seconds, min(4.0, max(known, 0.5)) if rising else 10.0)

    def _held(self, found: Found) -> Gate:
        if found.lasting == 0:
            return Gate.BRIEF
        if _STILL * found.moving < found.lasting:
            return Gate.STILL
        if found.mass == 0 and found.elsewhere == 0:
            return Gate.ZONE
        return Gate.SMALL if found.mass < self.knob.smallest else Gate.CLUTTER


def _share(seconds: float, constant: float) -> float:
    return min(1.0, seconds / constant)


def _left(seconds: float, constant: float) -> float:
    return 1.0 - _share(seconds, constant)
