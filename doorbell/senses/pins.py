"""The pins: what the button, the PIR, the chime and the LED are to the rest of the house (gpiozero).

The callbacks do exactly one thing, they put one value into the inbox: one that raised would silently end gpiozero's
thread for good, and one that waited would lose edges. Debounce is not gpiozero's (it loses edges) but
``doorbell.debounce``'s, from the stamps of the kernel.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorbell.errors import DeviceError
from doorbell.events import ButtonEdge, Pir
from doorbell.senses import simulated

if TYPE_CHECKING:
    from doorbell.config import Pins as PinSettings

log = logging.getLogger("doorman")

LED_DARK, LED_STEADY, LED_BLINK, LED_LOOKS, LED_TROUBLE = "dark", "steady", "blink", "looks", "trouble"
BLINKS = {LED_BLINK: (0.5, 0.5), LED_LOOKS: (0.1, 0.1), LED_TROUBLE: (0.1, 1.9)}
"""Seconds lit, seconds dark."""


class Pins:
    """The pins of one door, armed from the moment this is made until ``close``.

    *put* gets ButtonEdge and Pir values, from gpiozero's threads. Simulated pins listen in the folder *runtime*.
    Raises DeviceError where the pins cannot be had.
    A chime or LED that is not fitted (pin 0) is silently not there.
    """

    def __init__(
        self,
        settings: PinSettings,
        put: Callable[[object], None],
        factory: Any = None,  # noqa: ANN401
        runtime: Path | None = None,
    ) -> None:
        self._put = put
        self._devices: list[Any] = []
        self._fingers: simulated.Fingers | None = None
        self._led_shows = LED_DARK
        try:
            self._factory = factory if factory is not None else _factory(settings.kind)
            import gpiozero  # noqa: PLC0415  lgpio opens a pipe file in the working directory at import: see _factory

            self._gpiozero = gpiozero
            self._button = self._input(settings.button, self._button_changed, pull_up=True)
            self._pir = self._input(settings.pir, self._pir_changed, pull_up=None)
            self._chime = self._output(settings.chime)
            self._led = self._output(settings.led)
            if settings.kind == "simulated" and runtime is not None:
                self._fingers = simulated.Fingers(runtime, self._factory, settings.button, settings.pir, settings.chime)
        except DeviceError:
            raise
        except Exception as error:  # gpiozero and lgpio raise dozens of kinds for "no chip, busy, no permission"
            self.close()
            raise DeviceError(
                f"The pins cannot be used ({type(error).__name__}): is this a Raspberry Pi, is the user in the group "
                'gpio, and does nothing else hold these pins? Without pins set pins.kind = "simulated" or "none".'
            ) from error

    def _input(self, number: int, changed: Callable[[float, bool], None], *, pull_up: bool | None) -> Any:  # noqa: ANN401
        if not number:
            return None
        kwargs = {"pull_up": pull_up} if pull_up is not None else {"pull_up": None, "active_state": True}
        device = self._gpiozero.InputDevice(number, pin_factory=self._factory, **kwargs)
        self._devices.append(device)
        device.pin.edges = "both"
        device.pin.bounce = None
        device.pin.when_changed = changed
        return device

    def _output(self, number: int) -> Any:  # noqa: ANN401
        if not number:
            return None
        device = self._gpiozero.LED(number, pin_factory=self._factory)
        self._devices.append(device)
        return device

    def _button_changed(self, ticks: float, state: int) -> None:
        # The button pulls its pin to ground. Never through a gpiozero Button: its own events come without stamps.
        self._put(ButtonEdge(self._seconds(ticks), not state))

    def _pir_changed(self, ticks: float, state: int) -> None:
        self._put(Pir(self._seconds(ticks), bool(state)))

    def _seconds(self, ticks: float) -> float:
        # A factory's ticks may only be compared with its own; the difference to now is seconds for all of them.
        return time.monotonic() - float(self._factory.ticks_diff(self._factory.ticks(), ticks))

    def chime(self, on: bool) -> None:
        """Close or open the chime's relay."""
        if self._chime is not None:
            self._chime.on() if on else self._chime.off()

    def led(self, shows: str) -> None:
        """One of LED_DARK, LED_STEADY (a clip is recorded), LED_BLINK (somebody watches), LED_LOOKS (for a QR),
        LED_TROUBLE (bell only, or the broker is away)."""
        if self._led is None or shows == self._led_shows:
            return
        self._led_shows = shows
        try:
            if shows in BLINKS:
                on, off = BLINKS[shows]
                self._led.blink(on, off)
            else:
                self._led.value = shows == LED_STEADY
        except Exception as error:  # noqa: BLE001  a LED that cannot be lit keeps nothing else from happening
            log.warning("the LED cannot be lit (%s)", type(error).__name__)

    def is_down(self) -> bool | None:
        """Whether the button's contact is closed now; None where there is no button, or it cannot be read."""
        try:
            return None if self._button is None else not self._button.pin.state
        except Exception:  # noqa: BLE001  as in __init__: a read that fails is no press
            return None

    def close(self) -> None:
        """Let go of the pins; chime and LED are off afterwards."""
        if self._fingers is not None:
            self._fingers.close()
        for device in self._devices:
            if isinstance(device, self._gpiozero.LED):
                device.off()  # closing alone lets the pin float, and a relay may read that as on
            device.close()
        self._devices.clear()


class NoPins:
    """A door whose pins do not work, or has none: nothing rings it but the network."""

    def chime(self, on: bool) -> None:
        pass

    def led(self, shows: str) -> None:
        pass

    def is_down(self) -> bool | None:
        return None

    def close(self) -> None:
        pass


def _factory(kind: str) -> Any:  # noqa: ANN401
    if kind == "simulated":
        return simulated.factory()
    # lgpio makes a fifo in the working directory when it is imported; the unit's may be read-only.
    before = Path.cwd()
    os.chdir(os.environ.get("RUNTIME_DIRECTORY", "/tmp"))  # noqa: S108  a fifo nobody writes to but lgpio itself
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415

        return LGPIOFactory()
    finally:
        os.chdir(before)
