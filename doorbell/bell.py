"""The button, the chime and the LED, as the doorman has them: an edge becomes a press, and what is spoilt is healed."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from doorbell import debounce, events
from doorbell.errors import DeviceError
from doorbell.problems import Problems
from doorbell.senses.pins import LED_DARK, NoPins, Pins

LOOK_S = 10.0
"""How often it is looked whether the pins are as they should be."""


@define
class Bell:
    """One door's pins. ``arm`` is how they are had, where they could not be had at the start."""

    pins: Pins | NoPins
    problems: Problems
    chime_s: float = 0.4
    arm: Callable[[], Pins | NoPins] | None = None

    _contact: debounce.Contact = debounce.Contact()
    _look: str = LED_DARK
    _chime_until: float | None = None
    _look_at: float = float("inf")

    def start(self, at: float) -> None:
        self._look_at = at + LOOK_S

    @property
    def deadline(self) -> float:
        due = [self._contact.deadline, self._contact.held_at, self._chime_until, self._look_at]
        return min(one for one in due if one is not None)

    @property
    def sounds(self) -> bool:
        return self._chime_until is not None

    # ---- the button

    def feel(self, event: object, at: float, *, punctual: bool) -> events.Pressed | None:
        """Whether this edge, or the time that has passed, makes a press."""
        pressed = None
        if isinstance(event, events.ButtonEdge):
            self._contact, pressed = debounce.edge(self._contact, event)
        elif punctual:
            self._contact, pressed = debounce.settle(self._contact, at)
        return pressed

    def held(self, at: float) -> events.Held | None:
        """Told once for each time that a finger stays on the button."""
        self._contact, held = debounce.hold(self._contact, at)
        return held

    # ---- chime and LED

    def ring(self, at: float) -> None:
        self._chime(True)
        self._chime_until = at + self.chime_s

    def show(self, look: str) -> None:
        self._look = look
        self.pins.led(look)

    def close(self) -> None:
        self.pins.close()

    def hush(self) -> None:
        self._chime(False)

    def _chime(self, on: bool) -> None:
        try:
            self.pins.chime(on)
        except Exception as error:  # noqa: BLE001  gpiozero's kinds are many, and none may keep the ring from the phones
            self.problems.tell("pins", f"The chime's pin cannot be moved ({type(error).__name__}): doorbell doctor.")

    # ---- from time to time

    def settle(self, at: float) -> events.Pressed | None:
        """End the chime that has sounded long enough, and heal what the kernel or a slow start spoilt: pins that could
        not be had, an edge that was lost."""
        if self._chime_until is not None and at >= self._chime_until:
            self._chime_until = None
            self._chime(False)
        if at < self._look_at:
            return None
        self._look_at = at + LOOK_S
        if self.arm is not None and not self._is_armed(self.arm):
            return None
        down = self.pins.is_down()
        if down is not None and down != self._contact.raw and self._contact.deadline is None:
            # The kernel's queue of edges was full once: without this the next press would be taken for this one.
            return self.feel(events.ButtonEdge(at, down), at, punctual=True)
        return None

    def _is_armed(self, arm: Callable[[], Pins | NoPins]) -> bool:
        try:
            self.pins = arm()
        except DeviceError:
            return False
        self.arm = None
        self.problems.tell("pins", "")
        self.pins.led(self._look)
        return True
