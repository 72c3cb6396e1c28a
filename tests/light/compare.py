"""Which reader reads more of the invented pictures: ZXing, zbar, OpenCV's two. ``python tests/light/compare.py``.

The others are compared where they are installed (libzbar0 with pyzbar, opencv-python-headless); no door needs them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from doorbell import ticket
from doorbell.light.reader import text_in
from tests.light.pictures import LOOKS, Luma, a_ticket, seen, with_seed

TIMES = 5
SIZE = 1280, 720


def main() -> None:
    readers: dict[str, Callable[[Luma], str]] = {}
    readers["ZXing"] = lambda luma: text_in(luma.shape[1], luma.shape[0], luma.tobytes()).decode()
    try:
        from pyzbar.pyzbar import ZBarSymbol, decode

        readers["zbar"] = lambda luma: "".join(one.data.decode() for one in decode(luma, [ZBarSymbol.QRCODE]))
    except ImportError:
        print("zbar is not installed: it is not measured")
    try:
        import cv2

        plain, aruco = cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()
        readers["OpenCV"] = lambda luma: plain.detectAndDecode(luma)[0]
        readers["OpenCV, ArUco"] = lambda luma: aruco.detectAndDecode(luma)[0]
    except ImportError:
        print("OpenCV is not installed: it is not measured")
    print("| the phone | pictures |" + "".join(f" {name} |" for name in readers))
    print("|---|---|" + "---|" * len(readers))
    took = dict.fromkeys(readers, 0.0)
    total = dict.fromkeys(readers, 0)
    count = 0
    for name, looks in LOOKS.items():
        found = dict.fromkeys(readers, 0)
        pictures = [(seed, look) for look in looks for seed in range(TIMES)]
        for seed, look in pictures:
            text = ticket.to_qr(a_ticket(seed))
            luma = seen(text, *SIZE, with_seed(look, seed))
            for reader, read in readers.items():
                began = time.perf_counter()
                try:
                    found[reader] += read(luma) == text
                except Exception as error:  # noqa: BLE001  OpenCV raises for pictures that it makes nothing of
                    print(f"({reader}: {type(error).__name__})", file=sys.stderr)
                took[reader] += time.perf_counter() - began
        print(f"| {name} | {len(pictures)} |" + "".join(f" {one} |" for one in found.values()), flush=True)
        count += len(pictures)
        for reader in readers:
            total[reader] += found[reader]
    print(f"| all | {count} |" + "".join(f" {one} |" for one in total.values()))
    print("| ms a picture | |" + "".join(f" {one / count * 1000:.0f} |" for one in took.values()))


if __name__ == "__main__":
    main()
