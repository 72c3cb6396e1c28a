"""`doorbell scene`: the synthetic door for people who look, as a sheet of stills or as a film."""

import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorbell.errors import Mistake

if TYPE_CHECKING:
    from doorbell.scene import Frame, Scene, Script


@click.command(short_help="Draw the synthetic door scene.")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False, readable=False))
@click.option("--seed", default=1, show_default=True, help="Another number, another street.")
@click.option("--size", default="1280x720", show_default=True, help="Width x height of one picture, even numbers.")
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(0.1, 600), help="Length of a film.")
@click.option("--night", is_flag=True, help="After dark, with the porch lamp on.")
@click.option("--at", "at_s", type=float, help="A single still of the film, at this second.")
def scene(out: Path, *, seed: int, size: str, seconds: float, night: bool, at_s: float | None) -> None:
    """Write OUT: a .png contact sheet (or one still, with --at), or an .mp4 film of a visitor who leaves a parcel."""
    width, height = _size(size)
    if not out.absolute().parent.is_dir():
        raise Mistake(f"There is no folder {out.parent}: make it first.")
    try:
        if out.suffix == ".mp4":
            from doorbell.scene import Scene

            _film(out, Scene(width, height, seed, _day_script(night)), seconds)
        elif out.suffix == ".png":
            pictures = [_still(width, height, seed, night, at_s)] if at_s is not None else _sheet(width, height, seed)
            out.write_bytes(png(pictures, columns=1 if at_s is not None else 2))
        else:
            raise Mistake(f"{out.name} is neither a .png nor an .mp4: end the name with one of these.")
    except OSError as error:
        raise Mistake(f"{out} cannot be written ({error.strerror}): choose another place.") from None
    click.echo(f"{out}")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) <= 3840 and int(height) <= 2160):
        raise Mistake(f"--size {text} is no size up to 3840x2160: write it like 1280x720.")
    return int(width), int(height)


def _day_script(night: bool) -> "Script":
    from doorbell import scene as door

    lamp = (door.PorchLamp(0),) if night else ()
    return door.Script(
        (door.Visitor(at=2, parcel=True), door.Car(at=1), door.Car(at=15, direction="left", colour=(0.75, 0.77, 0.8)),
         door.PasserBy(at=6, direction="left"), door.Leaves(severity=0.4), *lamp),
        night=night, noise=1.2,
    )  # fmt: skip


def _still(width: int, height: int, seed: int, night: bool, at_s: float) -> "Frame":
    from doorbell.scene import Scene

    return Scene(width, height, seed, _day_script(night)).frame(at_s)


def _sheet(width: int, height: int, seed: int) -> "list[Frame]":
    from doorbell import scene as door

    who = door.Visitor(at=0, parcel=True, coat=(0.20, 0.34, 0.28))
    rings = door.Visitor(at=0)
    there = rings.at_the_door
    pictures = [
        (there + 0.6, door.Script((rings,), noise=1.2)),
        (5.2, door.Script((rings, door.Car(at=0)), noise=1.2)),
        (there - 0.8, door.Script((who, door.Rain(severity=0.8), door.CloudShadow()), noise=1.2)),
        (there + 9.5, door.Script((who, door.Snow()), noise=1.2)),
        (there + 0.6, door.Script((rings, door.PorchLamp(0)), night=True, noise=1.2)),
        (there - 1.5, door.Script((rings, door.IrSwitch(0)), night=True, noise=1.2)),
        (4.0, door.Script((door.PorchLamp(0), door.Car(at=0.6)), night=True, noise=1.2)),
        (8.0, door.Script((door.PasserBy(at=-6), door.Insect(), door.Leaves()), noise=1.2, clock=True)),
    ]
    return [door.Scene(width, height, seed, script).frame(t) for t, script in pictures]


def _film(out: Path, drawn: "Scene", seconds: float) -> None:
    import av

    width, height = drawn.width, drawn.height
    with av.open(str(out), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=15, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for k in range(round(seconds * 15)):
            one = drawn.frame(k / 15)
            picture = av.VideoFrame(width, height, "yuv420p")
            for plane, pixels in zip(picture.planes, (one.y, one.u, one.v), strict=True):
                plane.update(_rows(pixels, plane.line_size))
            picture.pts, picture.time_base = k, Fraction(1, 15)
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))


def _rows(pixels: Any, line_size: int) -> bytes:  # noqa: ANN401  a numpy plane; numpy is imported when called
    import numpy as np

    padded = np.zeros((pixels.shape[0], line_size), np.uint8)
    padded[:, : pixels.shape[1]] = pixels
    return padded.tobytes()


def png(frames: "list[Frame]", columns: int) -> bytes:
    """A PNG (8-bit RGB) of frames of one size, side by side in so many columns; black where the last row ends."""
    import numpy as np

    from doorbell.scene.world import rgb

    shots = [rgb(one.y, one.u, one.v) for one in frames]
    shots += [np.zeros_like(shots[0])] * (-len(shots) % columns)
    sheet = np.concatenate([np.concatenate(shots[k : k + columns], 1) for k in range(0, len(shots), columns)])
    height, width, _ = sheet.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), sheet.reshape(height, width * 3)], 1)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines.tobytes(), 6)),
        (b"IEND", b""),
    )
    framed = [
        struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body)) for tag, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
