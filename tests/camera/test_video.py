"""A video file as a camera, and what is said when there is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from attrs import evolve

from doorbell.errors import ConfigError, DeviceError, DoorbellError
from doorbell.senses.camera import Settings
from doorbell.senses.software import SoftwareCamera
from doorbell.senses.sources import open_camera
from doorbell.senses.video import VideoFile
from tests.rigs.cameras import Heard, film

if TYPE_CHECKING:
    from pathlib import Path


def settings(path: Path | str, **changes: int) -> Settings:
    return evolve(Settings(f"file:{path}", width=640, height=480, bitrate_kbps=500), **changes)


def test_once_a_file_ends_with_its_last_picture(video: Path, heard: Heard) -> None:
    camera = open_camera(settings(video), pace=False, once=True)
    camera.start(heard)
    heard.until(lambda: bool(heard.last_words))
    camera.stop()
    assert len(heard.packets) == 30
    assert heard.last_words == [""]


def test_a_file_starts_over_at_its_end_and_its_clock_goes_on(video: Path, heard: Heard) -> None:
    camera = open_camera(settings(video), pace=False)
    camera.start(heard)
    heard.until(lambda: len(heard.packets) >= 70)
    camera.stop()
    assert np.diff([packet.at for packet in heard.packets[:70]]) == pytest.approx(1 / 15, abs=1e-4)
    assert heard.last_words == []


@pytest.mark.parametrize(
    ("own", "asked", "given"),
    [
        ((640, 480), (1280, 720), (640, 480)),
        ((640, 480), (320, 240), (320, 240)),
        ((640, 360), (320, 240), (320, 180)),
        ((240, 640), (320, 240), (90, 240)),
    ],
)
def test_a_file_keeps_its_aspect_and_is_never_enlarged(
    tmp_path: Path, heard: Heard, own: tuple[int, int], asked: tuple[int, int], given: tuple[int, int]
) -> None:
    path = tmp_path / "clip.mp4"
    film(path, *own, count=3)
    camera = open_camera(settings(path, width=asked[0], height=asked[1]), pace=False, once=True)
    assert (camera.width, camera.height) == given
    camera.want_still()
    camera.start(heard)
    heard.until(lambda: bool(heard.stills))
    camera.stop()
    assert heard.stills[0].planes[0].shape == given[::-1]


def test_a_full_range_file_gives_a_limited_range_picture(tmp_path: Path, heard: Heard) -> None:
    path = tmp_path / "phone.mkv"
    film(path, 64, 48, count=2, color_range=2)
    camera = open_camera(settings(path), pace=False, once=True)
    camera.want_still()
    camera.start(heard)
    heard.until(lambda: bool(heard.stills))
    camera.stop()
    # The darkest block, 26 of 0 to 255, is 38 of 16 to 235.
    assert 35 <= heard.stills[0].planes[0].min() <= 41


def test_a_camera_of_no_known_kind_is_refused() -> None:
    for source in ("", "film", "file:", "webcam:", "picamera2:1", "scene:x", "scene:1234567890"):
        with pytest.raises(ConfigError, match=r"give"):
            open_camera(Settings(source))


def test_each_way_a_file_can_be_no_video_has_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no video")
    (tmp_path / "empty").write_bytes(b"")
    for name, fix in (("missing", "no such file"), ("text", "no video"), ("empty", "no video"), (".", "folder")):
        with pytest.raises(ConfigError, match=fix) as caught:
            open_camera(settings(tmp_path / name))
        assert re.search(r"give|choose", str(caught.value))


def test_a_webcam_that_is_not_there_says_so() -> None:
    with pytest.raises(DeviceError, match="plug it in"):
        open_camera(Settings("webcam:/dev/video987"))


def test_without_picamera2_the_fix_is_to_install_it() -> None:
    try:
        import picamera2  # noqa: F401
    except ImportError:
        with pytest.raises(DoorbellError, match="apt install python3-picamera2"):
            open_camera(Settings("picamera2"))
    else:
        pytest.skip("picamera2 is installed here")


def test_a_file_that_vanishes_while_it_plays_is_trouble(tmp_path: Path, heard: Heard) -> None:
    path = tmp_path / "clip.mp4"
    film(path, 64, 48, count=3)
    asked = settings(path)
    source = VideoFile(str(path), asked, once=False)
    path.unlink()
    camera = SoftwareCamera(asked, source, pace=False)
    camera.start(heard)
    heard.until(lambda: bool(heard.last_words))
    assert "check the file" in heard.last_words[0]
    camera.stop()
