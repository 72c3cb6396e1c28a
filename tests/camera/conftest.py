"""Cameras under test, a video for them, and a sink."""

from __future__ import annotations

import importlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from doorbell.senses.camera import Camera, Settings
from doorbell.senses.sources import open_camera

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

from tests.rigs.cameras import FRAMES, PATIENCE_S, Heard, Open, film


def under_test() -> list[str]:
    """Names of the cameras that the contract is put to: sources of open_camera, or MODULE:FUNCTION with its shape.

    DOORBELL_TEST_CAMERAS, separated by spaces, chooses others: in the lab a function around the real picamera2.
    """
    return os.environ.get("DOORBELL_TEST_CAMERAS", "file scene:7 standin:planar standin:paired").split()


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 640x480 at 15 pictures a second: blocks of hard contrast that move, the worst for a mask's rim."""
    path = tmp_path_factory.mktemp("video") / "street.mp4"
    film(path, 640, 480, count=30)
    return path


@pytest.fixture(params=under_test())
def opened(request: pytest.FixtureRequest, video: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """``opened(settings, pace=…)``: each camera under test in turn; its source is put into the settings here."""
    name = request.param
    module, _, function = name.partition(":")
    if module == "standin":
        importlib.import_module(module).install(monkeypatch)

    def source(settings: Settings, **how: bool) -> Camera:
        import attrs

        if name == "file":
            return open_camera(attrs.evolve(settings, source=f"file:{video}"), **how)
        if module in ("picamera2", "scene", "webcam"):
            return open_camera(attrs.evolve(settings, source=name), **how)
        factory: Callable[..., Camera] = getattr(importlib.import_module(module), function)
        return factory(settings, **how)

    opener = Open(source)
    if module in ("scene", "standin"):
        # The encoder is the file's, and a scene takes 10 ms to draw.
        opener.frames = min(FRAMES, 150)
    yield opener
    opener.stop()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def deadline() -> float:
    return time.monotonic() + PATIENCE_S
