"""What lies between the lens and the world: leaves, rain, snow, an insect, noise, pulsing blocks, a trembling mount."""

import math

import numpy as np
from attrs import frozen

from doorbell.scene.lens import project
from doorbell.scene.script import CodecPulsing, Insect, Leaves, Rain, Shake, Snow
from doorbell.scene.sprites import Canvas, Mips, Planes, lay
from doorbell.scene.surfaces import Grain
from doorbell.scene.world import Plane

TREE_Z = 7.0
_NOISE_HELD = 15


@frozen(eq=False)
class Bough:
    """A cluster of leaves: its sprite, its box in the picture (normalised), its share in a gust."""

    sprite: Mips
    box: tuple[float, float, float, float]
    beat: float
    phase: float


def crown(seed: int) -> tuple[Bough, ...]:
    """The tree's crown as a dozen clusters; the lower ones hang before the upper ones."""
    dice = np.random.default_rng([seed, 21])
    grain = Grain(seed + 7)
    sprites = [_cluster(grain, k) for k in range(3)]
    boughs = []
    for k in range(13):
        angle = 2 * math.pi * k / 13
        spread = 0.35 + 0.65 * float(dice.random())
        x, y = 4.6 + 1.7 * spread * math.cos(angle), 3.3 + 1.05 * spread * math.sin(angle)
        half = 0.65 + 0.35 * float(dice.random())
        left, top = project(x - half, y + half, TREE_Z)
        right, bottom = project(x + half, y - half, TREE_Z)
        boughs.append(
            Bough(sprites[k % 3], (left, top, right, bottom), 0.7 + float(dice.random()), float(dice.random()))
        )
    return tuple(sorted(boughs, key=lambda b: b.box[3]))


def _cluster(grain: Grain, kind: int) -> Mips:
    c = Canvas(0.5, 1.0, 180)
    x, y = np.broadcast_arrays(c.x, c.y)
    leaf = grain(x * 26 + 50 * kind, y * 26) * 0.6 + grain(x * 55, y * 55 + 50 * kind) * 0.4
    far = np.sqrt((x / 0.5) ** 2 + ((y - 0.5) / 0.5) ** 2)
    lump = 0.25 * grain(x * 7 + 80, y * 7 + 30 * kind)
    c.alpha = np.clip((leaf + lump + 0.35 - 0.85 * far**2.2 - 0.22) * 9, 0, 1).astype(np.float32) * (far < 1)
    light = (0.16 + 0.42 * leaf) * (0.62 + 0.5 * y + 0.25 * x)
    c.rgb = (light[..., None] * np.array((0.70, 1.0, 0.42), np.float32)).astype(np.float32)
    return c.finish()


def sway(onto: Planes, boughs: tuple[Bough, ...], wind: Leaves | None, t: float) -> None:
    """Draws the crown, at rest without wind."""
    height, width = onto.y.shape
    for bough in boughs:
        dx = dy = 0.0
        if wind is not None:
            beat = 2 * math.pi * ((t - wind.at) * bough.beat * 0.6 + bough.phase)
            dx = 0.012 * wind.severity * (math.sin(beat) + 0.5 * math.sin(2.7 * beat + 1))
            dy = 0.008 * wind.severity * math.sin(1.6 * beat + 2)
        left, top, right, bottom = bough.box
        box = ((left + dx) * width, (top + dy) * height, (right + dx) * width, (bottom + dy) * height)
        lay(onto, bough.sprite, box, TREE_Z)


def rain(y: Plane, what: Rain, t: float, seed: int) -> None:
    """Up to 400 streaks a frame, each an exposure's length of a drop's fall, brighter than what is behind."""
    height, width = y.shape
    dice = np.random.default_rng([seed, 31, int(t * 1000) & 0x7FFFFFFF])
    n = int(400 * what.severity)
    long = max(height // 22, 3)
    near = dice.random(n)
    x0, y0 = dice.random(n) * width, dice.random(n) * (height + long) - long
    steps = np.arange(long)
    xs = (x0[:, None] + steps * 0.12).astype(np.intp)
    ys = (y0[:, None] + steps * (0.5 + 0.5 * near[:, None])).astype(np.intp)
    ok = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
    xs, ys = xs[ok], ys[ok]
    y[ys, xs] = y[ys, xs] + (np.uint8(205) - np.minimum(y[ys, xs], 205)) // np.uint8(2)


def snow(y: Plane, what: Snow, t: float, seed: int) -> None:
    """Up to 500 flakes that keep their paths from frame to frame; near ones are larger and faster."""
    height, width = y.shape
    dice = np.random.default_rng([seed, 41])
    n = int(500 * what.severity)
    near = dice.random(n) ** 2
    fall = (dice.random(n) + (t - what.at) * (0.10 + 0.35 * near)) % 1
    side = (dice.random(n) + 0.02 * np.sin(2 * (t - what.at) + 6 * dice.random(n)) + 0.03 * (t - what.at)) % 1
    size = np.maximum((near * height / 110).astype(np.intp), 0) + 1
    for k in range(int(size.max(initial=0))):
        for j in range(int(size.max(initial=0))):
            some = (size > k) & (size > j)
            round_off = (size > 2) & (((k == 0) | (size == k + 1)) & ((j == 0) | (size == j + 1)))
            some &= ~round_off
            ys = np.minimum((fall[some] * height).astype(np.intp) + k, height - 1)
            xs = np.minimum((side[some] * width).astype(np.intp) + j, width - 1)
            y[ys, xs] = np.maximum(y[ys, xs], 215)


def insect_sprite() -> Mips:
    """A blurred dark body with pale wings."""
    c = Canvas(0.5, 1.0, 120)
    far = (c.x / 0.2) ** 2 + ((c.y - 0.5) / 0.42) ** 2
    wing = ((np.abs(c.x) - 0.25) / 0.24) ** 2 + ((c.y - 0.6) / 0.22) ** 2
    c.rgb[:] = 0.62
    c.rgb[far < wing] = 0.10
    c.alpha = np.maximum(0.9 * np.exp(-(far**1.5)), 0.45 * np.exp(-(wing**1.5))).astype(np.float32)
    return c.finish()


def insect(onto: Planes, sprite: Mips, what: Insect, t: float) -> None:
    """Over the lens along a wandering line; at severity 1 a fifth of the picture wide."""
    height, width = onto.y.shape
    s = t - what.at
    x = 0.5 + 0.33 * math.sin(1.9 * s) + 0.12 * math.sin(5.3 * s)
    y = 0.5 + 0.30 * math.sin(1.3 * s + 1) + 0.10 * math.sin(7.1 * s)
    half = 0.10 * max(what.severity, 0.05) * width
    box = (x * width - half, y * height - half, x * width + half, y * height + half)
    lay(onto, sprite, box, None)


def noise_bank(sigma: float, seed: int, width: int) -> Plane:
    """Gaussian noise in one flat byte array, offset by 16 and held within 15 levels (why: `grainy`)."""
    dice = np.random.default_rng([seed, 51])
    raw = dice.standard_normal(1 << 20, dtype=np.float32) * min(sigma, 5.0)
    flat = np.clip(np.rint(raw), -_NOISE_HELD, _NOISE_HELD) + 16
    return np.asarray(np.concatenate([flat, flat[: width * 2]]), np.uint8)


def grainy(y: Plane, bank: Plane, seed: int, t: float) -> None:
    """Adds fresh noise row by row in bytes: 16..235 plus 1..31 minus 16 cannot wrap, so no wider type is needed."""
    height, width = y.shape
    dice = np.random.default_rng([seed, 52, int(t * 1000) & 0x7FFFFFFF])
    block = max((bank.size - 2 * width) // width, 1)
    for top in range(0, height, block):
        rows = min(block, height - top)
        start = int(dice.integers(0, bank.size - rows * width))
        y[top : top + rows] += bank[start : start + rows * width].reshape(rows, width)
    y -= np.uint8(16)
    np.clip(y, 16, 235, out=y)


def pulse(y: Plane, what: CodecPulsing, t: float, seed: int) -> None:
    """Another small offset for each 16x16 block after every keyframe; strongest on the keyframe, fading to the next."""
    height, width = y.shape
    since = t - what.at
    dice = np.random.default_rng([seed, 61, int(since)])
    held = max(1, round(8 * what.severity * (1 - 0.7 * (since % 1))))
    blocks = dice.integers(-held, held + 1, (-(-height // 16), -(-width // 16))).astype(np.int8).view(np.uint8)
    y += blocks.repeat(16, 0)[:height].repeat(16, 1)[:, :width]
    np.clip(y, 16, 235, out=y)


def tremble(what: Shake, t: float, width: int) -> tuple[int, int]:
    """How far (dx, dy in even pixels) the mount is off at `t`."""
    s = t - what.at
    far = 0.01 * what.severity * width
    dx = far * math.sin(2 * math.pi * 5.3 * s + 1)
    dy = far * 0.7 * math.sin(2 * math.pi * 6.7 * s + 2)
    return round(dx / 2) * 2, round(dy / 2) * 2


def shift(plane: Plane, dx: int, dy: int) -> Plane:
    """The picture moved by whole pixels; what comes in repeats the edge."""
    height = plane.shape[0]
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    out = plane[rows]
    if dx > 0:
        out[:, dx:] = out[:, :-dx].copy()
        out[:, :dx] = out[:, dx : dx + 1]
    elif dx < 0:
        out[:, :dx] = out[:, -dx:].copy()
        out[:, dx:] = out[:, dx - 1 : dx]
    return out
