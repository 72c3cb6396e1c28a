"""The button's contact: what is a press."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from doorbell.debounce import STABLE_S, Contact, edge, settle
from doorbell.events import ButtonEdge, Pressed


def presses(edges: list[tuple[float, bool]], until: float) -> list[Pressed]:
    """Run the contact punctually over raw edges (seconds, closed)."""
    contact, found = Contact(), []
    for at, down in edges:
        contact, pressed = edge(contact, ButtonEdge(at, down))
        found += [pressed] if pressed else []
    contact, pressed = settle(contact, until)
    return found + ([pressed] if pressed else [])


def test_a_clean_press_rings_15_ms_after_the_contact_closed() -> None:
    assert presses([(1.0, True), (1.5, False)], 2.0) == [Pressed(1.0 + STABLE_S)]


def test_a_contact_held_for_an_hour_is_one_press() -> None:
    assert presses([(1.0, True)], 3600.0) == [Pressed(1.0 + STABLE_S)]


def test_spikes_of_5_ms_are_no_press() -> None:
    edges = [e for n in range(1000) for e in ((n * 0.1, True), (n * 0.1 + 0.005, False))]
    assert presses(edges, 200.0) == []


def test_ten_thousand_bouncing_presses_ring_ten_thousand_times() -> None:
    dice, at, edges = random.Random(1), 0.0, []
    for _ in range(10_000):
        at += dice.uniform(0.05, 1.0)
        moment, level = at, False
        for _ in range(dice.randrange(0, 7)):
            level = not level
            edges.append((moment, level))
            moment += dice.uniform(0.0002, 0.002)
        edges.append((moment, True))
        at = moment + dice.uniform(0.030, 0.5)
        edges.append((at, False))
        for _ in range(dice.randrange(0, 4)):
            at += dice.uniform(0.0002, 0.002)
            edges += [(at, True), (at + 0.0001, False)]
            at += 0.0001
    assert len(presses(edges, at + 1)) == 10_000


@given(st.lists(st.tuples(st.floats(0.0005, 0.1), st.booleans()), max_size=60), st.floats(0, 5))
def test_a_late_loop_decides_as_a_punctual_one(steps: list[tuple[float, bool]], late: float) -> None:
    edges, at = [], 0.0
    for wait, down in steps:
        at += wait
        edges.append((at, down))
    punctual, contact = [], Contact()
    for moment, down in edges:
        while (due := contact.deadline) is not None and due <= moment:
            contact, pressed = settle(contact, due)
            punctual += [pressed] if pressed else []
        contact, pressed = edge(contact, ButtonEdge(moment, down))
        punctual += [pressed] if pressed else []
    contact, pressed = settle(contact, at + 1)
    punctual += [pressed] if pressed else []
    assert presses(edges, at + 1 + late) == punctual
