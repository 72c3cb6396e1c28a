"""A core in front of the synthetic door."""

import pytest
from attrs import frozen

from doorbell.scene import DEFAULT_ZONE, Scene, Script
from doorbell.vision.motion import Motion
from doorbell.vision.zones import watch

FPS = 10


@frozen
class Watched:
    """spans: (start, end) in seconds; tampers: the seconds at which it was first told; held: counts by gate."""

    spans: tuple[tuple[float, float], ...]
    tampers: tuple[float, ...]
    held: dict[str, int]

    def found(self, begin, end):
        return any(start <= end and stop >= begin for start, stop in self.spans)


@pytest.fixture
def watch_scene():
    """Feed a scene to a core: watch_scene(*happenings, seconds=, seed=, night=, noise=, clock=, zone=)."""

    def play(
        *happenings, seconds=24, seed=1, night=False, noise=1.5, clock=False, zone=False, agree=None, size=(320, 240)
    ):
        scene = Scene(*size, seed=seed, script=Script(happenings=happenings, night=night, noise=noise, clock=clock))
        core = Motion(*size, FPS, watch((DEFAULT_ZONE,), *size) if zone else None)
        spans, tampers, start, tampered = [], [], None, False
        for index in range(seconds * FPS):
            at = index / FPS
            if agree == index:
                core.agree(at)
            seen = core.feed(scene.frame(at).y, at)
            if seen.active and start is None:
                start = at
            if not seen.active and start is not None:
                spans.append((start, at))
                start = None
            if seen.tamper and not tampered:
                tampers.append(at)
            tampered = seen.tamper
        if start is not None:
            spans.append((start, float(seconds)))
        return Watched(tuple(spans), tuple(tampers), core.held_back())

    return play
