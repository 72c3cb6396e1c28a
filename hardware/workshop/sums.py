"""The arithmetic of the circuits: currents, levels, delays and the power chain, from circuits.toml alone.

A person will solder what these sums say, so they are written out; tests/hardware holds each against its limit.
"""

from __future__ import annotations

import math

from hardware.workshop.sources import Table

BASE_VOLTS = 0.7
"""Base to emitter of a silicon transistor that conducts, volts; a diode's forward drop too."""
SATURATED = 3.0
"""How many times more base current than the gain asks for, so that a transistor is a switch and stays cool."""
HALF_WAVE_S = 0.008
"""How long the capacitor feeds alone between two peaks at 50 Hz, seconds."""


def pin_amperes(circuits: Table) -> dict[str, float]:
    """The most that each output pin gives, amperes: relay and buzzer share one, the LED is the bare one or the ring."""
    rail = circuits["limits"]["rail"]
    led = circuits["led"]
    base = rail - BASE_VOLTS
    return {
        "chime": base / circuits["relay"]["R10"]["ohms"] + base / circuits["buzzer"]["R12"]["ohms"],
        "led": max((rail - led["led_volts"]) / led["R6"]["ohms"], base / led["R7"]["ohms"]),
    }


def overdrive(circuits: Table) -> dict[str, float]:
    """Per transistor: base current at the lowest high level, less what the pull-down takes, over what is needed."""
    high = circuits["limits"]["output_high"]
    relay, buzzer, led = circuits["relay"], circuits["buzzer"], circuits["led"]
    switches = {
        "Q1": (led["Q1"], led["R7"], led["R8"], led["ring_amperes"]),
        "Q2": (relay["Q2"], relay["R10"], relay["R11"], relay["K1"]["coil_volts"] / relay["K1"]["coil_ohms"]),
        "Q3": (buzzer["Q3"], buzzer["R12"], buzzer["R13"], buzzer["BZ1"]["amperes"]),
    }
    return {
        name: ((high - BASE_VOLTS) / base["ohms"] - BASE_VOLTS / down["ohms"]) / (load / transistor["hfe"])
        for name, (transistor, base, down, load) in switches.items()
    }


def floating_volts(circuits: Table, leak: float = 10e-6) -> dict[str, float]:
    """Base voltage of each switch while its pin is still an input, by the pin's *leak* in amperes (BCM2711: 10 µA)."""
    downs = {"Q1": circuits["led"]["R8"], "Q2": circuits["relay"]["R11"], "Q3": circuits["buzzer"]["R13"]}
    return {name: leak * down["ohms"] for name, down in downs.items()}


def button(circuits: Table) -> dict[str, float]:
    """Volts at the pin while pressed, seconds until it reads high again, amperes into the pin while D1 clamps."""
    limits, part = circuits["limits"], circuits["button"]
    rail, series = limits["rail"], part["R2"]["ohms"]
    slow = (part["R1"]["ohms"] + series) * part["C1"]["farads"]
    return {
        "pressed_volts": rail * (series + part["cable_ohms"]) / (limits["pull_least"] + series + part["cable_ohms"])
        + rail * part["cable_ohms"] / part["R1"]["ohms"],
        "release_s": slow * math.log(rail / (rail - limits["input_high"])),
        "clamp_amperes": (part["D1"]["clamp_volts"] - rail - BASE_VOLTS) / series,
    }


def pir(circuits: Table) -> dict[str, float]:
    """Volts at the pin from a sensor that puts out 3.0 V, and amperes into the pin from one that puts out too much."""
    limits, part = circuits["limits"], circuits["pir"]
    return {
        "high_volts": 3.0 * part["R5"]["ohms"] / (part["R4"]["ohms"] + part["R5"]["ohms"]),
        "wrong_amperes": (part["wrong_volts"] - limits["rail"] - BASE_VOLTS) / part["R4"]["ohms"],
    }


def infrared(circuits: Table) -> dict[str, float]:
    """Amperes in each row of two LEDs, watts in its resistor, and the gate's volts by night and by day."""
    part, volts = circuits["ir"], circuits["power"]["output_volts"]
    row = (volts - 2 * part["D6"]["led_volts"]) / part["R16"]["ohms"]

    def gate(light: float) -> float:
        return float(volts * light / (light + part["R14"]["ohms"]))

    return {
        "row_amperes": row,
        "resistor_watts": row**2 * part["R16"]["ohms"],
        "night_volts": gate(part["R15"]["dark_ohms"]),
        "day_volts": gate(part["R15"]["bright_ohms"]),
    }


def power(circuits: Table, transformer: float, amperes: float) -> dict[str, float]:
    """The chain behind a transformer of *transformer* volts AC, feeding *amperes* at 5.1 V.

    peak: volts over C3 and U1 without load, at high mains; lowest: volts into U1 between two peaks under load; va: what
    the transformer must give; rms: amperes through F1; rush: amperes at switching on, through RT1 alone.
    """
    chain = circuits["power"]
    watts = chain["output_volts"] * amperes / chain["efficiency"]
    loaded = transformer * math.sqrt(2) - chain["BR1"]["drop"]
    ripple = watts / loaded * HALF_WAVE_S / chain["C3"]["farads"]
    peak = transformer * math.sqrt(2) * chain["no_load"] * chain["mains_high"]
    va = watts / chain["power_factor"]
    return {
        "peak": peak,
        "lowest": loaded - ripple,
        "va": va,
        "rms": va / transformer,
        "rush": peak / chain["RT1"]["ohms"],
    }
