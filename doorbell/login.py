"""The login at the broker: from the configuration, a file of its own, or a credential that systemd hands over."""

from __future__ import annotations

import os
from pathlib import Path

from doorbell.config import Config
from doorbell.errors import Mistake
from doorbell.link.settings import MqttSettings

CREDENTIAL = "mqtt-password"
LARGEST = 1024


def settings(config: Config) -> MqttSettings:
    """What the link needs to know of the broker. Raises Mistake for a password file that cannot be read."""
    mqtt = config.mqtt
    port = mqtt.port or (1883 if mqtt.tls == "off" else 8883)
    return MqttSettings(
        mqtt.host, port, mqtt.username, _password(config), mqtt.tls, mqtt.ca_file, mqtt.pin_sha256,
        client_id=f"doorbell-{config.door.id}",
    )  # fmt: skip


def _password(config: Config) -> str:
    mqtt = config.mqtt
    handed = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"), CREDENTIAL)
    if mqtt.password_file:
        return _read(Path(mqtt.password_file))
    if mqtt.username and not mqtt.password and handed.exists():
        return _read(handed)
    return mqtt.password


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1).decode("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise Mistake(f"The broker's password cannot be read from {file} ({why}): mend mqtt.password_file.") from None
    if not text or len(text) > LARGEST or not text.isprintable():
        raise Mistake(f"{file} holds no password in one line of at most {LARGEST} characters: mend mqtt.password_file.")
    return text
