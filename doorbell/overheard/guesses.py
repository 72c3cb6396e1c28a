"""What sizes and times give away, though no byte of it can be read. Each function is one inference, as its sentence."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from attrs import field, frozen

from doorbell.overheard.looks import unsealed_part

PAUSE_S: Final = 90.0
"""An app that has said nothing for so long was put away."""
MOST_TIMES: Final = 20
MOST_LINES: Final = 50
KBIT: Final = 125


@frozen
class Guess:
    what: str
    says: str


@frozen
class Passed:
    """One message of a door, its topic taken apart: ``alert``, ``clip`` with (phone, request, n), and so on."""

    at: float
    kind: str
    parts: tuple[str, ...]
    size: int
    head: bytes = field(repr=False)
    """Its beginning, where the kind is one that is looked into."""


def guesses(passed: Sequence[Passed]) -> list[Guess]:
    """Everything that is known here to be inferable of one door."""
    by_kind: dict[str, list[Passed]] = defaultdict(list)
    for one in passed:
        by_kind[one.kind].append(one)
    found = [
        *_online(by_kind["availability"]), *_starts(by_kind["hello"]), *_rings(by_kind), *_household(by_kind),
        *_visits(by_kind), *_phones(by_kind), *_transfers(by_kind["clip"]), *_watching(by_kind["live"]),
        *_recording(by_kind["recording"]),
    ]  # fmt: skip
    return found[:MOST_LINES]


def _online(said: list[Passed]) -> Iterable[Guess]:
    changes = [one for one, before in zip(said, [None, *said], strict=False) if _word(one) != _word(before)]
    if changes:
        yield Guess("the door online", ", ".join(f"{_word(one)} {clock(one.at)}" for one in changes[-MOST_TIMES:]))


def _starts(said: list[Passed]) -> Iterable[Guess]:
    facts = [_facts(one) for one in said]
    epochs = list(dict.fromkeys(one.get("epoch") for one in facts if one.get("epoch")))
    if len(epochs) > 1:
        yield Guess("starts of the door", f"{len(epochs) - 1} while it was listened to")
    if any("pair_mac" in one for one in facts):
        yield Guess("pairing", "open: a phone is about to join")


def _rings(by_kind: dict[str, list[Passed]]) -> Iterable[Guess]:
    alerts, rings = by_kind["alert"], by_kind["ring"]
    if alerts:
        how = f", {len(rings)} of them in clear" if rings else ", though not one is in clear"
        yield Guess("rings, tests included", f"{len(alerts)}: {_times(alerts)}{how}")


def _household(by_kind: dict[str, list[Passed]]) -> Iterable[Guess]:
    sealed = [one.head for kind in ("alert", "poster") for one in by_kind[kind]]
    counts = [found[0] for one in sealed if (found := unsealed_part(one)) is not None]
    if counts:
        yield Guess("keys that open the door's messages", f"{counts[-1]} (the owner's paper key counts as one)")


def _visits(by_kind: dict[str, list[Passed]]) -> Iterable[Guess]:
    entries, posters = by_kind["journal"], by_kind["poster"]
    if entries:
        newest = max((int(one.parts[0]) for one in entries if one.parts and one.parts[0].isdigit()), default=0)
        sizes = sorted({one.size for one in entries})
        yield Guess(
            "things that happened",
            f"{len(entries)} entries up to number {newest}, of {sizes[0]} to {sizes[-1]} bytes: {_times(entries)}",
        )
    if posters:
        sizes = [one.size for one in posters]
        yield Guess("visits with a picture", f"{len(posters)}: {_times(posters)}; pictures of {_span(sizes)} bytes")


def _phones(by_kind: dict[str, list[Passed]]) -> Iterable[Guess]:
    said: dict[str, list[Passed]] = defaultdict(list)
    for kind in ("from", "to", "clip", "live", "talk"):
        for one in by_kind[kind]:
            if one.parts:
                said[one.parts[0]].append(one)
    if said:
        yield Guess("phones in use", str(len(said)))
    for phone, messages in list(said.items())[:16]:
        asked = sum(one.kind == "from" for one in messages)
        opened = "; ".join(f"{clock(begin)} to {clock(end)}" for begin, end in _stretches(messages)[-MOST_TIMES:])
        yield Guess(f"phone {phone[:8]}…", f"the app was open {opened}; {asked} commands")
    if by_kind["pair"]:
        yield Guess("joining", f"{len(by_kind['pair'])} requests: {_times(by_kind['pair'])}")


def _transfers(chunks: list[Passed]) -> Iterable[Guess]:
    by_request: dict[tuple[str, ...], list[Passed]] = defaultdict(list)
    for one in chunks:
        by_request[one.parts[:2]].append(one)
    for (phone, *_), got in list(by_request.items())[:MOST_TIMES]:
        size = sum(one.size for one in got)
        yield Guess(
            "a clip was fetched", f"by phone {phone[:8]}… {clock(got[0].at)}: {size:,} bytes, so about its length"
        )


def _watching(messages: list[Passed]) -> Iterable[Guess]:
    by_session: dict[tuple[str, ...], list[Passed]] = defaultdict(list)
    for one in messages:
        by_session[one.parts[:2]].append(one)
    for (phone, *_), got in list(by_session.items())[:MOST_TIMES]:
        seconds = got[-1].at - got[0].at
        rate = sum(one.size for one in got) / max(seconds, 1.0) / KBIT
        yield Guess(
            "somebody watched live",
            f"phone {phone[:8]}… {clock(got[0].at)} for {seconds:.0f} s, {rate:.0f} kbit/s (more when something moves)",
        )


def _recording(said: list[Passed]) -> Iterable[Guess]:
    changes = [one for one, before in zip(said, [None, *said], strict=False) if _word(one) != _word(before)]
    if any(_word(one) == "OFF" for one in changes):
        yield Guess("recording", ", ".join(f"{_word(one)} {clock(one.at)}" for one in changes[-MOST_TIMES:]))


# ---- in words


def clock(at: float) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def _word(one: Passed | None) -> str:
    return one.head[:16].decode("ascii", "replace") if one else ""


def _facts(one: Passed) -> dict[str, object]:
    try:
        found = json.loads(json.loads(one.head)["json"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _times(said: list[Passed]) -> str:
    shown = " ".join(clock(one.at) for one in said[:MOST_TIMES])
    return shown + f" and {len(said) - MOST_TIMES} more" * (len(said) > MOST_TIMES)


def _span(sizes: list[int]) -> str:
    return f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"


def _stretches(said: list[Passed]) -> list[tuple[float, float]]:
    """Begin and end of each stretch without a pause."""
    found: list[tuple[float, float]] = []
    for one in said:
        if found and one.at - found[-1][1] <= PAUSE_S:
            found[-1] = (found[-1][0], one.at)
        else:
            found.append((one.at, one.at))
    return found
