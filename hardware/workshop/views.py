"""Takes the pictures of the enclosure: OpenSCAD's view of the model, cut to size and made small."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from hardware.workshop.solids import MODEL, settings

UPRIGHT = "0,0,0,72,0,32,600"
FLAT = "0,0,0,38,0,12,600"
VIEWS: dict[str, tuple[str, str]] = {
    "front": ("front", UPRIGHT),
    "back": ("back", "0,0,0,72,0,30,600"),
    "wedge": ("wedge", "0,0,0,62,0,-48,600"),
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
PICTURE_PIXELS = 900


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
        subprocess.run([*screen, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        trimmed(raw, small)
        subprocess.run(
            ["pngquant", "--strip", "--nofs", "--speed", "1", "--force", "--output", str(small), "64", str(small)],
            check=True,
        )
        return small.read_bytes()


def trimmed(raw: Path, small: Path) -> None:
    """*raw* without its margin, its longer side PICTURE_PIXELS, into *small*."""
    ffmpeg = ["ffmpeg", "-loglevel", "error", "-y"]
    pixels = 2 * PICTURE_PIXELS
    grey = subprocess.run(
        [*ffmpeg, "-i", str(raw), "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True, capture_output=True
    ).stdout
    paper = grey[:1] * pixels
    rows = [y for y in range(pixels) if grey[y * pixels : (y + 1) * pixels] != paper]
    columns = [x for x in range(pixels) if grey[x::pixels] != paper]
    top, left = max(rows[0] - 30, 0), max(columns[0] - 30, 0)
    tall, wide = min(rows[-1] + 30, pixels) - top, min(columns[-1] + 30, pixels) - left
    across, down = (PICTURE_PIXELS, -2) if wide >= tall else (-2, PICTURE_PIXELS)
    cut = f"crop={wide}:{tall}:{left}:{top},scale={across}:{down}:flags=area"
    command = [*ffmpeg, "-i", str(raw), "-vf", cut, "-pix_fmt", "rgb24", "-bitexact", str(small)]
    subprocess.run(command, check=True)


def missing() -> list[str]:
    """The programs that are not on this machine."""
    return [program for program in ("openscad", "xvfb-run", "ffmpeg", "pngquant") if shutil.which(program) is None]
