"""One visit from its first sign to its last: what the door does when somebody presses, or something moves.

``step`` is the whole decision. It knows no clock: whoever calls it says when, and calls it again at ``deadline``.
What always holds (tests/test_visit.py): every Record has its Finish, in order, never two at once; every press is
one Ring, whatever else is broken; no visit outlasts its limit.
"""

from __future__ import annotations

from attrs import evolve, frozen

from doorbell.effects import Effect, Finish, Motion, Record, Ring, VisitEnded
from doorbell.events import ClipLost, Pir, Pressed, RecorderGone, RecorderReady, Saw

AGREEMENT_S = 5.0
"""Motion and PIR agree when both said so within this time of each other."""

MOST_IN_A_ROW = 5
"""What moves without a pause fills this many clips, one after the other; then only a pause or a press begins one.
A swaying tree that the motion core takes for a visitor must not push the history off the card."""

CALM_S = 5.0
"""Motion is told as over when nothing moved for this long: who stands still for a breath has not gone."""

RETRY_S = 10.0
"""After a clip that the card would not take, the next sign begins another no sooner than this."""

NEVER = float("-inf")


@frozen
class Limits:
    """The owner's choices, in seconds; ``record_on`` as in the configuration."""

    linger_s: float = 10.0
    longest_s: float = 120.0
    record_on: str = "motion"


@frozen
class Visit:
    """What the door knows of its front: the senses' levels, and the visit in progress (``id`` empty: nobody there)."""

    id: str = ""
    trigger: str = ""
    began: float = NEVER
    last_sign: float = NEVER
    presses: int = 0
    recording: bool = False
    lost: float = NEVER
    """When the last clip was lost to the card: the next one of this visit waits RETRY_S."""
    eyes: bool = False
    moving: bool = False
    warm: bool = False
    warmed: float = NEVER
    told: bool = False
    calm_since: float = NEVER
    """When whatever moved last stopped; it counts while ``told``."""
    in_a_row: int = 0

    @property
    def active(self) -> bool:
        """Some sense says that somebody is there now."""
        return self.moving or self.warm


def deadline(visit: Visit, limits: Limits) -> float | None:
    """When ``step`` wants to be called without an event, if at all."""
    calm = visit.calm_since + CALM_S if visit.told and not _moves(visit) else None
    end = _end_at(visit, limits) if visit.id else None
    return min((one for one in (calm, end) if one is not None), default=None)


def _end_at(visit: Visit, limits: Limits) -> float:
    limit = visit.began + limits.longest_s
    return limit if visit.active else min(limit, visit.last_sign + limits.linger_s)


def step(visit: Visit, event: object, at: float, limits: Limits, fresh: str) -> tuple[Visit, list[Effect]]:
    """Take one event (or None at a deadline); *fresh* is an unused id, taken if a visit begins.

    What was due before the event is done first, so that a late loop comes to the same decisions as a punctual one.
    """
    visit, effects = _what_is_due(visit, at, limits)
    if _moves(visit):
        visit = evolve(visit, calm_since=at)
    visit, more = _take(visit, event, at, limits, fresh)
    effects += more
    visit, more = _begin_by_motion(visit, at, limits, fresh)
    effects += more
    visit, more = _tell(visit, at)
    return visit, effects + more


def _what_is_due(visit: Visit, at: float, limits: Limits) -> tuple[Visit, list[Effect]]:
    if not visit.id or at < (due := _end_at(visit, limits)):
        return visit, []
    full = visit.active or due >= visit.began + limits.longest_s
    ended, effects = _end(visit, due)
    return evolve(ended, in_a_row=visit.in_a_row + 1 if full else 0), effects


def _take(visit: Visit, event: object, at: float, limits: Limits, fresh: str) -> tuple[Visit, list[Effect]]:
    match event:
        case Pressed():
            return _press(visit, at, limits, fresh)
        case Saw():
            visit = evolve(visit, moving=event.active, eyes=True)
            return _sign(visit, at, begins=False), []
        case Pir():
            visit = evolve(visit, warm=event.active, warmed=at)
            return _sign(visit, at, begins=False), []
        case RecorderReady():
            return _see(visit, at, limits)
        case ClipLost():
            # Only said of the clip that runs: the visit goes on without one, until its next sign.
            return evolve(visit, recording=False, lost=at), []
        case RecorderGone():
            # The clip that ran is finished by the dying child, or cut to what is whole afterwards.
            gone = evolve(visit, eyes=False, moving=False, recording=False)
            return gone, [Finish(at, visit.id)] if visit.recording else []
        case _:
            return visit, []


def _see(visit: Visit, at: float, limits: Limits) -> tuple[Visit, list[Effect]]:
    visit = evolve(visit, eyes=True)
    if not visit.id or visit.recording or not (visit.presses or limits.record_on != "press"):
        return visit, []
    return evolve(visit, recording=True), [Record(at, visit.id, visit.trigger)]


def _press(visit: Visit, at: float, limits: Limits, fresh: str) -> tuple[Visit, list[Effect]]:
    effects: list[Effect] = []
    if visit.id and at > visit.began + limits.longest_s - limits.linger_s:
        # So late in a visit hardly anything of who pressed would be recorded: this is the next one.
        visit, effects = _end(visit, at)
    if not visit.id:
        visit = _begin(visit, at, "press", fresh)
    effects.append(Ring(at, visit.id))
    if visit.eyes and not visit.recording:
        effects.append(Record(at, visit.id, visit.trigger))
    visit = evolve(visit, presses=visit.presses + 1, recording=visit.recording or visit.eyes, in_a_row=0)
    return _sign(visit, at, begins=True), effects


def _begin_by_motion(visit: Visit, at: float, limits: Limits, fresh: str) -> tuple[Visit, list[Effect]]:
    if not visit.moving and not visit.id:
        visit = evolve(visit, in_a_row=0)
    if visit.id and visit.moving and visit.eyes and not visit.recording and at - visit.lost >= RETRY_S:
        again = visit.presses or limits.record_on != "press"
        return (evolve(visit, recording=True), [Record(at, visit.id, visit.trigger)]) if again else (visit, [])
    if visit.id or not visit.moving or visit.in_a_row >= MOST_IN_A_ROW or limits.record_on == "press":
        return visit, []
    trigger = "motion"
    if limits.record_on == "motion-and-pir":
        if not (visit.warm or at - visit.warmed <= AGREEMENT_S):
            return visit, []
        trigger = "motion-and-pir"
    visit = evolve(_begin(visit, at, trigger, fresh), recording=True)
    return visit, [Record(at, visit.id, trigger)]


def _begin(visit: Visit, at: float, trigger: str, fresh: str) -> Visit:
    return evolve(visit, id=fresh, trigger=trigger, began=at, last_sign=at, presses=0, recording=False)


def _sign(visit: Visit, at: float, *, begins: bool) -> Visit:
    return evolve(visit, last_sign=at) if visit.id or begins else visit


def _end(visit: Visit, at: float) -> tuple[Visit, list[Effect]]:
    effects: list[Effect] = [Finish(at, visit.id)] if visit.recording else []
    effects.append(VisitEnded(visit.id, visit.began, at, visit.trigger, visit.presses))
    return evolve(visit, id="", trigger="", recording=False, presses=0), effects


def _moves(visit: Visit) -> bool:
    # Without eyes the PIR alone is believed: better a motion too many than a blind door that says nothing moves.
    return visit.moving or (visit.warm and not visit.eyes)


def _tell(visit: Visit, at: float) -> tuple[Visit, list[Effect]]:
    if _moves(visit):
        return (visit, []) if visit.told else (evolve(visit, told=True), [Motion(True)])
    if visit.told and at >= visit.calm_since + CALM_S:
        return evolve(visit, told=False), [Motion(False)]
    return visit, []


def goodbye(visit: Visit, at: float) -> tuple[Visit, list[Effect]]:
    """The daemon stops: the running visit ends here."""
    return _end(visit, at) if visit.id else (visit, [])
