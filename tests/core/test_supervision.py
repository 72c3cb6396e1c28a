"""The recorder's life: started, given up, started again."""

from __future__ import annotations

from doorbell.effects import CameraBack, CameraLost, FinishRecorder, KillRecorder, StartRecorder
from doorbell.supervision import (
    FIRST_FRAME_S,
    LONGEST_WAIT_S,
    NEXT_FRAME_S,
    Supervision,
    deadline,
    frames,
    gone,
    settle,
    want,
)


def started(at: float = 0.0) -> Supervision:
    return want(Supervision(), True, at)[0]


def test_a_wanted_recorder_starts_at_once() -> None:
    assert want(Supervision(), True, 0.0)[1] == [StartRecorder()]


def test_the_first_frame_may_take_a_minute() -> None:
    now = started()
    assert settle(now, FIRST_FRAME_S - 0.1)[1] == []
    assert settle(now, FIRST_FRAME_S)[1] == [KillRecorder()]


def test_a_camera_that_hangs_is_given_up_after_5_s() -> None:
    now, _ = frames(started(), 10.0)
    assert settle(now, 10.0 + NEXT_FRAME_S - 0.1)[1] == []
    now, effects = settle(now, 10.0 + NEXT_FRAME_S)
    assert effects == [KillRecorder()]
    assert settle(now, deadline(now))[1] == [StartRecorder()]


def test_waits_grow_to_a_minute_and_trying_never_ends() -> None:
    now, at, waits = started(), 0.0, []
    for _ in range(20):
        now, _ = gone(now, at)
        waits.append(deadline(now) - at)
        at = deadline(now)
        now, effects = settle(now, at)
        assert effects == [StartRecorder()]
    assert waits[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(waits[7:]) == {LONGEST_WAIT_S}


def test_three_failures_are_told_once_and_a_frame_takes_it_back() -> None:
    now, told = started(), []
    for at in (1.0, 10.0, 20.0, 40.0):
        now, effects = gone(now, at)
        told += effects
        now, _ = settle(now, deadline(now))
    assert told == [CameraLost()]
    assert frames(now, 100.0)[1] == [CameraBack()]


def test_a_steady_minute_makes_good_for_earlier_failures() -> None:
    now, _ = gone(started(), 1.0)
    now, _ = settle(now, deadline(now))
    now, _ = frames(now, 10.0)
    now, _ = frames(now, 71.0)
    now, _ = gone(now, 72.0)
    assert deadline(now) == 73.0


def test_switched_off_the_recorder_ends_and_stays_off() -> None:
    now, effects = want(started(), False, 5.0)
    assert effects == [FinishRecorder()]
    assert deadline(now) is None
    assert gone(now, 6.0) == (now, [])
