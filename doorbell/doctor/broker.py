"""The broker: reached, its certificate right, the login taken; by the same code as the daemon's own link.

Where the daemon runs its own word is taken: a second login by the same name would throw it off the broker.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue

from doorbell import login
from doorbell.doctor.finding import Door, Finding, bad, good, unknown
from doorbell.errors import Mistake
from doorbell.events import Offline, Online

WAIT_S = 35.0
"""The link's own bounds: 10 s each for TCP, TLS and the broker's answer, and a little."""
PROTOCOLS = {4: "3.1.1", 5: "5"}


def broker(door: Door) -> Finding:
    mqtt = door.config.mqtt
    if not mqtt.host:
        return good("No broker is configured: the door speaks to nobody.")
    if door.page is not None:
        if door.page.get("broker") is True:
            return good("The running daemon is connected to the broker.")
        return bad("The running daemon is not connected to the broker.", "doorbell status says why.")
    from doorbell.link.mqtt import Link  # noqa: PLC0415  paho: only where there is a broker

    try:
        settings = login.settings(door.config)
    except Mistake as mistake:
        return bad(str(mistake), "Mend [mqtt].")
    heard: SimpleQueue[object] = SimpleQueue()
    link = Link(settings, door.config.door.id, heard.put)
    link.open(1)
    try:
        event = _first(heard)
    finally:
        # In good order: the broker then says "offline" of a door whose daemon does not run, which is true.
        link.close()
    if isinstance(event, Online):
        return good(f"The broker takes the door's login, by MQTT {PROTOCOLS.get(event.protocol, '?')}.")
    why = event.why if isinstance(event, Offline) else f"The broker did not answer within {WAIT_S:.0f} s."
    return bad(why, "Mend [mqtt] or the broker; the door rings and records meanwhile.")


def _first(heard: SimpleQueue[object]) -> Online | Offline | None:
    ends = time.monotonic() + WAIT_S
    while (left := ends - time.monotonic()) > 0:
        try:
            event = heard.get(timeout=left)
        except Empty:
            return None
        if isinstance(event, Online | Offline):
            return event
    return None


def home_assistant(door: Door) -> Finding:
    config = door.config
    if not config.mqtt.host or not config.homeassistant.discovery:
        return good("Home Assistant is not asked for.")
    if not config.privacy.clear_events:
        return good("Home Assistant hears nothing, because privacy.clear_events is false.")
    return unknown(
        "Home Assistant cannot be asked from here (it says that it is there only when it starts).",
        "Look there under Settings, Devices, MQTT: the door appears by itself.",
    )
