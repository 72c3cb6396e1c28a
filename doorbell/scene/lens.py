"""The doorbell's eye: where a point of the world falls in the picture, and the ray behind each pixel.

World: metres, x to the right, y up, z out of the house; the porch floor is y = 0. The lens is a wide one with
barrel distortion: with n the picture coordinate (x in -1..1, y in -9/16..9/16, down) the rectilinear ray is
p = n * WIDE * (1 + BARREL * |n|^2). Every size shows the same 16:9 view, squeezed if need be (as a Pi's lores
stream is), so that normalised coordinates mean the same place at each size.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

EYE_Y = 1.4
WIDE = 1.2
BARREL = 0.29
PITCH = math.radians(17.0)
ASPECT = 9 / 16

_SIN, _COS = math.sin(PITCH), math.cos(PITCH)

Floats = NDArray[np.floating[Any]]


def project(x: float, y: float, z: float) -> tuple[float, float]:
    """World point in metres to normalised picture coordinates (0..1 inside); z must lie in front of the eye."""
    rise = y - EYE_Y
    ahead = max(z * _COS - rise * _SIN, 0.05)
    px, py = x / ahead, -(rise * _COS + z * _SIN) / ahead
    far = math.hypot(px, py)
    near = far / WIDE
    for _ in range(12):
        near -= (WIDE * near * (1 + BARREL * near * near) - far) / (WIDE * (1 + 3 * BARREL * near * near))
    scale = near / far if far else 0.0
    return (1 + px * scale) / 2, (1 + py * scale / ASPECT) / 2


def rays(us: Floats, vs: Floats) -> tuple[Floats, Floats, Floats]:
    """Directions (x, y, z) of the pixels at columns `us` and rows `vs` (normalised); each of shape (rows, columns)."""
    nx = (2 * us - 1)[None, :]
    ny = ((2 * vs - 1) * ASPECT)[:, None]
    stretch = WIDE * (1 + BARREL * (nx * nx + ny * ny))
    px, py = nx * stretch, ny * stretch
    return (
        px.astype(np.float32),
        (-py * _COS - _SIN).astype(np.float32),
        (_COS - py * _SIN).astype(np.float32),
    )
