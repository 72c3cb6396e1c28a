"""``make hardware``: makes everything in ``hardware/`` that is not written by hand, and records what it was made from.

What is already made from the present sources is left alone; ``--all`` makes it again.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hardware.workshop import harness, pages, solids, views
from hardware.workshop.sources import HARDWARE, read

RECORD = HARDWARE / "made.json"
"""What each made file was made from, and its own hash: ``{file: {"from": hex, "is": hex}}``."""
MODEL = ("enclosure/doorbell.scad", "enclosure/case.scad", "enclosure/parts.scad", "workshop/solids.py")
VIEWED = (*MODEL, "enclosure/views.scad", "workshop/views.py")
DRAWN = ("circuits.toml", "pins.toml", "workshop/draw.py", "workshop/sheet.py", "workshop/sources.py")
CABLED = ("pins.toml", "workshop/harness.py")
FIGURES = ("button", "pir", "led", "relay", "chime", "buzzer", "power", "infrared")


def sources() -> dict[str, tuple[str, ...]]:
    """Each made file that is not a page, and the files it is made from; all relative to ``hardware/``."""
    return {
        "drawings/harness.svg": CABLED,
        **{f"drawings/{name}.svg": DRAWN for name in FIGURES},
        **{f"enclosure/stl/{name}.stl": MODEL for name in solids.SOLIDS},
        **{f"enclosure/views/{name}.png": VIEWED for name in views.VIEWS},
    }


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def digest_of(files: tuple[str, ...]) -> str:
    """One hash over the names and contents of *files*."""
    return digest(b"".join(name.encode() + b"\0" + (HARDWARE / name).read_bytes() + b"\0" for name in files))


def stale() -> list[str]:
    """The made files that are missing, were changed by hand, or were made from other sources than the present ones."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}

    def current(name: str, files: tuple[str, ...]) -> bool:
        path = HARDWARE / name
        entry = record.get(name, {})
        return path.exists() and entry.get("is") == digest(path.read_bytes()) and entry.get("from") == digest_of(files)

    return [name for name, files in sources().items() if not current(name, files)]


def stale_pages() -> list[str]:
    """The pages that do not say what the sources say."""
    return [path.name for path, text in pages.written().items() if not path.exists() or path.read_text() != text]


def made(name: str) -> bytes:
    """The bytes of the made file *name*."""
    path = Path(name)
    if path.name == "harness.svg":
        return harness.picture(read("pins.toml")).encode()
    if path.suffix == ".svg":
        from hardware.workshop import draw  # noqa: PLC0415  only here is schemdraw needed

        return draw.pictures()[path.name].encode()
    if path.suffix == ".stl":
        return solids.solid(solids.SOLIDS[path.stem])
    return views.view(path.stem)


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """Make what is stale, or all of it; 1 where a program is missing or a source is wrong, which is said."""
    try:
        return make("--all" in arguments, say)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        say(f"{error.cmd[0]} would not make it: {said or f'it ended with {error.returncode}'}")
    except KeyError as error:
        say(f"A source of hardware/ (pins, circuits, bom) lacks or does not know {error}.")
    except ValueError as error:
        say(f"A source of hardware/ is wrong: {error}")
    return 1


def make(everything: bool, say: Callable[[str], None]) -> int:
    """Make what is stale, or *everything*, each recorded as soon as it is there; 1 where a program is missing."""
    todo = list(sources()) if everything else stale()
    if missing := [program for program in views.missing() if any(name.startswith("enclosure/") for name in todo)]:
        say(f"These programs are missing: {', '.join(missing)}. As root: apt-get install openscad xvfb ffmpeg pngquant")
        return 1
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    record = {name: entry for name, entry in record.items() if name in sources()}
    for path, text in pages.written().items():
        path.write_text(text)
    for name in todo:
        say(f"hardware/{name}")
        data = made(name)
        (HARDWARE / name).parent.mkdir(parents=True, exist_ok=True)
        (HARDWARE / name).write_bytes(data)
        record[name] = {"from": digest_of(sources()[name]), "is": digest(data)}
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
