"""How much light falls where: day, night, the lamp, infrared, headlights, clouds; and what exposure makes of it.

Light is one byte a pixel, 64 standing for plain daylight (so up to four times that), and a table of 256 levels for
whatever changes the whole picture alike. Both are applied once a frame, whatever is in it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doorbell.scene.script import (
    Car,
    CloudShadow,
    Covered,
    ExposureHunting,
    IrSwitch,
    LightRamp,
    LightStep,
    street_x,
)
from doorbell.scene.world import DEPTH_STEPS, Plane, World

PLAIN = 64
_SKY = 255


def night_lights(world: World) -> dict[str, Plane]:
    """The fields of light by night: `dark` (moon and street lamp), `lamp` (to be added), `infrared` (instead)."""
    height, width = world.y.shape
    u = ((np.arange(width) + 0.5) / width)[None, :]
    v = ((np.arange(height) + 0.5) / height)[:, None]
    metres = world.depth.astype(np.float32) / DEPTH_STEPS
    sky = world.depth == _SKY
    street = np.exp(-(((u - 0.72) / 0.22) ** 2)) * (metres > 9.5) * 0.30
    dark = np.where(sky, 0.07 + 0.10 * v, 0.10 + street)
    from_lamp = (u - 0.30) ** 2 + (1.3 * (v - 0.55)) ** 2
    lamp = np.where(sky, 0, 1.0 * np.exp(-from_lamp / 0.32) / (1 + (metres / 4.5) ** 2))
    beam = np.exp(-(((u - 0.5) / 0.42) ** 2 + ((v - 0.55) / 0.45) ** 2))
    infrared = np.where(sky, 0.02, 0.06 + 1.25 * beam / (1 + (metres / 5.5) ** 2))
    return {
        name: np.clip(np.rint(field * PLAIN), 0, 255).astype(np.uint8)
        for name, field in (("dark", dark), ("lamp", lamp), ("infrared", infrared))
    }


def shine(y: Plane, field: Plane) -> None:
    """Multiplies the luma (above black) by the field of light, in place."""
    wide = (y - np.uint8(16)).astype(np.uint16)
    wide *= field
    wide >>= 6
    np.minimum(wide, 219, out=wide)
    np.add(wide, 16, out=y, casting="unsafe")


def pale(chroma: Plane, field: Plane) -> None:
    """Takes the colour out where the light is weak, as an eye and a sensor do; `field` at the luma's size."""
    share = np.minimum(field[::2, ::2], 54).astype(np.int16)
    gap = chroma.astype(np.int16)
    gap -= 128
    gap *= share
    gap >>= 6
    np.add(gap, 128, out=chroma, casting="unsafe")


def cloud(cover: CloudShadow, t: float, width: int, rows: int) -> tuple[slice, NDArray[np.uint8]] | None:
    """Columns under the cloud's shadow at `t` and their field of light, shape (rows, n); None while it is clear."""
    s = (t - cover.at) / cover.seconds if math.isfinite(cover.seconds) else (t - cover.at) / 20 % 1
    centre = -0.5 + 2.0 * s
    left, right = max(int((centre - 0.45) * width), 0), min(int((centre + 0.45) * width), width)
    if right <= left:
        return None
    away = (np.arange(left, right) / width - centre) / 0.45
    dim = 1 - 0.6 * cover.severity * (0.5 + 0.5 * np.cos(math.pi * away))
    return slice(left, right), np.broadcast_to(np.rint(dim * PLAIN).astype(np.uint8), (rows, right - left))


def headlights(car: Car, t: float, world: World, field: Plane) -> None:
    """Adds the sweep of a car's beam to the field: over hedge, lawn and wall, opposite to the way it drives."""
    x = street_x(car, t)
    if x is None or abs(x) > 14:
        return
    height, width = field.shape
    centre = 0.5 - x / 22
    left, right = max(int((centre - 0.22) * width), 0), min(int((centre + 0.22) * width), width)
    if right <= left:
        return
    near = world.depth[:, left:right] < 10 * DEPTH_STEPS
    across = 34 * np.exp(-((((np.arange(left, right) / width) - centre) / 0.09) ** 2))
    down = np.exp(-(((np.arange(height) / height - 0.42) / 0.20) ** 2)) * (1 - (x / 14) ** 2)
    more = (down[:, None] * across[None, :]).astype(np.uint8) * near
    part = field[:, left:right]
    np.add(part, np.minimum(more, 255 - part), out=part)


def exposure(now: list[Any], t: float) -> NDArray[np.uint8] | None:
    """The table old level -> new level of all that changes the picture alike, or None when nothing does."""
    gain, lift = 1.0, 0.0
    for one in now:
        if isinstance(one, LightStep):
            gain *= one.gain
        elif isinstance(one, LightRamp):
            gain *= 1 + (one.gain - 1) * (1 - abs(2 * (t - one.at) / one.seconds - 1))
        elif isinstance(one, ExposureHunting):
            gain *= 1 + 0.3 * one.severity * math.sin(2 * math.pi * (t - one.at) / 1.5)
        elif isinstance(one, Covered):
            gain *= 1 - one.severity
        elif isinstance(one, IrSwitch):
            lift += 8
    if gain == 1 and lift == 0:
        return None
    level = np.arange(256)
    return np.asarray(np.clip(np.rint(16 + (level - 16) * gain + lift), 16, 235), np.uint8)
