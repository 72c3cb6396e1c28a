"""Visits: what the door does when somebody presses, or something moves."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from doorbell.effects import Finish, Motion, Record, Ring, VisitEnded
from doorbell.events import ClipLost, Event, Pir, Pressed, RecorderGone, RecorderReady, Saw
from doorbell.visit import MOST_IN_A_ROW, Limits, Visit, deadline, goodbye, step

NOWHERE = (0.0, 0.0, 0.0, 0.0)


def saw(at: float, active: bool = True) -> Saw:
    return Saw(at, active, at, NOWHERE, 0.5)


def play(events: list[Event], until: float, limits: Limits = Limits()) -> list[object]:  # noqa: B008
    """What the door does about *events*, with a loop that wakes at each deadline, and a goodbye at *until*."""
    visit, done, ids = Visit(), [], (f"visit{n}" for n in itertools.count())
    for event in [*events, None]:
        at = until if event is None else event.at
        while (due := deadline(visit, limits)) is not None and due < at:
            visit, effects = step(visit, None, due, limits, next(ids))
            done += effects
        if event is not None:
            visit, effects = step(visit, event, at, limits, next(ids))
            done += effects
    return done + goodbye(visit, until)[1]


def of(kind: type, effects: list[object]) -> list:
    return [effect for effect in effects if isinstance(effect, kind)]


def test_a_press_rings_before_anything_else_happens() -> None:
    assert isinstance(play([RecorderReady(0), Pressed(1)], 2)[0], Ring)


def test_a_press_rings_without_a_recorder() -> None:
    done = play([Pressed(1)], 100)
    assert len(of(Ring, done)) == 1
    assert of(Record, done) == []


def test_a_press_records_even_when_only_motion_was_asked_for() -> None:
    for record_on in ("press", "motion", "motion-and-pir"):
        done = play([RecorderReady(0), Pressed(1)], 100, Limits(record_on=record_on))
        assert [r.trigger for r in of(Record, done)] == ["press"]


def test_press_pir_and_motion_join_one_clip() -> None:
    done = play([RecorderReady(0), saw(1), Pressed(3), Pir(4, True), Pir(6, False), saw(8, active=False)], 100)
    assert len(of(Record, done)) == 1
    assert [f.at for f in of(Finish, done)] == [18.0]


def test_a_visit_lingers_after_its_last_sign() -> None:
    done = play([RecorderReady(0), saw(1), saw(5, active=False)], 100, Limits(linger_s=7))
    assert [(v.began, v.ended) for v in of(VisitEnded, done)] == [(1.0, 12.0)]


def test_a_visit_cannot_outlast_its_limit() -> None:
    done = play([RecorderReady(0), saw(1)], 130)
    assert of(VisitEnded, done)[0].ended == 121.0


def test_what_never_stops_moving_fills_five_clips_and_no_more() -> None:
    done = play([RecorderReady(0), saw(1)], 10_000)
    assert len(of(Record, done)) == MOST_IN_A_ROW


def test_after_too_many_clips_a_pause_lets_motion_begin_one_again() -> None:
    done = play([RecorderReady(0), saw(1), saw(5000, active=False), saw(5001)], 5002)
    assert len(of(Record, done)) == MOST_IN_A_ROW + 1


def test_a_pir_that_sticks_does_not_end_the_recording_of_visitors() -> None:
    visitors = [one for day in range(20) for one in (saw(1000.0 * day + 10), saw(1000.0 * day + 15, active=False))]
    done = play([RecorderReady(0), Pir(1, True), *visitors], 30_000)
    assert len({r.at // 1000 for r in of(Record, done) if r.at % 1000 < 20}) == 20


def test_a_press_late_in_a_visit_is_recorded_as_long_as_any() -> None:
    done = play([RecorderReady(0), saw(1), Pressed(115)], 150)
    assert [(r.at, r.trigger) for r in of(Record, done)][:2] == [(1, "motion"), (115, "press")]
    assert of(Ring, done)[0].visit == of(Record, done)[1].visit


def test_after_a_clip_that_the_card_would_not_take_the_visit_gets_another_soon() -> None:
    lost = ClipLost(5.0, "clip", "full")
    done = play([RecorderReady(0), saw(1), lost, saw(8), saw(16), saw(20, active=False)], 100)
    assert [r.at for r in of(Record, done)] == [1, 16]


def test_a_press_records_though_motion_never_stops() -> None:
    done = play([RecorderReady(0), saw(1), Pressed(5000)], 5002)
    assert of(Record, done)[-1].trigger == "press"


def test_motion_alone_records_nothing_where_the_owner_asked_for_presses() -> None:
    done = play([RecorderReady(0), saw(1), saw(9, active=False)], 100, Limits(record_on="press"))
    assert [type(effect) for effect in done] == [Motion, Motion]


def test_motion_without_the_pir_records_nothing_where_both_must_agree() -> None:
    both = Limits(record_on="motion-and-pir")
    assert of(Record, play([RecorderReady(0), saw(1), saw(9, active=False)], 100, both)) == []
    assert of(Record, play([RecorderReady(0), Pir(1, True), Pir(2, False), saw(8)], 9, both)) == []
    agreed = play([RecorderReady(0), Pir(1, True), Pir(2, False), saw(6)], 9, both)
    assert [r.trigger for r in of(Record, agreed)] == ["motion-and-pir"]
    later = play([RecorderReady(0), saw(1), Pir(3, True)], 9, both)
    assert [r.at for r in of(Record, later)] == [3]


def test_a_recorder_that_comes_back_goes_on_with_the_visit() -> None:
    done = play([RecorderReady(0), Pressed(1), RecorderGone(2, 1, -9), RecorderReady(4)], 100)
    assert [(type(e).__name__, e.at) for e in done if isinstance(e, Record | Finish)] == [
        ("Record", 1),
        ("Finish", 2),
        ("Record", 4),
        ("Finish", 11),
    ]


def test_without_eyes_the_pir_is_believed() -> None:
    assert play([Pir(1, True), Pir(2, False)], 9) == [Motion(True), Motion(False)]
    assert of(Motion, play([RecorderReady(0), Pir(1, True), Pir(2, False)], 3)) == []


def test_motion_is_over_only_after_five_calm_seconds() -> None:
    pauses = [saw(1), saw(2, active=False), saw(6), saw(9, active=False)]
    for until, told in ((13.9, [True]), (15, [True, False])):
        done = play([RecorderReady(0), *pauses], until, Limits(record_on="press"))
        assert [motion.active for motion in of(Motion, done)] == told


def any_events() -> st.SearchStrategy[list[Event]]:
    def place(steps: list[tuple[float, int]]) -> list[Event]:
        events: list[Event] = []
        at = 0.0
        for wait, kind in steps:
            at += wait
            events.append(
                [
                    Pressed(at), saw(at), saw(at, active=False), Pir(at, True), Pir(at, False),
                    RecorderReady(at), RecorderGone(at, 1, 0),
                ][kind]
            )  # fmt: skip
        return events

    return st.lists(st.tuples(st.floats(0.001, 200), st.integers(0, 6)), max_size=40).map(place)


@given(any_events(), st.sampled_from(["press", "motion", "motion-and-pir"]), st.floats(1, 60))
def test_always_every_record_has_its_finish_and_every_press_its_ring(
    events: list[Event], record_on: str, linger: float
) -> None:
    limits = Limits(linger_s=linger, longest_s=max(linger, 30), record_on=record_on)
    done = play(events, 100_000, limits)
    running = None
    for effect in done:
        if isinstance(effect, Record):
            assert running is None
            running = effect.visit
        if isinstance(effect, Finish):
            assert running == effect.visit
            running = None
    assert running is None
    assert len(of(Ring, done)) == len(of(Pressed, events))
    for visit in of(VisitEnded, done):
        assert visit.ended - visit.began <= limits.longest_s + 1e-9
    ids = [visit.visit for visit in of(VisitEnded, done)]
    assert len(set(ids)) == len(ids)
    told = [motion.active for motion in of(Motion, done)]
    assert all(a != b for a, b in itertools.pairwise([False, *told]))
