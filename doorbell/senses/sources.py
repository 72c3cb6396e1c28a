"""Which cameras there are, by the name the owner gives in ``camera.source``; each is imported when it is chosen."""

from __future__ import annotations

from pathlib import Path

from doorbell.errors import ConfigError
from doorbell.senses.camera import Camera, Settings


def open_camera(settings: Settings, *, pace: bool = True, once: bool = False, stage: Path | None = None) -> Camera:
    """The camera that ``settings.source`` names: picamera2, file:PATH, scene, scene:SEED or webcam:/dev/videoN.

    ``pace`` False lets a file or a scene run as fast as it can; ``once`` ends a file at its end instead of starting
    over; ``stage`` is the folder where a scene hears of visitors. Raises ConfigError for a source that a person must
    mend, DeviceError for a device that may heal.
    """
    kind, _, rest = settings.source.partition(":")
    if kind == "picamera2" and not rest:
        from doorbell.senses.picam import PiCamera  # noqa: PLC0415  only a Pi has it, and it costs 100 MB to import

        return PiCamera(settings)
    if kind not in ("file", "scene", "webcam") or (kind != "scene" and not rest):
        raise ConfigError(
            f'camera.source = "{settings.source}": no such camera; '
            "give picamera2, file:VIDEO, webcam:/dev/video0 or scene."
        )
    from doorbell.senses.software import SoftwareCamera  # noqa: PLC0415  a Pi's camera needs no PyAV encoder

    if kind == "scene":
        from doorbell.senses.scenery import Scenery  # noqa: PLC0415  the scene is for demos and tests

        return SoftwareCamera(settings, Scenery(settings, _seed(rest), once=once, runtime=stage), pace=pace)
    from doorbell.senses.video import VideoFile, Webcam  # noqa: PLC0415

    if kind == "file":
        return SoftwareCamera(settings, VideoFile(rest, settings, once=once), pace=pace)
    return SoftwareCamera(settings, Webcam(rest, settings), pace=True)


def _seed(text: str) -> int:
    """The number behind ``scene:``; none is 0."""
    if text and not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ConfigError(f'camera.source = "scene:{text}": the seed is no number; give scene or scene:1.')
    return int(text or 0)
