"""Turns the enclosure's OpenSCAD model into binary STL files, the same bytes each time, and measures them."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hardware.workshop.sources import HARDWARE

MODEL = HARDWARE / "enclosure" / "doorbell.scad"
SOLIDS: dict[str, dict[str, str | int]] = {
    "base-zero2w": {"part": "base"},
    "shell-zero2w": {"part": "shell"},
    "wedge-zero2w": {"part": "wedge"},
    "hood": {"part": "hood"},
    "base-pi4": {"part": "base", "pi": "pi4"},
    "shell-pi4": {"part": "shell", "pi": "pi4"},
    "wedge-pi4": {"part": "wedge", "pi": "pi4"},
}
"""STL file to what it sets in the model."""
Point = tuple[float, float, float]
Facet = tuple[Point, Point, Point]


def settings(values: dict[str, str | int]) -> list[str]:
    """OpenSCAD's arguments that set *values* in the model."""
    return [
        word
        for name, value in values.items()
        for word in ("-D", f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}")
    ]


def solid(values: dict[str, str | int]) -> bytes:
    """One printable part as a binary STL. Raises CalledProcessError where the model's asserts or OpenSCAD refuse."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "part.stl"
        subprocess.run(
            ["openscad", "-q", "--hardwarnings", *settings(values), "-o", str(made), str(MODEL)],
            check=True,
            stderr=subprocess.PIPE,
        )
        return packed(facets(made.read_text()))


def facets(text: str) -> Iterator[Facet]:
    """The triangles of an ASCII STL, without those that rounding has made a line."""
    corners: list[Point] = []
    for line in text.splitlines():
        word, *numbers = line.split()
        if word == "vertex":
            x, y, z = (float(number) for number in numbers)
            corners.append((x, y, z))
        elif word == "endfacet":
            a, b, c = corners
            if len({a, b, c}) == len(corners):
                yield (a, b, c)
            corners = []


def packed(triangles: Iterator[Facet]) -> bytes:
    """Binary STL, the triangles in a fixed order, normals left to the reader as the format allows."""
    ordered = sorted(min((t, (t[1], t[2], t[0]), (t[2], t[0], t[1]))) for t in triangles)
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *a, *b, *c, 0) for a, b, c in ordered)
    return b"doorbell enclosure, millimetres".ljust(80, b" ") + struct.pack("<I", len(ordered)) + body


def read_solid(data: bytes) -> list[Facet]:
    """The triangles of a binary STL. Raises ValueError where its length is not what its count says."""
    (count,) = struct.unpack_from("<I", data, 80)
    if len(data) != 84 + 50 * count:
        raise ValueError(f"An STL of {count} triangles has {84 + 50 * count} bytes, this one {len(data)}.")
    found = []
    for index in range(count):
        n = struct.unpack_from("<12f", data, 84 + 50 * index)[3:]
        found.append(((n[0], n[1], n[2]), (n[3], n[4], n[5]), (n[6], n[7], n[8])))
    return found


def open_edges(triangles: list[Facet]) -> int:
    """How many edges are not shared by exactly two triangles that run along it in opposite ways: 0 is a closed body."""
    edges = Counter((t[i], t[(i + 1) % 3]) for t in triangles for i in range(3))
    return sum(1 for (a, b), count in edges.items() if count != 1 or edges.get((b, a)) != 1)


def volume(triangles: list[Facet]) -> float:
    """Cubic millimetres; negative where the triangles look inwards."""
    return (
        sum(
            a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
            for a, b, c in triangles
        )
        / 6
    )


def size(triangles: list[Facet]) -> Point:
    """Width, height and depth in mm."""
    spans = [[point[axis] for triangle in triangles for point in triangle] for axis in range(3)]
    x, y, z = (max(span) - min(span) for span in spans)
    return x, y, z
