"""Draws the pictures of docs/motion.md from the synthetic door: PYTHONPATH=. python docs/pictures/motion.py.

pngquant makes two of them small.
"""

import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from doorbell.replay.picture import png
from doorbell.scene import DEFAULT_ZONE, Car, CloudShadow, PasserBy, PorchLamp, Rain, Scene, Script, Visitor
from doorbell.scene.script import Happening
from doorbell.vision.motion import Motion

HERE = Path(__file__).parent
RATE = 10
Pixels = NDArray[np.uint8]


def grey(table: NDArray[np.generic], low: float, high: float) -> Pixels:
    """A table of cells as a picture of 320x240."""
    scaled = np.clip((table.astype(np.float32) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return np.repeat(np.repeat(np.repeat(scaled, 4, 0), 4, 1)[..., None], 3, 2)


def stages() -> None:
    """Six steps of one look, at a visitor while a lamp goes on: what is there, and what is left of it."""
    scene = Scene(320, 240, seed=1, script=Script((Visitor(at=4.0), PorchLamp(at=13.0)), noise=1.5))
    core = Motion(320, 240, RATE)
    luma = scene.frame(0).y
    for index in range(132):
        luma = scene.frame(index / RATE).y
        core.feed(luma, index / RATE)
    grid, maps, relief = core._grid, core._differences, core._relief  # noqa: SLF001  a look inside is the point
    background = core._background  # noqa: SLF001
    level, usual = grid.table(relief.level), grid.table(background.usual)
    tiles = [
        np.repeat(luma[..., None], 3, 2),
        grey(usual, 0, 3300),
        grey(level.astype(np.int32) - usual, -800, 800),
        grey(grid.table(relief.out), -800, 800),
        grey(grid.table(background.least), 0, 250),
        grey(grid.table(maps.dense), 0, 1),
    ]
    (HERE / "motion-stages.png").write_bytes(png(np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])])))


def replayed(name: str, happenings: tuple[Happening, ...], *arguments: str, seconds: int, night: bool = False) -> None:
    """A video of the scene through `doorbell replay --picture`."""
    scene = Scene(640, 480, seed=2, script=Script(happenings, night=night, noise=1.5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scene.mp4")
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
            for index in range(seconds * RATE):
                drawn = scene.frame(index / RATE)
                planes = np.concatenate([drawn.y.ravel(), drawn.u.ravel(), drawn.v.ravel()]).reshape(720, 640)
                frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                frame.pts, frame.time_base = index, Fraction(1, RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        picture = str(HERE / f"motion-{name}.png")
        command = [sys.executable, "-m", "doorbell", "replay", str(path), "--why", "--picture", picture, *arguments]
        subprocess.run(command, check=True)
        # A film's noise triples a PNG, and nobody sees it here.
        subprocess.run(
            ["pngquant", "--strip", "--nofs", "--speed", "1", "--force", "--output", picture, "256", picture],
            check=True,
        )


if __name__ == "__main__":
    stages()
    zone = str([list(corner) for corner in DEFAULT_ZONE])
    passing = (Car(at=4.0), PasserBy(at=7.0), CloudShadow(at=12.0, seconds=8.0), Car(at=21.0, direction="left"))
    replayed("visit", (*passing, Visitor(at=24.0, stay_s=6.0)), "--zone", zone, seconds=50)
    replayed("held", (Rain(at=3.0, severity=0.6), *passing), "--zone", zone, seconds=30, night=True)
