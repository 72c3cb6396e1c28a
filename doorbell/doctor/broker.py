"""The broker: reached, its certificate right, the login taken, large enough, with WebSockets; and Home Assistant."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl

from doorbell.doctor.finding import Door, Finding, bad, good, unknown
from doorbell.doctor.greeting import PROTOCOLS, Greeting, greeting
from doorbell.link.messages import LARGEST

WEBSOCKET_PORTS = (9001, 8884, 1884, 8084, 443)
"""As mosquitto's and Home Assistant's documents name them, and those of the large services."""
WEBSOCKET_S = 2.0


def broker(door: Door) -> Finding:
    mqtt = door.config.mqtt
    if not mqtt.host:
        return good("No broker is configured: the door speaks to nobody.")
    if door.page is not None and door.page.get("broker") is True:
        return good("The running daemon is connected to the broker.")
    found = greeting(door)
    if found.why:
        return bad(found.why, "Mend [mqtt] or the broker; the door rings and records meanwhile.")
    if door.page is not None:
        return bad("The broker takes the login, and the running daemon is not connected.", "doorbell status says why.")
    return good(f"The broker takes the door's login, by MQTT {PROTOCOLS[found.protocol]}.")


def encryption(door: Door) -> Finding:
    mqtt = door.config.mqtt
    if not mqtt.host:
        return good("No broker is configured.")
    if mqtt.tls == "off":
        if mqtt.host in ("localhost", "127.0.0.1", "::1"):
            return good("The broker is on this machine, without TLS.")
        return bad(
            "The login and everything in clear go to the broker without TLS.",
            'Give the broker a certificate and set mqtt.tls = "ca" (or "pin").',
        )
    if why := _unanswered(door):
        return unknown(why)
    how = "is the pinned one" if mqtt.tls == "pin" else "is trusted, and names the broker"
    return good(f"The connection is by TLS; the certificate {how}.")


def packets(door: Door) -> Finding:
    if not door.config.mqtt.host:
        return good("No broker is configured.")
    if why := _unanswered(door):
        return unknown(why)
    largest = greeting(door).largest
    if largest is None:
        return good("The broker names no limit for a message.")
    if largest < LARGEST:
        return bad(
            f"The broker takes messages of {largest} bytes at most: clips would not get through.",
            f"Raise its limit to {LARGEST} bytes or more (mosquitto: max_packet_size).",
        )
    return good(f"The broker takes messages of {largest} bytes.")


def version(door: Door) -> Finding:
    if not door.config.mqtt.host:
        return good("No broker is configured.")
    if why := _unanswered(door):
        return unknown(why)
    said = greeting(door).version
    if not said:
        return unknown("The broker does not show this login which version it is.")
    return good(f"The broker is {said}.")


def home_assistant(door: Door) -> Finding:
    config = door.config
    if not config.mqtt.host or not config.homeassistant.discovery:
        return good("Home Assistant is not asked for.")
    if not config.privacy.clear_events:
        return good("Home Assistant hears nothing, because privacy.clear_events is false.")
    said = "" if _unanswered(door) else greeting(door).home_assistant
    if said == "online":
        return good("Home Assistant is at the broker.")
    if said == "offline":
        return bad("Home Assistant says that it is not at the broker.", "Start it; look at its MQTT integration.")
    return unknown(
        "Home Assistant cannot be seen from here (it says that it is there only when it starts).",
        "Look there under Settings, Devices, MQTT: the door appears by itself.",
    )


def websocket(door: Door) -> Finding:
    """Phones reach the broker from a web page, which speaks no other way."""
    host = door.config.mqtt.host
    if not host:
        return good("No broker is configured.")
    for port in WEBSOCKET_PORTS:
        for encrypted in (True, False):
            if _speaks_websocket(host, port, encrypted=encrypted):
                return good(f"The broker's host speaks MQTT over WebSockets at port {port}{', by TLS' * encrypted}.")
    ports = ", ".join(map(str, WEBSOCKET_PORTS))
    return unknown(
        f"No WebSocket at the usual ports ({ports}) of the broker's host: without one no phone app can reach it.",
        "docs/owner/phone.md says how to turn it on; at another port it may be there already.",
    )


def _unanswered(door: Door) -> str:
    """Why nothing can be said of the broker; empty where it greeted."""
    found: Greeting = greeting(door)
    return "The broker did not greet, so this was not looked at." if found.why else ""


def _speaks_websocket(host: str, port: int, *, encrypted: bool) -> bool:
    """Whether an upgrade to MQTT is taken. Nothing secret is sent, so whose certificate it is does not matter here."""
    ask = (
        f"GET /mqtt HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError, UnicodeError), socket.create_connection((host, port), WEBSOCKET_S) as plain:
        one = context.wrap_socket(plain) if encrypted else plain
        one.settimeout(WEBSOCKET_S)
        one.sendall(ask.encode())
        return one.recv(200).startswith(b"HTTP/1.1 101")
    return False
