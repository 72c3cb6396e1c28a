"""What the owner chose about the broker."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class MqttSettings:
    """``tls`` is ``ca`` (``ca_file`` PEM, or the system's), ``pin`` (``pin_sha256`` hex), or ``off``."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: str = "ca"
    ca_file: str = ""
    pin_sha256: str = ""
    client_id: str = ""
