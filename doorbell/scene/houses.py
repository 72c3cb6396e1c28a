"""The row of houses opposite and the sky above them."""

import numpy as np
from numpy.typing import NDArray

from doorbell.scene.lens import Floats
from doorbell.scene.surfaces import GROUND_Y, Grain, tint

HOUSES_Z = 24.0
WIDTH = 9.0
_WALLS = np.array([(0.80, 0.74, 0.64), (0.66, 0.40, 0.32), (0.86, 0.86, 0.82), (0.70, 0.62, 0.50)], np.float32)
_DOORS = np.array([(0.18, 0.30, 0.42), (0.45, 0.14, 0.14), (0.16, 0.33, 0.22), (0.25, 0.25, 0.28)], np.float32)


def _plot(seed: int, x: Floats) -> tuple[NDArray[np.int64], Floats]:
    at = x / WIDTH + 20.35
    return np.floor(at).astype(np.int64) + seed, (at - np.floor(at)).astype(np.float32)


def outline(seed: int, x: Floats) -> Floats:
    """Height of the roofs (y in metres) at x: gables and gaps between plots."""
    plot, s = _plot(seed, x)
    eaves = 4.6 + 0.5 * ((plot * 7) % 3)
    ridge = np.where(plot % 2 == 0, np.minimum(2.1, (0.5 - np.abs(s - 0.5)) * 7), 1.7 * (s > 0.04) * (s < 0.96))
    top = np.where((s > 0.06) & (s < 0.94), eaves + ridge, -9)
    chimney = (np.abs(s - 0.75) < 0.05) & (plot % 3 != 0)
    return np.where(chimney, eaves + 2.9, top).astype(np.float32)


def front(g: Grain, seed: int, x: Floats, y: Floats) -> Floats:
    """Facades with two rows of framed windows, a door, tiled roofs. Shape (n, 3)."""
    plot, s = _plot(seed, x)
    eaves = (4.6 + 0.5 * ((plot * 7) % 3)).astype(np.float32)
    light = 0.86 + 0.12 * g(x * 3, y * 3) + 0.06 * g.cells(x / 0.3, y / 0.12)
    out = np.asarray(_WALLS[plot % 4] * light[:, None], np.float32)
    roof = y > eaves
    tiles = 0.30 + 0.10 * g.cells(x / 0.35, y / 0.22) - 0.06 * (np.mod(y, 0.22) < 0.05)
    out[roof] = tint(tiles[roof].astype(np.float32), (1.0, 0.80, 0.72))
    out[np.abs(y - eaves) < 0.1] = 0.9
    out[(y > eaves) & (np.abs(s - 0.75) < 0.05) & (plot % 3 != 0)] = (0.45, 0.30, 0.25)
    pane, frame = windows(seed, x, y)
    out[frame] = 0.93
    glass = 0.22 + 0.20 * np.clip((y - np.floor(y / 2.4) * 2.4) / 2.4, 0, 1) + 0.16 * g(x * 1.5, y * 1.5)
    out[pane] = tint(glass[pane].astype(np.float32), (0.85, 0.95, 1.1))
    door = (np.abs(s - 0.5) < 0.055) & (y < GROUND_Y + 2.1)
    out[door] = _DOORS[(plot % 4)[door]]
    out *= (0.8 + 0.2 * np.clip((eaves - y) / 0.5, 0, 1) * ~roof + 0.2 * roof)[:, None].astype(np.float32)
    return out


def windows(seed: int, x: Floats, y: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(glass, frame) of the houses at (x, y)."""
    _, s = _plot(seed, x)
    across = np.minimum(np.abs(s - 0.25), np.abs(s - 0.75)) * WIDTH
    up = np.minimum(np.abs(y - 1.05), np.abs(y - 3.5))
    frame = (across < 0.85) & (up < 0.75)
    pane = (across < 0.75) & (up < 0.65) & (across > 0.04) & ~((up > 0.20) & (up < 0.26) & (y > 0))
    return np.asarray(pane), np.asarray(frame & ~pane)


def sky(g: Grain, dx: Floats, dy: Floats, dz: Floats) -> Floats:
    """Blue that pales towards the horizon, with soft clouds. Shape (n, 3)."""
    flat = np.sqrt(dx * dx + dz * dz)
    rise = np.clip(dy / flat / 0.35, 0, 1)[:, None]
    blue = np.array((0.80, 0.87, 0.93), np.float32) * (1 - rise) + np.array((0.47, 0.66, 0.88), np.float32) * rise
    a, b = dx / (dy + 0.12) * 0.9 + 60, dz / (dy + 0.12) * 0.9 + 60
    puff = g(a, b) * 0.55 + g(a * 2.3, b * 2.3) * 0.28 + g(a * 5, b * 5) * 0.17
    cover = np.clip((puff - 0.46) * 4, 0, 1)[:, None] * 0.85
    return np.asarray(blue * (1 - cover) + np.array((0.95, 0.955, 0.96), np.float32) * cover, np.float32)
