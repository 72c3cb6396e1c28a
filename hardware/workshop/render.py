"""Turns the enclosure's OpenSCAD model into small binary STL files and pictures, the same bytes each time."""

from __future__ import annotations

import os
import shutil
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
UPRIGHT = "0,0,0,72,0,32,600"
FLAT = "0,0,0,38,0,12,600"
VIEWS: dict[str, tuple[str, str]] = {
    "front": ("front", UPRIGHT),
    "back": ("back", "0,0,0,72,0,-32,600"),
    "wedge": ("wedge", UPRIGHT),
    "open": ("open", FLAT),
    "exploded": ("exploded", "0,0,0,68,0,58,600"),
    "step1": ("step1", "0,0,0,50,0,20,600"),
    "step2": ("step2", "0,0,0,55,0,20,600"),
    "step3": ("step3", FLAT),
    "step4": ("step4", "0,0,0,70,0,40,600"),
    "step5": ("step5", "0,0,0,25,0,8,600"),
    "step6": ("step6", "0,0,0,50,0,20,600"),
    "step7": ("step7", "0,0,0,68,0,55,600"),
}
"""PNG file to the picture's name in views.scad and OpenSCAD's camera."""
PICTURE_PIXELS = 1400
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
    """One printable part as a binary STL. Raises CalledProcessError where the model's own asserts or OpenSCAD refuse."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "part.stl"
        subprocess.run(["openscad", "-q", "--hardwarnings", *settings(values), "-o", str(made), str(MODEL)], check=True)
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
    return sum(
        a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
        for a, b, c in triangles
    ) / 6


def size(triangles: list[Facet]) -> Point:
    """Width, height and depth in mm."""
    spans = [[point[axis] for triangle in triangles for point in triangle] for axis in range(3)]
    x, y, z = (max(span) - min(span) for span in spans)
    return x, y, z


def view(name: str) -> bytes:
    """One picture as PNG: rendered at twice the size, its white margin cut off, made smooth, in 64 colours."""
    picture, camera = VIEWS[name]
    with tempfile.TemporaryDirectory() as folder:
        raw, small = Path(folder) / "raw.png", Path(folder) / "small.png"
        pixels = 2 * PICTURE_PIXELS
        command = ["openscad", "-q", "--hardwarnings", *settings({"part": "view", "view": picture})]
        command += [f"--imgsize={pixels},{pixels}", f"--camera={camera}", "--viewall", "--autocenter"]
        command += ["--projection=p", "--colorscheme=Tomorrow", "-o", str(raw), str(MODEL)]
        screen = [] if os.environ.get("DISPLAY") else ["xvfb-run", "-a"]
        subprocess.run([*screen, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        trimmed(raw, small)
        subprocess.run(
            ["pngquant", "--strip", "--nofs", "--speed", "1", "--force", "--output", str(small), "64", str(small)], check=True
        )
        return small.read_bytes()


def trimmed(raw: Path, small: Path) -> None:
    """*raw* without its margin, its longer side PICTURE_PIXELS, into *small*."""
    ffmpeg = ["ffmpeg", "-loglevel", "error", "-y"]
    pixels = 2 * PICTURE_PIXELS
    grey = subprocess.run(
        [*ffmpeg, "-i", str(raw), "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True, capture_output=True
    ).stdout
    paper = grey[0]
    rows = [y for y in range(pixels) if any(grey[y * pixels + x] != paper for x in range(0, pixels, 3))]
    columns = [x for x in range(pixels) if any(grey[y * pixels + x] != paper for y in range(0, pixels, 3))]
    top, left = max(rows[0] - 30, 0), max(columns[0] - 30, 0)
    tall, wide = min(rows[-1] + 30, pixels) - top, min(columns[-1] + 30, pixels) - left
    longest = 900
    across, down = (longest, -2) if wide >= tall else (-2, longest)
    subprocess.run(
        [*ffmpeg, "-i", str(raw), "-vf", f"crop={wide}:{tall}:{left}:{top},scale={across}:{down}:flags=area", "-pix_fmt", "rgb24"]
        + ["-bitexact", str(small)],
        check=True,
    )


def missing() -> list[str]:
    """The programs that are not on this machine."""
    return [program for program in ("openscad", "xvfb-run", "ffmpeg", "pngquant") if shutil.which(program) is None]
