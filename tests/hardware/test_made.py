"""What `make hardware` makes is current, printable and small."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from hardware.workshop import __main__ as workshop
from hardware.workshop import harness, pages, solids, sources
from hardware.workshop.sources import HARDWARE, read

SOLIDS = sorted(solids.SOLIDS)


def test_everything_is_made_from_the_present_sources_and_by_nobodys_hand() -> None:
    assert workshop.stale() == [], "make hardware"
    assert workshop.stale_pages() == [], "make hardware"


def test_nothing_lies_about_that_nothing_makes() -> None:
    there = {str(file.relative_to(HARDWARE)) for file in HARDWARE.rglob("*") if file.suffix in {".svg", ".stl", ".png"}}
    assert there == set(workshop.sources()) == set(json.loads(workshop.RECORD.read_text()))


def test_a_changed_source_a_changed_file_and_a_missing_one_are_each_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in {source for files in workshop.sources().values() for source in files}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((HARDWARE / name).read_bytes())
    record = {}
    monkeypatch.setattr(workshop, "HARDWARE", tmp_path)
    monkeypatch.setattr(workshop, "RECORD", tmp_path / "made.json")
    for name, files in workshop.sources().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
        record[name] = {"from": workshop.digest_of(files), "is": workshop.digest(b"x")}
    workshop.RECORD.write_text(json.dumps(record))
    assert workshop.stale() == []
    (tmp_path / "pins.toml").write_text("[button]\nbcm = 4\n")
    assert "drawings/harness.svg" in workshop.stale()
    assert "enclosure/stl/hood.stl" not in workshop.stale()
    (tmp_path / "enclosure/stl/hood.stl").write_bytes(b"y")
    (tmp_path / "enclosure/views/front.png").unlink()
    assert {"enclosure/stl/hood.stl", "enclosure/views/front.png"} <= set(workshop.stale())


def test_the_harness_is_drawn_again_to_the_same_bytes() -> None:
    assert harness.picture(read("pins.toml")) == (HARDWARE / "drawings/harness.svg").read_text()


@pytest.mark.skipif(importlib.util.find_spec("schemdraw") is None, reason="schemdraw is not installed: make test")
def test_the_schematics_are_drawn_again_to_the_same_bytes() -> None:
    from hardware.workshop import draw

    drawn = draw.pictures()
    assert sorted(drawn) == sorted(f"{name}.svg" for name in workshop.FIGURES)
    for name, svg in drawn.items():
        assert svg == (HARDWARE / "drawings" / name).read_text(), name


def test_a_program_that_is_missing_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setenv("PATH", "")
    assert workshop.main(["--all"], said.append) == 1
    assert said[0].startswith(
        "These programs are missing: openscad, xvfb-run, ffmpeg, pngquant. As root: apt-get install"
    )


def test_a_source_that_is_wrong_is_named_and_no_traceback_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pages, "read", lambda name: read(name) if name != "circuits.toml" else {"limits": {}})
    assert workshop.main([], said.append) == 1
    assert said == ["A source of hardware/ (pins, circuits, bom) lacks or does not know 'rail'."]
    monkeypatch.undo()
    (tmp_path / "bom.toml").write_text("[[part")
    monkeypatch.setattr(sources, "HARDWARE", tmp_path)
    with pytest.raises(ValueError, match=r"bom\.toml is no TOML"):
        sources.read("bom.toml")


@pytest.mark.parametrize("name", SOLIDS)
def test_a_printed_part_is_one_closed_body_that_a_home_printer_holds(name: str) -> None:
    data = (HARDWARE / "enclosure" / "stl" / f"{name}.stl").read_bytes()
    assert len(data) < 1_000_000
    triangles = solids.read_solid(data)
    assert solids.open_edges(triangles) == 0
    assert solids.volume(triangles) > 1000
    assert max(solids.size(triangles)) < 200
    assert min(point[2] for triangle in triangles for point in triangle) == pytest.approx(0, abs=0.001)


def test_a_body_with_a_hole_in_its_skin_is_not_closed() -> None:
    triangles = solids.read_solid((HARDWARE / "enclosure/stl/hood.stl").read_bytes())
    assert solids.open_edges(triangles[1:]) > 0
    flipped = [(triangles[0][0], triangles[0][2], triangles[0][1]), *triangles[1:]]
    assert solids.open_edges(flipped) > 0


def test_an_stl_that_is_cut_off_is_refused() -> None:
    data = (HARDWARE / "enclosure/stl/hood.stl").read_bytes()
    with pytest.raises(ValueError, match="this one"):
        solids.read_solid(data[:-1])


@pytest.mark.parametrize("board", ["zero2w", "pi4"])
def test_shell_and_base_are_as_large_as_the_page_says_and_fit_each_other(board: str) -> None:
    base, shell = (
        solids.size(solids.read_solid((HARDWARE / "enclosure" / "stl" / f"{part}-{board}.stl").read_bytes()))
        for part in ("base", "shell")
    )
    assert base[:2] == pytest.approx(shell[:2], abs=0.01)
    row = re.search(r"outside, mm .*?\| (.*?) \| (.*?) \|", (HARDWARE / "enclosure.md").read_text())
    assert row
    told = [int(number) for number in row[1 if board == "zero2w" else 2].split(" x ")]
    assert [base[0], base[1], shell[2] + 3.5] == pytest.approx(told, abs=0.01)


@pytest.mark.parametrize(
    ("model", "figures"), [("zero_holes", (23, 58)), ("pi4_holes", (49, 58)), ("cam_holes", (21, 12.5))]
)
def test_the_boards_holes_are_where_the_makers_drawings_have_them(model: str, figures: tuple[float, float]) -> None:
    text = (HARDWARE / "enclosure/parts.scad").read_text()
    found = re.search(rf"^{model} = \[([\d.]+), ([\d.]+)\]", text, re.MULTILINE)
    assert found
    assert tuple(map(float, found.groups())) == figures


def test_the_pictures_are_small() -> None:
    sizes = {file.name: file.stat().st_size for file in (HARDWARE / "enclosure/views").glob("*.png")}
    assert max(sizes.values()) < 200_000
    assert sum(sizes.values()) < 1_000_000


def test_the_drawings_carry_no_date_and_no_host() -> None:
    for file in (HARDWARE / "drawings").glob("*.svg"):
        text = file.read_text().replace("http://www.w3.org/", "")
        assert "://" not in text
        assert not re.search(r"20\d\d-\d\d", text), file.name


def test_every_table_has_its_place_in_a_page() -> None:
    assert {path.name for path in pages.written()} == {"parts.md", "README.md", "wiring.md"}
