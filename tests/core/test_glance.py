"""The card is looked at without a byte being written, and the machine's strain is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field

from doorbell.clips.store import LOCK
from doorbell.errands import Errands
from doorbell.events import ErrandDone
from doorbell.glance import HANGS_S, LAST_GOOD, Glances, glance
from doorbell.health import HOT_C, strains


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / LOCK).touch()
    (tmp_path / LAST_GOOD).write_text("[door]\n")
    return tmp_path


def test_a_card_in_order_is_nothing_to_tell_and_stays_as_it_was(state: Path) -> None:
    before = {one.name: (one.stat().st_mtime_ns, one.read_bytes()) for one in state.iterdir()}
    assert glance(state) == ""
    assert {one.name: (one.stat().st_mtime_ns, one.read_bytes()) for one in state.iterdir()} == before


def test_a_card_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "still mounted" in glance(tmp_path / "gone")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a card")
def test_a_card_that_turned_read_only_is_told_and_so_is_one_that_is_pulled(tmp_path: Path) -> None:
    from tests.rigs.ext4 import Card

    for how, word in (("turn_read_only", "read-only"), ("pull", "fails")):
        with Card(tmp_path / how, 8) as card:
            (card.place / LAST_GOOD).write_text("[door]\n")
            assert glance(card.place) == ""
            getattr(card, how)()
            assert word in glance(card.place)


@define
class Stuck(Errands):
    """A card that hangs: what it is asked waits here."""

    asked: list[Callable[[], object]] = field(factory=list)

    def send(self, token: str, errand: Callable[[], object]) -> bool:
        self.asked.append(errand)
        return True


def test_a_card_that_does_not_answer_is_asked_once_and_told_after_ten_seconds(state: Path) -> None:
    errands = Stuck(lambda _: None)
    glances = Glances(state, errands)
    for at in (0.0, 30.0, 60.0):
        glances.ask(at)
    assert len(errands.asked) == 1
    assert glances.why(HANGS_S) == ""
    assert "has not answered" in glances.why(HANGS_S + 0.1)
    glances.answered(ErrandDone("glance", errands.asked[0](), "").value)
    assert glances.why(100.0) == ""
    glances.ask(100.0)
    assert len(errands.asked) == 2


def machine(folder: Path, bits: str = "0", degrees: float = 45.0, spare_mb: int = 300) -> dict[str, str]:
    """What is told of a Pi whose kernel says this."""
    firmware, zone = folder / "devices/platform/soc/soc:firmware", folder / "class/thermal/thermal_zone0"
    for place in (firmware, zone):
        place.mkdir(parents=True, exist_ok=True)
    (firmware / "get_throttled").write_text(bits + "\n")
    (zone / "temp").write_text(f"{degrees * 1000:.0f}\n")
    (folder / "meminfo").write_text(f"MemTotal: 440000 kB\nMemAvailable:  {spare_mb * 1024} kB\n")
    return {part: why for part, why in strains(folder, folder).items() if why}


def test_a_weak_supply_heat_and_want_of_memory_are_each_told_with_the_fix(tmp_path: Path) -> None:
    assert machine(tmp_path) == {}
    assert "power supply" in machine(tmp_path, bits="1")["power"]
    assert "power supply" in machine(tmp_path, bits="50000")["power"], "it was too weak once since the start"
    assert set(machine(tmp_path, bits="80000")) == set(), "it was hot once, and is not now"
    assert set(machine(tmp_path, bits="8")) == {"heat"}
    assert "81 °C" in machine(tmp_path, degrees=HOT_C + 1)["heat"]
    assert "12 MB" in machine(tmp_path, spare_mb=12)["memory"]


def test_a_machine_that_says_nothing_is_not_strained(tmp_path: Path) -> None:
    assert set(strains(tmp_path, tmp_path).values()) == {""}
