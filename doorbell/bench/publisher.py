"""The reference of the ring: a bare paho client that publishes a line's worth whenever it is told to.

Each line on standard input is one message of QoS 1; the moment before ``publish`` goes to standard output. A second
word names a file that is the message's payload.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

TOPIC = "bench/bare"
PAYLOAD = bytes(96)
"""As many bytes as the door's ring has."""


def main(port: int, payload: bytes = PAYLOAD) -> None:
    """Until standard input ends."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait(10)
    for _ in sys.stdin:
        at = time.monotonic()
        client.publish(TOPIC, payload, qos=1)
        sys.stdout.write(f"{at!r}\n")
        sys.stdout.flush()
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), *(Path(name).read_bytes() for name in sys.argv[2:]))
