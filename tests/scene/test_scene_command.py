"""`doorbell scene` leaves pictures that other programs open."""

import av
import pytest
from click.testing import CliRunner

from doorbell.__main__ import main


@pytest.mark.parametrize("options", [["--at", "12"], ["--night", "--at", "3"]])
def test_a_still_opens_elsewhere(tmp_path, options):
    out = tmp_path / "door.png"
    done = CliRunner().invoke(main, ["scene", str(out), "--size", "320x180", *options])
    assert done.exit_code == 0, done.output
    with av.open(str(out)) as picture:
        (frame,) = picture.decode(video=0)
    assert (frame.width, frame.height) == (320, 180)


def test_a_sheet_shows_two_columns(tmp_path):
    out = tmp_path / "door.png"
    assert CliRunner().invoke(main, ["scene", str(out), "--size", "160x120"]).exit_code == 0
    with av.open(str(out)) as picture:
        (frame,) = picture.decode(video=0)
    assert (frame.width, frame.height) == (320, 480)


def test_a_film_has_every_frame(tmp_path):
    out = tmp_path / "door.mp4"
    done = CliRunner().invoke(main, ["scene", str(out), "--size", "162x120", "--seconds", "2"])
    assert done.exit_code == 0, done.output
    with av.open(str(out)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 30


@pytest.mark.parametrize(
    ("name", "size", "fix"),
    [("door.gif", "320x180", ".png"), ("door.png", "wide", "1280x720"), ("door.png", "161x120", "even sizes"),
     ("nowhere/door.png", "160x120", "make it first")],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said_with_the_fix(tmp_path, name, size, fix):
    done = CliRunner().invoke(main, ["scene", str(tmp_path / name), "--size", size, "--at", "1"])
    assert done.exit_code == 1
    assert fix in done.output
    assert "Traceback" not in done.output


def test_a_missing_folder_is_told_before_anything_is_drawn(tmp_path):
    done = CliRunner().invoke(main, ["scene", str(tmp_path / "nowhere" / "street.mp4"), "--seconds", "600"])
    assert done.exit_code == 1
    assert "make it first" in done.output
