"""The synthetic door: one function of time, frame by frame, with the truth of who is in it."""

from typing import Literal, TypeVar

import numpy as np
from attrs import evolve, frozen

from doorbell.errors import Mistake
from doorbell.scene import light, people, script, traffic, weather
from doorbell.scene.clock import draw_clock
from doorbell.scene.lens import project
from doorbell.scene.script import Actor, Car, Happening, PasserBy, Script, Stance, Visitor
from doorbell.scene.sprites import Planes, lay
from doorbell.scene.world import Plane, build

_T = TypeVar("_T")
_LONGEST_LIST = 1000  # happenings a running scene keeps; those that ended first are let go
_NIGHT_NOISE = 1.8


@frozen(eq=False)
class Frame:
    """One picture, I420 in limited range: y (h, w), u and v (h/2, w/2), uint8; and who can be seen in it."""

    y: Plane
    u: Plane
    v: Plane
    actors: tuple[Actor, ...]


class Scene:
    """A front door of the given size. `frame(t)` depends on seed, script and t only, in whatever order it is asked.

    Raises Mistake for a size that is odd or below 160x120. Drawing the world takes about 3 s at 1280x720 on one
    2 GHz core, a frame some milliseconds (`doorbell/bench/scene.py`).
    """

    def __init__(self, width: int = 1280, height: int = 720, seed: int = 1, script: Script | None = None) -> None:
        if width % 2 or height % 2 or width < 160 or height < 120:
            raise Mistake(f"a scene of {width}x{height} cannot be drawn: use even sizes from 160x120, like 1280x720")
        self.width, self.height, self.seed = width, height, seed
        self.script = script if script is not None else Script()
        self._world = build(width, height, seed)
        self._crown = weather.crown(seed)
        self._insect = weather.insect_sprite()
        self._rest = self._with_crown()
        self._lights = light.night_lights(self._world)
        sigma = self.script.noise * (_NIGHT_NOISE if self.script.night else 1)
        self._noise = weather.noise_bank(sigma, seed, width) if sigma > 0 else None

    def add(self, happening: Happening) -> None:
        """Lets something happen while the scene runs. Past 1,000 happenings the one that ended first is let go."""
        all_of_it = (*self.script.happenings, happening)
        if len(all_of_it) > _LONGEST_LIST:
            first = min(all_of_it, key=lambda one: one.at + one.seconds)
            all_of_it = tuple(one for one in all_of_it if one is not first)
        self.script = evolve(self.script, happenings=all_of_it)

    def frame(self, t: float) -> Frame:
        """The picture at scene time `t` (s)."""
        now = [one for one in self.script.happenings if one.at <= t < one.at + one.seconds]
        wind = _one(now, script.Leaves)
        still = self._rest if wind is None else self._bare()
        onto = Planes(still.y.copy(), still.u.copy(), still.v.copy(), still.depth)
        actors = self._street(onto, now, t)
        if wind is not None:
            weather.sway(onto, self._crown, wind, t)
        actors += self._visitors(onto, t)
        self._shine(onto, now, t)
        self._before_the_lens(onto, now, t)
        y, u, v = self._expose(onto, now, t)
        if self.script.clock:
            draw_clock(y, u, v, t)
        return Frame(y, u, v, tuple(actors))

    def _bare(self) -> Planes:
        return Planes(self._world.y, self._world.u, self._world.v, self._world.depth)

    def _with_crown(self) -> Planes:
        world = self._world
        rest = Planes(world.y.copy(), world.u.copy(), world.v.copy(), world.depth)
        weather.sway(rest, self._crown, None, 0.0)
        changed = rest.y != world.y
        depth = np.where(changed, np.minimum(world.depth, int(weather.TREE_Z * 8)), world.depth)
        return Planes(rest.y, rest.u, rest.v, depth.astype(np.uint8))

    def _box(self, x: float, y: float, z: float, half: float, tall: float) -> tuple[float, float, float, float]:
        """Pixels of something upright with its foot at (x, y, z)."""
        fx, fy = project(x, y, z)
        tx, ty = project(x, y + tall, z)
        left, _ = project(x - half, y + tall / 2, z)
        right, _ = project(x + half, y + tall / 2, z)
        middle, wide = (fx + tx) / 2, (right - left) / 2
        w, h = self.width, self.height
        return ((middle - wide) * w, ty * h, (middle + wide) * w, fy * h)

    def _street(self, onto: Planes, now: list[Happening], t: float) -> list[Actor]:
        found = []
        walkers = [one for one in now if isinstance(one, Car | PasserBy)]
        for one in sorted(walkers, key=lambda who: -who.z):
            x = script.street_x(one, t)
            if x is None:
                continue
            if isinstance(one, Car):
                box = self._box(x, -0.36, one.z, traffic.LENGTH / 2, traffic.HEIGHT)
                seen = lay(onto, traffic.car(one.colour), box, one.z, flip=one.direction == "left")
                found += [Actor("car", "car", seen, on_path=False)] if seen else []
            else:
                phase = (t - one.at) * one.speed / 1.35 % 1
                stance = Stance(x, -0.36, one.z, one.direction, phase, walks=True)
                seen = self._person(onto, stance, one.coat)
                found += [Actor("passer-by", "passer-by", seen, on_path=False)] if seen else []
        return found

    def _visitors(self, onto: Planes, t: float) -> list[Actor]:
        found: list[Actor] = []
        people_here: list[tuple[float, Visitor, Stance]] = []
        for k, who in enumerate(one for one in self.script.happenings if isinstance(one, Visitor)):
            left_it = who.parcel and t >= who.at_the_door + who.stay_s / 2
            if left_it:
                box = self._box(0.62 + 0.05 * (k % 3), 0.0, 1.75, 0.3, 0.4)
                seen = lay(onto, people.parcel_left(), box, 1.75)
                found += [Actor("parcel", "parcel", seen, on_path=True)] if seen else []
            stance = script.visitor_stance(who, t)
            if stance is not None:
                people_here.append((stance.z, who, stance))
        for _, who, stance in sorted(people_here, key=lambda one: -one[0]):
            hand = who.presses and 0 <= t - who.at_the_door < 1.5
            carries = who.parcel and t < who.at_the_door + who.stay_s / 2
            seen = self._person(
                onto, stance, who.coat, presses=hand, parcel=carries and not hand, strength=who.contrast
            )
            if seen:
                found.append(Actor("visitor", "visitor", seen, on_path=stance.z <= script.ZONE_Z))
        return found

    def _person(
        self, onto: Planes, at: Stance, coat: script.Colour, *, presses: bool = False, parcel: bool = False,
        strength: float = 1.0,
    ) -> tuple[float, float, float, float] | None:  # fmt: skip
        step = int(at.phase * people.STEPS) if at.walks else -1
        view: Literal["front", "back", "side"] = "side"
        if at.facing in {"front", "back"}:
            view = "front" if at.facing == "front" else "back"
        fx, fy = project(at.x, at.y, at.z)
        near, _ = project(at.x + 0.42, at.y, at.z)
        half = (near - fx) * self.width
        foot = (fx * self.width, fy * self.height)
        spot = (foot[0] - half, foot[1] - half * 0.28, foot[0] + half, foot[1] + half * 0.28)
        lay(onto, people.shadow(), spot, at.z - 0.4, strength=strength)
        box = self._box(at.x, at.y, at.z, people.HALF_WIDTH, people.HEIGHT)
        pose = people.person(people.Pose(coat, view, step, presses, parcel))
        return lay(onto, pose, box, at.z, flip=at.facing == "left", strength=strength)

    def _shine(self, onto: Planes, now: list[Happening], t: float) -> None:
        """Night, lamp, infrared, headlights, clouds: one multiplication by the field of light."""
        lamp = _one(now, script.PorchLamp)
        infrared = _one(now, script.IrSwitch)
        if self.script.night:
            field = self._lights["infrared" if infrared else "dark"].copy()
            if lamp is not None:
                np.add(field, self._lights["lamp"], out=field)
            self._by_night(onto, field, now, t)
        elif lamp is not None:
            light.shine(onto.y, np.uint8(light.PLAIN) + self._lights["lamp"] // 4)
        for cover in now:
            if isinstance(cover, script.CloudShadow):
                under = light.cloud(cover, t, self.width, self.height)
                if under is not None:
                    part = onto.y[:, under[0]]
                    light.shine(part, under[1])
        if infrared is not None:
            onto.u[:] = 128
            onto.v[:] = 128

    def _by_night(self, onto: Planes, field: Plane, now: list[Happening], t: float) -> None:
        for car in now:
            if isinstance(car, Car) and car.headlights:
                light.headlights(car, t, self._world, field)
        for one in onto.stands:
            field[one.rows, one.cols][one.covers] = field[one.foot]
        glowing = (onto.y == self._rest.y) & (self._world.glow > 127)
        light.shine(onto.y, field)
        light.pale(onto.u, field)
        light.pale(onto.v, field)
        onto.y[glowing] = 150
        self._lamps_of_cars(onto, now, t)

    def _lamps_of_cars(self, onto: Planes, now: list[Happening], t: float) -> None:
        for car in now:
            x = script.street_x(car, t) if isinstance(car, Car) and car.headlights else None
            if x is None or not isinstance(car, Car):
                continue
            ahead = 2.06 if car.direction == "right" else -2.06
            for dx, size, colour in ((ahead, 0.9, (1.0, 0.98, 0.9)), (-ahead, 0.4, (0.9, 0.15, 0.1))):
                box = self._box(x + dx, 0.34 - size, car.z, size, 2 * size)
                lay(onto, traffic.glow(colour), box, car.z - 0.1)

    def _before_the_lens(self, onto: Planes, now: list[Happening], t: float) -> None:
        for one in now:
            if isinstance(one, script.Rain):
                weather.rain(onto.y, one, t, self.seed)
            elif isinstance(one, script.Snow):
                weather.snow(onto.y, one, t, self.seed)
            elif isinstance(one, script.Insect):
                weather.insect(onto, self._insect, one, t)

    def _expose(self, onto: Planes, now: list[Happening], t: float) -> tuple[Plane, Plane, Plane]:
        y, u, v = onto.y, onto.u, onto.v
        dx = dy = 0
        for one in now:
            if isinstance(one, script.Shake):
                sx, sy = weather.tremble(one, t, self.width)
                dx, dy = dx + sx, dy + sy
            elif isinstance(one, script.TurnedAway):
                dx += round(one.severity * self.width / 4) * 2
        if dx or dy:
            y, u, v = (weather.shift(y, dx, dy), weather.shift(u, dx // 2, dy // 2), weather.shift(v, dx // 2, dy // 2))
        table = light.exposure(now, t)
        if table is not None:
            y = np.take(table, y)
        cover = _one(now, script.Covered)
        if cover is not None:
            grey = _paler(1 - cover.severity)
            u, v = np.take(grey, u), np.take(grey, v)
        for one in now:
            if isinstance(one, script.CodecPulsing):
                weather.pulse(y, one, t, self.seed)
        if self._noise is not None:
            weather.grainy(y, self._noise, self.seed, t)
        return y, u, v


def _one(now: list[Happening], kind: type[_T]) -> _T | None:
    return next((one for one in now if isinstance(one, kind)), None)


def _paler(share: float) -> Plane:
    return np.asarray(np.rint(128 + (np.arange(256) - 128) * share), np.uint8)
