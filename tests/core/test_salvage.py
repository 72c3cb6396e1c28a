"""What the bell still finds in settings that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorbell.config import Pins
from doorbell.salvage import for_the_bell

TABLE = '[pins]\nkind = "simulated"\nbutton = 4\npir = 5\nchime = 6 # relay\nled = 7\nchime_ms = 900\n'
MEANT = Pins(kind="simulated", button=4, pir=5, chime=6, led=7, chime_ms=900)
AS_WIRED = Pins(chime=22, led=23)


@pytest.mark.parametrize(
    "text",
    [
        TABLE + "[camera]\nfps = 400\n",
        TABLE + '[mqtt]\nhost = "broker\n',
        "[mqtt\nhost = 1\n" + TABLE,
        "\ufeff" + (TABLE + "[[[").replace("\n", "\r\n"),
        TABLE.replace("[pins]", "  [ pins ]  # mine") + "= =",
        TABLE.replace("[pins]", "[pins"),
        TABLE.replace("chime = 6", "chime = '6'"),
        TABLE.replace("button", "butt0n = 9\nbutton"),
        "[door]\nname = 1\n" + TABLE,
        'pins = { kind = "simulated", button = 4, pir = 5, chime = 6, led = 7, chime_ms = 900 }\n[mqtt]\nhots = 1\n',
        "\n".join(f"pins.{line}" for line in TABLE.splitlines()[1:]) + "\n[mqtt]\nhots =",
    ],
)
def test_the_pins_are_read_whatever_is_wrong_elsewhere(text: str) -> None:
    assert for_the_bell(text.encode()).pins == MEANT
    assert for_the_bell(text.removeprefix("\ufeff").encode("utf-16")).pins == MEANT


@pytest.mark.parametrize("raw", [b"", b"\0" * 100, b"\xff\xfe", b"[pins]\n", b"a = " + b"[" * 5000, b"[pins]\nled ="])
def test_where_nothing_is_read_the_outputs_are_as_the_harness_is_wired(raw: bytes) -> None:
    assert for_the_bell(raw).pins == AS_WIRED


@pytest.mark.parametrize(
    ("lines", "pins"),
    [
        ("chime = 28\nled = -1", AS_WIRED),
        ("chime = 'loud'\nled = 5.5\nchime_ms = 9", AS_WIRED),
        ("chime = 0", Pins(chime=0, led=23)),
        ("led = 22", Pins(chime=0, led=22)),
        ("chime = 23", Pins(chime=23, led=0)),
        ("chime = 17", AS_WIRED),
        ("button = 22", Pins(button=22, chime=0, led=23)),
        ("pir = 22\nchime = 22", Pins(pir=22, chime=0, led=23)),
        ("button = 0", Pins(button=0, chime=22, led=23)),
        ("kind = 'nonsense'", AS_WIRED),
        ("kind = 'none'", Pins(kind="none", chime=22, led=23)),
    ],
)
def test_what_a_pin_may_not_be_is_left_out_and_no_input_becomes_an_output(lines: str, pins: Pins) -> None:
    for wrong in ("", "\n[mqtt"):
        assert for_the_bell(f"[pins]\n{lines}{wrong}".encode()).pins == pins


def test_the_folders_are_read_where_they_are_whole_paths() -> None:
    door = for_the_bell(b'[door]\nstate = "/srv/door"\nruntime = "run"\nid = "X"\n[mqtt').door
    assert (door.state, door.runtime, door.id) == (Path("/srv/door"), Path("/run/doorbell"), "front")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(b"[pins]\nbutton = 22\npir = 23\nchime = 23\nled = 22\n")
def test_whatever_the_file_holds_there_is_a_bell_and_each_pin_has_one_use(raw: bytes) -> None:
    pins = for_the_bell(raw).pins
    used = [number for number in (pins.button, pins.pir, pins.chime, pins.led) if number]
    assert len(used) == len(set(used))
