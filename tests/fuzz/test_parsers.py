"""Whatever bytes reach a parser of the door's, it reads them or refuses them in its own words."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

HERE = Path(__file__).parent


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", HERE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


parsers, run = _module("parsers"), _module("run")
each_parser = pytest.mark.parametrize("name", list(parsers.PARSERS))


@each_parser
def test_what_fuzzing_found_of_interest_is_read_or_refused(name: str) -> None:
    kept = [*run.kept(name), *parsers.PARSERS[name].seeds()]
    assert kept
    for data in kept:
        parsers.fed(name, data)


@each_parser
def test_a_seed_changed_anywhere_is_read_or_refused(name: str, request: pytest.FixtureRequest) -> None:
    chance = random.Random(getattr(request.config.option, "randomly_seed", 0))
    seeds = [*parsers.PARSERS[name].seeds(), *run.kept(name)]
    for _ in range(200):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        parsers.fed(name, bytes(data))


@each_parser
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    parsers.fed(name, data)


@each_parser
def test_at_least_one_seed_is_accepted(name: str) -> None:
    """Otherwise the search would only ever see refusals at the first byte."""

    def accepts(data: bytes) -> bool:
        try:
            parsers.PARSERS[name].read(data)
        except parsers.PARSERS[name].refusals:
            return False
        return True

    assert any(accepts(data) for data in parsers.PARSERS[name].seeds())


def test_a_parser_that_lets_an_error_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(data: bytes) -> Any:
        return {}[data[3]]

    monkeypatch.setitem(parsers.PARSERS, "body", parsers.Parser(careless, (ValueError,), parsers.PARSERS["body"].seeds))
    with pytest.raises(KeyError):
        test_a_seed_changed_anywhere_is_read_or_refused(
            "body", type("R", (), {"config": type("C", (), {"option": None})})
        )  # type: ignore[arg-type]
