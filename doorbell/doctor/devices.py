"""The camera and the pins."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from doorbell.doctor.finding import Door, Finding, bad, good


def camera(door: Door) -> Finding:
    kind, _, what = door.config.camera.source.partition(":")
    match kind:
        case "picamera2":
            if find_spec("picamera2") is None:
                return bad("picamera2 is not installed.", "sudo apt-get install python3-picamera2")
            return good("picamera2 is installed.")
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


def pins(door: Door) -> Finding:
    match door.config.pins.kind:
        case "simulated":
            return good("The pins are simulated: `doorbell press` presses.")
        case "none":
            return good("No pins are configured.")
    chips = sorted(Path("/dev").glob("gpiochip*"))
    if not chips:
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
