"""A gpiochip of the real kernel whose lines this program moves: gpio-sim, in the shape of a Raspberry Pi's 54 lines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

CONFIGURATION = Path("/sys/kernel/config")
REVISION_OF_A_ZERO_2_W = "902120"


class Chip:
    """Line numbers are BCM's; ``high`` says what a line is pulled to, or how an output stands."""

    def __init__(self) -> None:
        subprocess.run(["modprobe", "gpio-sim"], check=True)
        if not (CONFIGURATION / "gpio-sim").exists():
            subprocess.run(["mount", "-t", "configfs", "configfs", CONFIGURATION], check=True)
        bell = CONFIGURATION / "gpio-sim/bell"
        if not bell.exists():
            (bell / "bank0").mkdir(parents=True)
            (bell / "bank0/num_lines").write_text("54")
            (bell / "bank0/label").write_text("pinctrl-bcm2835")
            (bell / "live").write_text("1")
            self._be_a_pi()
        device = (bell / "dev_name").read_text().strip()
        name = (bell / "bank0/chip_name").read_text().strip()
        self.device = Path("/dev") / name
        self._lines = Path("/sys/devices/platform") / device / name
        self._pulls: dict[int, int] = {}

    def _be_a_pi(self) -> None:
        """gpiozero looks up which pins there are by the board's revision in /proc/cpuinfo."""
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        told = Path("/run/cpuinfo")
        told.write_text("\n".join([*lines, f"Revision\t: {REVISION_OF_A_ZERO_2_W}", ""]))
        subprocess.run(["mount", "--bind", told, "/proc/cpuinfo"], check=True)

    def pull(self, line: int, *, high: bool) -> None:
        if line not in self._pulls:
            # Opened once: a spike of 5 ms has no time for more.
            self._pulls[line] = os.open(self._lines / f"sim_gpio{line}/pull", os.O_WRONLY)
        os.pwrite(self._pulls[line], b"pull-up" if high else b"pull-down", 0)

    def high(self, line: int) -> bool:
        return (self._lines / f"sim_gpio{line}/value").read_text().strip() == "1"

    def at_rest(self) -> Self:
        """The button up (its line is held high), nobody in front of the motion sensor."""
        self.pull(BUTTON, high=True)
        self.pull(PIR, high=False)
        return self


BUTTON, PIR, CHIME, LED = 17, 27, 22, 23
PINS = {"kind": "gpio", "button": BUTTON, "pir": PIR, "chime": CHIME, "led": LED}


def flood(seconds: float) -> None:
    """The motion sensor gone mad: `python -m tests.lab.parts.chip SECONDS`; prints how many edges it made."""
    chip, ends, edges = Chip(), time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        edges += 1
        chip.pull(PIR, high=bool(edges % 2))
        time.sleep(0.0005)
    print(edges)


if __name__ == "__main__":
    flood(float(sys.argv[1]))
