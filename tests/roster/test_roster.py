"""Who belongs to the household, and who may say so."""

from __future__ import annotations

import importlib.util
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell import closed, roster
from doorbell.roster import RosterError

FOLDER = Path(__file__).parents[1] / "vectors" / "roster"
SPEC = importlib.util.spec_from_file_location("roster_vectors", FOLDER / "make.py")
assert SPEC and SPEC.loader
make = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make)
VECTORS = json.loads((FOLDER / "revisions.json").read_text())


def believe(case: dict[str, Any]) -> roster.Roster:
    if case["present"] is None:
        return roster.accept_first(case["document"], VECTORS["door"], make.DOOR.verify_key)
    return roster.accept(case["document"], roster.read(case["present"]))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_roster_is_believed_or_refused_as_the_vectors_say(case: dict[str, Any]) -> None:
    if case["good"]:
        found = believe(case)
        assert (found.hash.hex(), [one.id for one in found.members]) == (case["hash"], case["members"])
    else:
        with pytest.raises(RosterError) as refused:
            believe(case)
        assert refused.value.word == case["word"]


def test_the_vectors_are_what_the_script_makes() -> None:
    for name, text in make.made().items():
        assert (FOLDER / name).read_text() == text


def test_a_refusal_names_nobody() -> None:
    for case in VECTORS["cases"]:
        if not case["good"]:
            with pytest.raises(RosterError) as refused:
                believe(case)
            assert not any(name in str(refused.value) for name in ("Anna", "Ben", str(make.BEN.recipient)))


def test_the_longest_roster_fits_into_a_command() -> None:
    doors = "\U0001f6aa" * 30
    members = [make.OWNER, *(make.member(f"{doors}{number:02}") for number in range(15))]
    document = make.following(make.FIRST, members, "owner")
    assert roster.accept(document, make.FIRST).revision == 2
    assert len(closed.dump(document)) < 8 * 1024 - 1024


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["json", "sig", "door", "members", "x"]), inner, max_size=4
    ),
    max_leaves=8,
))  # fmt: skip
def test_whatever_comes_as_a_roster_is_refused_in_words(value: object) -> None:
    with pytest.raises(RosterError):
        roster.accept(value, make.FIRST)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_as_json_are_an_object_or_a_value_error(text: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(closed.load(text, 150), dict)


BAD = ['{"a":' * 2000, "[" * 100_000, '{"a":1e999}', '{"a":NaN}', '{"a":1,"a":1}', "1", '{"a":' + "9" * 5000 + "}"]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_json_of_bad_will_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        closed.load(text.encode(), 200_000)


@pytest.mark.parametrize("value", [-1, 2**53, 1.0, True, "1", None])
def test_a_count_is_a_whole_number_that_a_phone_can_hold(value: object) -> None:
    with pytest.raises(ValueError, match="whole number"):
        closed.count(value)


@pytest.mark.parametrize("value", ["QR==", "QQ", "Q_==", "QQ==\n", 1, "\ud800"])
def test_base64_has_one_spelling(value: object) -> None:
    assert closed.base64_of(1)("QQ==") == b"A"
    with pytest.raises(ValueError):
        closed.base64_of(1)(value)
