"""Draws what the core saw onto the pictures: one PNG of the strongest moment, or the whole video as MP4."""

from pathlib import Path

from doorbell.replay.decode import Picture
from doorbell.vision.motion import Motion, Seen


class Painter:
    def __init__(self, path: Path, zone: object) -> None:
        self._path, self._zone = path, zone

    def take(self, picture: Picture, seen: Seen, core: Motion) -> None:
        pass

    def close(self) -> None:
        pass
