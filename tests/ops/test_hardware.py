"""The wiring page and the configuration speak of the same pins."""

from __future__ import annotations

import re
from pathlib import Path

from doorbell.config import Pins, parse

PAGE = (Path(__file__).parents[2] / "hardware/README.md").read_text()


def test_the_pins_of_the_page_are_those_of_its_example_and_of_the_defaults() -> None:
    table = {name: int(pin) for name, pin in re.findall(r"`pins\.(\w+)` \| (\d+)", PAGE)}
    example = parse("\n".join(line[4:] for line in PAGE.splitlines() if line.startswith("    "))).pins
    assert table == {name: getattr(example, name) for name in table}
    assert table["button"] == Pins().button
