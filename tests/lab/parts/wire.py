"""Hears every packet that leaves this machine: over the loopback, or out of a network card that leads nowhere."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from pathlib import Path

EVERY_KIND = 3
"""ETH_P_ALL, from linux/if_ether.h."""
IPV4 = 0x0800
OUTWARD = "world"


class Wire:
    """``talks``: (device, protocol, one port, other port), lower port first; the ports are 0 for what has none."""

    def __init__(self) -> None:
        for words in (
            f"link add {OUTWARD} type dummy",
            f"address add 192.0.2.2/24 dev {OUTWARD}",
            f"link set {OUTWARD} up",
            f"route add default via 192.0.2.1 dev {OUTWARD}",
        ):
            subprocess.run(["ip", *words.split()], check=True)
            # Or the kernel looks for routers and neighbours there by itself.
            Path(f"/proc/sys/net/ipv6/conf/{OUTWARD}/disable_ipv6").write_text("1")
        self.packets = 0
        self.talks: set[tuple[str, str, int, int]] = set()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY_KIND))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            data, (device, kind, direction, *_) = self._socket.recvfrom(128)
            if direction != socket.PACKET_OUTGOING:
                continue
            self.packets += 1
            self.talks.add((device, *_between(kind, data)))


def _between(kind: int, data: bytes) -> tuple[str, int, int]:
    if kind != IPV4 or data[9] not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        return f"{kind:#06x}", 0, 0
    low, high = sorted(struct.unpack_from("!HH", data, (data[0] & 15) * 4))
    return ("tcp" if data[9] == socket.IPPROTO_TCP else "udp"), low, high
