"""The camera and the pins."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from doorbell.doctor.finding import Door, Finding, bad, good, unknown
from doorbell.doctor.machine import NOT_A_PI, is_pi

GIVEN_UP_S = 60.0
"""picamera2's imports alone take half a minute on a Zero W."""
KILLED_S = 2.0


def camera(door: Door) -> Finding:
    kind, _, what = door.config.camera.source.partition(":")
    match kind:
        case "picamera2":
            if find_spec("picamera2") is None:
                if not is_pi(door):
                    return unknown(f"{NOT_A_PI}: picamera2 is not here. Choose another camera.source to try the door.")
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


def _filmed(path: Path) -> tuple[int, str]:
    """How many pictures came (0 to 5), and why not, of the camera that the configuration *path* names."""
    words = [sys.executable, "-m", "doorbell.doctor.filming", str(path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said, why = process.communicate(timeout=GIVEN_UP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=KILLED_S)
        return 0, f"the camera did not answer within {GIVEN_UP_S:.0f} s"
    last = (why.strip().splitlines() or [""])[-1]
    return (int(said), last) if said.strip().isdigit() else (0, last or "the camera's process died")


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
    number, why = _filmed(door.path)
    if number:
        return good(f"The camera gives pictures ({number} were counted, none was kept).")
    return bad(
        f"The camera gives no picture ({(why or 'it did not say why').removesuffix('.')}).",
        "Check the ribbon cable at both ends (contacts towards the board), then: rpicam-hello --list-cameras"
        if source == "picamera2"
        else "Check camera.source.",
    )


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
