"""Pins through gpiozero's own mock factory: what reaches the inbox, and what chime and LED do."""

from __future__ import annotations

import time
from queue import SimpleQueue

import pytest
from gpiozero.pins.mock import MockFactory

from doorbell import config
from doorbell.errors import DeviceError
from doorbell.events import ButtonEdge, Pir
from doorbell.senses.pins import LED_BLINK, LED_DARK, LED_STEADY, Pins

FITTED = config.Pins(kind="simulated", button=17, pir=27, chime=22, led=23)


@pytest.fixture
def front():
    factory, inbox = MockFactory(), SimpleQueue()
    pins = Pins(FITTED, inbox.put, factory)
    yield factory, inbox, pins
    pins.close()


def test_an_edge_carries_the_moment_it_happened(front) -> None:
    factory, inbox, _ = front
    before = time.monotonic()
    factory.pin(17).drive_low()
    after = time.monotonic()
    edge = inbox.get_nowait()
    assert edge.down
    assert before - 0.001 <= edge.at <= after + 0.001


def test_every_edge_of_a_bouncing_contact_reaches_the_debounce(front) -> None:
    factory, inbox, _ = front
    for _ in range(50):
        factory.pin(17).drive_low()
        factory.pin(17).drive_high()
    edges = [inbox.get_nowait() for _ in range(100)]
    assert [edge.down for edge in edges] == [True, False] * 50
    assert all(isinstance(edge, ButtonEdge) for edge in edges)


def test_the_pir_says_both_when_it_rises_and_when_it_falls(front) -> None:
    factory, inbox, _ = front
    factory.pin(27).drive_high()
    factory.pin(27).drive_low()
    seen = [inbox.get_nowait(), inbox.get_nowait()]
    assert [(type(one), one.active) for one in seen] == [(Pir, True), (Pir, False)]


def test_the_chime_sounds_and_stops(front) -> None:
    factory, _, pins = front
    pins.chime(True)
    assert factory.pin(22).state == 1
    pins.chime(False)
    assert factory.pin(22).state == 0


def test_the_led_is_steady_while_a_clip_is_recorded_and_dark_afterwards(front) -> None:
    factory, _, pins = front
    pins.led(LED_STEADY)
    assert factory.pin(23).state == 1
    pins.led(LED_BLINK)
    pins.led(LED_DARK)
    assert factory.pin(23).state == 0


def test_a_chime_that_is_not_fitted_is_silently_not_there() -> None:
    pins = Pins(config.Pins(kind="simulated"), SimpleQueue().put, MockFactory())
    pins.chime(True)
    pins.led(LED_STEADY)
    pins.close()


def test_closed_pins_are_off() -> None:
    factory = MockFactory()
    pins = Pins(FITTED, SimpleQueue().put, factory)
    pins.chime(True)
    pins.close()
    assert factory.pin(22).state == 0


def test_pins_that_cannot_be_had_are_a_sentence_with_the_fix() -> None:
    with pytest.raises(DeviceError, match="group gpio"):
        Pins(config.Pins(kind="gpio"), SimpleQueue().put)
