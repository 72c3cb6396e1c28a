"""What the owner wants on the card, as frozen values that were checked when they were made."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final, Literal

from attrs import Attribute, field, frozen

from doorbell.config import DOOR_ID, HOST
from doorbell.errors import Mistake

Kind = Literal["mqtts", "mqtt"]
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2}")
_KEY: Final = re.compile(
    r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]{1,60}) "
    r"[A-Za-z0-9+/=]{40,8000}( [^\n\r\x00]{0,200})?"
)
_URL: Final = re.compile(r"(mqtts?)://(\[[0-9A-Fa-f:.%]+\]|[\w.-]+)(?::(\d{1,5}))?/?")
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")


def _shape(pattern: re.Pattern[str], fix: str) -> Any:  # noqa: ANN401  attrs' own type is as wide
    def check(_: object, __: Attribute[Any], value: str) -> None:
        if not pattern.fullmatch(value):
            raise Mistake(fix)

    return check


def _ssid(_: object, __: Attribute[str], value: str) -> None:
    if not 1 <= len(value.encode()) <= 32 or not value.isprintable():
        raise Mistake("A Wi-Fi name has 1 to 32 bytes and no control characters: give it as the router shows it.")


def _wifi_password(_: object, __: Attribute[str], value: str) -> None:
    if not 8 <= len(value) <= 63 or not (value.isascii() and value.isprintable()):
        raise Mistake("A Wi-Fi password has 8 to 63 characters of plain ASCII: look it up in the router once more.")


@frozen
class Wifi:
    """A network with a password; ``country`` is where the radio stands, as ISO 3166 has it (DE, GB)."""

    ssid: str = field(validator=_ssid)
    password: str = field(validator=_wifi_password, repr=False)
    country: str = field(validator=_shape(_COUNTRY, "The Wi-Fi country is two capital letters: DE, GB, US."))
    sae: bool = False
    """WPA3 alone: such a network takes no key that was worked out beforehand."""
    hidden: bool = False
    """It does not tell its name, so the door has to call for it."""

    @property
    def key(self) -> str:
        """The WPA2 key, 64 hex digits (IEEE 802.11i: PBKDF2 of password and name): the password stays at home."""
        return hashlib.pbkdf2_hmac("sha1", self.password.encode(), self.ssid.encode(), 4096, 32).hex()


def _port(_: object, __: Attribute[int], value: int) -> None:
    if not 0 <= value <= 65535:
        raise Mistake("The broker's port is 1 to 65535.")


def _one_line(_: object, __: Attribute[str], value: str) -> None:
    if len(value) > 128 or not value.isprintable():
        raise Mistake("The broker's login is one line of at most 128 characters.")


def _password(_: object, __: Attribute[str], value: str) -> None:
    if len(value) > 256 or not value.isprintable():
        raise Mistake("The broker's password is one line of at most 256 characters.")


@frozen
class Broker:
    """Where the door connects to. With ``pin`` (SHA-256, hex) that certificate, with ``ca`` (PEM) that authority."""

    kind: Kind
    host: str = field(validator=_shape(HOST, "The broker's address has a name or an address in it."))
    port: int = field(default=0, validator=_port)
    login: str = field(default="", validator=_one_line)
    password: str = field(default="", validator=_password, repr=False)
    ca: str = ""
    pin: str = ""

    def __attrs_post_init__(self) -> None:
        if self.password and not self.login:
            raise Mistake("The broker's password came without a login: give --login too.")
        if (self.ca or self.pin) and self.kind == "mqtt":
            raise Mistake("mqtt:// speaks in clear: with --ca or --pin the broker's address begins with mqtts://.")
        if self.ca and self.pin:
            raise Mistake("Give --ca or --pin, not both: the door trusts an authority or one certificate.")
        if self.pin and not _HEX.fullmatch(self.pin):
            raise Mistake("--pin is the SHA-256 of the broker's certificate, 64 hex digits.")
        if self.ca and "-----BEGIN CERTIFICATE-----" not in self.ca:
            raise Mistake("The file of --ca holds no PEM certificate: it begins with -----BEGIN CERTIFICATE-----.")

    @property
    def tls(self) -> str:
        """As the configuration's ``mqtt.tls`` says it."""
        return "off" if self.kind == "mqtt" else "pin" if self.pin else "ca"


def broker(url: str, login: str = "", password: str = "", *, ca: str = "", pin: str = "") -> Broker:
    """Read ``mqtts://host[:port]`` or ``mqtt://host[:port]``. Raises Mistake, which never repeats the text."""
    found = _URL.fullmatch(url.strip())
    if found is None:
        hint = " A login goes into --login, the password into the secrets." if "@" in url else ""
        raise Mistake(f"The broker's address is mqtts://HOST, or mqtts://HOST:PORT; mqtt:// without TLS.{hint}")
    kind: Kind = "mqtts" if found[1] == "mqtts" else "mqtt"
    return Broker(kind, found[2].strip("[]"), int(found[3] or 0), login, password, ca, pin.replace(":", ""))


@frozen
class Wishes:
    """One door's card. ``wifi`` None: it is on a cable. ``broker`` None: it rings its own chime and nobody's phone."""

    door: str = field(validator=_shape(DOOR_ID, "The door's id is 1 to 32 of a to z, 0 to 9 and -."))
    name: str = "Front door"
    wifi: Wifi | None = None
    broker: Broker | None = None
    zone: str = field(default="Etc/UTC", validator=_shape(ZONE, "A time zone is written Europe/Berlin."))
    ssh_key: str = ""
    updates: bool = True
    """Security updates of the operating system by themselves."""
    settings: dict[str, dict[str, Any]] = field(factory=dict)
    """The owner's own settings beside those that the card decides: pins, camera, masks …, as tables."""

    def __attrs_post_init__(self) -> None:
        if self.ssh_key and not _KEY.fullmatch(self.ssh_key):
            raise Mistake("The SSH key is one public line: ssh-ed25519 AAAA…, the file that ends in .pub.")
        if self.door.startswith("-") or self.door.endswith("-"):
            raise Mistake("The door's id is its name in the network too: it begins and ends with a letter or digit.")
