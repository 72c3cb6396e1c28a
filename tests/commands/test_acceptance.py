"""Whom the door obeys, through a broker that replays, reorders, delays and forges."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import random
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

from doorbell import household
from doorbell.closed import to_base64
from doorbell.link import acceptance, commands
from doorbell.link.acceptance import Acceptance, Again, No, Order
from tests.endure.rows import show

FOLDER = Path(__file__).parents[1] / "vectors" / "commands"
DOCS = Path(__file__).parents[2] / "docs" / "formats" / "commands.md"
SPEC = importlib.util.spec_from_file_location("command_vectors", FOLDER / "make.py")
assert SPEC and SPEC.loader
make = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make)
TRACES = json.loads((FOLDER / "acceptance.json").read_text())["cases"]


def door(open_box: Any = make.opened, epoch: bytes = make.EPOCH) -> Acceptance:
    home = household.Household("front", Path("/nonexistent"), (), make.HOME, make.FORMER)
    return Acceptance("front", epoch, home, open_box)


def sealed(text: bytes, by: str = "Anna") -> bytes:
    return make.box(make.sign("command", text, by) + text, 0)


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace["name"])
def test_the_door_does_what_the_vectors_say(trace: dict[str, Any]) -> None:
    hearing = door()
    for step in trace["steps"]:
        verdict = hearing.hear(b64decode(step["sealed"]), step["at"])
        match verdict:
            case None:
                assert step["verdict"] == "silence"
            case Order():
                assert step["verdict"] == "carry out"
                assert (verdict.member.id, verdict.name) == (step["member"], step["cmd"])
                hearing.answered(verdict.member.id, verdict.id, b"reply")
            case Again():
                assert (step["verdict"], verdict.sealed) == ("again", b"reply")
            case No():
                assert step["verdict"] == verdict.reason


def test_the_vectors_are_what_the_script_makes() -> None:
    for name, text in make.made().items():
        assert (FOLDER / name).read_text() == text


@pytest.mark.parametrize(
    "case", json.loads((FOLDER / "replies.json").read_text())["cases"], ids=lambda one: one["name"]
)
def test_a_reply_is_believed_by_the_doors_signature_alone(case: dict[str, Any]) -> None:
    plain = b64decode(case["plain"])
    try:
        crypto_sign_open(plain[:64] + b"doorbell/v1/reply\0" + plain[64:], make.DOOR.verify_key)
    except (CryptoError, ValueError):
        assert not case["good"]
    else:
        assert case["good"]
        assert json.loads(plain[64:])["head"]["index"] == 7


def test_the_reference_page_holds_the_list_as_the_code_has_it() -> None:
    assert commands.reference() in DOCS.read_text()


def test_every_word_of_refusal_is_in_the_list() -> None:
    said = {step["verdict"] for trace in TRACES for step in trace["steps"]} - {"silence", "carry out", "again"}
    assert said <= set(commands.REASONS)
    assert said >= {
        "door",
        "member",
        "id",
        "epoch",
        "expired",
        "too_far",
        "counter",
        "roster",
        "unknown",
        "role",
        "args",
    }


def test_only_the_last_32_are_remembered_and_the_older_are_still_not_carried_out() -> None:
    hearing = door()
    texts = [make.command("Anna", "journal", {"since": 0}, number) for number in range(1, 40)]
    for text in texts:
        order = hearing.hear(sealed(text), 1000)
        assert isinstance(order, Order)
        hearing.answered(order.member.id, order.id, b"reply")
    assert [hearing.hear(sealed(text), 1000 + 2 * at) for at, text in enumerate(texts[-32:])] == [
        Again(make.ANNA.id, b"reply")
    ] * 32
    late = hearing.hear(sealed(texts[6]), 1070)
    assert isinstance(late, No) and late.reason == "expired"


def test_a_command_that_is_still_being_carried_out_is_not_begun_again() -> None:
    hearing = door()
    text = sealed(make.command("Anna", "journal", {"since": 0}, 1))
    assert isinstance(hearing.hear(text, 1000), Order)
    assert hearing.hear(text, 1000) is None


def test_kept_replies_have_a_bound_and_the_small_ones_stay() -> None:
    hearing = door()
    for number in range(1, 25):
        order = hearing.hear(sealed(make.command("Anna", "journal", {"since": 0}, number)), 1000)
        assert isinstance(order, Order)
        hearing.answered(order.member.id, order.id, b"small" if number == 1 else bytes(90_000))
    kept = [one.reply for one in hearing._pasts[make.ANNA.id].heard.values()]
    assert sum(map(len, kept)) <= acceptance.KEPT_BYTES
    assert sum(map(len, kept)) > acceptance.KEPT_BYTES - 90_000
    assert kept[0] == b"small"


def test_whoever_is_refused_again_and_again_is_told_once_a_second() -> None:
    hearing = door()
    text = sealed(make.command("Anna", "journal", {"since": 0}, 1, door="back"))
    said = [hearing.hear(text, 1000) for _ in range(100)]
    assert sum(one is not None for one in said) == acceptance.REFUSALS
    assert hearing.hear(text, 1000.5) is None
    assert hearing.hear(text, 1001) is not None
    other = sealed(make.command("Ben", "journal", {"since": 0}, 1, door="back"), "Ben")
    assert hearing.hear(other, 1000.6) is not None


def test_a_removed_member_commands_nothing_from_the_next_message_on() -> None:
    hearing = door()
    now = hearing.household
    assert isinstance(now, household.Household)
    assert isinstance(hearing.hear(sealed(make.command("Ben", "journal", {"since": 0}, 1), "Ben"), 1000), Order)
    now.former, now.roster = (household.Known(make.BEN.recipient, make.BEN.verify_key),), make.home_without("Ben")
    refused = hearing.hear(sealed(make.command("Ben", "journal", {"since": 0}, 2), "Ben"), 1000)
    assert isinstance(refused, No) and refused.reason == "member"


def test_what_is_remembered_of_who_left_the_household_is_forgotten() -> None:
    hearing = door()
    now = hearing.household
    assert isinstance(now, household.Household)
    hearing.hear(sealed(make.command("Ben", "journal", {"since": 0}, 1), "Ben"), 1000)
    now.roster = make.home_without("Ben")
    hearing.hear(sealed(make.command("Anna", "journal", {"since": 0}, 1)), 1000)
    assert len(hearing._pasts) == 2
    hearing.hear(sealed(make.command("Anna", "journal", {"since": 0}, 2, expires=1150)), 1121)
    assert list(hearing._pasts) == [make.ANNA.id]


@given(st.binary(max_size=400))
def test_whatever_bytes_come_they_are_not_obeyed(payload: bytes) -> None:
    assert door().hear(payload, 1000) is None
    assert door(lambda opened: opened).hear(payload, 1000) is None


@given(st.binary(max_size=200))
def test_whatever_a_member_signs_is_obeyed_refused_or_left_alone(text: bytes) -> None:
    assert door(lambda _: make.sign("command", text, "Anna") + text).hear(b"", 1000) is None


# ---- the hostile broker

PHONES = ("Anna", "Ben")
PLANS = 500
"""Commands signed beforehand; each trace draws from them, so that signing is not what the test's time goes into."""


def plans() -> list[tuple[str, int, float, bytes, bytes]]:
    """Who, counter, expiry, epoch and signed bytes of commands that honest phones give."""
    rng = random.Random(20)
    made = []
    for number in range(PLANS):
        who, counter = rng.choice(PHONES), number + 1
        expires, epoch = 1000 + rng.randint(1, 120), rng.choice((make.EPOCH, make.OTHER_EPOCH))
        text = make.command(
            who, "journal", {"since": number}, counter, expires=expires, epoch=to_base64(epoch),
            id=to_base64(hashlib.sha256(b"%d" % number).digest()[:16]),
        )  # fmt: skip
        made.append((who, counter, expires, epoch, make.sign("command", text, who) + text))
    return made


def forged(rng: random.Random, plain: bytes) -> bytes:
    place = rng.randrange(len(plain))
    return plain[:place] + bytes([plain[place] ^ (1 << rng.randrange(8))]) + plain[place + 1 :]


WHOLE = [pytest.mark.endure, pytest.mark.threat("hostile broker"), pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("traces", [1000, pytest.param(20_000, marks=WHOLE)])
def test_a_hostile_broker_has_nothing_carried_out_twice_late_or_out_of_order(traces: int) -> None:
    honest = plans()
    known = {plain for *_, plain in honest}
    by_text = {plain: (who, counter, expires, epoch) for who, counter, expires, epoch, plain in honest}
    seen: Counter[str] = Counter()
    for trace in range(traces):
        rng = random.Random(trace)
        seen += one_trace(rng, [one[-1] for one in rng.sample(honest, 5)], known, by_text)
    assert seen["carried out"] > traces and seen["again"] and seen["forged"] > traces
    assert seen["wrong"] == 0
    figure = f"{traces:,} traces: {seen['wrong']} commands replayed, reordered, late or forged carried out; "
    show(
        "hostile broker",
        figure + f"{seen['forged']:,} forged ones tried, {seen['carried out']:,} honest ones carried out",
    )


def one_trace(rng: random.Random, said: list[bytes], known: set[bytes], by_text: dict[bytes, Any]) -> Counter[str]:
    """The broker delivers what it likes of what was said, when and how often it likes, and makes things up."""
    seen: Counter[str] = Counter()
    at, epoch = 1000.0, make.EPOCH
    hearing = door(lambda payload: payload, epoch)
    highest: Counter[str] = Counter()
    carried: set[bytes] = set()
    for _ in range(rng.randint(6, 14)):
        at += rng.choice((0, 0, 0.1, 5, 30))
        plain = rng.choice(said)
        if rng.random() < 0.25:
            plain = forged(rng, plain)
            seen["forged"] += 1
        if rng.random() < 0.05:  # the daemon starts afresh: what it remembered is gone, and so is its epoch
            epoch = make.OTHER_EPOCH if epoch == make.EPOCH else bytes(16)
            hearing, highest = door(lambda payload: payload, epoch), Counter()
        verdict = hearing.hear(plain, at)
        if isinstance(verdict, Again):
            seen["again"] += 1
            seen["wrong"] += plain not in carried
        if not isinstance(verdict, Order):
            continue
        hearing.answered(verdict.member.id, verdict.id, b"reply")
        seen["carried out"] += 1
        if plain not in known:
            seen["wrong"] += 1
            continue
        who, counter, expires, its_epoch = by_text[plain]
        seen["wrong"] += (
            plain in carried or not at < expires <= at + 60 or its_epoch != epoch or counter <= highest[who]
        )
        carried.add(plain)
        highest[who] = counter
    return seen
