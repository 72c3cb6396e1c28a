"""Bech32 against the reference implementation of BIP 173, and where age is stricter or wider than that."""

import bech32 as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorbell.clips import bech32

KINDS = st.text("abcdefghijklmnopqrstuvwxyz1-", min_size=1, max_size=20)
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


@given(KINDS, st.binary(max_size=40))
def test_what_is_written_is_what_the_reference_writes(kind: str, data: bytes) -> None:
    assert bech32.encode(kind, data) == reference.bech32_encode(kind, reference.convertbits(data, 8, 5) or [])


@given(KINDS, st.binary(max_size=2000))
def test_what_is_written_is_read_in_lower_or_upper_case_at_any_length(kind: str, data: bytes) -> None:
    text = bech32.encode(kind, data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (kind, data)


@given(KINDS, st.binary(min_size=1, max_size=40), st.data())
def test_a_letter_that_is_another_one_is_noticed(kind: str, data: bytes, choose: st.DataObject) -> None:
    text = bech32.encode(kind, data)
    place = choose.draw(st.integers(len(kind) + 1, len(text) - 1))
    letter = choose.draw(st.sampled_from([one for one in ALPHABET if one != text[place]]))
    assert bech32.decode(text[:place] + letter + text[place + 1 :]) is None


@given(st.one_of(st.text(max_size=90), st.text("1" + ALPHABET, max_size=90)))
def test_any_text_is_read_as_the_reference_reads_it_or_refused(text: str) -> None:
    kind, values = reference.bech32_decode(text)
    data = None if values is None else reference.convertbits(values, 5, 8, pad=False)
    assert bech32.decode(text) == (None if kind is None or data is None else (kind, bytes(data)))


@given(KINDS, st.lists(st.integers(0, 31), max_size=30))
def test_padding_that_is_not_zero_is_refused(kind: str, values: list[int]) -> None:
    data = reference.convertbits(values, 5, 8, pad=False)
    expected = None if data is None else (kind, bytes(data))
    assert bech32.decode(reference.bech32_encode(kind, values)) == expected


@pytest.mark.parametrize("text", ["", "1", "age", "age1", "1qqqqqqqq", "A1a", "\N{KELVIN SIGN}1qqqqqq", "a\x7f1qqqqqq"])
def test_what_is_no_bech32_is_refused(text: str) -> None:
    assert bech32.decode(text) is None
