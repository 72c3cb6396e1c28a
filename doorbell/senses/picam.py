"""The Raspberry Pi's camera, by picamera2: configured once, encoded in hardware, masked before the encoder.

picamera2 calls ``pre_callback`` for every frame with its lock held, before the frame goes to the encoder. There the
masks are painted into the camera's own buffers, main and lores, and the lores luma (or a still) is copied out; it
waits for nothing. Should it raise, that frame is never encoded, so never unmasked, and picamera2's thread ends
through ``threading.excepthook``: the recorder dies of it and is started anew. A thread of ours hands on what was
copied; what it has no room for is given up in whole pictures and counted.

Modes are never switched: CMA memory fragments, and a second configuration late in a long day fails. ``sensor_modes``
is never read: it reconfigures the sensor once for every mode. There is no raw stream and no frame kept queued: nobody
reads them, and each would cost CMA memory.

Read against picamera2 0.3.38. What the lab can prove with the real picamera2 and a virtual camera, and what only a
Pi can (YUV420 from the ISP, the transforms, FrameDurationLimits, the hardware encoder and its keyframes, whether
four buffers fit CMA, real time), stands in docs/camera.md.
"""

from __future__ import annotations

import queue
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from doorbell.errors import ConfigError, DeviceError
from doorbell.senses.camera import Luma, Packet, Plane, Planes, Settings, Sink, Still
from doorbell.senses.pacing import Thinning
from doorbell.vision.zones import Painter

if TYPE_CHECKING:
    from collections.abc import Mapping

STOP_S = 2.0
"""How long ``stop`` waits in all; picamera2 may hang for good (its issues 1090 and 1392), and is then left behind."""

WAITING = 64
"""Coded pictures that may wait for the recorder: 4 s at 15 pictures a second."""

FORMS = "YUV420", "NV12"
"""The pixel formats that ``_Layout`` can read, the one that is asked for first."""

BOARD = "/base/"
"""How libcamera's names of cameras begin that the firmware's device tree knows."""

MODEL = Path("/proc/device-tree/model")


@frozen
class _Layout:
    """How one stream lies in its buffer, by the configuration that picamera2 gave back."""

    width: int
    height: int
    stride: int
    form: str

    @classmethod
    def of(cls, stream: Mapping[str, Any]) -> _Layout:
        width, height = stream["size"]
        return cls(width, height, stream["stride"], stream["format"])

    def planes(self, flat: Plane) -> Planes:
        """Views of I420's planes in the *flat* buffer; of NV12's, whose U and V take turns, every other byte."""
        luma = self.stride * self.height
        y = flat[:luma].reshape(self.height, self.stride)[:, : self.width]
        chroma = flat[luma : luma + luma // 2]
        if self.form == "NV12":
            pairs = chroma.reshape(self.height // 2, self.stride)[:, : self.width]
            return y, pairs[:, 0::2], pairs[:, 1::2]
        u, v = chroma.reshape(2, self.height // 2, self.stride // 2)[:, :, : self.width // 2]
        return y, u, v


class PiCamera:
    """Camera 0 behind the seam.

    YUV420 is asked for, which a Pi gives; NV12 is understood too, which is all that libcamera's virtual camera knows.
    ``device`` stands in for the class ``picamera2.Picamera2`` in tests.
    """

    def __init__(self, settings: Settings, *, device: Any = None) -> None:  # noqa: ANN401
        if settings.lores_width > settings.width or settings.lores_height > settings.height:
            raise ConfigError(
                f"camera.width, height = {settings.width}, {settings.height}: the Pi's camera cannot look for motion "
                f"in a picture smaller than {settings.lores_width} x {settings.lores_height}; give more."
            )
        self._settings = settings
        self._still_wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._device = _opened(device)
        try:
            main, lores = self._configured()
        except BaseException:
            self._device.close()
            raise
        self._main, self._lores = main, lores
        self.width, self.height = main.width, main.height
        self._main_painter = Painter.main(settings.masks, main.width, main.height)
        small = lores.width, lores.height
        self._lores_painter = Painter.lores(settings.masks, (main.width, main.height), small)
        # One luma plane is with the sink while the other is filled.
        self._free: queue.SimpleQueue[Plane] = queue.SimpleQueue()
        for _ in range(2):
            self._free.put(np.empty((lores.height, lores.width), dtype=np.uint8))
        self._luma_due = Thinning(settings.lores_fps)
        self._out: queue.SimpleQueue[Packet | Luma | Still | None] = queue.SimpleQueue()
        self._shift: float | None = None
        self._headers = b""
        self._until_keyframe = True
        self.dropped = 0

    # ---- the seam

    def start(self, sink: Sink) -> None:
        if self._thread is not None or self._stopping.is_set():
            raise DeviceError("The camera was started before: open it anew.")
        self._thread = threading.Thread(target=self._hand_on, args=(sink,), name="camera", daemon=True)
        self._thread.start()
        self._device.pre_callback = self._on_frame
        self._encoder = _encoder(self._settings)
        try:
            self._device.start_recording(self._encoder, _output(self._on_packet))
        except (RuntimeError, OSError) as error:
            self.stop()
            raise DeviceError(
                f"The camera does not start ({type(error).__name__}): look at its ribbon cable, then reboot."
            ) from error

    def want_still(self) -> None:
        self._still_wanted.set()

    def stop(self) -> None:
        if self._stopping.is_set():
            return
        self._stopping.set()
        closing = threading.Thread(target=self._close, name="camera-close", daemon=True)
        closing.start()
        closing.join(STOP_S / 2)
        self._out.put(None)
        if self._thread is not None:
            self._thread.join(STOP_S / 2)

    def _close(self) -> None:
        if self._thread is not None:
            self._device.stop_recording()
        self._device.close()

    def _hand_on(self, sink: Sink) -> None:
        """Our thread: every call to the sink comes from here."""
        while (item := self._out.get()) is not None and not self._stopping.is_set():
            if isinstance(item, Packet):
                sink.packet(item)
            elif isinstance(item, Luma):
                sink.luma(item)
                self._free.put(item.plane)
            else:
                sink.still(item)

    # ---- picamera2's threads

    def _on_frame(self, request: Any) -> None:  # noqa: ANN401
        """Every frame, with picamera2's lock held and before the encoder has it."""
        from picamera2 import MappedArray  # noqa: PLC0415  a Pi only

        at = self._at(request.get_metadata()["SensorTimestamp"] / 1e9)
        with MappedArray(request, "main", reshape=False) as mapped:
            planes = self._main.planes(mapped.array)
            self._main_painter.paint(*planes)
            if self._still_wanted.is_set():
                self._still_wanted.clear()
                y, u, v = planes
                self._out.put(Still(at, (y.copy(), u.copy(), v.copy())))
        with MappedArray(request, "lores", reshape=False) as mapped:
            planes = self._lores.planes(mapped.array)
            self._lores_painter.paint(*planes)
            if self._luma_due.takes(at) and not self._free.empty():
                plane = self._free.get_nowait()
                plane[:] = planes[0]
                self._out.put(Luma(at, plane))

    def _on_packet(self, frame: bytes, keyframe: bool, timestamp_us: int) -> None:
        """Every coded picture; *timestamp_us* counts from the encoder's first."""
        data = bytes(frame)
        if keyframe:
            data = self._with_headers(data)
            self._until_keyframe = not self._headers
        if self._until_keyframe or self._out.qsize() > WAITING:
            # What refers to a picture that was given up cannot be decoded: on to the next keyframe.
            self._until_keyframe = True
            self.dropped += 1
            return
        first_us = self._encoder.firsttimestamp or 0
        self._out.put(Packet(self._at((first_us + timestamp_us) / 1e6), data, keyframe))

    def _with_headers(self, data: bytes) -> bytes:
        """A keyframe with SPS and PPS in front: its own, or those that the driver gave only once."""
        start = _first_picture(data)
        if start > 0:
            self._headers = data[:start]
            return data
        return self._headers + data

    def _at(self, sensor_s: float) -> float:
        """Monotonic seconds of a sensor's timestamp.

        The kernel stamps frames with CLOCK_MONOTONIC, libcamera documents CLOCK_BOOTTIME; they are one on a Pi, which
        never suspends. Should the first stamp not lie within the last second, it is taken to be now.
        """
        if self._shift is None:
            age = time.monotonic() - sensor_s
            self._shift = 0.0 if 0 <= age < 1 else age
        return sensor_s + self._shift

    def _configured(self) -> tuple[_Layout, _Layout]:
        """Configure the camera, once; raises DeviceError if it cannot give what is asked."""
        from libcamera import Transform  # noqa: PLC0415  a Pi only

        settings = self._settings
        upside_down = settings.rotation == 180
        frame_us = round(1e6 / settings.fps)
        limits = {"FrameDurationLimits": (frame_us, frame_us)}
        transform = Transform(hflip=upside_down != settings.flip, vflip=upside_down)
        try:
            self._device.configure(
                self._device.create_video_configuration(
                    main={"size": (settings.width, settings.height), "format": FORMS[0]},
                    lores={"size": (settings.lores_width, settings.lores_height), "format": FORMS[0]},
                    raw=None,
                    transform=transform,
                    buffer_count=_buffers(),
                    queue=False,
                    controls={name: value for name, value in limits.items() if name in self._device.camera_controls},
                )
            )
        except (RuntimeError, ValueError) as error:
            raise DeviceError(
                f"The camera refuses {settings.width} x {settings.height} pixels ({error}): give another size."
            ) from error
        given = self._device.camera_configuration()
        main, lores = _Layout.of(given["main"]), _Layout.of(given["lores"])
        if not {main.form, lores.form} <= set(FORMS):
            raise DeviceError(
                f"The camera gives {main.form} and {lores.form}, not {FORMS[0]}: use a Raspberry Pi camera."
            )
        turned = given["transform"]
        asked = transform.hflip, transform.vflip
        if (turned.hflip, turned.vflip) != asked or (any(asked) and not self._device.camera.id.startswith(BOARD)):
            # Masks are in the upright picture: in one that is not they would hide the wrong place. The word of
            # cameras that are no part of the board does not count: libcamera's virtual one says yes and turns nothing.
            raise DeviceError("The camera cannot turn its picture: set camera.rotation = 0 and camera.flip = false.")
        if (lores.width, lores.height) != (settings.lores_width, settings.lores_height):
            raise DeviceError(f"The camera's small picture is {lores.width} x {lores.height}: use another camera.")
        return main, lores


def found(device: Any = None) -> list[str]:  # noqa: ANN401
    """The sensors' names as libcamera knows them (``imx708``), the one that would be opened first; opens none of them.

    Raises ConfigError where picamera2 is not installed.
    """
    cameras = (device or _picamera2()).global_camera_info()
    return [str(one.get("Model") or "one without a name") for one in cameras]


def _picamera2() -> Any:  # noqa: ANN401
    try:
        from picamera2 import Picamera2  # noqa: PLC0415  a Pi only
    except ImportError:
        raise ConfigError(
            'camera.source = "picamera2": picamera2 is not installed here; '
            "`sudo apt install python3-picamera2`, or choose another camera."
        ) from None
    return Picamera2


def _opened(device: Any) -> Any:  # noqa: ANN401
    if device is None:
        device = _picamera2()
    try:
        return device()
    except (RuntimeError, IndexError) as error:
        raise DeviceError(
            "No camera can be opened: look at the ribbon cable, end other programs that use it, "
            f"then try `rpicam-hello --list-cameras` ({error})."
        ) from None


def _buffers() -> int:
    """Frames in flight: 4, and 3 in the 512 MB of a first Zero W, whose encoder is also the slowest."""
    try:
        model = MODEL.read_text()
    except OSError:
        return 4
    return 3 if model.startswith("Raspberry Pi Zero W") else 4


def _encoder(settings: Settings) -> Any:  # noqa: ANN401
    """picamera2's H.264 encoder: hardware on Zero to 4, libx264 on a 5, which has none."""
    from picamera2.encoders import H264Encoder, LibavH264Encoder  # noqa: PLC0415  a Pi only

    kind = H264Encoder
    if H264Encoder is LibavH264Encoder:
        from doorbell.senses.encoder import X264  # noqa: PLC0415  imports PyAV, as that encoder does

        class Exact(LibavH264Encoder):  # type: ignore[misc]
            """With the options that keep masked blocks black; libx264 reads them with the first picture."""

            def _start(self) -> None:
                super()._start()
                self._stream.codec_context.thread_count = 1
                self._stream.codec_context.options["x264-params"] = X264

        kind = Exact
    return kind(
        bitrate=settings.bitrate_kbps * 1000,
        repeat=True,
        iperiod=max(1, round(settings.gop_s * settings.fps)),
        framerate=settings.fps,
    )


def _output(put: Any) -> Any:  # noqa: ANN401
    """A picamera2 Output that hands each coded picture to *put*; newer versions add arguments for sound."""
    from picamera2.outputs import Output  # noqa: PLC0415  a Pi only

    class Packets(Output):  # type: ignore[misc]
        def outputframe(self, frame: Any, keyframe: bool = True, timestamp: int = 0, *_: Any, **__: Any) -> None:  # noqa: ANN401
            put(frame, keyframe, timestamp)

    return Packets()


def _first_picture(data: bytes) -> int:
    """Where the first NAL unit of an Annex B access unit that is no header begins: 0 if no SPS stands before it."""
    position, seen = data.find(b"\0\0\1"), False
    while position >= 0 and position + 3 < len(data):
        kind = data[position + 3] & 31
        if kind in (1, 5):
            return position - (data[position - 1] == 0 and position > 0) if seen else 0
        seen = seen or kind == 7
        position = data.find(b"\0\0\1", position + 3)
    return 0
