"""What the lab's virtual camera sees: the scene generator's front door as numbered JPEGs."""

from __future__ import annotations

from pathlib import Path

from doorbell.clips.poster import jpeg
from doorbell.scene import Scene, Script, Visitor
from doorbell.senses.camera import Still

WIDTH, HEIGHT = 640, 480
SECONDS, FPS = 16, 4
STORY = Script(happenings=(Visitor(at=5.0, stay_s=2.0),), noise=1.0)
"""A quiet street, then a visitor, who is gone again before the story starts over."""


def draw(folder: Path) -> None:
    """Write the pictures to *folder*, unless they are there already."""
    if len(list(folder.glob("*.jpg"))) == SECONDS * FPS:
        return
    folder.mkdir(parents=True, exist_ok=True)
    scene = Scene(WIDTH, HEIGHT, 7, STORY)
    for number in range(SECONDS * FPS):
        picture = scene.frame(number / FPS)
        still = Still(0.0, (picture.y, picture.u, picture.v))
        (folder / f"{number:04}.jpg").write_bytes(jpeg(still, 120_000, {}))
