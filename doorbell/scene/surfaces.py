"""What the garden, the street and the houses are made of: colour by place, in linear 0..1 RGB."""

import numpy as np
from numpy.typing import NDArray

from doorbell.scene.lens import Floats

GROUND_Y = -0.36
GATE_Z = 9.0
PORCH_END = 2.2
STEP_END = 2.6
PATH_HALF = 0.68


def path_centre(z: Floats) -> Floats:
    """Where the middle of the garden path runs (x in metres) at the distance z: a gentle bend to the right."""
    s = np.clip((z - STEP_END) / (GATE_Z - STEP_END), 0, 1)
    return np.asarray(0.9 * s * s * (3 - 2 * s), np.float32)


class Grain:
    """Seeded value noise: `grain(a, b)` is smooth in both, 0..1, repeats after 256 units."""

    def __init__(self, seed: int) -> None:
        self._table = np.random.default_rng([seed, 11]).random((256, 256), dtype=np.float32)

    def __call__(self, a: Floats, b: Floats) -> Floats:
        ia, ib = np.floor(a), np.floor(b)
        fa, fb = a - ia, b - ib
        fa, fb = fa * fa * (3 - 2 * fa), fb * fb * (3 - 2 * fb)
        ja, jb = ia.astype(np.int32) & 255, ib.astype(np.int32) & 255
        ka, kb = (ja + 1) & 255, (jb + 1) & 255
        t = self._table
        low = t[ja, jb] * (1 - fa) + t[ka, jb] * fa
        high = t[ja, kb] * (1 - fa) + t[ka, kb] * fa
        return np.asarray(low * (1 - fb) + high * fb, np.float32)

    def cells(self, a: Floats, b: Floats) -> Floats:
        """One value a unit square: bricks, slabs, leaves."""
        return np.asarray(self._table[np.floor(a).astype(np.int32) & 255, np.floor(b).astype(np.int32) & 255])


def tint(light: Floats, rgb: tuple[float, float, float]) -> Floats:
    """Shape (n, 3): the colour `rgb` under the light (n,)."""
    return np.asarray(light[:, None] * np.array(rgb, np.float32), np.float32)


def _joints(a: Floats, b: Floats, width: Floats | float) -> NDArray[np.bool_]:
    return np.asarray((a - np.floor(a) < width) | (b - np.floor(b) < width))


def porch(g: Grain, x: Floats, z: Floats) -> Floats:
    """Sandstone tiles, a coconut mat before the door, a paler nosing at the edge."""
    a, b = x / 0.45 + 50.3, z / 0.45
    light = 0.60 + 0.12 * g.cells(a, b) + 0.09 * g(x * 40 + 9, z * 40) + 0.05 * g(x * 5, z * 5 + 40)
    light = np.where(_joints(a, b, 0.03), light * 0.7, light) * np.clip(0.52 + 0.22 * z, 0, 1)
    light = np.where(z > PORCH_END - 0.07, light * 1.25, light)
    out = tint(light.astype(np.float32), (1.0, 0.93, 0.83))
    mat = (np.abs(x + 0.15) < 0.55) & (z > 1.0) & (z < 1.6)
    rim = mat & ((np.abs(x + 0.15) > 0.50) | (z < 1.04) | (z > 1.56))
    weave = 0.26 + 0.16 * g(x * 110, z * 50) + 0.05 * np.sin(z * 160)
    out[mat] = tint(weave[mat].astype(np.float32), (1.0, 0.74, 0.46))
    out[rim] *= 0.45
    return out


def step(g: Grain, x: Floats, z: Floats) -> Floats:
    """The step below the porch: in the porch's shadow at its back, a pale nosing in front."""
    light = 0.50 + 0.1 * g(x * 40, z * 40) + 0.25 * np.clip((z - PORCH_END) / 0.4, 0, 1)
    light = np.where(z > STEP_END - 0.06, light * 1.15, light)
    return tint(light.astype(np.float32), (1.0, 0.93, 0.84))


def ground(g: Grain, x: Floats, z: Floats) -> Floats:
    """Path, beds, lawn, then the street: pavement, kerb, road with its line, the other pavement."""
    blade = g(x * 55, z * 38)
    patch = g(x * 1.3 + 70, z * 1.3) * 0.5 + g(x * 5, z * 5) * 0.5
    stripe = 0.05 * np.sign(np.sin(x * 4.2 + 0.4 * z))
    light = 0.30 + 0.22 * blade + 0.18 * patch + stripe
    out = tint(light.astype(np.float32), (0.68, 1.0, 0.36))
    off = np.abs(x - path_centre(z))
    bed = (off < PATH_HALF + 0.28) & (z < GATE_Z)
    soil = 0.20 + 0.16 * g(x * 30, z * 30)
    out[bed] = tint(soil[bed].astype(np.float32), (1.0, 0.76, 0.55))
    bloom = bed & (g.cells(x * 9, z * 9) > 0.80) & (g(x * 40, z * 40) > 0.35)
    tone = g.cells(x * 9 + 31, z * 9)
    out[bloom] = np.where(
        (tone > 0.6)[bloom, None], np.array((0.95, 0.85, 0.4), np.float32), np.where((tone > 0.3)[bloom, None],
        np.array((0.75, 0.3, 0.5), np.float32), np.array((0.3, 0.5, 0.2), np.float32)))  # fmt: skip
    path = (off < PATH_HALF) & (z < GATE_Z + 0.6)
    a, b = (x - path_centre(z)) / 0.46 + 50.5 + 0.5 * (np.floor(z / 0.5) % 2), z / 0.5
    slab = 0.52 + 0.16 * g.cells(a, b) + 0.13 * g(x * 35, z * 35)
    slab = np.where(_joints(a, b, 0.07), slab * 0.62, slab)
    out[path] = tint(slab[path].astype(np.float32), (1.0, 0.94, 0.86))
    # Grounding: the step's and the hedge's own shade on what lies at their feet.
    shade = 1 - 0.45 * np.exp(-np.maximum(z - STEP_END, 0) / 0.35) * (np.abs(x) < 1.9)
    shade = shade * (1 - 0.5 * np.exp(-np.abs(GATE_Z - z) / 0.35))
    tree = ((x - 2.9) / 2.2) ** 2 + ((z - 7.4) / 1.2) ** 2
    dapple = np.clip(1.5 * g(x * 6, z * 6), 0, 1)
    shade = shade * (1 - 0.45 * np.clip(1.4 - tree, 0, 1) * dapple)
    out *= shade[:, None].astype(np.float32)
    return _street(g, x, z, out)


def _street(g: Grain, x: Floats, z: Floats, out: Floats) -> Floats:
    beyond = z > 9.8
    slab = 0.62 + 0.08 * g.cells(x / 0.6, z / 0.6) + 0.06 * g(x * 20, z * 20)
    out[beyond] = tint(slab[beyond].astype(np.float32), (1.0, 0.98, 0.95))
    road = (z > 12) & (z < 18)
    tar = 0.32 + 0.05 * g(x * 18, z * 18) + 0.06 * g(x * 0.7, z * 2)
    out[road] = tint(tar[road].astype(np.float32), (0.97, 0.98, 1.0))
    out[(np.abs(z - 12) < 0.12) | (np.abs(z - 18) < 0.12)] *= 0.8
    out[road & (np.abs(z - 15) < 0.09) & (np.mod(x, 4) < 2)] = 0.85
    garden = z > 20
    grass = 0.36 + 0.16 * g(x * 6, z * 3)
    out[garden] = tint(grass[garden].astype(np.float32), (0.72, 1.0, 0.45))
    return out


def brick(g: Grain, a: Floats, y: Floats, rgb: tuple[float, float, float]) -> Floats:
    """A wall of stretchers, 0.23 m by 0.075 m."""
    row = y / 0.075 + 100
    col = a / 0.23 + 100 + 0.5 * (np.floor(row) % 2)
    light = 0.62 + 0.3 * g.cells(col, row) + 0.12 * g(a * 60, y * 60)
    joint = (row - np.floor(row) < 0.14) | (col - np.floor(col) < 0.05)
    out = tint(light.astype(np.float32), rgb)
    out[joint] = (0.66, 0.63, 0.58)
    return out


def leaves(g: Grain, a: Floats, b: Floats, depth: Floats) -> Floats:
    """A clipped hedge: big folds and small leaves; `depth` (0..1) darkens its foot."""
    fold = g(a * 2.2, b * 3)
    leaf = g(a * 26, b * 26) * 0.6 + g(a * 60, b * 60) * 0.4
    light = (0.10 + 0.22 * fold + 0.34 * leaf * leaf) * (1 - 0.6 * depth)
    return tint(light.astype(np.float32), (0.66, 1.0, 0.44))


def planks(g: Grain, a: Floats, y: Floats, rgb: tuple[float, float, float]) -> Floats:
    """Upright boards 0.11 m wide with dark gaps."""
    col = a / 0.11 + 50
    light = 0.7 + 0.22 * g.cells(col, np.zeros_like(col)) + 0.15 * g(a * 60, y * 5)
    light = np.where(col - np.floor(col) < 0.10, light * 0.35, light)
    light = np.where(np.abs(y - 0.12) < 0.05, light * 1.12, light)
    light = np.where(np.abs(y + 0.16) < 0.05, light * 1.12, light)
    return tint(light.astype(np.float32), rgb)
