"""The part of the doctor that needs a person at the door: press, walk past, look at the LED, listen to the chime.

The pins are armed by the daemon's own code, and nothing but them. A daemon that runs holds them already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from doorbell.alone import alone
from doorbell.debounce import STABLE_S
from doorbell.doctor.finding import Door, Finding, bad, good, unknown
from doorbell.errors import DeviceError, Mistake
from doorbell.events import ButtonEdge, Pir
from doorbell.senses.pins import LED_BLINK, LED_DARK, Pins

WITHIN_S = 30.0
"""How long a person has for each."""
WATCHED_S = 3.0
"""How long edges are counted after the first: a contact that bounces or a PIR that flutters shows itself."""
CHIMES = 2
Say = Callable[[str], None]
Ask = Callable[[str], bool]


def tried(door: Door, say: Say, ask: Ask, within_s: float = WITHIN_S) -> Iterator[tuple[str, Finding]]:
    """One part after the other; *say* tells the person what to do and what is read, *ask* asks what they saw."""
    settings = door.config.pins
    if door.page is not None or settings.kind == "none":
        why = "The running daemon holds the pins" if door.page is not None else "No pins are configured"
        yield "pins by hand", unknown(f"{why}: nothing was tried.", "Stop it first: sudo systemctl stop doorbell")
        return
    try:
        with alone(door.config.door.state, "Another doorbell holds the pins: stop it first."):
            yield from _parts(door, say, ask, within_s)
    except (DeviceError, Mistake) as error:
        yield "pins by hand", bad(str(error), "Stop what holds them: sudo systemctl stop doorbell")


def _parts(door: Door, say: Say, ask: Ask, within_s: float) -> Iterator[tuple[str, Finding]]:
    settings = door.config.pins
    heard: SimpleQueue[object] = SimpleQueue()
    pins = Pins(settings, heard.put, runtime=door.config.door.runtime)
    try:
        yield "button by hand", _button(pins, heard, say, within_s)
        if settings.pir:
            yield "PIR by hand", _pir(heard, say, within_s)
        if settings.led:
            yield "LED by hand", _led(pins, ask)
        if settings.chime:
            yield "chime by hand", _chime(pins, settings.chime_ms / 1000, ask)
    finally:
        pins.close()


def _button(pins: Pins, heard: SimpleQueue[object], say: Say, within_s: float) -> Finding:
    if pins.is_down():
        return bad("The button's contact is closed although nobody presses.", "Its two wires touch, or it is stuck.")
    say(f"Press the button now, for about a second (you have {within_s:.0f} s).")
    edges = [one for one in _gathered(heard, within_s, say) if isinstance(one, ButtonEdge)]
    if not edges:
        return bad("No press came.", "Check that the button closes its pin to ground (pins.button is a BCM number).")
    if not _was_held(edges):
        return bad(
            f"{len(edges)} edges came and no press of {STABLE_S * 1000:.0f} ms.", "Hold it longer; check the wires."
        )
    return good(f"The button works ({len(edges)} edges for it).")


def _was_held(edges: list[ButtonEdge]) -> bool:
    """Whether the contact stayed closed for as long as a press does."""
    ends = [*(one.at for one in edges[1:]), float("inf")]
    return any(one.down and end - one.at >= STABLE_S for one, end in zip(edges, ends, strict=True))


def _pir(heard: SimpleQueue[object], say: Say, within_s: float) -> Finding:
    say(f"Walk past the door now (you have {within_s:.0f} s; a PIR needs a minute after power came).")
    moves = [one for one in _gathered(heard, within_s, say) if isinstance(one, Pir) and one.active]
    if not moves:
        return bad("The PIR saw nobody.", "Wait a minute and try again; check its 3.3 V level and pins.pir.")
    return good(f"The PIR works ({len(moves)} {'sign' if len(moves) == 1 else 'signs'}).")


def _led(pins: Pins, ask: Ask) -> Finding:
    pins.led(LED_BLINK)
    seen = ask("Does the LED blink?")
    pins.led(LED_DARK)
    if seen:
        return good("The LED works.")
    return bad("The LED does not blink.", "Check its resistor, its direction, and pins.led.")


def _chime(pins: Pins, seconds: float, ask: Ask) -> Finding:
    for _ in range(CHIMES):
        pins.chime(True)
        time.sleep(seconds)
        pins.chime(False)
        time.sleep(seconds)
    if ask(f"Did the chime sound {CHIMES} times?"):
        return good("The chime works.")
    return bad("The chime was not heard.", "Check its relay, the transformer behind it, and pins.chime.")


def _gathered(heard: SimpleQueue[object], within_s: float, say: Say) -> list[object]:
    """What comes until WATCHED_S after the first of it, each told as it comes."""
    found: list[object] = []
    ends = time.monotonic() + within_s
    while (left := ends - time.monotonic()) > 0:
        try:
            one = heard.get(timeout=left)
        except Empty:
            break
        if not found:
            ends = min(ends, time.monotonic() + min(WATCHED_S, within_s))
        found.append(one)
        match one:
            case ButtonEdge():
                say("  button: closed" if one.down else "  button: open")
            case Pir():
                say("  PIR: somebody moves" if one.active else "  PIR: still")
    return found
