"""Milliseconds drawn into the picture, and read back exactly from a decoded frame: glass to glass without a camera.

Eight digits of seven segments (milliseconds modulo 10^8, nearly 28 hours) and a ninth that checks them, white on
black. Place and size are shares of the picture, so a scaled copy reads as well.
"""

from doorbell.scene.world import Plane

DIGITS = 8
_LEFT, _TOP, _CELL, _TALL = 0.02, 0.03, 0.062, 0.15
_BLACK, _WHITE = 16, 235

# Segments a..g as boxes in a cell (left, top, right, bottom, shares of the cell).
_BARS = (
    (0.15, 0.08, 0.85, 0.22), (0.66, 0.08, 0.85, 0.57), (0.66, 0.43, 0.85, 0.92), (0.15, 0.78, 0.85, 0.92),
    (0.15, 0.43, 0.34, 0.92), (0.15, 0.08, 0.34, 0.57), (0.15, 0.43, 0.85, 0.57),
)  # fmt: skip
# Where each segment is read: the middle of the part that belongs to it alone.
_EYES = ((0.5, 0.15), (0.755, 0.325), (0.755, 0.675), (0.5, 0.85), (0.245, 0.675), (0.245, 0.325), (0.5, 0.5))
_SHAPES = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")
_BY_SHAPE = {frozenset(shape): digit for digit, shape in enumerate(_SHAPES)}


def _check(digits: list[int]) -> int:
    return sum((k + 1) * d for k, d in enumerate(digits)) % 7


def draw_clock(y: Plane, u: Plane, v: Plane, t: float) -> None:
    """Draws the scene time `t` (s) into the planes of one frame, in place."""
    height, width = y.shape
    ms = round(t * 1000) % 10**DIGITS
    digits = [int(d) for d in f"{ms:0{DIGITS}d}"]
    digits.append(_check(digits))
    bottom = int((_TOP + _TALL) * height) + 1 & ~1
    right = int((_LEFT + _CELL * len(digits)) * width) + 1 & ~1
    left, top = int(_LEFT * width) & ~1, int(_TOP * height) & ~1
    y[top:bottom, left:right] = _BLACK
    u[top // 2 : bottom // 2, left // 2 : right // 2] = 128
    v[top // 2 : bottom // 2, left // 2 : right // 2] = 128
    for k, digit in enumerate(digits):
        for segment in _SHAPES[digit]:
            x0, y0, x1, y1 = _BARS["abcdefg".index(segment)]
            rows = slice(round((_TOP + y0 * _TALL) * height), round((_TOP + y1 * _TALL) * height))
            cols = slice(round((_LEFT + (k + x0) * _CELL) * width), round((_LEFT + (k + x1) * _CELL) * width))
            y[rows, cols] = _WHITE


EYES = tuple((_LEFT + (digit + x) * _CELL, _TOP + y * _TALL) for digit in range(DIGITS + 1) for x, y in _EYES)
"""Where the clock is read, as shares of the picture's width and height: seven places a digit."""


def read_clock(y: Plane) -> int | None:
    """Milliseconds in a luma plane (h, w) of any size from 160x120, or None where no clock can be read for sure."""
    height, width = y.shape
    return read_levels([int(y[int(down * height), int(across * width)]) for across, down in EYES])


def read_levels(levels: list[int]) -> int | None:
    """As `read_clock`, from the levels (0 to 255) at `EYES`, in their order."""
    digits = []
    for start in range(0, len(EYES), 7):
        part = levels[start : start + 7]
        if any(100 < level <= 150 for level in part):
            return None
        lit = frozenset(segment for segment, level in zip("abcdefg", part, strict=True) if level > 150)
        digit = _BY_SHAPE.get(lit)
        if digit is None:
            return None
        digits.append(digit)
    if digits.pop() != _check(digits):
        return None
    return int("".join(map(str, digits)))
