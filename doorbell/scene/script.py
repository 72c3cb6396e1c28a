"""What happens before the camera and when: frozen values, and the labelled truth they amount to."""

import math
from itertools import pairwise
from typing import Literal

from attrs import field, frozen

from doorbell.scene.lens import project
from doorbell.scene.surfaces import GATE_Z, GROUND_Y, PATH_HALF, PORCH_END, STEP_END

Colour = tuple[float, float, float]
Direction = Literal["left", "right"]
FOREVER = math.inf

_BEND = ((8.7, 0.90), (7.0, 0.71), (5.5, 0.38), (4.0, 0.12), (STEP_END, 0.0))


def _zone() -> tuple[tuple[float, float], ...]:
    left = [(x - PATH_HALF - 0.1, GROUND_Y, z) for z, x in _BEND]
    right = [(x + PATH_HALF + 0.1, GROUND_Y, z) for z, x in reversed(_BEND)]
    porch = [(-1.75, 0.0, PORCH_END), (-1.2, 0.0, 1.06), (1.2, 0.0, 1.06), (1.75, 0.0, PORCH_END)]
    return tuple((round(x, 4), round(min(y, 1.0), 4)) for x, y in (project(*p) for p in [*left, *porch, *right]))


#: The floor a visitor walks on, from the gate to the mat: normalised (x, y) corners.
DEFAULT_ZONE: tuple[tuple[float, float], ...] = _zone()


@frozen
class Visitor:
    """Comes out from behind the tall hedge at `at` (s), through the gate, to the mat; stays; goes back the same way.

    `coat` is RGB 0..1; `speed` in m/s; `contrast` 1 is full, 0.1 nearly melts into what lies behind.
    A parcel stays on the porch for good. `at_the_door` tells when the hand is at the button.
    """

    at: float
    stay_s: float = 8.0
    presses: bool = True
    coat: Colour = (0.60, 0.20, 0.17)
    speed: float = 1.3
    contrast: float = 1.0
    parcel: bool = False

    @property
    def at_the_door(self) -> float:
        return self.at + ROUTE_M / self.speed

    @property
    def seconds(self) -> float:
        return 2 * ROUTE_M / self.speed + self.stay_s


#: A coat of the porch wall's own brick, for the hard case.
COAT_LIKE_THE_WALL: Colour = (0.48, 0.28, 0.21)


@frozen
class PasserBy:
    """Walks along the pavement behind the hedge; `far` takes the one across the road, small in the picture."""

    at: float
    direction: Direction = "right"
    speed: float = 1.4
    coat: Colour = (0.2, 0.28, 0.45)
    far: bool = False

    @property
    def z(self) -> float:
        return 19.0 if self.far else 10.6

    @property
    def seconds(self) -> float:
        return 2 * reach(self.z) / self.speed


@frozen
class Car:
    """Drives by; `speed` in m/s. With `headlights`, at night, its light sweeps over hedge, lawn and wall."""

    at: float
    direction: Direction = "right"
    colour: Colour = (0.72, 0.16, 0.14)
    speed: float = 9.0
    headlights: bool = True

    @property
    def z(self) -> float:
        return 13.6 if self.direction == "right" else 16.4

    @property
    def seconds(self) -> float:
        return 2 * (reach(self.z) + 2.5) / self.speed


@frozen
class _Weather:
    """From `at` for `seconds`; `severity` 0..1, where 1 is the worst one meets in a year."""

    at: float = 0.0
    seconds: float = FOREVER
    severity: float = field(default=0.5)


@frozen
class Leaves(_Weather):
    """The tree's leaves sway."""


@frozen
class Rain(_Weather):
    """Streaks of rain all over the picture."""


@frozen
class Snow(_Weather):
    """Flakes drifting down."""


@frozen
class CloudShadow(_Weather):
    """A shadow with soft edges crosses the picture from left to right within the span."""


@frozen
class ExposureHunting(_Weather):
    """The sensor's exposure swings to and fro, twice in three seconds."""


@frozen
class CodecPulsing(_Weather):
    """Blocks of 16x16 shift their level with every second's keyframe."""


@frozen
class Shake(_Weather):
    """The mount trembles: up to 1 % of the width at severity 1."""


@frozen
class Insect(_Weather):
    """Something blurred crawls and flutters over the lens."""


@frozen
class Covered(_Weather):
    """A hand or tape over the lens; at severity 1 all is black."""


@frozen
class TurnedAway(_Weather):
    """The camera has been twisted to the side by up to half a picture."""


@frozen
class LightRamp:
    """The light goes slowly to `gain` at the middle of the span and back."""

    at: float
    seconds: float
    gain: float = 0.6


@frozen
class LightStep:
    """The light is `gain` at once, for the span."""

    at: float
    seconds: float = FOREVER
    gain: float = 0.7


@frozen
class PorchLamp:
    """The lamp over the porch is on for the span."""

    at: float
    seconds: float = FOREVER


@frozen
class IrSwitch:
    """The infrared filter swings away: grey, another level, at night lit by the camera's own lamps."""

    at: float
    seconds: float = FOREVER


Happening = (
    Visitor | PasserBy | Car | Leaves | Rain | Snow | CloudShadow | ExposureHunting | CodecPulsing | Shake | Insect
    | Covered | TurnedAway | LightRamp | LightStep | PorchLamp | IrSwitch
)  # fmt: skip


@frozen
class Script:
    """All that happens. `noise` is the sensor's sigma in luma levels (held to 5); `clock` burns milliseconds in."""

    happenings: tuple[Happening, ...] = ()
    night: bool = False
    noise: float = 0.0
    clock: bool = False


@frozen
class Span:
    """Labelled truth: `what` is the happening's name in lower case; `wanted` marks a visitor inside the zone."""

    what: str
    begins: float
    ends: float
    wanted: bool


@frozen
class Actor:
    """Who is in one frame: `box` is (left, top, right, bottom) of what can be seen, normalised."""

    name: str
    kind: Literal["visitor", "passer-by", "car", "parcel"]
    box: tuple[float, float, float, float]
    on_path: bool


@frozen
class Stance:
    """Where and how a walker is: metres, which way they face, the phase of the step (0..1) and whether they walk."""

    x: float
    y: float
    z: float
    facing: Literal["left", "right", "front", "back"]
    phase: float
    walks: bool


_ROUTE = ((-3.2, 10.2), (0.9, 10.2), (0.9, GATE_Z), *((x, z) for z, x in _BEND), (0.0, 1.5))
_LEGS = tuple(math.dist(a, b) for a, b in pairwise(_ROUTE))
ROUTE_M = sum(_LEGS)
_STRIDE_M = 1.35
_ZONE_M = sum(_LEGS[:3])
ZONE_Z = _BEND[0][0]


def reach(z: float) -> float:
    """Half the width of the street, in metres, that may be seen at the distance z, with room for a whole person."""
    return 1.75 * z + 1.5


def _floor(z: float) -> float:
    def smooth(lo: float, hi: float) -> float:
        s = min(max((z - lo) / (hi - lo), 0.0), 1.0)
        return s * s * (3 - 2 * s)

    return -0.18 * (smooth(PORCH_END - 0.15, PORCH_END + 0.15) + smooth(STEP_END - 0.15, STEP_END + 0.15))


def visitor_stance(who: Visitor, t: float) -> Stance | None:
    """Where the visitor is at `t`, or None before and after."""
    since = t - who.at
    if not 0 <= since < who.seconds:
        return None
    arrived = ROUTE_M / who.speed
    going = since > arrived + who.stay_s
    walked = 2 * ROUTE_M - (since - who.stay_s) * who.speed if going else min(since * who.speed, ROUTE_M)
    left = walked
    k = 0
    while k < len(_LEGS) - 1 and left > _LEGS[k]:
        left -= _LEGS[k]
        k += 1
    (x0, z0), (x1, z1) = _ROUTE[k], _ROUTE[k + 1]
    s = min(left / _LEGS[k], 1.0)
    x, z = x0 + (x1 - x0) * s, z0 + (z1 - z0) * s
    facing: Literal["left", "right", "front", "back"]
    facing = ("left" if going else "right") if k == 0 else ("back" if going else "front")
    return Stance(x, _floor(z), z, facing, walked / _STRIDE_M % 1, going or walked < ROUTE_M)


def street_x(who: PasserBy | Car, t: float) -> float | None:
    """Where along the street (x in metres) someone is at `t`, or None before and after."""
    since = t - who.at
    if not 0 <= since < who.seconds:
        return None
    x = since * who.speed - who.seconds * who.speed / 2
    return x if who.direction == "right" else -x


def events(script: Script) -> tuple[Span, ...]:
    """The truth of a script in order of time: visitors while they stand inside DEFAULT_ZONE, all else as nuisance."""
    found = []
    for one in script.happenings:
        name = type(one).__name__.lower()
        if isinstance(one, Visitor):
            skip = _ZONE_M / one.speed
            found.append(Span(name, one.at + skip, one.at + one.seconds - skip, wanted=True))
        else:
            found.append(Span(name, one.at, one.at + one.seconds, wanted=False))
    return tuple(sorted(found, key=lambda span: (span.begins, span.what)))
