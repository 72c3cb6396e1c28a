"""Reads the hardware's sources: pins, circuits and bill of materials as plain tables."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

HARDWARE = Path(__file__).resolve().parents[1]
SETTINGS = ("button", "pir", "chime", "led")
"""The parts that have a pin: their names in ``[pins]`` of the configuration."""

Table = dict[str, Any]


def read(name: str) -> Table:
    """The table of ``hardware/NAME``. Raises ValueError, with the file's name, where it is no TOML."""
    try:
        return tomllib.loads((HARDWARE / name).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{name} is no TOML: {error}") from None


def parts(circuits: Table) -> dict[str, Table]:
    """Designator (R1, Q2 …) to its values, over all circuits."""
    return {
        name: values for circuit in circuits.values() for name, values in circuit.items() if isinstance(values, dict)
    }


def shown(part: Table) -> str:
    """What a drawing and a shopping list write for a part: 4.7k, 100n, T 1.6 A, BC337-40."""
    if "part" in part:
        return str(part["part"])
    if "ohms" in part:
        return scaled(part["ohms"], (("M", 1e6), ("k", 1e3), ("", 1)))
    if "farads" in part:
        return scaled(part["farads"], ((" µ", 1e-6), (" n", 1e-9))) + "F"
    return f"T {part['amperes']:g} A"


def scaled(value: float, steps: tuple[tuple[str, float], ...]) -> str:
    """``value`` with the first prefix of ``steps`` that leaves at least 1 before it."""
    for prefix, factor in steps:
        if value >= factor * 0.999:
            return f"{value / factor:.4g}{prefix}"
    raise ValueError(f"{value} is smaller than every step.")
