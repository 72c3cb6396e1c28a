"""The door speaks to its broker and to nobody else: every packet that leaves its network namespace is looked at."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endure.rows import FULL, count, show
from tests.rigs.broker import Mosquitto, free_port
from tests.rigs.door import Door, pause

pytestmark = [pytest.mark.endure, pytest.mark.threat("egress"), pytest.mark.timeout(1200)]
HERE, THERE = "10.203.77.1", "10.203.77.2"
NDP = range(130, 144)
"""ICMPv6 by which a kernel looks for its neighbours, whatever runs on it."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def street() -> Iterator[tuple[str, str]]:
    """A network namespace and this end of its only cable; everything it sends anywhere comes out here."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("a network namespace needs root and iproute2")
    name, mine, its = f"door-{os.getpid()}", f"dr{os.getpid() % 100000}a", f"dr{os.getpid() % 100000}b"
    try:
        ip("netns", "add", name)
    except subprocess.CalledProcessError:
        pytest.skip("this machine makes no network namespace")
    try:
        ip("link", "add", mine, "type", "veth", "peer", "name", its)
        ip("link", "set", its, "netns", name)
        ip("addr", "add", f"{HERE}/30", "dev", mine)
        ip("link", "set", mine, "up")
        ip("-n", name, "addr", "add", f"{THERE}/30", "dev", its)
        ip("-n", name, "link", "set", its, "up")
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "route", "add", "default", "via", HERE)
        yield name, mine
    finally:
        subprocess.run(["ip", "link", "del", mine], check=False, capture_output=True)
        ip("netns", "del", name)


class Ear:
    """Counts the packets that come out of a cable, by where they want to go."""

    def __init__(self, device: str) -> None:
        self.heard: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.bind((device, 0))
        self._socket.settimeout(0.2)
        self._ends = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ends:
            try:
                frame, (_, _, kind, *_) = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            if kind != socket.PACKET_OUTGOING:  # what this end sends to the door is not its own
                self.heard[goes_to(frame)] += 1

    def close(self) -> Counter[str]:
        pause(0.5)
        self._ends = True
        self._thread.join(5)
        self._socket.close()
        return self.heard


def goes_to(frame: bytes) -> str:
    """Protocol and destination in a word."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    packet = frame[14:]
    if kind == 0x0806:
        return "arp " + socket.inet_ntoa(packet[24:28])
    if kind == 0x0800:
        start = (packet[0] & 15) * 4
        port = struct.unpack_from("!H", packet, start + 2)[0] if packet[9] in (6, 17) else 0
        return (
            f"{ {6: 'tcp', 17: 'udp', 1: 'icmp'}.get(packet[9], packet[9]) } {socket.inet_ntoa(packet[16:20])} {port}"
        )
    if kind == 0x86DD:
        inside = packet[40 + 8 :] if packet[6] == 0 else packet[40:]
        if (packet[6] in (0, 58)) and inside and inside[0] in NDP:
            return "the kernel looks for neighbours"
        return f"ipv6 {packet[6]} {socket.inet_ntop(socket.AF_INET6, packet[24:40])}"
    return f"frame {kind:04x}"


def test_in_its_own_network_the_door_sends_no_packet_to_anybody_but_its_broker(
    tmp_path: Path, street: tuple[str, str]
) -> None:
    name, cable = street
    port = free_port()
    inside = ["ip", "netns", "exec", name]
    settings = {"camera": {"source": "scene"}, "mqtt": {"host": HERE, "port": port, "tls": "off"}}
    ear = Ear(cable)
    with Mosquitto(tmp_path, settings=f"listener {port} {HERE}") as broker:
        with Door(tmp_path / "door", settings=settings, wrapper=inside) as door:
            door.until(lambda: door.status().get("camera") == "sees" and door.status()["broker"], 60)
            for _ in range(count(1, 10)):
                door.press()
                pause(0.5)
            door.until(lambda: door.clips, 60)
            if FULL:
                broker.stop()  # and while it looks for it
                door.until(lambda: not door.status()["broker"], 30)
                door.press()
                pause(60)
                broker.start()
                door.until(lambda: door.status()["broker"], 90)
                door.press()
                pause(60)
            door.stop()
        heard = ear.close()
        told = {f"tcp {HERE} {port}", f"arp {HERE}", f"arp {THERE}", "the kernel looks for neighbours"}
        mine = sum(number for where, number in heard.items() if where.startswith("tcp"))
        strange = {where: number for where, number in heard.items() if where not in told}
    assert mine > 20
    assert strange == {}
    control = Ear(cable)
    lookup = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'name', ('192.0.2.53', 53))"
    )
    subprocess.run([*inside, "python3", "-c", lookup], check=True)
    assert control.close()["udp 192.0.2.53 53"] == 1, "the control: a look-up would have been heard"
    show(
        "egress", f"{mine:,} packets to the broker, 0 to anywhere else, DNS included; a look-up in the control is heard"
    )
