"""The reference of a transfer: a bare paho client that publishes a file in as large messages, whenever it is told to.

Each line on standard input sends the whole file by QoS 1; when all of it was acknowledged a line says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

TOPIC = "bench/file"


def main(port: int, file: Path, chunk: int) -> None:
    """Until standard input ends."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for _ in sys.stdin:
        data = file.read_bytes()
        starts = range(0, len(data), chunk)
        sent = [client.publish(f"{TOPIC}/{n}", data[at : at + chunk], qos=1) for n, at in enumerate(starts)]
        for one in sent:
            one.wait_for_publish(60)
        sys.stdout.write("\n")
        sys.stdout.flush()
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
