"""Pictures from a video file or a webcam, decoded by PyAV.

A picture keeps its aspect: it is made to fit into the width and height that were asked for, and never enlarged, so
the camera's own size may be smaller than the settings'. Both sides are even.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.video.reformatter import ColorRange, VideoReformatter

from doorbell.errors import ConfigError, DeviceError
from doorbell.senses.software import Shot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorbell.senses.camera import Settings

LONGEST_STEP_S = 1.0
"""The most that a file's clock may leap from one picture to the next; a hole in a recording is not waited out."""


class VideoFile:
    """A Source that plays a file: from its beginning again at its end, or ``once``.

    Raises ConfigError for a path that is no readable video.
    """

    def __init__(self, path: str, settings: Settings, *, once: bool) -> None:
        self._path = path
        self._once = once
        try:
            with av.open(path) as container:
                video = _video(container)
                self.width, self.height = _fitted(video, settings)
        except (av.FFmpegError, OSError, IndexError) as error:
            raise ConfigError(f"camera.source = file:{path}: {_why_no_file(path, error)}.") from None

    def shots(self) -> Iterator[Shot]:
        t = 0.0
        while True:
            count = 0
            try:
                for step, shot in self._play(t):
                    t = step
                    count += 1
                    yield shot
            except (av.FFmpegError, OSError, IndexError) as error:
                raise DeviceError(
                    f"The video {self._path} cannot be read on ({type(error).__name__}): check the file and its disk."
                ) from None
            if not count:
                raise DeviceError(f"The video {self._path} holds no picture that can be decoded: give another.")
            if self._once:
                return

    def _play(self, begin: float) -> Iterator[tuple[float, Shot]]:
        """One round: each shot with the time at which the one after it is due, should this be the last."""
        scaler = _Scaler(self.width, self.height)
        with av.open(self._path) as container:
            video = _video(container)
            usual = float(1 / video.average_rate) if video.average_rate else 1 / 25
            t = begin
            last: float | None = None
            for frame in container.decode(video):
                now = None if frame.pts is None else frame.time
                if last is not None:
                    t += usual if now is None else min(max(now - last, 0.001), LONGEST_STEP_S)
                last = now if now is not None else (last or 0.0) + usual
                yield t + usual, Shot(t, lambda frame=frame: scaler.fitted(frame))  # type: ignore[misc]


class Webcam:
    """A Source on a V4L2 device; raises DeviceError for one that is missing, busy, forbidden or no camera."""

    def __init__(self, device: str, settings: Settings) -> None:
        self._device = device
        size = f"{settings.width}x{settings.height}"
        try:
            self._container = av.open(
                device, format="v4l2", options={"video_size": size, "framerate": str(settings.fps)}
            )
            self.width, self.height = _fitted(_video(self._container), settings)
        except (av.FFmpegError, OSError, IndexError, ValueError) as error:
            raise DeviceError(f"The webcam {device} {_why_no_webcam(error)}.") from None

    def shots(self) -> Iterator[Shot]:
        scaler = _Scaler(self.width, self.height)
        first: float | None = None
        try:
            with self._container as container:
                for frame in container.decode(_video(container)):
                    now = frame.time or 0.0
                    first = now if first is None else first
                    yield Shot(now - first, lambda frame=frame: scaler.fitted(frame))  # type: ignore[misc]
        except (av.FFmpegError, OSError) as error:
            raise DeviceError(f"The webcam {self._device} {_why_no_webcam(error)}.") from None


class _Scaler:
    """Decoded frames to yuv420p ones of one size, limited range; one swscale context for all of them."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._reformatter = VideoReformatter()

    def fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        width, height = self._size
        same = frame.format.name == "yuv420p" and (frame.width, frame.height) == self._size
        if same and frame.color_range != ColorRange.JPEG:
            return frame  # a range that is not said is limited: nothing to convert, and no second picture
        return self._reformatter.reformat(frame, width, height, "yuv420p", dst_color_range="MPEG", interpolation="AREA")


def _video(container: av.container.InputContainer) -> av.VideoStream:
    video = container.streams.video[0]
    video.thread_count = 1
    return video


def _fitted(video: av.VideoStream, settings: Settings) -> tuple[int, int]:
    width, height = video.codec_context.width, video.codec_context.height
    if not width or not height:
        raise IndexError("a video stream without a size")
    scale = min(1.0, settings.width / width, settings.height / height)
    return max(16, round(width * scale / 2) * 2), max(16, round(height * scale / 2) * 2)


def _why_no_file(path: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file; give the path of a video"
    if isinstance(error, PermissionError):
        return "not allowed to read it; give the doorbell's user permission"
    if Path(path).is_dir():
        return "that is a folder; give the path of a video"
    return "that is no video PyAV can read; give an MP4, MKV or the like"


def _why_no_webcam(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, FileNotFoundError) or number in (errno.ENODEV, errno.ENXIO):
        return "is not there: plug it in, or look for another with `ls /dev/video*`"
    if isinstance(error, PermissionError):
        return "may not be opened by this user: add the user to the group video"
    if number == errno.EBUSY:
        return "is in use by another program: end that one"
    return "gives no video: choose a device that is a camera, and a size it knows"
