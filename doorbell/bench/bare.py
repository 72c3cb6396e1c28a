"""The reference of the recorder's memory: PyAV decodes a file and encodes it again, at its pace, and nothing else.

It imports PyAV alone; the encoder is set up as the door's is.
"""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import av

from doorbell.senses.encoder import Encoder


def main(path: str, fps: int, kbps: int) -> None:
    """For ever, the file from its beginning again at its end; a byte on standard output when the first is coded."""
    settings: SimpleNamespace = SimpleNamespace(fps=fps, bitrate_kbps=kbps, gop_s=1.0)
    encoder: Encoder | None = None
    number = 0
    while True:
        with av.open(path) as container:
            video = container.streams.video[0]
            video.thread_count = 1
            for frame in container.decode(video):
                if encoder is None:
                    encoder = Encoder(frame.width, frame.height, settings)  # type: ignore[arg-type]
                for _ in encoder.encode(frame, number / fps):
                    pass
                number += 1
                if number == 1:
                    sys.stdout.write("!")
                    sys.stdout.flush()
                time.sleep(1 / fps)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
