"""The demo's two columns: what the broker saw beside what the owner sees; plain lines where there is no terminal."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from doorbell.demo.broker import Seen
from doorbell.demo.checks import Check, ciphertext, is_sealed
from doorbell.errors import Mistake

ROWS = 200
"""Lines remembered a column."""
NARROW = 110
"""A terminal of fewer columns shows one above the other."""
PICTURE_WIDTH = 128
PICTURE_ROWS = 26
SHOWN_BYTES = 8
SHOWN_TEXT = 24

_SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""rich's own frame fetches its font from a stranger's server whenever somebody looks; this one fetches nothing."""


class Screen:
    """A context: inside it the columns are live; afterwards the terminal is as it was."""

    def __init__(self, began: float, *, keys: str) -> None:
        self._began = began
        self._keys = keys
        self._console = Console(highlight=False, soft_wrap=False)
        self._broker: deque[Text] = deque(maxlen=ROWS)
        self._owner: deque[Text] = deque(maxlen=ROWS)
        self._foot = Text("")
        self._link = Text("")
        self._live = Live(console=self._console, screen=True, auto_refresh=False) if self._console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    # ---- what happens

    def saw(self, seen: Seen) -> None:
        """The broker's column: topic, size, and what it can make of the payload."""
        line = self._clock(seen.at)
        line.append(f"{_short(seen.topic):16}", "bold")
        line.append(f"{len(seen.payload):6} B  ")
        cipher = ciphertext(seen) if is_sealed(seen.topic) else None
        if cipher is not None:
            line.append("sealed ", "green").append(cipher[16 : 16 + SHOWN_BYTES].hex(" ") + " …", "dim")
        elif is_sealed(seen.topic):
            line.append("NOT SEALED", "bold red")
        else:
            text = seen.payload[: SHOWN_TEXT + 1].decode("utf-8", "replace")
            line.append("clear  ", "yellow").append(text if len(text) <= SHOWN_TEXT else text[: SHOWN_TEXT - 1] + "…")
        self._add(self._broker, "broker", line)

    def tell(self, sentence: str, at: float, style: str = "") -> None:
        """The owner's column."""
        self._add(self._owner, "owner ", self._clock(at).append(sentence, style))

    def foot(self, sentence: str) -> None:
        """What is going on, under the columns."""
        if sentence != self._foot.plain:
            self._foot = Text(sentence)
            if self._live is None:
                self._console.print(Text(f"door   {sentence}", "dim"), soft_wrap=True)
            else:
                self._draw()

    def link(self, sentence: str) -> None:
        """Where the phone app is, under all else; nothing where there is nothing to say."""
        self._link = Text(sentence)
        if sentence and self._live is None:
            self._console.print(Text("app    ").append(sentence), soft_wrap=True)

    def _add(self, column: deque[Text], name: str, line: Text) -> None:
        column.append(line)
        if self._live is None:
            self._console.print(Text(f"{name} ").append(line), soft_wrap=True)
        else:
            self._draw()

    def _clock(self, at: float) -> Text:
        return Text().append(f"{at - self._began:5.1f}  ", "dim")

    # ---- drawing

    def _draw(self) -> None:
        if self._live is None:
            return
        width, height = self._console.size
        room = height - 4  # below: what is going on, the app, and the keys
        shown = self._side_by_side(width, room - 2) if width >= NARROW else self._stacked(width, room // 2 - 2)
        self._live.update(Group(shown, self._foot, self._link, Text(self._keys, "dim")), refresh=True)

    def _side_by_side(self, width: int, rows: int) -> RenderableType:
        return Columns(self._panels((width - 1) // 2, rows), padding=(0, 1, 0, 0), expand=False)

    def _stacked(self, width: int, rows: int) -> RenderableType:
        return Group(*self._panels(width, rows))

    def _panels(self, width: int, rows: int) -> Iterator[Panel]:
        rows = max(3, rows)
        for title, lines in (("what the broker saw", self._broker), ("what the owner sees", self._owner)):
            body = Text("\n").join(list(lines)[-rows:])
            body.no_wrap, body.overflow = True, "ellipsis"
            yield Panel(body, title=title, title_align="left", width=width, height=rows + 2)

    # ---- the end

    def say(self, sentence: str = "") -> None:
        """A line below everything, after the columns have closed."""
        self._console.print(Text(sentence), soft_wrap=True)

    def verdict(self, checks: Sequence[Check]) -> None:
        for check in checks:
            self._console.print(_verdict_line(check), soft_wrap=True)

    def picture(self, path: Path, checks: Sequence[Check]) -> None:
        """What was to be seen, as an SVG that fetches nothing from anywhere."""
        paper = Console(record=True, width=PICTURE_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
        rows = min(PICTURE_ROWS, max(len(self._broker), len(self._owner)))
        paper.print(self._side_by_side(PICTURE_WIDTH, rows))
        for check in checks:
            paper.print(_verdict_line(check))
        drawing = paper.export_svg(title="doorbell demo", code_format=_SVG)
        try:
            path.write_text(drawing, encoding="utf-8")
        except OSError as error:
            raise Mistake(f"{path} cannot be written ({error.strerror}): name another place for the picture.") from None


def _verdict_line(check: Check) -> Text:
    mark = Text("good ", "green") if check.good else Text("BAD  ", "bold red")
    return mark.append(f"{check.name}: ", "default").append(check.figure, "default")


def _short(topic: str) -> str:
    """The topic without the door's prefix, and without most of a visit's 26 letters."""
    parts = topic.split("/")
    parts = ["homeassistant", "…"] if parts[0] == "homeassistant" else parts[2:]
    return "/".join(part if len(part) <= 14 else part[:6] + "…" for part in parts)
