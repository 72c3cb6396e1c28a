"""What was filmed before a clip begins: whole GOPs, never more than it may hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doorbell.clips.preroll import Preroll
from doorbell.senses.camera import Packet

steps = st.lists(st.tuples(st.floats(0.01, 0.6), st.booleans(), st.integers(1, 400)), max_size=120)


def film(steps):
    at, packets = 100.0, []
    for step, keyframe, size in steps:
        at += step
        packets.append(Packet(at, bytes(size), keyframe))
    return packets


def filled(packets, seconds, most_bytes):
    preroll = Preroll(seconds, most_bytes)
    for packet in packets:
        preroll.add(packet)
    return preroll


@given(steps, st.floats(0, 5), st.integers(1, 3000))
def test_it_begins_with_a_keyframe_and_ends_with_the_newest(steps, seconds, most_bytes) -> None:
    packets = film(steps)
    preroll = filled(packets, seconds, most_bytes)
    held = preroll.give()
    assert not held or held[0].keyframe
    assert held == tuple(packets[len(packets) - len(held) :])
    assert sum(len(packet.data) for packet in held) == preroll.size <= most_bytes


@given(steps, st.floats(0, 5))
def test_it_goes_back_far_enough_and_no_gop_further(steps, seconds) -> None:
    packets = film(steps)
    preroll = filled(packets, seconds, 10**9)
    held = preroll.give()
    assert preroll.given_up == 0
    keyframes = [packet.at for packet in packets if packet.keyframe]
    if keyframes:
        wanted = packets[-1].at - seconds
        assert held[0].at == max([at for at in keyframes if at <= wanted], default=keyframes[0])


def test_over_its_bytes_it_forgets_the_oldest_gops_and_counts_them() -> None:
    packets = film([(0.1, number % 5 == 0, 10) for number in range(20)])
    preroll = filled(packets, 60, 100)
    assert preroll.give() == tuple(packets[10:])
    assert preroll.given_up == 2


def test_a_gop_over_its_bytes_goes_whole_and_the_next_keyframe_begins_anew() -> None:
    packets = film([(0.1, number in {0, 12}, 10) for number in range(15)])
    preroll = filled(packets[:12], 60, 100)
    assert preroll.give() == ()
    assert preroll.given_up == 1
    for packet in packets[12:]:
        preroll.add(packet)
    assert preroll.give() == tuple(packets[12:])


def test_after_clear_nothing_is_held_until_a_keyframe_comes() -> None:
    packets = film([(0.1, number % 4 == 0, 10) for number in range(8)])
    preroll = filled(packets[:6], 60, 1000)
    preroll.clear()
    preroll.add(packets[6])
    assert preroll.give() == () and preroll.size == 0
