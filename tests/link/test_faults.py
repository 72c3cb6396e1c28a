"""The link through a network that cuts, stalls and delays."""

import time

import pytest

from doorbell.events import Acked, Offline, Online
from doorbell.link.delivery import Limits
from doorbell.link.settings import MqttSettings
from tests.rigs.broker import Mosquitto
from tests.rigs.caller import DOOR, Caller, Subscriber
from tests.rigs.proxy import Proxy

RING = f"doorbell/{DOOR}/ring"
QUICK = Limits(live_s=2.0, ack_s=0.5, fresh_s=0.05, least_wait_s=0.1, most_wait_s=0.3, connect_s=1.0)


def through(proxy: Proxy) -> MqttSettings:
    return MqttSettings("127.0.0.1", proxy.port, tls="off")


def settled(door: Caller) -> None:
    """The link is up, the birth acknowledged, and the last sign of life too old to press on."""
    door.until(Acked)
    door.let_pass(2 * door.delivery.limits.fresh_s)


def visits(home: Subscriber) -> list[str]:
    return [payload.decode().split('"id":"')[1].split('"')[0] for payload in home.payloads(RING)]


def test_a_cut_connection_is_made_anew_and_rings(broker: Mosquitto) -> None:
    with (
        Subscriber(broker.port, RING) as home,
        Proxy(broker.port) as proxy,
        Caller(through(proxy), limits=QUICK) as door,
    ):
        door.until(Online)
        proxy.cut()
        door.until(Offline)
        door.press("a")
        home.until(RING)
        assert visits(home) == ["a"]


def stall(broker: Mosquitto, limits: Limits, seconds: float) -> None:
    with (
        Subscriber(broker.port, RING) as home,
        Proxy(broker.port) as proxy,
        Caller(through(proxy), limits=limits) as door,
    ):
        settled(door)
        door.press("before")
        home.until(RING)
        settled(door)
        proxy.stall()
        door.press("early")
        door.let_pass(seconds)
        door.press("young")
        proxy.flow()
        home.until(RING, count=2, within_s=30)
        door.press("after")
        home.until(RING, count=3)
        assert visits(home) == ["before", "young", "after"]


def test_a_link_that_stalls_and_flows_again_gives_no_double_and_no_late_ring(broker: Mosquitto) -> None:
    stall(broker, QUICK, 2.5)


@pytest.mark.slow
def test_the_same_with_the_real_limits_and_a_stall_of_twenty_seconds(broker: Mosquitto) -> None:
    stall(broker, Limits(), 20.0)


def test_a_short_stall_delays_a_ring_and_loses_nothing(broker: Mosquitto) -> None:
    with (
        Subscriber(broker.port, RING) as home,
        Proxy(broker.port) as proxy,
        Caller(through(proxy), limits=QUICK) as door,
    ):
        settled(door)
        proxy.stall()
        door.press("a")
        door.press("b")
        proxy.flow()
        home.until(RING, count=2)
        assert visits(home) == ["a", "b"]


def test_a_far_broker_gets_the_ring_after_one_probe(broker: Mosquitto) -> None:
    with (
        Subscriber(broker.port, RING) as home,
        Proxy(broker.port, delay_s=0.15) as proxy,
        Caller(through(proxy)) as door,
    ):
        settled(door)
        pressed = time.monotonic()
        door.press("a")
        home.until(RING)
        # there and back with the probe, there with the ring
        assert home.got[-1][0] - pressed >= 3 * 0.15
        assert visits(home) == ["a"]
