"""The circuits that a person will solder: each sum against its limit, and the limits against the door's own timing."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

from doorbell.debounce import STABLE_S
from hardware.workshop import pages, sums
from hardware.workshop.__main__ import FIGURES
from hardware.workshop.sources import HARDWARE, parts, read, shown

CIRCUITS = read("circuits.toml")
LIMITS = CIRCUITS["limits"]
BILL = read("bom.toml")


@pytest.mark.parametrize("pin", ["chime", "led"])
def test_no_pin_gives_more_than_it_can_and_stay_high(pin: str) -> None:
    assert sums.pin_amperes(CIRCUITS)[pin] <= LIMITS["pin_amperes"] < LIMITS["pin_damage_amperes"]


def test_all_pins_together_stay_far_below_what_the_pi_can_give() -> None:
    assert sum(sums.pin_amperes(CIRCUITS).values()) < LIMITS["all_pins_amperes"] / 2


@pytest.mark.parametrize("transistor", ["Q1", "Q2", "Q3"])
def test_a_transistor_is_fully_on_at_a_weak_high_and_fully_off_while_the_pin_floats(transistor: str) -> None:
    assert sums.overdrive(CIRCUITS)[transistor] >= sums.SATURATED
    assert sums.floating_volts(CIRCUITS)[transistor] < 0.4


def test_without_its_pull_down_a_floating_pin_would_reach_the_chime() -> None:
    careless = copy.deepcopy(CIRCUITS)
    careless["relay"]["R11"]["ohms"] = 1_000_000
    assert sums.floating_volts(careless)["Q2"] > 0.4


def test_a_press_at_the_end_of_a_long_wire_reads_low_and_its_release_is_over_before_the_debounce_decides() -> None:
    button = sums.button(CIRCUITS)
    assert button["pressed_volts"] < LIMITS["input_low"] / 2
    assert button["release_s"] < STABLE_S / 10


def test_neither_a_spark_nor_a_sensor_of_five_volts_pushes_more_into_a_pin_than_it_survives() -> None:
    assert sums.button(CIRCUITS)["clamp_amperes"] < LIMITS["pin_damage_amperes"]
    assert sums.pir(CIRCUITS)["wrong_amperes"] < LIMITS["pin_damage_amperes"] / 4
    assert sums.pir(CIRCUITS)["high_volts"] > LIMITS["input_high"]


def test_the_relay_and_its_guard_stand_a_chime_on_any_bell_transformer() -> None:
    relay, power = CIRCUITS["relay"], CIRCUITS["power"]
    assert relay["chime_amperes"] <= relay["K1"]["contact_amperes"] / 2
    highest = max(pages.TRANSFORMERS) * 2**0.5 * power["no_load"] * power["mains_high"]
    assert relay["D3"]["standoff_volts"] > highest


@pytest.mark.parametrize(
    ("volts", "amperes", "fuse"), [(12, "zero_amperes", "F1"), (12, "pi4_amperes", "pi4_F1_amperes")]
)
def test_the_fuse_holds_at_full_load_and_the_rush_stays_within_the_bridge(volts: int, amperes: str, fuse: str) -> None:
    power = CIRCUITS["power"]
    rating = power[fuse]["amperes"] if fuse == "F1" else power[fuse]
    chain = sums.power(CIRCUITS, volts, power[amperes])
    assert 0.5 * rating < chain["rms"] < 0.8 * rating
    assert chain["rms"] <= power["RT1"]["amperes"] <= power["BR1"]["amperes"]
    assert sums.power(CIRCUITS, 24, power[amperes])["rush"] < 5


def test_eight_volts_are_told_to_be_too_weak_and_twenty_four_to_need_stronger_parts() -> None:
    power = CIRCUITS["power"]
    verdicts = {v: pages.verdict(CIRCUITS, sums.power(CIRCUITS, v, power["zero_amperes"])) for v in pages.TRANSFORMERS}
    assert verdicts == {
        8: "too weak: use a 12 V supply",
        12: "as drawn",
        16: "as drawn",
        24: "U1 for 60 V, C3 for 63 V",
    }
    assert sums.power(CIRCUITS, 24, power["zero_amperes"])["peak"] < 60


def test_the_infrared_light_burns_by_night_only_and_no_part_of_it_gets_hot() -> None:
    light, part = sums.infrared(CIRCUITS), CIRCUITS["ir"]
    assert light["row_amperes"] < part["D6"]["most_amperes"]
    assert light["resistor_watts"] < 0.25 * 0.6
    assert light["day_volts"] < 1.0 < part["Q4"]["threshold_volts"] < light["night_volts"]


def test_every_part_that_is_drawn_is_bought_and_none_is_bought_that_is_not_drawn() -> None:
    bought = {ref for part in BILL["part"] for ref in part.get("refs", [])}
    assert bought == set(parts(CIRCUITS))


@pytest.mark.parametrize("name", sorted(parts(CIRCUITS)))
def test_every_part_stands_in_a_drawing_with_the_value_of_the_source(name: str) -> None:
    drawings = [(HARDWARE / "drawings" / f"{figure}.svg").read_text() for figure in FIGURES]
    words = [set(re.findall(r">([^<>]+)</tspan>|>([^<>]+)</text>", drawing)) for drawing in drawings]
    found = [{a or b for a, b in drawing} for drawing in words]
    holding = [drawing for drawing in found if any(re.search(rf"\b{name}\b", word) for word in drawing)]
    assert holding
    if "led_volts" not in parts(CIRCUITS)[name] and name not in {"BZ1", "U1"}:
        assert any(shown(parts(CIRCUITS)[name]) in word for drawing in holding for word in drawing)


def test_a_build_that_names_a_part_nobody_sells_is_refused_with_its_name() -> None:
    with pytest.raises(ValueError, match="teapot"):
        pages.total(BILL, {"name": "x", "take": ["teapot"]})


def test_a_total_counts_one_of_each_choice_and_nothing_optional() -> None:
    bill = {
        "part": [
            {"name": "a", "price": 1.0, "choose": "x"},
            {"name": "b", "price": 10.0, "choose": "x"},
            {"name": "c", "price": 100.0, "quantity": 2},
            {"name": "d", "price": 1000.0, "optional": True},
        ]
    }
    assert pages.total(bill, {"name": "plain"}) == 201
    assert pages.total(bill, {"name": "other", "take": ["b", "d"], "leave": ["c"]}) == 1010


def test_a_page_that_lost_the_place_of_its_table_says_which(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(ValueError, match=r"page\.md has no place for the table pins"):
        pages.filled(page, {"pins": str})
