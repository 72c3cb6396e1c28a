"""What every schematic is drawn with: the source's values as labels, the switch that three of them share, steady SVG.

schemdraw's own types are loose, so its elements are ``Any`` here and in draw.py.
"""

from __future__ import annotations

import re
from typing import Any

import schemdraw
import schemdraw.elements

from hardware.workshop.sources import Table, parts, shown

elm: Any = schemdraw.elements
Drawing = Any


def steady(svg: str) -> str:
    """The SVG in lines and without anything that differs from one run to the next."""
    # schemdraw guesses how wide text is; a viewer whose font is wider would cut it off.
    wide = re.sub(
        r'width="([\d.]+)pt" viewBox="(\S+) (\S+) ([\d.]+) ',
        lambda m: f'width="{float(m[1]) + 60}pt" viewBox="{float(m[2]) - 20} {m[3]} {float(m[4]) + 60} ',
        svg,
        count=1,
    )
    wide = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", wide)
    return re.sub(r">\s*<", ">\n<", wide).strip() + "\n"


class Sheet:
    """What a drawing writes beside its parts."""

    def __init__(self, circuits: Table, pins: Table) -> None:
        self._parts = parts(circuits)
        self._pins = pins

    def of(self, name: str) -> str:
        """Designator and value in two lines: R1, 4.7k."""
        return f"{name}\n{shown(self._parts[name])}"

    def pin(self, name: str) -> str:
        """``GPIO17`` and the header's pin."""
        return f"GPIO{self._pins[name]['bcm']}\nheader {self._pins[name]['header']}"


def rail(label: str) -> Any:  # noqa: ANN401
    return elm.Vdd().label(label)


def switch(d: Drawing, sheet: Sheet, pin: str, names: tuple[str, str, str], at: tuple[float, float] = (0, 0)) -> Any:  # noqa: ANN401
    """A pin that switches a load to ground through an NPN; *names* are its base resistor, pull-down and transistor.

    Returns the transistor, its collector free.
    """
    base, down, transistor = names
    tag(d, sheet.pin(pin), at)
    d += elm.Resistor().at(at).right().label(sheet.of(base))
    node = d.here
    d += elm.Dot()
    d += elm.Line().right().length(0.8)
    q = d.add(elm.BjtNpn(circle=True).right().anchor("base").label(sheet.of(transistor), loc="right", ofst=(0.25, 0)))
    d += elm.Resistor().at(node).down().length(2.2).label(sheet.of(down), loc="bottom")
    d += elm.Ground()
    d += elm.Line().at(q.emitter).down().toy(d.here[1])
    d += elm.Ground()
    return q


def tag(d: Drawing, text: str, at: tuple[float, float] = (0, 0), *, left: bool = True) -> None:
    """Where a wire leaves the drawing, for a pin of the header."""
    flag = elm.Tag(width=2.1, height=0.95).at(at)
    d += (flag.left() if left else flag.right()).label(text, fontsize=11)
