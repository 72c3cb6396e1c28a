"""The synthetic door: the same for the same seed, true to its labels, quiet where nothing happens."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from doorbell.errors import Mistake
from doorbell.scene import (
    DEFAULT_ZONE,
    Car,
    CloudShadow,
    CodecPulsing,
    Covered,
    ExposureHunting,
    Frame,
    Insect,
    IrSwitch,
    Leaves,
    LightRamp,
    LightStep,
    PasserBy,
    PorchLamp,
    Rain,
    Scene,
    Script,
    Shake,
    Snow,
    TurnedAway,
    Visitor,
    events,
)

W, H = 320, 180


def scene(*happenings, night=False, noise=0.0, seed=1) -> Scene:
    return Scene(W, H, seed, Script(tuple(happenings), night=night, noise=noise))


def moved(one: Frame, other: Frame) -> np.ndarray:
    return np.abs(one.y.astype(int) - other.y.astype(int))


@lru_cache(maxsize=1)
def zone() -> np.ndarray:
    """Pixels inside the zone, by the even-odd rule."""
    xs, ys = np.meshgrid((np.arange(W) + 0.5) / W, (np.arange(H) + 0.5) / H)
    inside = np.zeros((H, W), bool)
    corners = [*DEFAULT_ZONE, DEFAULT_ZONE[0]]
    for (x0, y0), (x1, y1) in pairwise(corners):
        if y0 != y1:
            inside ^= ((y0 > ys) != (y1 > ys)) & (xs < (x1 - x0) * (ys - y0) / (y1 - y0) + x0)
    return inside


def same(one: Frame, other: Frame) -> bool:
    return all(np.array_equal(getattr(one, p), getattr(other, p)) for p in "yuv")


BUSY = (Visitor(at=0), Car(at=3), Rain(), Snow(), Leaves(), CodecPulsing(), Insect())


def test_the_same_seed_shows_the_same_door_in_any_order():
    one, other = scene(*BUSY, noise=1.5), scene(*BUSY, noise=1.5)
    times = [0.4, 5.0, 9.9, 12.3]
    forwards = [one.frame(t) for t in times]
    backwards = [other.frame(t) for t in reversed(times)][::-1]
    assert all(same(a, b) for a, b in zip(forwards, backwards, strict=True))


def test_another_seed_is_another_street():
    assert moved(scene(seed=1).frame(0), scene(seed=2).frame(0)).mean() > 3


def test_a_frame_is_the_callers_to_keep():
    door = scene()
    first = door.frame(0)
    first.y[:] = 16
    assert door.frame(0).y.mean() > 60


def test_nothing_moves_at_an_empty_door():
    door = scene()
    assert same(door.frame(0), door.frame(1000))


def test_a_visitor_moves_the_zone_just_while_the_label_says_so():
    who = Visitor(at=1)
    door, empty = scene(who), scene().frame(0)
    (span,) = events(door.script)
    assert span.wanted
    for t in np.arange(0, who.at + who.seconds + 1, 0.25):
        pixels = (moved(door.frame(t), empty)[zone()] > 8).sum()
        if span.begins + 0.3 < t < span.ends - 0.3:
            assert pixels > 20, t
            assert any(actor.on_path for actor in door.frame(t).actors)
        elif t < span.begins - 1.2 or t > span.ends + 1.2:
            assert pixels == 0, t


@pytest.mark.parametrize("who", [Car(at=0), Car(at=0, direction="left"), PasserBy(at=0), PasserBy(at=0, far=True)])
def test_the_street_never_moves_the_zone(who):
    door, empty = scene(who), scene().frame(0)
    seen = 0
    for t in np.linspace(0, who.seconds, 25):
        difference = moved(door.frame(t), empty)
        seen += bool((difference > 15).sum() > 3)
        assert not difference[zone()].any(), t
    assert seen >= 5


def test_a_box_holds_its_visitor():
    who = Visitor(at=0)
    frame, empty = scene(who).frame(who.at_the_door + 3), scene().frame(0)
    (actor,) = frame.actors
    left, top, right, bottom = actor.box
    rows, cols = np.nonzero(moved(frame, empty) > 25)
    assert abs(cols.min() / W - left) < 0.03
    assert abs(cols.max() / W - right) < 0.03
    assert abs(rows.min() / H - top) < 0.03
    assert rows.max() / H - bottom < 0.06, "but for the shadow at the feet"


def test_a_visitor_behind_the_tall_hedge_is_not_seen():
    door = scene(Visitor(at=0))
    assert door.frame(0.3).actors == ()
    assert same(door.frame(0.3), scene().frame(0))


def test_a_faint_visitor_stands_out_less():
    empty = scene().frame(0)
    clear, faint = Visitor(at=0), Visitor(at=0, contrast=0.2)
    t = clear.at_the_door + 2
    change = [moved(scene(who).frame(t), empty).sum() for who in (clear, faint)]
    assert 0 < change[1] < 0.4 * change[0]


def test_a_press_shows_a_raised_hand():
    who, idle = Visitor(at=0), Visitor(at=0, presses=False)
    t = who.at_the_door
    assert not same(scene(who).frame(t + 0.5), scene(idle).frame(t + 0.5))
    assert same(scene(who).frame(t + 3), scene(idle).frame(t + 3))


def test_a_parcel_stays_when_its_bringer_is_gone():
    who = Visitor(at=0, parcel=True)
    frame = scene(who).frame(who.seconds + 60)
    assert [actor.kind for actor in frame.actors] == ["parcel"]
    assert not same(frame, scene().frame(0))


def test_a_visitor_can_be_sent_while_the_door_runs():
    door = scene()
    door.add(Visitor(at=20))
    assert [span.what for span in events(door.script)] == ["visitor"]
    assert door.frame(28).actors
    for k in range(1100):
        door.add(Visitor(at=100 + k))
    assert len(door.script.happenings) == 1000
    assert door.script.happenings[-1].at == 1199


NUISANCES = [
    Leaves(5, 10, 1.0), Rain(5, 10), Snow(5, 10), CloudShadow(5, 10), ExposureHunting(5, 10), CodecPulsing(5, 10),
    Shake(5, 10, 1.0), Insect(5, 10), Covered(5, 10), TurnedAway(5, 10), LightRamp(5, 10), LightStep(5, 10),
    PorchLamp(5, 10), IrSwitch(5, 10),
]  # fmt: skip


@pytest.mark.parametrize("what", NUISANCES, ids=lambda one: type(one).__name__)
def test_a_happening_changes_its_span_and_nothing_else(what):
    door, still = scene(what), scene().frame(0)
    assert same(door.frame(4.99), still)
    assert same(door.frame(15), still)
    during = [door.frame(t) for t in (7.3, 9.1, 10.2, 12.7)]
    assert sum(not same(frame, still) for frame in during) >= 3
    (span,) = events(door.script)
    assert (span.begins, span.ends, span.wanted) == (5, 15, False)


@pytest.mark.parametrize("kind", [Leaves, Rain, Snow, CloudShadow, CodecPulsing, Insect, Covered, TurnedAway])
def test_a_severer_happening_changes_more(kind):
    still = scene().frame(0)
    mild, hard = (moved(scene(kind(0, 20, s)).frame(8.3), still).sum() for s in (0.15, 1.0))
    assert mild < hard


def test_it_is_dark_at_night_and_the_lamp_lights_the_porch():
    day, night = scene().frame(0), scene(night=True).frame(0)
    lamp = scene(PorchLamp(0), night=True).frame(0)
    assert night.y.mean() - 16 < 0.25 * (day.y.mean() - 16)
    assert lamp.y[zone()].mean() > 1.5 * night.y[zone()].mean()


def test_headlights_sweep_over_the_house_only_by_night():
    def swept(car: Car, night: bool) -> int:
        door, dark = scene(car, night=night), scene(night=night).frame(0)
        return max(int((moved(door.frame(t), dark)[H // 2 :] > 2).sum()) for t in np.linspace(1, car.seconds - 1, 12))

    assert swept(Car(at=0), night=True) > 500
    assert swept(Car(at=0, headlights=False), night=True) == 0
    assert swept(Car(at=0), night=False) == 0


def test_infrared_is_grey():
    frame = scene(IrSwitch(0), Visitor(at=0), night=True).frame(9)
    assert (frame.u == 128).all()
    assert (frame.v == 128).all()


@pytest.mark.parametrize("night", [False, True])
def test_every_level_is_within_the_limited_range(night):
    door = scene(*BUSY, LightStep(0, gain=2.5), ExposureHunting(), PorchLamp(0), night=night, noise=5.0)
    for t in (0.0, 4.1, 9.9):
        frame = door.frame(t)
        assert frame.y.min() >= 16
        assert frame.y.max() <= 235
        assert min(frame.u.min(), frame.v.min()) >= 16
        assert max(frame.u.max(), frame.v.max()) <= 240


def test_noise_has_the_sigma_asked_for_and_differs_each_frame():
    clean, noisy = scene().frame(0), scene(noise=2.0)
    difference = noisy.frame(0).y.astype(int) - clean.y
    inner = (clean.y > 40) & (clean.y < 200)
    assert abs(difference[inner].std() - 2.0) < 0.2
    assert abs(difference[inner].mean()) < 0.1
    assert not same(noisy.frame(0), noisy.frame(1 / 15))


def test_planes_have_the_shapes_of_i420():
    frame = Scene(160, 120).frame(0)
    assert (frame.y.shape, frame.u.shape, frame.v.shape) == ((120, 160), (60, 80), (60, 80))
    assert {frame.y.dtype, frame.u.dtype, frame.v.dtype} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("size", [(321, 180), (320, 181), (158, 120), (160, 118)])
def test_an_odd_or_tiny_size_is_refused_with_the_fix(size):
    with pytest.raises(Mistake, match="use even sizes from 160x120"):
        Scene(*size)
