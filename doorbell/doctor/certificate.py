"""How long the broker's certificate is still good: the day it ends, the door speaks to nobody."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Final

from doorbell.doctor.finding import Door, Finding, bad, good, unknown
from doorbell.errors import DeviceError
from doorbell.link.tls import authority_context

WAIT_S: Final = 10.0
WARN_DAYS: Final = 30


def certificate(door: Door) -> Finding:
    """Looks in a handshake of its own, which sends no login."""
    mqtt = door.config.mqtt
    if not mqtt.host or mqtt.tls != "ca":
        return good("No certificate ends: the broker's is pinned, or there is none.")
    try:
        context = authority_context(mqtt.ca_file)
        where = (mqtt.host, mqtt.port or 8883)
        with (
            socket.create_connection(where, WAIT_S) as plain,
            context.wrap_socket(plain, server_hostname=mqtt.host) as shown,
        ):
            found = shown.getpeercert() or {}
    except (OSError, DeviceError):
        return unknown("The broker's certificate cannot be looked at now.", "See the line of the broker.")
    return judged(ssl.cert_time_to_seconds(str(found["notAfter"])), time.time())


def judged(ends: float, now: float) -> Finding:
    """*ends* and *now* in seconds since 1970."""
    days = int((ends - now) // 86400)
    if days < WARN_DAYS:
        return bad(
            f"The broker's certificate ends in {max(days, 0)} days; then the door can reach it no more.",
            "At the broker: doorbell broker-setup ca with the same names, or renew it the way it was made.",
        )
    return good(f"The broker's certificate is good for {days} more days.")
