"""The invented front door as a camera's source: for the demo and for tests, never for a real door."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from doorbell.scene import Car, Leaves, PasserBy, Scene, Script, Visitor
from doorbell.senses.software import Shot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorbell.senses.camera import Planes, Settings

ROUND_S = 90.0
"""How long the story is; then it begins again."""

STORY = Script(
    happenings=(
        Leaves(severity=0.3),
        Car(at=8.0),
        Visitor(at=20.0),
        PasserBy(at=55.0, direction="left"),
        Car(at=70.0, direction="left"),
    ),
    noise=1.5,
)
"""A quiet street; one visitor, who rings; people and cars that are nobody's business."""


class Scenery:
    """A Source that draws a Scene at the settings' size and rate; a picture that is dropped is never drawn."""

    def __init__(self, settings: Settings, seed: int, *, once: bool, script: Script = STORY) -> None:
        self.width, self.height = settings.width, settings.height
        self._fps = settings.fps
        self._once = once
        self._scene = Scene(settings.width, settings.height, seed, script)

    def shots(self) -> Iterator[Shot]:
        for number in count():
            t = number / self._fps
            if self._once and t >= ROUND_S:
                return
            yield Shot(t, lambda t=t: self._planes(t % ROUND_S))  # type: ignore[misc]

    def _planes(self, t: float) -> Planes:
        frame = self._scene.frame(t)
        return frame.y, frame.u, frame.v
