"""Everything the owner can choose, as frozen values that refuse what does not fit; configfile.py reads them from TOML.

Each setting's meaning and unit stand in doorbell.example.toml; a test holds the two together. Defaults favour privacy:
nothing leaves the door in clear but that it rang.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from attrs import Attribute, field, frozen

from doorbell.clips.recipient import Recipient
from doorbell.vision.polygons import Polygon

RecordOn = Literal["press", "motion", "motion-and-pir"]
Sensitivity = Literal["low", "medium", "high"]
PinKind = Literal["gpio", "simulated", "none"]
Tls = Literal["ca", "pin", "off"]
DOOR_ID = re.compile(r"[a-z0-9-]{1,32}")
HOST = re.compile(r"[\w.-]{0,253}|[0-9a-fA-F:]*:[0-9a-fA-F:.]+(%\w{1,15})?")
"""A name or an address, IPv6 too; a URL or a name with its port is none."""
REMOTE = re.compile(r"(\w[\w.+@ -]{0,63}:[^\x00-\x1f\x7f]{0,512})?")
NTFY = re.compile(r"(https://[a-z0-9.-]{1,253}(:\d{1,5})?)?")
OWN_HOST = re.compile(r"([a-z0-9.-]{1,253}(:\d{1,5})?)?")
SOURCE = re.compile(r"none|picamera2|scene(:\d{1,9})?|file:.+|webcam:/dev/video\d{1,3}")


class Unfit(ValueError):  # noqa: N818
    """A value that its setting does not allow; ``name`` is the setting's, the text is the fix."""

    def __init__(self, name: str, value: object, fix: str) -> None:
        super().__init__(fix)
        self.name, self.value, self.fix = name, value, fix


_Validator = Callable[[Any, "Attribute[Any]", Any], None]


def _between(least: float, most: float, unit: str) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: float) -> None:
        if not least <= value <= most:
            raise Unfit(attribute.name, value, f"give {least:g} to {most:g} {unit}")

    return check


def _matches(pattern: re.Pattern[str], fix: str) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: str) -> None:
        if not pattern.fullmatch(value):
            raise Unfit(attribute.name, value, fix)

    return check


def _even(least: int, most: int) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: int) -> None:
        if value % 2 or not least <= value <= most:
            raise Unfit(attribute.name, value, f"give an even number of pixels, {least} to {most}")

    return check


def _upright(_: object, attribute: Attribute[Any], value: int) -> None:
    if value not in (0, 180):
        raise Unfit(attribute.name, value, "give 0 or 180 degrees")


def _quota(_: object, attribute: Attribute[Any], value: int) -> None:
    if value and not 64 <= value <= 2_000_000:
        raise Unfit(attribute.name, value, "give 64 to 2000000 MB, or 0 for 80 % of what is free")


def _sealed_only(_: object, attribute: Attribute[Any], value: bool) -> None:
    if value:
        raise Unfit(attribute.name, value, "give false: in this version no picture leaves the door unsealed")


def _pin(_: object, attribute: Attribute[Any], value: int) -> None:
    if not 0 <= value <= 27:
        raise Unfit(attribute.name, value, "give a BCM pin number, 1 to 27, or 0 for a part that is not fitted")


def _one_line(most: int) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: str) -> None:
        if len(value) > most or not value.isprintable():
            raise Unfit(attribute.name, value, f"give one line of at most {most} characters")

    return check


def _folder(_: object, attribute: Attribute[Any], value: Path) -> None:
    if not value.is_absolute() or not str(value).isprintable():
        raise Unfit(attribute.name, str(value), "give the whole path, from / on")


@frozen
class Door:
    id: str = field(default="front", validator=_matches(DOOR_ID, "give 1 to 32 of a to z, 0 to 9 and -"))
    name: str = field(default="Front door", validator=_one_line(64))
    state: Path = field(default=Path("/var/lib/doorbell"), validator=_folder)
    runtime: Path = field(default=Path("/run/doorbell"), validator=_folder)


@frozen
class Keys:
    recipients: tuple[Recipient, ...] = ()


@frozen
class Pins:
    kind: PinKind = "gpio"
    button: int = field(default=17, validator=_pin)
    pir: int = field(default=0, validator=_pin)
    chime: int = field(default=0, validator=_pin)
    led: int = field(default=0, validator=_pin)
    chime_ms: int = field(default=400, validator=_between(50, 5000, "milliseconds"))


@frozen
class Camera:
    source: str = field(
        default="picamera2",
        validator=_matches(SOURCE, "give picamera2, file:VIDEO, webcam:/dev/video0, scene or none"),
    )
    width: int = field(default=1280, validator=_even(160, 1920))
    height: int = field(default=720, validator=_even(120, 1080))
    fps: int = field(default=15, validator=_between(1, 30, "frames per second"))
    bitrate_kbps: int = field(default=2000, validator=_between(100, 10000, "kbit/s"))
    rotation: int = field(default=0, validator=_upright)
    flip: bool = False


@frozen
class Privacy:
    masks: tuple[Polygon, ...] = ()
    clear_events: bool = True
    clear_snapshot: bool = field(default=False, validator=_sealed_only)


@frozen
class Motion:
    record_on: RecordOn = "motion"
    zones: tuple[Polygon, ...] = ()
    sensitivity: Sensitivity = "medium"
    schedule: tuple[str, ...] = ()


@frozen
class Visit:
    preroll_s: float = field(default=5.0, validator=_between(0, 30, "seconds"))
    linger_s: float = field(default=10.0, validator=_between(1, 60, "seconds"))
    longest_s: float = field(default=120.0, validator=_between(10, 600, "seconds"))


@frozen
class Storage:
    days: int = field(default=14, validator=_between(1, 3650, "days"))
    quota_mb: int = field(default=0, validator=_quota)


@frozen
class Mqtt:
    host: str = field(
        default="", validator=_matches(HOST, "give the broker's name or address alone; its port belongs in mqtt.port")
    )
    port: int = field(default=0, validator=_between(0, 65535, "(0 chooses 8883, or 1883 without TLS)"))
    username: str = field(default="", validator=_one_line(128))
    password: str = field(default="", validator=_one_line(256), repr=False)
    password_file: str = ""
    tls: Tls = "ca"
    ca_file: str = ""
    pin_sha256: str = field(
        default="",
        validator=_matches(re.compile(r"([0-9a-fA-F]{64})?"), "give the certificate's SHA-256 as 64 hex digits"),
    )


@frozen
class HomeAssistant:
    discovery: bool = True
    may_switch_recording: bool = False


@frozen
class Offsite:
    """Copies of what is sealed (docs/owner/offsite.md); an empty ``remote`` makes none."""

    remote: str = field(
        default="", validator=_matches(REMOTE, "give NAME:PATH, a remote as rclone.conf names it and a folder there")
    )
    rclone_config: Path = field(default=Path("/etc/doorbell/rclone.conf"), validator=_folder)
    workplace: Path = field(default=Path("/var/lib/doorbell-offsite"), validator=_folder)
    kbit_s: int = field(default=1000, validator=_between(0, 1_000_000, "kbit/s (0: as fast as it goes)"))


@frozen
class Push:
    web: bool = False
    ntfy: str = field(default="", validator=_matches(NTFY, "give the server as https://NAME, nothing behind it"))
    ntfy_token: str = field(default="", validator=_one_line(256), repr=False)
    own_host: str = field(default="", validator=_matches(OWN_HOST, "give a name, or name:port, without https://"))
    ca_file: str = ""


@frozen
class Config:
    """Everything the owner chose. ``recording_refused`` is no setting: why the masks could not be read, or empty."""

    door: Door = Door()
    keys: Keys = Keys()
    pins: Pins = Pins()
    camera: Camera = Camera()
    privacy: Privacy = Privacy()
    motion: Motion = Motion()
    visit: Visit = Visit()
    storage: Storage = Storage()
    mqtt: Mqtt = Mqtt()
    homeassistant: HomeAssistant = HomeAssistant()
    offsite: Offsite = Offsite()
    push: Push = Push()
    recording_refused: str = field(default="", init=True, metadata={"setting": False})


SECTIONS = (Door, Keys, Pins, Camera, Privacy, Motion, Visit, Storage, Mqtt, HomeAssistant, Offsite, Push)
