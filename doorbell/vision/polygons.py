"""Polygons as the owner writes them: lists of [x, y] corners, 0 to 1 from the picture's top left.

No numpy here: the doorman reads them with the configuration, and it stays light.
"""

from __future__ import annotations

import math

from doorbell.errors import ConfigError

Polygon = tuple[tuple[float, float], ...]

MOST_POLYGONS = 16
MOST_CORNERS = 64


def parse_polygons(value: object) -> tuple[Polygon, ...]:
    """A list of polygons from TOML or JSON; raises ConfigError naming the polygon, the corner and the fix."""
    if not isinstance(value, list) or len(value) > MOST_POLYGONS:
        raise ConfigError(f"give a list of at most {MOST_POLYGONS} polygons, each a list of [x, y] corners")
    return tuple(_polygon(polygon, number) for number, polygon in enumerate(value, 1))


def _polygon(value: object, number: int) -> Polygon:
    if not isinstance(value, list) or not 3 <= len(value) <= MOST_CORNERS:
        raise ConfigError(f"polygon {number}: give 3 to {MOST_CORNERS} corners, each [x, y]")
    corners = tuple(_corner(corner, number, place) for place, corner in enumerate(value, 1))
    if abs(_area(corners)) < 1e-6:
        raise ConfigError(f"polygon {number}: it encloses no area; give corners in order, that span one")
    return corners


def _corner(value: object, number: int, place: int) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2 and all(_fraction(part) for part in value):
        return float(value[0]), float(value[1])
    raise ConfigError(f"polygon {number}, corner {place}: give [x, y], each a number from 0 to 1")


def _fraction(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1


def _area(corners: Polygon) -> float:
    """Twice the signed area, by the shoelace formula."""
    following = corners[1:] + corners[:1]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(corners, following, strict=True))
