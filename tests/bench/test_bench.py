"""That each measurement runs and gives rows that can be compared; what the figures are is `make bench`'s to say."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorbell.bench import clip, memory, plaintext, press, start, transfer
from doorbell.bench.rows import Row, table
from doorbell.cli.bench import bench


def quiet(_: str) -> None:
    """Progress is for people."""


def measured(rows: list[Row]) -> bool:
    return all(row.ours > 0 for row in rows) and all(row.ratio is None or row.ratio > 0 for row in rows)


def test_no_plaintext_reaches_the_card_and_the_search_would_have_found_it() -> None:
    sealed, control = plaintext.measure(6, quiet)
    assert (sealed.ours, sealed.met) == (0, True)
    assert (control.ours, control.met) == (7, True)


def test_a_ring_is_measured_beside_a_bare_publish() -> None:
    camera = {"width": 320, "height": 240, "fps": 5, "bitrate_kbps": 200}
    rows = press.measure(4, quiet, camera)
    assert measured(rows)
    assert rows[0].bar == 3.0


def test_a_transfer_is_measured_beside_a_bare_one() -> None:
    rows = transfer.measure(1, quiet, 1_000_000)
    assert measured(rows)
    assert rows[0].bar == 0.5


def test_a_clips_way_is_measured_beside_its_parts() -> None:
    rows = clip.measure(2, quiet, (160, 120))
    assert measured(rows)


def test_the_start_is_measured_beside_its_imports() -> None:
    assert measured(start.measure(1, quiet))


@pytest.mark.skipif(os.geteuid() != 0, reason="the door's memory can only be read by root")
def test_the_memory_of_both_processes_is_measured() -> None:
    assert measured(memory.measure(1, quiet, 0.5, (320, 240), 2.0))


@pytest.mark.parametrize(
    ("ratio", "at_least", "met"), [(2.9, False, True), (3.1, False, False), (3.1, True, True), (2.9, True, False)]
)
def test_a_bar_is_an_upper_limit_unless_it_says_otherwise(ratio: float, at_least: bool, met: bool) -> None:
    assert Row("ring", 1, 1, ratio, 3.0, "ms", at_least).met is met


def test_a_row_without_a_bar_or_a_ratio_is_neither_met_nor_missed() -> None:
    assert Row("ring", 1, 1, 2.0, None, "ms").met is None
    assert Row("ring", 1, None, None, 3.0, "ms").met is None


def test_a_missed_bar_stands_out_in_the_table() -> None:
    assert table([Row("ring", 4, 1, 4.0, 3.0, "ms")]).splitlines()[1].endswith("≤ 3  NO")


def test_an_unknown_measurement_is_named_with_those_there_are() -> None:
    said = CliRunner().invoke(bench, ["--only", "speed"])
    assert said.exit_code == 1
    assert "known are press, seal" in str(said.exception)


def test_the_json_holds_the_machine_in_neutral_words_and_every_row(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    said = CliRunner().invoke(bench, ["--only", "plaintext", "--quick", "--json", str(file)])
    assert said.exit_code == 0, said.output
    written: dict[str, Any] = json.loads(file.read_bytes())
    assert os.uname().nodename not in json.dumps(written["machine"])
    assert [Row(**row).met for row in written["rows"]] == [True, True]
