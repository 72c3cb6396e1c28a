"""Small pictures with a soft edge, and how they are laid into a frame: in their own box only, behind what is nearer."""

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from doorbell.scene.lens import Floats
from doorbell.scene.world import DEPTH_STEPS, Plane, yuv


@frozen(eq=False)
class Sprite:
    """Planes of one size: y, u, v and `a` (255 hides what is behind)."""

    y: Plane
    u: Plane
    v: Plane
    a: Plane


Mips = tuple[Sprite, ...]


@frozen(eq=False)
class Planes:
    """The frame being drawn and the world's distances; y and depth (h, w), u and v (h/2, w/2)."""

    y: Plane
    u: Plane
    v: Plane
    depth: Plane
    stands: "list[Stands]" = field(factory=list)


@frozen(eq=False)
class Stands:
    """Pixels that a sprite covers, and the pixel of its foot: by night it is lit as the ground it stands on."""

    rows: slice
    cols: slice
    covers: NDArray[np.bool_]
    foot: tuple[int, int]


def mips(rgb: Floats, alpha: Floats) -> Mips:
    """From colours 0..1 (h, w, 3) and cover (h, w): the sprite and its halves, so that a far one does not flicker."""
    y, u, v = yuv(np.clip(rgb, 0, 1))
    planes = [np.asarray(p, np.float32) for p in (y, u, v, alpha * 255)]
    out = []
    while True:
        out.append(Sprite(*(np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in planes)))
        rows, cols = planes[0].shape[0] // 2, planes[0].shape[1] // 2
        if min(rows, cols) < 8:
            return tuple(out)
        planes = [p[: rows * 2, : cols * 2].reshape(rows, 2, cols, 2).mean(axis=(1, 3)) for p in planes]


def _mix(under: Plane, over: Plane, alpha: Plane) -> None:
    # With alpha stretched to 0..256 both products and their sum stay within 16 bits.
    share = alpha.astype(np.uint16)
    share += share >> 7
    mixed = over * share
    np.subtract(256, share, out=share)
    mixed += under * share
    np.right_shift(mixed, 8, out=under, casting="unsafe")


def lay(
    onto: Planes, mip: Mips, box: tuple[float, float, float, float], z: float | None, *, flip: bool = False,
    strength: float = 1.0,
) -> tuple[float, float, float, float] | None:  # fmt: skip
    """Draws into `box` (left, top, right, bottom, in pixels) at the distance `z` m (None: before all else).

    Returns the normalised box of what can be seen, or None where nothing can.
    """
    height, width = onto.y.shape
    left, top, right, bottom = box
    x0, x1 = max(round(left) & ~1, 0), min((round(right) + 1) & ~1, width)
    y0, y1 = max(round(top) & ~1, 0), min((round(bottom) + 1) & ~1, height)
    if x1 <= x0 or y1 <= y0:
        return None
    sprite = next((m for m in mip if m.y.shape[0] <= 1.6 * (bottom - top)), mip[-1])
    rows = _pick(y0, y1, top, bottom, sprite.y.shape[0])
    cols = _pick(x0, x1, left, right, sprite.y.shape[1])
    if flip:
        cols = sprite.y.shape[1] - 1 - cols
    alpha = sprite.a.take(cols, 1).take(rows, 0)
    if z is not None:
        alpha *= onto.depth[y0:y1, x0:x1] > min(z * DEPTH_STEPS, 254)
    if strength != 1:
        alpha = (alpha * np.float32(strength)).astype(np.uint8)
    seen = alpha > 40
    across, down = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    if not alpha.any():
        return None
    _mix(onto.y[y0:y1, x0:x1], sprite.y.take(cols, 1).take(rows, 0), alpha)
    half = (slice(y0 // 2, y1 // 2), slice(x0 // 2, x1 // 2))
    thin = alpha[::2, ::2]
    _mix(onto.u[half], sprite.u.take(cols[::2], 1).take(rows[::2], 0), thin)
    _mix(onto.v[half], sprite.v.take(cols[::2], 1).take(rows[::2], 0), thin)
    if not across.size:
        return None
    if z is not None:
        foot = (min(max(round(bottom) - 1, 0), height - 1), min(max(round((left + right) / 2), 0), width - 1))
        onto.stands.append(Stands(slice(y0, y1), slice(x0, x1), seen, foot))
    return (
        (x0 + int(across[0])) / width,
        (y0 + int(down[0])) / height,
        (x0 + int(across[-1]) + 1) / width,
        (y0 + int(down[-1]) + 1) / height,
    )


def _pick(first: int, last: int, begin: float, end: float, size: int) -> NDArray[np.intp]:
    at = (np.arange(first, last) + 0.5 - begin) * (size / (end - begin))
    return np.asarray(np.clip(at, 0, size - 1), np.intp)


class Canvas:
    """Draws round, shaded shapes in metres (x to the right, y up from the ground) for a sprite."""

    def __init__(self, half_width: float, height: float, per_metre: int) -> None:
        rows, cols = int(height * per_metre), int(2 * half_width * per_metre)
        self.x = ((np.arange(cols) + 0.5) / per_metre - half_width).astype(np.float32)[None, :]
        self.y = (height - (np.arange(rows) + 0.5) / per_metre).astype(np.float32)[:, None]
        self.rgb = np.full((rows, cols, 3), 0.3, np.float32)
        self.alpha = np.zeros((rows, cols), np.float32)
        self._soft = per_metre

    def _over(self, inside: Floats, light: Floats | float, colour: tuple[float, float, float]) -> None:
        cover = np.clip(inside * self._soft + 0.5, 0, 1)
        paint = np.broadcast_to(np.asarray(light, np.float32), cover.shape)[..., None] * np.array(colour, np.float32)
        self.rgb += (paint - self.rgb) * cover[..., None]
        self.alpha = np.maximum(self.alpha, cover)

    def limb(
        self, a: tuple[float, float], b: tuple[float, float], ra: float, rb: float, colour: tuple[float, float, float]
    ) -> None:
        """A tapering capsule, lit from the upper right."""
        dx, dy = b[0] - a[0], b[1] - a[1]
        s = np.clip(((self.x - a[0]) * dx + (self.y - a[1]) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
        ex, ey = self.x - a[0] - s * dx, self.y - a[1] - s * dy
        radius = ra + (rb - ra) * s
        light = 0.82 + 0.26 * (ex * 0.8 + ey * 0.5) / radius
        self._over(radius - np.sqrt(ex * ex + ey * ey), np.clip(light, 0.5, 1.15), colour)

    def ellipse(
        self, at: tuple[float, float], rx: float, ry: float, colour: tuple[float, float, float], above: float = -9
    ) -> None:
        """An oval lit from the upper right; only what lies above the height `above`."""
        ex, ey = (self.x - at[0]) / rx, (self.y - at[1]) / ry
        inside = np.minimum((1 - np.sqrt(ex * ex + ey * ey)) * min(rx, ry), self.y - above)
        self._over(inside, np.clip(0.9 + 0.18 * ex + 0.12 * ey, 0.6, 1.15), colour)

    def body(self, profile: tuple[tuple[float, float], ...], colour: tuple[float, float, float], x: float = 0) -> None:
        """A round body whose half width goes through `profile` ((y, half width), y rising)."""
        half = np.interp(self.y, [p[0] for p in profile], [p[1] for p in profile], left=-1, right=-1).astype(np.float32)
        across = np.clip((self.x - x) / np.maximum(half, 0.01), -1, 1)
        fold = 0.05 * np.sin(self.x * 38 + self.y * 9) * (self.y < 1.1)
        light = 0.62 + 0.42 * np.sqrt(1 - (across * 0.9 - 0.3) ** 2 / 1.5) + fold - 0.06 * (self.y < 1.0)
        self._over(half - np.abs(self.x - x), light, colour)

    def box(  # noqa: PLR0917  the four edges, then the paint
        self, left: float, low: float, right: float, high: float, colour: tuple[float, float, float], light: float = 1
    ) -> None:
        inside = np.minimum(np.minimum(self.x - left, right - self.x), np.minimum(self.y - low, high - self.y))
        self._over(inside, light, colour)

    def finish(self) -> Mips:
        return mips(self.rgb, self.alpha)
