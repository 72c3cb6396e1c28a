"""A car seen from the side, and the glow of its headlights at night."""

from functools import lru_cache

import numpy as np

from doorbell.scene.script import Colour
from doorbell.scene.sprites import Canvas, Mips

LENGTH, HEIGHT = 4.6, 1.6


@lru_cache(maxsize=16)
def car(colour: Colour) -> Mips:
    """The sprite, driving to the right, LENGTH by HEIGHT metres."""
    c = Canvas(LENGTH / 2, HEIGHT, 100)
    x = np.broadcast_to(c.x, c.alpha.shape)
    roof = np.interp(
        x[0], [-2.15, -2.05, -1.75, -1.15, -0.6, 0.35, 1.0, 1.9, 2.15, 2.2],
        [0.5, 0.95, 1.02, 1.38, 1.48, 1.45, 1.03, 0.88, 0.66, 0.4],
    ).astype(np.float32)  # fmt: skip
    light = 0.70 + 0.35 * np.clip((c.y - 0.5) / 0.9, 0, 1) + 0.14 * np.exp(-(((c.y - 0.92) / 0.05) ** 2))
    body = np.minimum(np.minimum(roof[None, :] - c.y, c.y - 0.26), 2.2 - np.abs(x))
    c._over(body, light, colour)  # noqa: SLF001  a car is one outline no other sprite needs
    glass = np.minimum(roof[None, :] - 0.09 - c.y, c.y - 1.0)
    for left, right in ((-1.55, -0.72), (-0.62, 0.12), (0.2, 0.92)):
        pane = np.minimum(glass, np.minimum(x - left, right - x))
        c._over(pane, 0.75 + 0.5 * (c.y - 1.0), (0.22, 0.28, 0.33))  # noqa: SLF001
    for seam in (-0.67, 0.16, 0.95):
        c.box(seam - 0.01, 0.4, seam + 0.01, 1.0, (colour[0] * 0.5, colour[1] * 0.5, colour[2] * 0.5))
    c.box(-2.2, 0.24, 2.2, 0.34, (0.12, 0.12, 0.13))
    for wheel in (-1.38, 1.38):
        c.ellipse((wheel, 0.33), 0.39, 0.39, (0.05, 0.05, 0.06), above=0.3)
        c.ellipse((wheel, 0.32), 0.32, 0.32, (0.09, 0.09, 0.10))
        c.ellipse((wheel, 0.32), 0.19, 0.19, (0.62, 0.63, 0.66))
    c.ellipse((2.06, 0.70), 0.10, 0.07, (0.98, 0.97, 0.90))
    c.ellipse((-2.07, 0.80), 0.06, 0.10, (0.80, 0.10, 0.08))
    return c.finish()


@lru_cache(maxsize=2)
def glow(colour: Colour) -> Mips:
    """A round soft light: white in front, red behind."""
    c = Canvas(0.5, 1.0, 96)
    far = np.sqrt((c.x / 0.5) ** 2 + ((c.y - 0.5) / 0.5) ** 2).clip(0, 1)
    c.rgb[:] = colour
    c.alpha = ((1 - far) ** 2 * 0.85 + (far < 0.16)).clip(0, 1).astype(np.float32)
    return c.finish()
