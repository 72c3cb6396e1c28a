"""Writes what the sources say into the pages: parts.md, and the marked tables of README.md and wiring.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from hardware.workshop import sums
from hardware.workshop.sources import HARDWARE, SETTINGS, Table, parts, read, shown

TRANSFORMERS = (8, 12, 16, 24)
"""Volts AC of the bell transformers that are sold."""


def written() -> dict[Path, str]:
    """Every page that holds made text, as it should be, by its path."""
    pins, circuits, bill = read("pins.toml"), read("circuits.toml"), read("bom.toml")
    return {
        HARDWARE / "parts.md": parts_page(bill),
        HARDWARE / "README.md": filled(HARDWARE / "README.md", {"pins": lambda: pin_table(pins)}),
        HARDWARE / "wiring.md": filled(
            HARDWARE / "wiring.md",
            {
                "values": lambda: value_table(circuits),
                "currents": lambda: current_table(circuits),
                "power": lambda: power_table(circuits),
                "wires": lambda: wire_table(pins),
            },
        ),
    }


def filled(page: Path, tables: dict[str, Callable[[], str]]) -> str:
    """The text of *page* with what stands between ``<!-- NAME -->`` and ``<!-- end NAME -->`` made anew."""
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end {name} -->")
        if not end:
            raise ValueError(f"{page.name} has no place for the table {name}: put its two marks back.")
        text = f"{before}{start}\n{table()}\n{end}{after}"
    return text


def grid(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table, ending in a line break."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def pin_table(pins: Table) -> str:
    return grid(
        ("part", "setting", "BCM pin", "header pin", "what the pin sees"),
        (
            (pins[name]["what"], f"`pins.{name}`", str(pins[name]["bcm"]), str(pins[name]["header"]), pins[name]["how"])
            for name in SETTINGS
        ),
    )


def wire_table(pins: Table) -> str:
    return grid(
        ("from", "to", "colour", "length", "core"),
        (
            (wire["from"], wire["to"], wire["colour"], f"{wire['length']} mm", f"{wire.get('core', 0.14):g} mm²")
            for wire in pins["wire"]
        ),
    )


def value_table(circuits: Table) -> str:
    return grid(
        ("part", "value", "what it does"), ((name, shown(part), part["is"]) for name, part in parts(circuits).items())
    )


def current_table(circuits: Table) -> str:
    """Each sum beside its limit."""
    limits = circuits["limits"]
    pins, drive, floats = sums.pin_amperes(circuits), sums.overdrive(circuits), sums.floating_volts(circuits)
    pressed, sensor = sums.button(circuits), sums.pir(circuits)
    most = f"{limits['pin_amperes'] * 1000:g} mA"
    rows = [
        ("chime pin, relay and buzzer sounding", f"{pins['chime'] * 1000:.1f} mA", most),
        ("LED pin, lit", f"{pins['led'] * 1000:.1f} mA", most),
        ("all pins together", f"{sum(pins.values()) * 1000:.1f} mA", f"{limits['all_pins_amperes'] * 1000:g} mA"),
        ("base current over what the load needs, worst transistor", f"{min(drive.values()):.1f} times", "at least 3"),
        ("base of a switch while the Pi starts", f"{max(floats.values()):.2f} V", "0.4 V, it stays off"),
        ("button pressed, 20 m of wire", f"{pressed['pressed_volts']:.2f} V", f"{limits['input_low']} V reads low"),
        ("button let go, until it reads so", f"{pressed['release_s'] * 1000:.1f} ms", "15 ms, the debounce"),
        ("into the button's pin while D1 clamps a spark", f"{pressed['clamp_amperes'] * 1000:.0f} mA", "16 mA"),
        ("PIR high", f"{sensor['high_volts']:.2f} V", f"at least {limits['input_high']} V"),
        ("into the PIR's pin from a sensor that puts out 5 V", f"{sensor['wrong_amperes'] * 1000:.0f} mA", "16 mA"),
    ]
    return grid(("what", "is", "may be"), iter(rows))


def power_table(circuits: Table) -> str:
    """What each transformer means for the chain, for both Pis."""

    def row(volts: int, board: str, amperes: float) -> tuple[str, ...]:
        chain = sums.power(circuits, volts, amperes)
        return (
            f"{volts} V",
            board,
            f"{chain['va'] + circuits['power']['chime_va']:.0f} VA",
            f"{chain['rms']:.1f} A",
            f"{chain['lowest']:.0f} V",
            f"{chain['peak']:.0f} V",
            verdict(circuits, chain),
        )

    power = circuits["power"]
    boards = (("Zero 2 W", power["zero_amperes"]), ("Pi 4", power["pi4_amperes"]))
    return grid(
        ("transformer", "Pi", "needs, with a chime", "through F1", "least into U1", "most on C3 and U1", "so"),
        (row(volts, board, amperes) for volts in TRANSFORMERS for board, amperes in boards),
    )


def verdict(circuits: Table, chain: dict[str, float]) -> str:
    """Whether the chain works, in words; the 2 V are kept for what a ringing chime takes from a small transformer."""
    power = circuits["power"]
    if chain["lowest"] < power["U1"]["least_volts"] + 2:
        return "too weak: use a 12 V supply"
    if chain["peak"] > power["U1"]["input_volts"] or chain["peak"] > power["C3"]["volts"]:
        return "U1 for 60 V, C3 for 63 V"
    return "as drawn"


def parts_page(bill: Table) -> str:
    """The bill of materials: a table of each group, then what whole doors cost."""
    groups = list(dict.fromkeys(part["group"] for part in bill["part"]))
    tables = "\n".join(f"## {group}\n\n{grid(HEAD, part_rows(bill, group))}" for group in groups)
    builds = grid(
        ("door", f"total, {bill['currency']}"),
        ((build["name"], f"{total(bill, build):.2f}") for build in bill["build"]),
    )
    return (
        "# Bill of materials\n\n"
        "Made from [bom.toml](bom.toml) by `make hardware`; edit it there. Prices are estimates of "
        f"{bill['date']} for single pieces with tax, in {bill['currency']}, without shipping. "
        "Lines with the same letters under *one of* are alternatives, the first is in the totals unless a total says "
        "otherwise. What *in the drawings* names is in [wiring.md](wiring.md).\n\n"
        f"{tables}\n## Whole doors\n\n{builds}"
    )


HEAD = ("part", "pieces", "each", "one of", "in the drawings", "note")


def part_rows(bill: Table, group: str) -> Iterator[tuple[str, ...]]:
    for part in bill["part"]:
        if part["group"] == group:
            yield (
                part["name"],
                f"{part.get('quantity', 1):g}",
                f"{part['price']:.2f}",
                part.get("choose", ""),
                ", ".join(part.get("refs", [])),
                ("optional; " if part.get("optional") else "") + part.get("note", ""),
            )


def total(bill: Table, build: Table) -> float:
    """What *build* costs. Raises ValueError where it names a part that is not in the bill."""
    take, leave = build.get("take", []), build.get("leave", [])
    unknown = {*take, *leave} - {part["name"] for part in bill["part"]}
    if unknown:
        raise ValueError(f"{build['name']}: no part of the bill is called {', '.join(sorted(unknown))}.")
    chosen = {part["choose"]: part["name"] for part in bill["part"] if part["name"] in take and "choose" in part}
    for part in bill["part"]:
        if "choose" in part and not part.get("optional"):
            chosen.setdefault(part["choose"], part["name"])
    cost = 0.0
    for part in bill["part"]:
        name = part["name"]
        alternative = "choose" in part and chosen.get(part["choose"]) != name
        wanted = name in take or not part.get("optional")
        if wanted and not alternative and name not in leave:
            cost += part["price"] * part.get("quantity", 1)
    return cost
