"""The camera and the pins."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import frozen

from doorbell.doctor.finding import Door, Finding, bad, good, unknown
from doorbell.doctor.machine import NOT_A_PI, is_pi

GIVEN_UP_S = 60.0
"""picamera2's imports alone take half a minute on a Zero W."""
KILLED_S = 2.0
CABLE = "Check the ribbon cable at both ends (contacts towards the board), then: rpicam-hello --list-cameras"


def camera(door: Door) -> Finding:
    kind, _, what = door.config.camera.source.partition(":")
    match kind:
        case "picamera2":
            if find_spec("picamera2") is None:
                if not is_pi(door):
                    return unknown(f"{NOT_A_PI}: picamera2 is not here. Choose another camera.source to try the door.")
                return bad("picamera2 is not installed.", "sudo apt-get install python3-picamera2")
            return _sensor(door)
        case "webcam":
            return _device(Path(what), "video", "Plug it in, or choose another camera.source: ls /dev/video*")
        case "file":
            return _video(what)
    return good("No camera is configured." if kind == "none" else "The camera is the invented door: no device.")


def _video(path: str) -> Finding:
    try:
        with Path(path).open("rb"):
            return good(f"The video {path} is there.")
    except OSError as error:
        return bad(f"The video {path} cannot be read ({error.strerror}).", "Give camera.source another path.")


@frozen
class Filmed:
    """What the camera's own process told. ``found``: the sensors' names; None where it did not come so far."""

    found: tuple[str, ...] | None = None
    pictures: int = 0
    why: str = ""


def _sensor(door: Door) -> Finding:
    """A running daemon's word is taken: its camera is not asked twice, in memory that a small Pi does not have."""
    if door.page is not None and door.page.get("camera") == "sees":
        return good("The running daemon has the camera, and sees by it.")
    filmed = _filmed(door)
    if filmed.found:
        more = f"; not used: {', '.join(filmed.found[1:])}" if filmed.found[1:] else ""
        return good(f"The camera was found: {filmed.found[0]}{more}.")
    if filmed.found is None:
        why = filmed.why.removesuffix(".")
        return bad(
            f"Which camera there is was not told ({why}).", "Restart the machine, then: rpicam-hello --list-cameras"
        )
    return bad("No camera was found.", CABLE)


def _filmed(door: Door) -> Filmed:
    """Asked once a round. Beside a running daemon, which holds the camera, it is only looked which there are."""
    if "filmed" not in door.known:
        door.known["filmed"] = _asked(door.path, *["--found"] * (door.page is not None))
    filmed: Filmed = door.known["filmed"]
    return filmed


def _asked(path: Path, *more: str) -> Filmed:
    process = subprocess.Popen(
        [sys.executable, "-m", "doorbell.doctor.filming", str(path), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    late = ""
    try:
        said, errors = process.communicate(timeout=GIVEN_UP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        late, said, errors = f"the camera did not answer within {GIVEN_UP_S:.0f} s", "", ""
        with contextlib.suppress(subprocess.TimeoutExpired):
            said, errors = process.communicate(timeout=KILLED_S)  # what it had said until then, too
    told: dict[str, Any] = {}
    for line in said.splitlines():
        with contextlib.suppress(ValueError, TypeError):  # a library's own words
            told |= json.loads(line)
    found = tuple(told["found"]) if "found" in told else None
    last = (errors.strip().splitlines() or ["the camera's process died"])[-1]
    return Filmed(found, told.get("pictures", 0), told.get("why", late or last))


def frames(door: Door) -> Finding:
    """That pictures arrive: by the running daemon's word, or by filming for a moment."""
    source = door.config.camera.source
    if source == "none":
        return good("No camera is configured.")
    if door.page is not None:
        match door.page.get("camera"):
            case "sees":
                return good("The running daemon's camera gives pictures.")
            case "off":
                return unknown(
                    "The running daemon's camera is off: somebody switched the recording off, or nobody is to see."
                )
        return bad("The running daemon's camera gives no picture.", "doorbell status says why.")
    if source == "picamera2" and find_spec("picamera2") is None:
        return unknown("No pictures were looked for: picamera2 is not installed.")
    filmed = _filmed(door)
    if filmed.pictures:
        return good(f"The camera gives pictures ({filmed.pictures} were counted, none was kept).")
    why = (filmed.why or "it did not say why").removesuffix(".")
    return bad(f"The camera gives no picture ({why}).", CABLE if source == "picamera2" else "Check camera.source.")


def pins(door: Door) -> Finding:
    match door.config.pins.kind:
        case "simulated":
            return good("The pins are simulated: `doorbell press` presses.")
        case "none":
            return good("No pins are configured.")
    chips = sorted((door.root / "dev").glob("gpiochip*"))
    if not chips:
        if not is_pi(door):
            return unknown(f'{NOT_A_PI}: no GPIO chip. Without pins set pins.kind = "simulated" or "none".')
        return bad(
            "This machine has no GPIO chip (/dev/gpiochip0).",
            'Without pins set pins.kind = "simulated" or "none"; on a Raspberry Pi update its kernel.',
        )
    if find_spec("lgpio") is None:
        return bad("The package lgpio is not installed.", "sudo apt-get install python3-lgpio")
    return _device(chips[0], "gpio", "Is this a Raspberry Pi?")


def _device(path: Path, group: str, absent: str) -> Finding:
    if not path.exists():
        return bad(f"{path} is not there.", absent)
    if not os.access(path, os.R_OK | os.W_OK):
        return bad(
            f"This user may not use {path}.",
            f"sudo usermod -aG {group} $USER, then log in again; the service's own user has the group already.",
        )
    return good(f"{path} is there and may be used.")
