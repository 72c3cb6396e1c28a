"""One source for the pins: what the configuration, the page, the Pi's own header and the running door make of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from gpiozero import PiBoardInfo
from gpiozero.pins.mock import MockFactory

from doorbell import salvage
from doorbell.card.ask import FITTED
from doorbell.config import Pins as PinSettings
from doorbell.configfile import parse
from doorbell.events import ButtonEdge, Pir
from doorbell.senses.pins import Pins
from hardware.workshop.sources import HARDWARE, SETTINGS, Table, read

MAP = read("pins.toml")
PAGE = (HARDWARE / "README.md").read_text()
HEADERS = [PiBoardInfo.from_revision(revision).headers["J8"] for revision in (0x902120, 0xC03111)]
"""The 40-pin headers of a Zero 2 W and a 4, as gpiozero knows them."""


def settings() -> PinSettings:
    return PinSettings(**{name: MAP[name]["bcm"] for name in SETTINGS})


@pytest.mark.parametrize("name", SETTINGS)
def test_a_part_that_nobody_configured_is_fitted_only_where_the_map_says_so(name: str) -> None:
    assert getattr(PinSettings(), name) == (MAP[name]["bcm"] if MAP[name]["fitted"] else 0)


def test_a_bell_without_settings_tries_the_outputs_of_the_map_and_no_other() -> None:
    outputs = {name: MAP[name]["bcm"] for name in SETTINGS if MAP[name]["direction"] == "out"}
    assert outputs == salvage.WIRED
    assert evolve(salvage.for_the_bell(b"").pins, pir=MAP["pir"]["bcm"]) == settings()


def test_the_pages_example_and_the_example_configuration_name_the_pins_of_the_map() -> None:
    block = "\n".join(line[4:] for line in PAGE.splitlines() if line.startswith("    "))
    assert parse(block).pins == settings()
    example = (HARDWARE.parent / "doorbell.example.toml").read_text()
    assert parse(example).pins.button == MAP["button"]["bcm"]


def test_a_card_asks_for_the_parts_of_the_map_by_the_pins_of_the_map() -> None:
    assert {name: bcm for name, (bcm, _) in FITTED.items()} == {
        name: MAP[name]["bcm"] for name in SETTINGS if not MAP[name]["fitted"]
    }
    for name, (bcm, question) in FITTED.items():
        assert f"GPIO{bcm}, pin {MAP[name]['header']})" in question


@pytest.mark.parametrize("header", HEADERS, ids=["zero2w", "pi4"])
def test_each_pin_is_where_the_header_has_it_on_both_pis(header: Any) -> None:
    for name in SETTINGS:
        assert header.pins[MAP[name]["header"]].name == f"GPIO{MAP[name]['bcm']}"


@pytest.mark.parametrize("header", HEADERS, ids=["zero2w", "pi4"])
def test_the_harness_takes_power_where_power_is_and_uses_no_header_pin_twice(header: Any) -> None:
    wires = {
        int(w["from"].split(":")[1]): w["to"].split(":")[1] for w in MAP["wire"] if w["from"].startswith("header:")
    }
    assert len(wires) == sum(w["from"].startswith("header:") for w in MAP["wire"])
    names = {"3V3": "3V3", "5V": "5V", "GND": "GND", "0V": "GND"}
    names |= dict(zip(("BTN", "PIR", "CHIME", "LED"), (f"GPIO{MAP[name]['bcm']}" for name in SETTINGS), strict=True))
    assert {pin: header.pins[pin].name for pin in wires} == {pin: names[end] for pin, end in wires.items()}


def test_what_switches_a_load_is_on_a_pin_that_is_held_low_while_the_pi_starts() -> None:
    outputs: list[Table] = [MAP[name] for name in SETTINGS if MAP[name]["direction"] == "out"]
    assert [pin["active"] for pin in outputs] == ["high", "high"]
    assert all(pin["bcm"] >= 9 for pin in outputs)  # BCM2835 peripherals, table 6-31: GPIO0 to 8 start pulled high


def test_the_running_door_reads_and_drives_the_levels_that_the_map_and_the_drawings_say() -> None:
    factory, got = MockFactory(), list[object]()
    pins = Pins(settings(), got.append, factory)
    try:
        button, pir = factory.pin(MAP["button"]["bcm"]), factory.pin(MAP["pir"]["bcm"])
        assert (button.function, button.pull, pir.function) == ("input", "up", "input")
        {"low": button.drive_low, "high": button.drive_high}[MAP["button"]["active"]]()
        assert isinstance(got[-1], ButtonEdge)
        assert got[-1].down
        {"low": pir.drive_low, "high": pir.drive_high}[MAP["pir"]["active"]]()
        assert isinstance(got[-1], Pir)
        assert got[-1].active
        for name, switch in (
            ("chime", pins.chime),
            ("led", lambda on: pins.led("steady" if on else "dark")),
        ):
            output = factory.pin(MAP[name]["bcm"])
            assert (output.function, output.state) == ("output", 0), "silent from the first moment"
            switch(True)
            assert output.state == (MAP[name]["active"] == "high")
            switch(False)
    finally:
        pins.close()
    assert factory.pin(MAP["chime"]["bcm"]).state == 0


def test_the_pages_link_to_what_is_there() -> None:
    for page in HARDWARE.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)", page.read_text()):
            assert (page.parent / Path(target)).exists(), f"{page.name}: {target}"
