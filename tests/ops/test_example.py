"""doorbell.example.toml is the owner's page of settings: it says what is true, all of it, and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from attrs import fields

from doorbell.config import SECTIONS, Config
from doorbell.configfile import parse, tables

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "doorbell.example.toml").read_text(encoding="utf-8")


def test_the_example_is_the_defaults() -> None:
    assert parse(TEXT) == Config()


def test_every_setting_stands_in_the_example_and_no_other() -> None:
    written = {(section, name) for section, settings in tomllib.loads(TEXT).items() for name in settings}
    known = {(section, name) for section, settings in tables(Config()).items() for name in settings}
    assert written == known
    assert len(tomllib.loads(TEXT)) == len(SECTIONS)


def test_the_packaged_example_is_the_one_at_the_top() -> None:
    assert (REPOSITORY / "doorbell.example.toml").resolve() == REPOSITORY / "doorbell" / "example.toml"


def validated(section: type) -> list[str]:
    return [one.name for one in fields(section) if type(one.default) in (int, float) and one.validator]


@pytest.mark.parametrize(
    ("section", "name"), [(section.__name__.lower(), name) for section in SECTIONS for name in validated(section)]
)
def test_a_range_in_the_example_is_the_range_that_is_checked(section: str, name: str) -> None:
    line = next(
        line for line in TEXT.partition(f"[{section}]")[2].splitlines() if re.match(rf"{name} +=|{name} =", line)
    )
    bounds = re.search(r"(\d+) to (\d+)", line)
    if not bounds:
        return
    least, most = (float(bound) for bound in bounds.groups())
    validator = next(
        one for kind in SECTIONS if kind.__name__.lower() == section for one in fields(kind) if one.name == name
    )
    check = validator.validator
    assert check is not None
    for inside in (least, most):
        check(None, validator, int(inside))
    for outside in (least - 2, most + 2):
        with pytest.raises(ValueError, match="give"):
            check(None, validator, int(outside))


def test_the_example_of_a_mask_in_its_comment_is_a_mask() -> None:
    example = re.search(r"masks = \[\[.*\]\]", TEXT)
    assert example
    assert parse(f"[privacy]\n{example.group()}").privacy.masks
