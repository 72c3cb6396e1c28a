"""The invented front door as a camera's source: for the demo and for tests, never for a real door."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from doorbell.scene import Car, Leaves, PasserBy, Scene, Script, Visitor
from doorbell.senses.software import Shot
from doorbell.senses.stage import Stage

if TYPE_CHECKING:
    from doorbell.senses.camera import Planes, Settings

ROUND_S = 90.0
"""How long the story is; then it is told again."""

STORY = Script(
    happenings=(
        Leaves(severity=0.3),
        Car(at=8.0),
        PasserBy(at=20.0, direction="left"),
        Visitor(at=45.0),
        Car(at=70.0, direction="left"),
    ),
    noise=1.5,
)
"""A quiet street; one visitor, who rings; people and cars that are nobody's business."""


class Scenery:
    """A Source that draws a Scene at the settings' size and rate; a picture that is dropped is never drawn.

    With a *runtime* folder it is a stage: who is sent there as a visitor walks up, and whoever comes to the door
    presses the simulated button.
    """

    def __init__(
        self, settings: Settings, seed: int, *, once: bool, script: Script = STORY, runtime: Path | None = None
    ) -> None:
        self.width, self.height = settings.width, settings.height
        self._fps = settings.fps
        self._once = once
        self._story = script
        self._scene = Scene(settings.width, settings.height, seed, script)
        self._stage = Stage(runtime) if runtime is not None else None

    def shots(self) -> Iterator[Shot]:
        try:
            for number in count():
                t = number / self._fps
                if self._once and t >= ROUND_S:
                    return
                if number and t % ROUND_S < 1 / self._fps:
                    self._tell_again(t)
                if self._stage is not None:
                    self._act(self._stage, t)
                yield Shot(t, lambda t=t: self._planes(t))  # type: ignore[misc]
        finally:
            if self._stage is not None:
                self._stage.close()

    def _tell_again(self, t: float) -> None:
        """The story from its beginning at *t*; visitors who are still on stage stay."""
        on_stage = (
            one for one in self._scene.script.happenings if isinstance(one, Visitor) and t < one.at + one.seconds
        )
        again = (evolve(one, at=one.at + t) for one in self._story.happenings)
        self._scene.script = evolve(self._scene.script, happenings=(*on_stage, *again))

    def _act(self, stage: Stage, t: float) -> None:
        for _ in range(stage.sent()):
            self._scene.add(Visitor(at=t))
        for one in self._scene.script.happenings:
            if isinstance(one, Visitor) and one.presses and t - 1 / self._fps < one.at_the_door <= t:
                stage.press()
        stage.let_go(t)

    def _planes(self, t: float) -> Planes:
        frame = self._scene.frame(t)
        return frame.y, frame.u, frame.v
