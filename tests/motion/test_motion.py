"""The core as the recorder uses it: any rate, any interruption, no look into the future, and clear refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell.scene import LightStep, Scene, Script, Visitor
from doorbell.vision.gates import Evidence, Found, Gate, Sensitivity
from doorbell.vision.motion import HOLD_S, OPEN_SPACING_S, Motion

SIZE = (160, 120)


def film(seconds, fps, *happenings, size=SIZE, seed=1):
    scene = Scene(*size, seed=seed, script=Script(happenings=happenings, noise=1.5))
    return [(scene.frame(index / fps).y, index / fps) for index in range(int(seconds * fps))]


@pytest.fixture(scope="module")
def visit():
    """Twenty seconds at 30 pictures a second; somebody comes out of the gate and reaches the door at about 12 s."""
    return film(20, 30, Visitor(at=4.0))


def first_alarm(pictures, core):
    return next((at for luma, at in pictures if core.feed(luma, at).active), None)


@pytest.mark.parametrize("every", [1, 2, 3, 6, 10, 15])
def test_a_visitor_is_found_at_two_to_thirty_pictures_a_second(visit, every):
    at = first_alarm(visit[::every], Motion(*SIZE, 30 / every))
    assert at is not None
    assert 4.0 < at < 13.5


@pytest.mark.parametrize("fps", [1, 60])
def test_one_and_sixty_pictures_a_second_are_sensible(fps):
    pictures = film(20, fps, Visitor(at=4.0))
    core = Motion(*SIZE, fps)
    spans = [at for luma, at in pictures if core.feed(luma, at).active]
    assert spans
    assert min(spans) > 4.0


def test_the_verdict_about_a_picture_never_depends_on_later_ones(visit):
    whole = Motion(*SIZE, 30)
    expected = [whole.feed(luma, at) for luma, at in visit]
    for length in (1, 7, 181, 305, 420):
        core = Motion(*SIZE, 30)
        assert [core.feed(luma, at) for luma, at in visit[:length]] == expected[:length]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_no_prefix_of_any_pictures_tells_more_than_the_whole(length, seed):
    random = np.random.default_rng(seed)
    pictures = [random.integers(0, 256, (48, 64), np.uint8) for _ in range(8)]
    order = random.integers(0, 8, 80)
    times = np.cumsum(random.choice([0.0, 0.01, 0.04, 0.1, 1.5], 80))
    one, other = Motion(64, 48, 10), Motion(64, 48, 10)
    whole = [one.feed(pictures[pick], at) for pick, at in zip(order, times, strict=True)]
    part = [other.feed(pictures[pick], at) for pick, at in list(zip(order, times, strict=True))[:length]]
    assert part == whole[:length]


def test_a_span_says_where_how_strong_and_since_when(visit):
    core = Motion(*SIZE, 30)
    seen = next(seen for seen in (core.feed(luma, at) for luma, at in visit) if seen.active)
    left, top, right, bottom = seen.box
    assert seen.gate in (Gate.MASS, Gate.TRAVEL)
    assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
    assert 0 < seen.strength <= 1
    assert seen.began <= 13.5


def test_an_alarm_ends_two_seconds_after_the_last_movement(visit):
    core = Motion(*SIZE, 30)
    last = None
    for luma, at in visit[: 30 * 14]:
        seen = core.feed(luma, at)
        if seen.gate in (Gate.MASS, Gate.TRAVEL):
            last = at
    assert last is not None
    still, active = visit[30 * 14][0], []
    for tick in range(100):
        at = 14 + tick / 10
        seen = core.feed(still, at)
        if seen.gate in (Gate.MASS, Gate.TRAVEL):
            last = at
        active.append((at, seen.active))
    end = next(at for at, on in active if not on)
    assert last + HOLD_S - OPEN_SPACING_S <= end <= last + HOLD_S + OPEN_SPACING_S + 0.1


def test_a_gap_in_time_is_survived(visit):
    core = Motion(*SIZE, 30)
    for luma, at in visit[:90]:
        core.feed(luma, at)
    assert not any(core.feed(luma, at + 3600).active for luma, at in visit[60:115])


def test_a_clock_that_jumps_back_starts_from_where_it_is(visit):
    core = Motion(*SIZE, 30)
    for luma, at in visit[:90]:
        core.feed(luma, at + 5000)
    assert not any(core.feed(luma, at).active for luma, at in visit[60:115])
    assert first_alarm(visit[115:], core) is not None


def test_time_that_stands_still_is_harmless(visit):
    core = Motion(*SIZE, 30)
    assert len({core.feed(luma, 1.0) for luma, _ in visit[:60]}) == 1


def test_an_agreeing_pir_shortens_the_wait():
    def look(agreed):
        evidence, waited = Evidence(Sensitivity(37, 4, 4.0)), 0
        found = Found(different=12, dense=10, lasting=8, moving=8, mass=7, front=1)
        while evidence.weigh(found, 0.1, 60.0, alarmed=False, agreed=agreed) not in (Gate.MASS, Gate.TRAVEL):
            waited += 1
        return waited

    assert look(agreed=True) < look(agreed=False)


def test_a_pir_alone_is_no_motion(visit):
    core = Motion(*SIZE, 30)
    for luma, at in visit[:115]:
        core.agree(at)
        assert not core.feed(luma, at).active


def test_what_was_held_back_is_counted_by_gate_once(watch_scene):
    held = watch_scene(LightStep(at=8.0, seconds=6.0), seconds=20).held
    assert held
    assert set(held) <= {"light", "picture", "still", "grain", "brief"}
    assert all(1 <= count <= 4 for count in held.values())


def test_counts_begin_anew_when_they_were_read():
    core = Motion(*SIZE, 10)
    for luma, at in film(14, 10, LightStep(at=4.0, seconds=2.0)):
        core.feed(luma, at)
    assert core.held_back()
    assert core.held_back() == {}


def test_a_zone_hides_what_is_outside_it(visit):
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[:20, :40] = 1
    assert first_alarm(visit, Motion(*SIZE, 30, mask)) is None


def test_a_higher_sensitivity_never_finds_later(visit):
    alarms = [first_alarm(visit, Motion(*SIZE, 30, None, knob)) or 99.0 for knob in ("low", "medium", "high")]
    assert alarms == sorted(alarms, reverse=True)


def test_black_white_and_flickering_pictures_do_no_harm():
    core = Motion(64, 48, 10)
    for index in range(100):
        level = (0, 255, 128)[index % 3] if index > 30 else 0
        assert not core.feed(np.full((48, 64), level, np.uint8), index / 10).active


@pytest.mark.parametrize(
    ("luma", "sentence"),
    [
        (np.zeros((48, 65), np.uint8), "64x48"),
        (np.zeros((48, 64, 3), np.uint8), "64x48"),
        (np.zeros((48, 64), np.float32), "uint8"),
    ],
)
def test_a_picture_of_another_shape_or_type_is_refused(luma, sentence):
    with pytest.raises(ValueError, match=sentence):
        Motion(64, 48, 10).feed(luma, 0.0)


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="mask"):
        Motion(64, 48, 10, np.ones((48, 63), np.uint8))


def test_an_unknown_sensitivity_is_refused():
    with pytest.raises(ValueError, match="low, medium or high"):
        Motion(64, 48, 10, None, "highest")


def test_a_picture_allocates_no_array(visit):
    import tracemalloc

    core = Motion(*SIZE, 30)
    for luma, at in visit:
        core.feed(luma, at)
    tracemalloc.start()
    try:
        for luma, at in visit:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            core.feed(luma, at + 20)
            assert tracemalloc.get_traced_memory()[1] - before < 4096
    finally:
        tracemalloc.stop()
