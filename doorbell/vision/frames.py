"""An AVFrame's planes as numpy views: no copy, no padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import av
    import numpy.typing as npt


def planes_of(frame: av.VideoFrame) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Y (height, width), U and V (height / 2, width / 2) of a yuv420p or yuvj420p *frame*: writable, strided.

    The views keep the frame's memory alive; whoever fills the frame again changes them.
    """
    y, u, v = (
        np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]  # type: ignore[call-overload]
        for plane in frame.planes
    )
    return y, u, v
