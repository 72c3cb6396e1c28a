"""When the recorder is started, given up and started again; the bell never notices.

picamera2 stalls for real (its issues #1090 and #1392: hours in, without a word), so a child that shows no new frame
is killed, and one that not even SIGKILL ends is left behind without waiting for it.
"""

from __future__ import annotations

from attrs import evolve, frozen

from doorbell.effects import CameraBack, CameraLost, Effect, FinishRecorder, KillRecorder, StartRecorder

FIRST_FRAME_S = 60.0
"""A Zero W imports slowly."""
NEXT_FRAME_S = 4.5
"""Since the newest frame; they are told of once a second. A stall is to be seen within 5 s."""
SHORTEST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
FAILURES_UNTIL_LOST = 3
STEADY_S = 60.0
"""A child that showed frames for this long has made good for the failures before it."""


@frozen
class Supervision:
    """What is known of the child: ``started`` None while there is none; ``seen`` its last new frame, if any."""

    wanted: bool = False
    started: float | None = None
    ready: float | None = None
    seen: float = 0.0
    failures: int = 0
    retry: float = 0.0
    lost: bool = False


def deadline(now: Supervision) -> float | None:
    """When ``settle`` has something to do without an event."""
    if not now.wanted:
        return None
    if now.started is None:
        return now.retry
    return now.seen + NEXT_FRAME_S if now.ready is not None else now.started + FIRST_FRAME_S


def settle(now: Supervision, at: float) -> tuple[Supervision, list[Effect]]:
    """Start what is wanted and due; give up what shows nothing."""
    due = deadline(now)
    if due is None or at < due:
        return now, []
    if now.started is None:
        return evolve(now, started=at, ready=None, seen=at), [StartRecorder()]
    after, effects = gone(now, at)
    return after, [KillRecorder(), *effects]


def frames(now: Supervision, at: float) -> tuple[Supervision, list[Effect]]:
    """The child showed a new frame."""
    if now.started is None:
        return now, []
    effects: list[Effect] = [CameraBack()] if now.lost else []
    ready = at if now.ready is None else now.ready
    failures = 0 if at - ready >= STEADY_S else now.failures
    return evolve(now, ready=ready, seen=at, lost=False, failures=failures), effects


def gone(now: Supervision, at: float) -> tuple[Supervision, list[Effect]]:
    """The child ended, or was given up: wait twice as long as the last time, 1 to 60 s, and try again for ever."""
    if now.started is None:
        return now, []
    failures = now.failures + 1
    wait = min(LONGEST_WAIT_S, SHORTEST_WAIT_S * 2 ** min(failures - 1, 6))
    lost = now.lost or failures >= FAILURES_UNTIL_LOST
    after = evolve(now, started=None, ready=None, failures=failures, retry=at + wait, lost=lost)
    return after, [CameraLost()] if lost and not now.lost else []


def want(now: Supervision, wanted: bool, at: float) -> tuple[Supervision, list[Effect]]:
    """Recording was switched on or off by a person: off ends the child, so the sensor is off."""
    if wanted == now.wanted:
        return now, []
    if wanted:
        return settle(evolve(now, wanted=True, retry=at, failures=0), at)
    effects: list[Effect] = [FinishRecorder()] if now.started is not None else []
    return Supervision(lost=False), effects
