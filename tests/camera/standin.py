"""A stand-in for the picamera2 and libcamera modules, at the seam where PiCamera meets them; not a camera to trust.

It does what picamera2 0.3.38 was read to do: callbacks with a lock held, then the encoder; flat buffers whose rows are
longer than the picture; times in the sensor's nanoseconds, and in microseconds since the encoder's first picture.
"""

from __future__ import annotations

import sys
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import av
import numpy as np

from doorbell.senses.camera import Camera, Settings
from doorbell.senses.encoder import Encoder
from doorbell.senses.picam import PiCamera
from doorbell.vision.frames import planes_of

if TYPE_CHECKING:
    import pytest

PADDING = 32


class Transform:
    def __init__(self, hflip: bool = False, vflip: bool = False) -> None:
        self.hflip, self.vflip = hflip, vflip


class Output:
    def outputframe(self, frame: bytes, keyframe: bool = True, timestamp: int | None = None, *rest: Any) -> None: ...


class H264Encoder:
    repeats = True

    def __init__(self, bitrate: int, repeat: bool, iperiod: int, framerate: int) -> None:
        self._settings = Settings("", fps=framerate, gop_s=iperiod / framerate, bitrate_kbps=bitrate // 1000)
        self.firsttimestamp: int | None = None
        self.output = Output()

    def begin(self, width: int, height: int) -> None:
        self._frame = av.VideoFrame(width, height, "yuv420p")
        self._encoder = Encoder(width, height, self._settings)
        self._frames = 0

    def encode(self, planes: Any, sensor_us: int) -> None:
        if self.firsttimestamp is None:
            self.firsttimestamp = sensor_us
        for mine, given in zip(planes_of(self._frame), planes, strict=True):
            mine[:] = given
        since = sensor_us - self.firsttimestamp
        for data, keyframe in self._encoder.encode(self._frame, since / 1e6):
            bare = keyframe and not self.repeats and self._frames > 0
            self.output.outputframe(data[data.index(b"\0\0\1\x65") :] if bare else data, keyframe, since)
            self._frames += 1


class Request:
    def __init__(self, buffers: dict[str, np.ndarray], sensor_ns: int) -> None:
        self.buffers, self._sensor_ns = buffers, sensor_ns

    def get_metadata(self) -> dict[str, int]:
        return {"SensorTimestamp": self._sensor_ns}


class MappedArray:
    def __init__(self, request: Request, stream: str, reshape: bool = True) -> None:
        assert not reshape
        self.array = request.buffers[stream]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self.array


class Picamera2:
    """Moving blocks, in real time or as fast as they are drawn."""

    pace = True
    turns = True
    name = "/base/soc/i2c0mux/i2c@1/imx708@1a"
    form: str | None = None
    camera_controls: ClassVar = {"FrameDurationLimits": (1, 1, 1)}

    def __init__(self) -> None:
        self.camera = SimpleNamespace(id=self.name)
        self.pre_callback: Any = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.closed = False

    def create_video_configuration(self, **asked: Any) -> dict[str, Any]:
        assert asked["raw"] is None and asked["queue"] is False
        return asked

    def configure(self, asked: dict[str, Any]) -> None:
        self._given = dict(asked)
        for name in ("main", "lores"):
            stream = dict(asked[name])
            self._given[name] = {
                **stream,
                "stride": stream["size"][0] + PADDING,
                "format": self.form or stream["format"],
            }
        if not self.turns:
            self._given["transform"] = Transform()

    def camera_configuration(self) -> dict[str, Any]:
        return self._given

    def start_recording(self, encoder: H264Encoder, output: Output) -> None:
        encoder.output = output
        encoder.begin(*self._given["main"]["size"])
        self._thread = threading.Thread(target=self._run, args=(encoder,), name="picamera2", daemon=True)
        self._thread.start()

    def stop_recording(self) -> None:
        self._stopping.set()
        assert self._thread is not None
        self._thread.join()

    def close(self) -> None:
        self.closed = True

    def _run(self, encoder: H264Encoder) -> None:
        step_us = self._given["controls"]["FrameDurationLimits"][0]
        begin_ns, number = time.monotonic_ns(), 0
        while not self._stopping.wait(step_us / 1e6 if self.pace else 0.0005):
            sensor_ns = begin_ns + number * step_us * 1000
            buffers = {name: self._drawn(name, number) for name in ("main", "lores")}
            with self._lock:
                self.pre_callback(Request(buffers, sensor_ns))
                encoder.encode(self._planes("main", buffers["main"]), sensor_ns // 1000)
            number += 1

    def _drawn(self, name: str, number: int) -> np.ndarray:
        width, height = self._given[name]["size"]
        flat = np.full(self._given[name]["stride"] * height * 3 // 2, 7, np.uint8)
        y, u, v = self._planes(name, flat)
        # Blocks of an eighth of the picture each, so that main and lores show the same.
        columns, rows = (np.arange(width) * 16 // width)[None, :], (np.arange(height) * 12 // height)[:, None]
        turned = self._given["transform"]
        picture = ((columns * 37 + rows * 59 + number * 11) % 219 + 16).astype(np.uint8)
        y[:] = picture[:: -1 if turned.vflip else 1, :: -1 if turned.hflip else 1]
        u[:], v[:] = 90, 170
        return flat

    def _planes(self, name: str, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Written apart from PiCamera's own: by index of each byte."""
        given = self._given[name]
        (width, height), stride = given["size"], given["stride"]
        y = np.lib.stride_tricks.as_strided(flat, (height, width), (stride, 1))
        half = (height // 2, width // 2)
        if given["format"] == "NV12":
            u, v = (
                np.lib.stride_tricks.as_strided(flat[stride * height + byte :], half, (stride, 2)) for byte in (0, 1)
            )
        else:
            u, v = (
                np.lib.stride_tricks.as_strided(
                    flat[stride * height + part * stride * height // 4 :], half, (stride // 2, 1)
                )
                for part in (0, 1)
            )
        return y, u, v


def install(monkeypatch: pytest.MonkeyPatch, encoder: type = H264Encoder) -> None:
    """Let ``import picamera2`` and ``import libcamera`` find this for one test."""
    contents = {
        "libcamera": {"Transform": Transform},
        "picamera2": {"MappedArray": MappedArray, "Picamera2": Picamera2},
        "picamera2.encoders": {"H264Encoder": encoder, "LibavH264Encoder": object},
        "picamera2.outputs": {"Output": Output},
    }
    for name, members in contents.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)


def planar(settings: Settings, *, pace: bool = True, once: bool = False) -> Camera:
    return PiCamera(settings, device=type("Paced", (Picamera2,), {"pace": pace}))


def paired(settings: Settings, *, pace: bool = True, once: bool = False) -> Camera:
    return PiCamera(settings, device=type("Paced", (Picamera2,), {"pace": pace, "form": "NV12"}))
