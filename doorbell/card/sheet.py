"""The sheet to print: the phone's QR code, what to do with it, and 24 lines for the owner's own pen.

The words themselves are never on it: a file that a printer, a cloud folder or a backup keeps is no place for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Final

from doorbell.ticket import Ticket, to_paste, to_qr

_WIDTH, _HEIGHT = 210, 297  # millimetres, A4
_QR: Final = 92.0
_STEPS: Final = (
    "Put the card into the door and give it power. The first start takes 10 to 20 minutes.",
    "Open the app on your phone, choose to pair with a door, and let it look at this code.",
    "Press the button. The phone rings.",
)
_KEEP: Final = (
    "They open every clip, also when the phone and this computer are gone; the door never has them. Cut this half off "
    "and keep it where you keep passports. Destroy the upper half once your phone has joined."
)
_INK, _PALE = "#1a1a1a", "#777777"


def svg(ticket: Ticket, name: str, until: str) -> str:
    """An A4 page. *name* is the door's, *until* the day on which the code ends, as people write it."""
    warning = f"This code lets one phone in, until {until}. Whoever photographs it may join: do not leave it about."
    page = f'width="{_WIDTH}mm" height="{_HEIGHT}mm" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {page} font-family="sans-serif" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(20, 26, 8, name, weight="bold"),
        *_lines(20, 34, 4, [warning], 78),
        _code(to_qr(ticket), 16, 40, _QR),
        *_lines(114, 54, 4.2, [f"{number}. {step}" for number, step in enumerate(_STEPS, start=1)], 37),
        *_lines(114, 112, 2.6, ["Without a camera, paste this into the app:"], 60, ink=_PALE),
        *_pasted(114, 116, to_paste(ticket)),
        f'<path d="M12 143h186" stroke="{_PALE}" stroke-width="0.25" stroke-dasharray="2 2"/>',
        _text(20, 156, 5, "The 24 words of your key, in your handwriting", weight="bold"),
        *_lines(20, 163, 3.8, [_KEEP], 82),
        *_places_for_words(184),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _pasted(x: float, y: float, text: str) -> list[str]:
    rows = [text[at : at + 52] for at in range(0, len(text), 52)]
    return [_text(x, y + 3.3 * n, 2.6, row, ink=_PALE, mono=True) for n, row in enumerate(rows)]


def _text(
    x: float, y: float, size: float, text: str, *, weight: str = "normal", ink: str = _INK, mono: bool = False
) -> str:
    family = ' font-family="monospace"' if mono else ""
    place = f'x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{ink}"{family}'
    return f"<text {place}>{escape(text)}</text>"


def _lines(x: float, y: float, size: float, texts: Sequence[str], letters: int, *, ink: str = _INK) -> list[str]:
    """Each text broken into lines of at most so many *letters*, and a little apart from the one before."""
    parts = []
    for text in texts:
        for line in wrap(text, letters):
            parts.append(_text(x, y, size, line, ink=ink))
            y += size * 1.35
        y += size * 0.6
    return parts


def _code(text: str, x: float, y: float, size: float) -> str:
    import segno  # noqa: PLC0415  only where a sheet is drawn

    made = segno.make_qr(text, error="m", boost_error=False)
    rows = [list(row) for row in made.matrix]
    quiet = 4
    module = size / (len(rows) + 2 * quiet)
    runs = []
    for down, row in enumerate(rows):
        across = 0
        while across < len(row):
            if not row[across]:
                across += 1
                continue
            begin = across
            while across < len(row) and row[across]:
                across += 1
            runs.append(f"M{begin + quiet} {down + quiet}h{across - begin}v1h-{across - begin}z")
    return (
        f'<g transform="translate({x} {y}) scale({module:.5f})"><rect width="{len(rows) + 2 * quiet}" '
        f'height="{len(rows) + 2 * quiet}" fill="white"/><path fill="black" d="{"".join(runs)}"/></g>'
    )


def _places_for_words(top: float) -> list[str]:
    parts = []
    for number in range(24):
        x, y = 20 + 58 * (number // 8), top + 12 * (number % 8)
        parts += [
            _text(x, y, 4, f"{number + 1}.", ink=_PALE),
            f'<path d="M{x + 9} {y + 1}h44" stroke="{_PALE}" stroke-width="0.25"/>',
        ]
    return parts


def in_terminal(ticket: Ticket) -> str:
    """The code in half blocks of a terminal, dark on light whatever the terminal's own colours are."""
    import io  # noqa: PLC0415

    import segno  # noqa: PLC0415

    out = io.StringIO()
    segno.make_qr(to_qr(ticket), error="l", boost_error=False).terminal(out, compact=True, border=2)
    return out.getvalue()
