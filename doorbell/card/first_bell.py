"""The door's bell until its program is installed: a press rings the chime, and the LED flashes "bell-only".

cloud-init puts this file into the card's system as it is, where there is nothing but Python and gpiozero. Its numbers
are the door's own and come from the unit that starts it (early.py); the start of doorbell.service ends it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import gpiozero


def watch(
    button: Any,  # noqa: ANN401  gpiozero has no types
    chime: Any,  # noqa: ANN401
    light: Any,  # noqa: ANN401
    numbers: argparse.Namespace,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Look at the button every ``stable`` seconds: two looks in a row that say the same are believed."""
    looked = closed = False
    lit, dark = numbers.flash
    while True:
        if light is not None:
            light.value = clock() % (lit + dark) < lit
        before, looked = looked, button.is_active
        if looked == before and looked != closed:
            closed = looked
            if closed and chime is not None:
                chime.on()
                wait(numbers.chime_s)
                chime.off()
        wait(numbers.stable)


def main(words: Sequence[str] | None = None, factory: Any = None, **time_of_a_test: Any) -> None:  # noqa: ANN401
    parser = argparse.ArgumentParser()
    for pin in ("--button", "--chime", "--led"):
        parser.add_argument(pin, type=int, required=True, help="BCM number; 0: not fitted")
    for seconds in ("--chime-s", "--stable"):
        parser.add_argument(seconds, type=float, required=True)
    parser.add_argument("--flash", type=float, nargs=2, required=True, help="seconds lit, seconds dark")
    numbers = parser.parse_args(words)
    button = gpiozero.InputDevice(numbers.button, pull_up=True, pin_factory=factory)
    chime, light = (gpiozero.LED(pin, pin_factory=factory) if pin else None for pin in (numbers.chime, numbers.led))
    try:
        watch(button, chime, light, numbers, **time_of_a_test)
    finally:
        for device in (chime, light):
            if device is not None:
                device.off()  # a relay must not stay closed until the door's program has its pins
                device.close()
        button.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
