"""One measured row: a figure of ours beside its reference, and the bar their ratio is held to."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

Say = Callable[[str], None]
"""Takes a line of progress."""


@frozen
class Row:
    """``ours`` and ``reference`` in ``unit``; ``ratio`` is theirs as ``what`` names it, None where there is none.

    ``bar`` is the ratio's limit: its upper one, or with ``at_least`` its lower. None: shown for information.
    """

    what: str
    ours: float
    reference: float | None
    ratio: float | None
    bar: float | None
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is no bar, or nothing to hold against it."""
        if self.bar is None or self.ratio is None:
            return None
        return self.ratio >= self.bar if self.at_least else self.ratio <= self.bar


def table(rows: list[Row]) -> str:
    """The rows as aligned text, a header first."""
    lines = [("what", "ours", "reference", "unit", "ratio", "bar", "met")]
    lines += [
        (
            row.what, _figure(row.ours), _figure(row.reference), row.unit, _figure(row.ratio),
            "" if row.bar is None else f"{'≥' if row.at_least else '≤'} {row.bar:g}",
            {True: "yes", False: "NO", None: ""}[row.met],
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in (1, 2, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
