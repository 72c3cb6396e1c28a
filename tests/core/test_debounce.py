"""The button's contact: what is a press."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from doorbell.debounce import HELD_S, STABLE_S, Contact, edge, hold, settle
from doorbell.events import ButtonEdge, Held, Pressed


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


def test_a_finger_that_stays_is_told_once_and_its_press_rang_long_before() -> None:
    contact, pressed = settle(edge(Contact(), ButtonEdge(1.0, True))[0], 1.0 + STABLE_S)
    assert pressed
    assert contact.held_at == 1.0 + HELD_S
    assert hold(contact, 5.9)[1] is None
    contact, held = hold(contact, 6.4)
    assert held == Held(6.0)
    assert hold(contact, 60.0)[1] is None
    contact, _ = edge(contact, ButtonEdge(70.0, False))
    assert contact.held_at is None


def test_two_long_presses_are_no_hold() -> None:
    contact = Contact()
    for at in (0.0, 5.0):
        contact, _ = settle(edge(contact, ButtonEdge(at, True))[0], at + 1)
        contact, held = hold(contact, at + 4.9)
        assert held is None
        contact, _ = settle(edge(contact, ButtonEdge(at + 4.9, False))[0], at + 4.99)
