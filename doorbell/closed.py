"""JSON from outside, read strictly: one spelling, no key twice, none missing, none unknown.

What comes towards the door is small and signed, and yet nothing is believed of it: a number beyond 2^53 would be
another number in a phone, a key that stands twice is read differently by two readers, and a key nobody knows is a
wish that nobody fulfils. All of it is ValueError.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LARGEST = 2**53 - 1
Kind = Callable[[object], Any]


def load(text: bytes, most: int) -> dict[str, Any]:
    """A JSON object of at most *most* bytes of UTF-8."""
    if len(text) > most:
        raise ValueError(f"more than {most} bytes")
    try:
        value = json.loads(
            text.decode("utf-8"), object_pairs_hook=_no_twins, parse_constant=_refuse, parse_float=_finite
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  one error for all that is wrong from outside
    return value


def fields(value: object, needed: Mapping[str, Kind], also: Mapping[str, Kind] | None = None) -> dict[str, Any]:
    """Exactly the *needed* keys, and of *also* those that are there, each as its kind reads it."""
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004
    known = {**needed, **(also or {})}
    if set(value) - set(known) or set(needed) - set(value):
        raise ValueError("a key is missing or unknown")
    return {name: known[name](one) for name, one in value.items()}


Step = Callable[[dict[str, Any]], dict[str, Any]]


def versioned(
    text: bytes,
    most: int,
    needed: Mapping[str, Kind],
    steps: Sequence[Step] = (),
    also: Mapping[str, Kind] | None = None,
) -> dict[str, Any]:
    """The fields of a file that the door keeps for itself; its ``v`` says how it was written.

    The step at place n - 1 makes an object of version n one of version n + 1, so a file of any earlier version is read
    as today's. A later version is named as what it is before anything else in it is looked at.
    """
    value = load(text, most)
    version = count(value.pop("v", None))
    if version > len(steps) + 1:
        raise ValueError("a newer doorbell wrote it: install that one again")
    if not version:
        raise ValueError("a version is 1 or more")
    for step in steps[version - 1 :]:
        value = step(value)
    return fields(value, needed, also)


# ---- kinds


def count(value: object) -> int:
    """A whole number from 0 to 2^53 - 1."""
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise ValueError("no whole number below 2^53")
    return value


def seconds(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= value <= LARGEST:  # type: ignore[operator]
        raise ValueError("no number of seconds")
    return float(value)  # type: ignore[arg-type]


def text(value: object) -> str:
    """Text that UTF-8 can hold: JSON's escapes can spell halves of a surrogate pair."""
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004
    value.encode()
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004
    return value


def matching(pattern: str) -> Kind:
    """Text that is wholly *pattern*."""
    compiled = re.compile(pattern)

    def kind(value: object) -> str:
        if not compiled.fullmatch(found := text(value)):
            raise ValueError("a text of another shape")
        return found

    return kind


def base64_of(length: int) -> Kind:
    """*length* bytes in standard base64 with padding, in its one spelling."""

    def kind(value: object) -> bytes:
        spelt = text(value)
        try:
            data = base64.b64decode(spelt, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("no base64") from None
        if len(data) != length or to_base64(data) != spelt:
            raise ValueError(f"not {length} bytes")
        return data

    return kind


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def list_of(kind: Kind, least: int, most: int) -> Kind:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise ValueError(f"no list of {least} to {most}")
        return tuple(kind(one) for one in value)

    return read


def dump(value: object) -> bytes:
    """JSON as the door writes it: UTF-8, no white space, keys in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _finite(spelt: str) -> float:
    if not math.isfinite(value := float(spelt)):
        raise ValueError("a number too large for anybody")
    return value
