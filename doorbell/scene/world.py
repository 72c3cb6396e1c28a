"""The picture that stands still, drawn once by casting a ray behind every pixel."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from doorbell.scene import houses, surfaces
from doorbell.scene.lens import EYE_Y, Floats, rays
from doorbell.scene.surfaces import GATE_Z, GROUND_Y, PORCH_END, STEP_END, Grain, tint

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# Distance is kept as one byte, an eighth of a metre a step: 255 means the sky or beyond 31.8 m.
DEPTH_STEPS = 8


@frozen(eq=False)
class World:
    """Planes of the empty scene by day (BT.601, limited range), each pixel's distance and its glowing windows."""

    y: Plane
    u: Plane
    v: Plane
    depth: Plane
    glow: Plane


@frozen(eq=False)
class _Sheet:
    """One flat piece of the world: lies at `offset` along `axis` (0 x, 1 y, 2 z)."""

    axis: int
    offset: float
    covers: Callable[[Floats, Floats], Mask]
    colour: Callable[[Floats, Floats], Floats]


def _sheets(seed: int, g: Grain) -> list[_Sheet]:
    gate = float(surfaces.path_centre(np.float32(GATE_Z)))  # type: ignore[arg-type]

    def hedge_top(x: Floats) -> Floats:
        tall = (x > -6.2) & (x < gate - 1.0)
        return np.asarray(np.where(tall, 1.95, 0.30) + 0.10 * g(x * 3, x * 0) + 0.06 * g(x * 14, x * 0), np.float32)

    def hedge(x: Floats, y: Floats) -> Mask:
        return np.asarray((y < hedge_top(x)) & (y > GROUND_Y) & (np.abs(x - gate) > 0.72))

    def post(x: Floats, y: Floats) -> Floats:
        around = np.sqrt(np.clip(1 - ((x - 1.95) / 0.075) ** 2, 0, 1))
        return tint((0.55 + 0.4 * around + 0.03 * g(x * 90, y * 4)).astype(np.float32), (0.93, 0.93, 0.90))

    def pier(x: Floats, y: Floats) -> Floats:
        out = surfaces.brick(g, x, y, (0.60, 0.36, 0.28))
        out[y > 0.62] = 0.75
        return out

    def trunk(x: Floats, y: Floats) -> Floats:
        around = np.sqrt(np.clip(1 - ((x - 4.6) / 0.26) ** 2, 0, 1))
        return tint(((0.2 + 0.3 * around) * (0.6 + 0.6 * g(x * 40, y * 6))).astype(np.float32), (1.0, 0.80, 0.62))

    def brick_wall(y: Floats, z: Floats) -> Floats:
        return surfaces.brick(g, z, y, (0.62, 0.35, 0.27)) * np.float32(0.78)

    def far_trees(x: Floats, y: Floats) -> Floats:
        return surfaces.leaves(g, x * 0.35, y * 0.35, np.zeros_like(x)) * np.float32(0.6) + np.float32(0.28)

    def far_tops(x: Floats, y: Floats) -> Mask:
        return np.asarray((y < 3.5 + 4.5 * g(x * 0.22, x * 0) + 0.9 * g(x * 1.4, x * 0)) & (y > GROUND_Y))

    return [
        _Sheet(1, 0.0, lambda x, z: (z < PORCH_END) & (np.abs(x) < 2.05), lambda x, z: surfaces.porch(g, x, z)),
        _Sheet(1, -0.18, lambda x, z: (z < STEP_END) & (np.abs(x) < 1.8), lambda x, z: surfaces.step(g, x, z)),
        _Sheet(1, GROUND_Y, lambda _, z: z < 40, lambda x, z: surfaces.ground(g, x, z)),
        _Sheet(0, -2.05, lambda y, z: (z < 1.75) & (y > 0), brick_wall),
        _Sheet(2, PORCH_END - 0.1, lambda x, y: (np.abs(x - 1.95) < 0.075) & (y > 0), post),
        _Sheet(2, 7.4, lambda x, y: (np.abs(x - 4.6) < 0.20 - 0.02 * y) & (y > GROUND_Y) & (y < 5), trunk),
        _Sheet(2, GATE_Z, hedge, lambda x, y: surfaces.leaves(g, x, y, np.clip((0.2 - y) / 0.7, 0, 1))),
        _Sheet(1, 0.36, lambda x, z: (z > GATE_Z) & (z < GATE_Z + 0.7) & (hedge_top(x) < 1) & (np.abs(x - gate) > 0.72),
               lambda x, z: surfaces.leaves(g, x, z * 1.3, np.zeros_like(x)) * np.float32(1.45)),
        _Sheet(2, GATE_Z - 0.05, lambda x, y: (np.abs(np.abs(x - gate) - 0.80) < 0.14) & (y < 0.70) & (y > GROUND_Y),
               pier),
        _Sheet(2, GATE_Z + 0.05, lambda x, y: (np.abs(x - gate) < 0.70) & (y < 0.34) & (y > GROUND_Y + 0.08),
               lambda x, y: surfaces.planks(g, x, y, (0.40, 0.52, 0.50))),
        _Sheet(2, houses.HOUSES_Z, lambda x, y: (y < houses.outline(seed, x)) & (y > GROUND_Y),
               lambda x, y: houses.front(g, seed, x, y)),
        _Sheet(2, 31.0, far_tops, far_trees),
    ]  # fmt: skip


def _cast(seed: int, g: Grain, us: Floats, vs: Floats) -> tuple[Floats, Floats, Mask]:
    """Colour (rows, columns, 3), distance along z (rows, columns) and glowing windows of one band of the picture."""
    ray = tuple(a.ravel() for a in np.broadcast_arrays(*rays(us, vs)))
    eye = (0.0, EYE_Y, 0.0)
    best = np.full(ray[0].shape, 1e4, np.float32)
    winner = np.full(ray[0].shape, -1, np.int8)
    sheets = _sheets(seed, g)
    for k, sheet in enumerate(sheets):
        a, b = (i for i in range(3) if i != sheet.axis)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (sheet.offset - eye[sheet.axis]) / ray[sheet.axis]
        ahead = np.flatnonzero((t > 0.01) & (t < best))
        t = t[ahead]
        hit = sheet.covers(eye[a] + ray[a][ahead] * t, eye[b] + ray[b][ahead] * t)
        best[ahead[hit]] = t[hit]
        winner[ahead[hit]] = k
    out = np.empty((best.size, 3), np.float32)
    glow = np.zeros(best.size, bool)
    for k, sheet in enumerate(sheets):
        a, b = (i for i in range(3) if i != sheet.axis)
        mine = np.flatnonzero(winner == k)
        pa, pb = eye[a] + ray[a][mine] * best[mine], eye[b] + ray[b][mine] * best[mine]
        out[mine] = sheet.colour(pa, pb)
        if sheet.offset == houses.HOUSES_Z:
            lit = (np.floor(pa / houses.WIDTH + 20.35) + np.floor(pb / 2.4)).astype(int) % 3 == 0
            glow[mine] = houses.windows(seed, pa, pb)[0] & lit
    open_sky = np.flatnonzero(winner < 0)
    out[open_sky] = houses.sky(g, *(r[open_sky] for r in ray))
    z = np.where(winner < 0, 1e4, best * ray[2]).astype(np.float32)
    haze = np.clip((z - 10) / 60, 0, 0.28)[:, None] * (winner >= 0)[:, None]
    out += (np.array((0.80, 0.86, 0.92), np.float32) - out) * haze
    shape = (vs.size, us.size)
    return out.reshape(*shape, 3).astype(np.float32), z.reshape(shape), glow.reshape(shape)


def yuv(rgb: Floats) -> tuple[Floats, Floats, Floats]:
    """RGB 0..1 (..., 3) to limited-range Y, U, V as floats (ITU-R BT.601)."""
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return (
        16 + 65.481 * r + 128.553 * g + 24.966 * b,
        128 - 37.797 * r - 74.203 * g + 112.0 * b,
        128 + 112.0 * r - 93.786 * g - 18.214 * b,
    )


def rgb(y: Plane, u: Plane, v: Plane) -> Plane:
    """The planes of a frame as 8-bit RGB (h, w, 3), for whoever wants to look (ITU-R BT.601)."""
    luma = (y.astype(np.float32) - 16) * (255 / 219)
    blue = (u.repeat(2, 0).repeat(2, 1).astype(np.float32) - 128) * (255 / 224)
    red = (v.repeat(2, 0).repeat(2, 1).astype(np.float32) - 128) * (255 / 224)
    mixed = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    return np.asarray(np.clip(np.rint(np.stack(mixed, -1)), 0, 255), np.uint8)


def _bytes(plane: Floats, low: int, high: int) -> Plane:
    out = np.clip(np.rint(plane), low, high).astype(np.uint8)
    out.setflags(write=False)
    return np.asarray(out)


@lru_cache(maxsize=2)
def build(width: int, height: int, seed: int) -> World:
    """Draws the world with four rays a pixel, in bands, so that memory stays below a few tens of megabytes.

    The last two worlds are kept (3 MB each at 1280x720), read-only: many scenes may share one.
    """
    g = Grain(seed)
    us = ((np.arange(width * 2) + 0.5) / (width * 2)).astype(np.float32)
    rgb = np.empty((height, width, 3), np.float32)
    depth = np.empty((height, width), np.float32)
    glow = np.empty((height, width), np.float32)
    for top in range(0, height, 60):
        rows = min(60, height - top)
        vs = ((np.arange(2 * top, 2 * (top + rows)) + 0.5) / (height * 2)).astype(np.float32)
        fine, z, lit = _cast(seed, g, us, vs)
        rgb[top : top + rows] = fine.reshape(rows, 2, width, 2, 3).mean(axis=(1, 3))
        depth[top : top + rows] = z.reshape(rows, 2, width, 2).min(axis=(1, 3))
        glow[top : top + rows] = lit.reshape(rows, 2, width, 2).mean(axis=(1, 3))
    y, u, v = yuv(np.clip(rgb, 0, 1))
    half = (height // 2, 2, width // 2, 2)
    return World(
        y=_bytes(y, 16, 235),
        u=_bytes(u.reshape(half).mean(axis=(1, 3)), 16, 240),
        v=_bytes(v.reshape(half).mean(axis=(1, 3)), 16, 240),
        depth=_bytes(depth * DEPTH_STEPS, 0, 255),
        glow=_bytes(glow * 255, 0, 255),
    )
