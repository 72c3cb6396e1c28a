"""Draws the harness: the 40-pin header, the interface board, the parts, and every wire of pins.toml in its colour."""

from __future__ import annotations

from html import escape

from hardware.workshop.sources import Table

HEADER_PINS = 40
STEP = 22
"""Pixels between two pins of the header."""
TINTS = {
    "yellow": "#d9b400",
    "blue": "#1f6fd6",
    "violet": "#8a3fc7",
    "green": "#2a9d3a",
    "orange": "#e8801a",
    "black": "#222222",
    "red": "#d32020",
    "white": "#9a9a9a",
}
"""Wire colours as they are drawn; white is grey, to be seen on white."""
BOARD_LEFT, BOARD_RIGHT = 420, 640
PARTS_LEFT = 880


def picture(pins: Table) -> str:
    """The harness as SVG text. Raises KeyError where a wire's colour has no tint."""
    wires = pins["wire"]
    lines = [head(), *header_block(wires)]
    rows = board_rows(wires)
    lines += box(BOARD_LEFT, 40, BOARD_RIGHT - BOARD_LEFT, STEP * HEADER_PINS // 2 + 20, "interface board")
    left = sorted((wire for wire in wires if wire["from"].startswith("header:")), key=lambda w: pin_of(w["from"]))
    lanes = {wire["from"]: lane for lane, wire in enumerate(left)}
    for wire in left:
        pin = pin_of(wire["from"])
        # The left row's wires pass between the right row's pins, not over them.
        past = STEP / 2 if pin % 2 else 0
        lines += run(header_point(pin), (BOARD_LEFT, rows[wire["to"]]), 290 + 15 * lanes[wire["from"]], wire, past)
        lines.append(text(BOARD_LEFT + 8, rows[wire["to"]] + 4, name_of(wire["to"])))
    lines += part_blocks(wires, rows)
    return "\n".join([*lines, "</svg>"]) + "\n"


def head() -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1120" height="520" viewBox="0 0 1120 520" '
        'font-family="sans-serif" font-size="12"><rect width="1120" height="520" fill="white"/>'
    )


def text(x: float, y: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, title: str) -> list[str]:
    return [
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="#f6f6f2" stroke="#444"/>',
        text(x + width / 2, y - 8, title, "middle", "bold"),
    ]


def pin_of(place: str) -> int:
    return int(place.partition(":")[2])


def name_of(place: str) -> str:
    return place.partition(":")[2]


def header_point(pin: int) -> tuple[float, float]:
    """Odd pins left, even ones right, pin 1 at the top."""
    return (110 + 60 * (1 - pin % 2), 62 + STEP * ((pin - 1) // 2))


def header_block(wires: list[Table]) -> list[str]:
    """The header, the pins in use filled and numbered in bold."""
    used = {pin_of(wire["from"]) for wire in wires if wire["from"].startswith("header:")}
    lines = box(60, 40, 160, STEP * HEADER_PINS // 2 + 20, "the Pi's header, pin 1 at the square")
    for pin in range(1, HEADER_PINS + 1):
        x, y = header_point(pin)
        fill = "#444" if pin in used else "white"
        lines.append(
            f'<rect x="{x - 6:g}" y="{y - 6:g}" width="12" height="12" fill="{fill}" stroke="#444"/>'
            if pin == 1
            else f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="{fill}" stroke="#444"/>'
        )
        lines.append(text(x - 12, y + 4, str(pin), "end", "bold" if pin in used else "normal"))
    return lines


def board_rows(wires: list[Table]) -> dict[str, float]:
    """The height of each terminal of the board: those to the header on its left side, the others on its right."""
    headed = [wire for wire in wires if wire["from"].startswith("header:")]
    left = sorted(headed, key=lambda wire: header_point(pin_of(wire["from"]))[1])
    rows = {wire["to"]: 80.0 + 56 * index for index, wire in enumerate(left)}
    right = [wire for wire in wires if not wire["from"].startswith("header:")]
    height, before = 70.0, ""
    for wire in right:
        end, other = (wire["from"], wire["to"]) if wire["from"].startswith("board:") else (wire["to"], wire["from"])
        part = other.partition(":")[0]
        height += 20 if part in ("", before) else 54
        rows[end], before = height, part
    return rows


def run(start: tuple[float, float], end: tuple[float, float], lane: float, wire: Table, past: float = 0) -> list[str]:
    """A wire that leaves *past* pixels below its start, with two corners in its own lane."""
    path = f"M{start[0]:g} {start[1]:g} V{start[1] + past:g} H{lane:g} V{end[1]:g} H{end[0]:g}"
    thick = 4 if wire.get("core", 0.14) >= 0.5 else 2.4
    return [f'<path d="{path}" fill="none" stroke="{TINTS[wire["colour"]]}" stroke-width="{thick}"/>']


def part_blocks(wires: list[Table], rows: dict[str, float]) -> list[str]:
    """Button, PIR, bell pair and buck at the right, each opposite its terminals."""
    lines: list[str] = []
    blocks: dict[str, list[float]] = {}
    for wire in wires:
        if wire["from"].startswith("header:"):
            continue
        outward = wire["from"].startswith("board:")
        end, other = (wire["from"], wire["to"]) if outward else (wire["to"], wire["from"])
        y = rows[end]
        blocks.setdefault(other.partition(":")[0], []).append(y)
        lines += run((BOARD_RIGHT, y), (PARTS_LEFT, y), 700, wire)
        lines.append(text(BOARD_RIGHT - 8, y + 4, name_of(end), "end"))
        lines.append(text(PARTS_LEFT + 10, y + 4, name_of(other)))
        lines.append(text(760, y - 4, f"{wire['colour']}, {wire['length']} mm", "middle"))
    for part, heights in blocks.items():
        top, bottom = min(heights) - 14, max(heights) + 12
        lines = [*box(PARTS_LEFT, top, 180, bottom - top, ""), *lines]
        lines.append(text(PARTS_LEFT + 110, (top + bottom) / 2 + 4, part, "middle", "bold"))
    return lines
