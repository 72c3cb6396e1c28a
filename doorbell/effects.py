"""Everything the pure core may ask of the world, as frozen values that the doorman carries out in the order given."""

from __future__ import annotations

from attrs import frozen


@frozen
class Ring:
    """Somebody pressed: chime, alert and ring at once, before anything is saved."""

    at: float
    visit: str


@frozen
class Record:
    """Begin a clip of this visit, with its pre-roll. ``trigger`` is press, motion or motion-and-pir."""

    at: float
    visit: str
    trigger: str


@frozen
class Finish:
    """The running clip ends here and is kept."""

    at: float
    visit: str


@frozen
class Motion:
    """What Home Assistant and the like are told: something moves (``active``) or no longer."""

    active: bool


@frozen
class VisitEnded:
    """For the history: who was there from ``began`` to ``ended``, and whether they pressed."""

    visit: str
    began: float
    ended: float
    trigger: str
    presses: int


@frozen
class StartRecorder:
    """Start a fresh child process; the one before is gone or was told to go."""


@frozen
class KillRecorder:
    """The child shows no new frame: SIGKILL, and no waiting for its end (it may be stuck in the kernel)."""


@frozen
class FinishRecorder:
    """Close the child's pipe: it finishes the running clip and ends."""


@frozen
class CameraLost:
    """Three children in a row showed nothing. The door goes on trying, and ringing."""


@frozen
class CameraBack:
    """Frames arrive again after CameraLost."""


Effect = (
    Ring | Record | Finish | Motion | VisitEnded
    | StartRecorder | KillRecorder | FinishRecorder | CameraLost | CameraBack
)  # fmt: skip
