"""Draws the schematics with schemdraw, from the values in circuits.toml: one function for each picture, SVG text out.

Run by ``make hardware``; nothing else imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import schemdraw

from hardware.workshop.sheet import Drawing, Sheet, elm, rail, steady, switch, tag
from hardware.workshop.sources import read


def pictures() -> dict[str, str]:
    """File name in ``drawings/`` to its SVG."""
    schemdraw.use("svg")
    schemdraw.svgconfig.text = "text"
    circuits, pins = read("circuits.toml"), read("pins.toml")
    figures: dict[str, Callable[[Drawing, Sheet], None]] = {
        "button": button,
        "pir": pir,
        "led": led,
        "relay": relay,
        "chime": chime,
        "buzzer": buzzer,
        "power": power,
        "infrared": infrared,
    }
    made = {}
    for name, figure in figures.items():
        drawing = schemdraw.Drawing(show=False)
        drawing.config(fontsize=12, font="sans-serif", unit=2.6, lw=1.4, bgcolor="white", margin=0.25)
        figure(drawing, Sheet(circuits, pins))
        made[f"{name}.svg"] = steady(drawing.get_imagedata("svg").decode())
    return made


def button(d: Drawing, sheet: Sheet) -> None:
    """From the Pi, left, over the filter to the button at the end of its wire."""
    tag(d, sheet.pin("button"))
    d += elm.Line().at((0, 0)).right().length(1)
    filtered = d.here
    d += elm.Dot()
    d += elm.Resistor().right().label(sheet.of("R2"))
    wire = d.here
    d += elm.Dot()
    d += elm.Resistor().at(wire).up().length(2.2).label(sheet.of("R1"), loc="bottom")
    d += rail("3.3 V, header 1")
    d += elm.Capacitor().at(filtered).down().length(2.6).label(sheet.of("C1"), loc="top")
    d += elm.Ground()
    d += elm.Line().at(wire).right().length(2.2)
    guard = d.here
    d += elm.Dot()
    d += elm.Zener().at(guard).down().length(2.6).reverse().label(sheet.of("D1"), loc="bottom", ofst=0.1)
    d += elm.Ground().at((guard[0], guard[1] - 2.6))
    d += elm.Line().at(guard).right().length(2.0).label("wire to NO", loc="top")
    d += elm.Button().down().length(2.6).label("push\nbutton", loc="bottom", ofst=0.35)
    d += elm.Ground().label("wire from C,\nheader 9", loc="right", ofst=(0.4, 0))


def pir(d: Drawing, sheet: Sheet) -> None:
    """From the Pi, left, to the three pins of the sensor."""
    tag(d, sheet.pin("pir"))
    d += elm.Line().at((0, 0)).right().length(0.8)
    node = d.here
    d += elm.Dot()
    d += elm.Resistor().right().label(sheet.of("R4"))
    d += elm.Line().right().length(4.6)
    names = ("OUT", "GND", "VCC")
    sockets = [elm.IcPin(name=name, side="left", slot=f"{slot}/3") for slot, name in enumerate(names, 1)]
    sensor = d.add(elm.Ic(pins=sockets, size=(3, 5)).anchor("OUT").right())
    d += elm.Label().at((sensor.GND[0] + 2.3, sensor.GND[1] - 0.1)).label("AM312", fontsize=13)
    d += elm.Resistor().at(node).down().length(2.4).label(sheet.of("R5"), loc="top")
    d += elm.Ground()
    d += elm.Line().at(sensor.GND).left().length(1.6)
    d += elm.Dot()
    ground = d.here
    d += elm.Line().left().length(1.6)
    d += elm.Ground()
    d += elm.Line().at(sensor.VCC).left().tox(ground[0])
    fed = d.here
    d += elm.Dot()
    d += elm.Capacitor2(polar=True).at(fed).down().toy(ground[1]).label(sheet.of("C2"), loc="top", ofst=0.1)
    d += elm.Resistor().at(fed).left().length(2.8).label(sheet.of("R3"))
    d += elm.Line().up().length(1.1)
    d += rail("3.3 V, header 1")


def led(d: Drawing, sheet: Sheet) -> None:
    """Above a bare LED on the pin itself, below the button's ring behind a transistor."""
    tag(d, sheet.pin("led"))
    d += elm.Resistor().at((0, 0)).right().label(sheet.of("R6"))
    d += elm.LED().right().label("red, yellow or green LED", loc="bottom", ofst=0.25)
    d += elm.Line().right().length(1.2)
    d += elm.Ground()
    d += elm.Label().at((7.2, 0.5)).label("either this", color="#666666")
    q = switch(d, sheet, "led", ("R7", "R8", "Q1"), (0, -6.4))
    d += elm.Line().at(q.collector).up().length(0.3)
    d += (
        elm.LED()
        .up()
        .length(1.6)
        .reverse()
        .label("the button's ring with\nits own resistor inside", loc="bottom", ofst=0.3)
    )
    d += rail("ring of 3 to 6 V: 5 V, header 4\nring of 12 V: 12 V supply")
    d += elm.Label().at((7.2, -6.4)).label("or this", color="#666666")


def coil(d: Drawing, sheet: Sheet, q: Any, load: str, diode: str) -> Any:  # noqa: ANN401
    """A coil from the collector of *q* up to 5 V, its flyback diode left of it; returns the coil's element."""
    d += elm.Line().at(q.collector).up().length(0.5)
    low = d.here
    d += elm.Dot()
    winding = d.add(elm.RBox().at(low).up().length(2.2).label(load, loc="bottom", ofst=0.1))
    d += elm.Dot().at(winding.end)
    d += rail("5 V, header 4").at(winding.end)
    d += elm.Line().at(low).left().length(1.7)
    d += elm.Diode().up().length(2.2).label(sheet.of(diode), loc="top")
    d += elm.Line().right().tox(low[0])
    return winding


def relay(d: Drawing, sheet: Sheet) -> None:
    """Pin, transistor and coil; right of them, joined by nothing but the armature, the contact in the bell wires."""
    q = switch(d, sheet, "chime", ("R10", "R11", "Q2"))
    winding = coil(d, sheet, q, sheet.of("K1") + "\ncoil", "D2")
    low, high = winding.start, winding.end
    x = low[0] + 6.6
    d += elm.Line().at((low[0] + 3.4, low[1] + 1.1)).right().tox(x + 0.3).linestyle(":").color("#888888")
    top = (x, high[1] + 0.9)
    d += elm.Dot(open=True).at(top).label("bell wire 1", loc="right", ofst=0.2)
    d += elm.Line().at(top).down().length(0.9)
    upper = d.here
    d += elm.Dot()
    contact = d.add(elm.Switch().at(upper).down().length(2.2))
    d += elm.Label().at((x - 0.8, upper[1] - 0.4)).label("K1, NO")
    lower = contact.end
    d += elm.Dot().at(lower)
    d += elm.Line().at(lower).down().length(0.9)
    d += elm.Dot(open=True).label("bell wire 2", loc="right", ofst=0.2)
    d += elm.Line().at(upper).right().length(2.1)
    d += elm.DiodeTVS().down().length(2.2).label(sheet.of("D3"), loc="bottom")
    d += elm.Line().left().tox(x)
    d += (
        elm.Label()
        .at((x + 1.0, low[1] - 2.2))
        .label("no connection to the Pi,\nits ground or its 5 V", color="#666666")
    )


def chime(d: Drawing, sheet: Sheet) -> None:
    """The house's side: transformer, chime and the relay's contact where the old button was."""
    mains = mains_side(d, "bell transformer\n8 to 24 V AC")
    d += elm.Line().at(mains.s1).right().length(1.6)
    d += elm.FuseIEC().right().length(2.2).label(sheet.of("F2"))
    d += elm.RBox().right().length(3).label("chime")
    d += elm.Line().right().length(2.2).label("bell wire 1")
    corner = d.here
    d += elm.Line().at(mains.s2).right().tox(corner[0]).label("bell wire 2", loc="bottom", ofst=0.25)
    d += elm.Dot().at(corner)
    d += elm.Switch().at(corner).down().toy(mains.s2[1]).label("K1 in\nthe door", loc="top", ofst=0.2)
    d += elm.Dot()
    d += elm.Line().at(corner).right().length(2.2)
    d += elm.Button().down().toy(mains.s2[1]).label("old button,\nif it stays", loc="bottom", ofst=0.35)
    d += elm.Line().left().length(2.2)


def mains_side(d: Drawing, label: str) -> Any:  # noqa: ANN401
    """A transformer whose left side is nobody's but the electrician's."""
    mains = d.add(elm.Transformer(t1=5, t2=5, loop=False))
    d += elm.Line().at(mains.p1).left().length(1.0)
    d += elm.Line().at(mains.p2).left().length(1.0)
    middle = (mains.p1[0] + mains.s1[0]) / 2
    d += elm.Label().at((middle, mains.p1[1] + 1.3)).label(label)
    d += (
        elm.Label()
        .at((middle - 2.4, (mains.p1[1] + mains.p2[1]) / 2))
        .label("mains side:\nclosed, for the\nelectrician", color="#b00020")
    )
    return mains


def buzzer(d: Drawing, sheet: Sheet) -> None:
    """The relay's picture with a buzzer for the coil."""
    q = switch(d, sheet, "chime", ("R12", "R13", "Q3"))
    coil(d, sheet, q, "BZ1, active\nbuzzer, 5 V\n(+ up)", "D4")


def power(d: Drawing, sheet: Sheet) -> None:
    """From the transformer's safe side to the header's 5 V; the part left of the pair stands in the house."""
    mains = mains_side(d, "safety transformer\n12 to 24 V AC")
    d += elm.Line().at(mains.s1).right().length(1.6)
    d += elm.FuseIEC().right().length(2.0).label(sheet.of("F1"))
    d += elm.Thermistor().right().length(2.2).label(sheet.of("RT1"))
    d += elm.Line().right().length(0.6)
    bridge = d.add(elm.Rectifier().at((d.here[0] + 1.4, d.here[1])).anchor("N").right())
    d += elm.Line().at((bridge.N[0] - 1.4, bridge.N[1])).right().tox(bridge.N[0])
    d += elm.Label().at((bridge.N[0], bridge.N[1] + 0.45)).label(sheet.of("BR1").replace("\n", ", "))
    d += elm.Line().at(bridge.S).down().length(0.5)
    under = d.here
    d += elm.Line().left().tox(mains.s2[0] + 0.8)
    d += elm.Line().up().toy(mains.s2[1])
    d += elm.Line().left().tox(mains.s2[0])
    d += elm.Line().at(bridge.E).right().length(1.2)
    store = d.here
    d += elm.Dot()
    bottom = under[1] - 0.9
    d += elm.Capacitor2(polar=True).at(store).down().toy(bottom).label(sheet.of("C3"), loc="bottom")
    d += elm.Dot()
    zero = d.here
    d += elm.Line().at(bridge.W).left().length(0.6)
    d += elm.Line().down().toy(bottom)
    d += elm.Line().right().tox(zero[0])
    d += elm.Line().at(store).right().length(3.4).label("bell wire 3, +", loc="top")
    buck = d.add(
        elm.Ic(
            pins=[
                elm.IcPin(name="IN+", side="left", slot="3/3", anchorname="inp"),
                elm.IcPin(name="IN-", side="left", slot="1/3", anchorname="inm"),
                elm.IcPin(name="OUT+", side="right", slot="3/3", anchorname="outp"),
                elm.IcPin(name="OUT-", side="right", slot="1/3", anchorname="outm"),
            ],
            size=(3.4, 3.0),
        )
        .anchor("inp")
        .right()
    )
    d += (
        elm.Label()
        .at(((buck.inp[0] + buck.outp[0]) / 2, (buck.inp[1] + buck.inm[1]) / 2))
        .label("U1, buck\nset to 5.1 V")
    )
    d += elm.Line().at(zero).right().tox(buck.inm[0] - 0.6).label("bell wire 4, -", loc="bottom", ofst=0.25)
    d += elm.Line().up().toy(buck.inm[1])
    d += elm.Line().right().tox(buck.inm[0])
    d += elm.Line().at(buck.outp).right().length(1.0)
    out = d.here
    d += elm.Dot()
    d += elm.Zener().down().toy(buck.outm[1]).reverse().label(sheet.of("D5"), loc="bottom", ofst=0.1)
    low = (out[0], buck.outm[1])
    d += elm.Dot().at(low)
    d += elm.Line().at(low).left().tox(buck.outm[0])
    d += elm.Line().at(out).right().length(3.0)
    tag(d, "5 V\nheader 4", d.here, left=False)
    d += elm.Line().at(low).right().length(3.0)
    tag(d, "ground\nheader 6", d.here, left=False)


def infrared(d: Drawing, sheet: Sheet) -> None:
    """A light that a photoresistor switches; no pin of the Pi takes part."""
    d += elm.Line().at((0, 0)).right().length(8)
    d += rail("5 V, header 4").at((0, 0))
    d += elm.Resistor().at((0, 0)).down().length(2.6).label(sheet.of("R14"), loc="top")
    gate = d.here
    d += elm.Dot()
    d += elm.Photoresistor().down().length(2.6).label(sheet.of("R15"), loc="top", ofst=0.3)
    d += elm.Ground()
    ends = []
    for x, resistor, names in ((4.4, "R16", "D6, D7"), (8, "R17", "D8, D9")):
        d += elm.Dot().at((x, 0)) if x < 8 else elm.Gap().at((x, 0)).length(0)
        d += elm.Resistor().at((x, 0)).down().length(1.6).label(sheet.of(resistor), loc="top", ofst=0.05)
        d += elm.LED().down().length(1.2).label(f"{names}\n850 nm", loc="top", ofst=0.25)
        d += elm.LED().down().length(1.2)
        ends.append(d.here)
    d += elm.Line().at(ends[0]).right().tox(ends[1][0])
    d += elm.Dot().at(ends[0])
    d += elm.Line().at(ends[0]).down().length(0.4)
    q = d.add(elm.NFet().theta(0).reverse().anchor("drain"))
    d += elm.Label().at((q.drain[0] + 1.1, q.gate[1] - 0.2)).label(sheet.of("Q4"))
    d += elm.Line().at(gate).right().tox(2.4)
    d += elm.Line().down().toy(q.gate[1])
    d += elm.Line().right().tox(q.gate[0])
    d += elm.Ground().at(q.source)
