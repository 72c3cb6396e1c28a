"""TOML text to a frozen Config, or a ConfigError that names the key, the value and the fix.

The schema is closed: an unknown key is an error, because a misspelt privacy setting that is silently ignored is
worse than a door that says so. Each setting's meaning and unit stand in doorbell.example.toml; a test holds the two
together. Defaults favour privacy: nothing leaves the door in clear but that it rang.

The recorder gets its part of it as plain tables (``for_recorder``) and reads them back (``from_doorman``) with neither
TOML nor cattrs in its memory.

One mistake is forgiven in part: masks that cannot be read stop the recording, never the ring. ``load`` then gives a
Config whose ``recording_refused`` says why.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import eq
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from attrs import Attribute, asdict, evolve, field, frozen
from attrs import fields as attrs_fields

from doorbell import schedule
from doorbell.clips.recipient import Recipient
from doorbell.errors import ConfigError, Mistake
from doorbell.vision.polygons import Polygon, parse_polygons

if TYPE_CHECKING:
    import cattrs

LARGEST = 256 * 1024
"""A configuration file is at most this many bytes; a larger one is no configuration."""

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


class _Unfit(ValueError):  # noqa: N818
    """A value that its setting does not allow; ``name`` is the setting's, the text is the fix."""

    def __init__(self, name: str, value: object, fix: str) -> None:
        super().__init__(fix)
        self.name, self.value, self.fix = name, value, fix


_Validator = Callable[[Any, "Attribute[Any]", Any], None]


def _between(least: float, most: float, unit: str) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: float) -> None:
        if not least <= value <= most:
            raise _Unfit(attribute.name, value, f"give {least:g} to {most:g} {unit}")

    return check


def _matches(pattern: re.Pattern[str], fix: str) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: str) -> None:
        if not pattern.fullmatch(value):
            raise _Unfit(attribute.name, value, fix)

    return check


def _even(least: int, most: int) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: int) -> None:
        if value % 2 or not least <= value <= most:
            raise _Unfit(attribute.name, value, f"give an even number of pixels, {least} to {most}")

    return check


def _upright(_: object, attribute: Attribute[Any], value: int) -> None:
    if value not in (0, 180):
        raise _Unfit(attribute.name, value, "give 0 or 180 degrees")


def _quota(_: object, attribute: Attribute[Any], value: int) -> None:
    if value and not 64 <= value <= 2_000_000:
        raise _Unfit(attribute.name, value, "give 64 to 2000000 MB, or 0 for 80 % of what is free")


def _sealed_only(_: object, attribute: Attribute[Any], value: bool) -> None:
    if value:
        raise _Unfit(attribute.name, value, "give false: in this version no picture leaves the door unsealed")


def _pin(_: object, attribute: Attribute[Any], value: int) -> None:
    if not 0 <= value <= 27:
        raise _Unfit(attribute.name, value, "give a BCM pin number, 1 to 27, or 0 for a part that is not fitted")


def _one_line(most: int) -> _Validator:
    def check(_: object, attribute: Attribute[Any], value: str) -> None:
        if len(value) > most or not value.isprintable():
            raise _Unfit(attribute.name, value, f"give one line of at most {most} characters")

    return check


def _folder(_: object, attribute: Attribute[Any], value: Path) -> None:
    if not value.is_absolute() or not str(value).isprintable():
        raise _Unfit(attribute.name, str(value), "give the whole path, from / on")


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


def load(path: Path) -> Config:
    """Read *path*; raise ConfigError for a file that is missing, unreadable, too large or wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(
            f"The configuration {path} cannot be read ({error.strerror}): check the path and its permissions."
        ) from None
    if len(raw) > LARGEST:
        raise ConfigError(f"The configuration {path} is larger than {LARGEST // 1024} KiB: that is no configuration.")
    try:
        # A byte order mark and CRLF are what an editor on another system leaves; neither is a mistake of the owner.
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The configuration {path} is not UTF-8 text (byte {error.start}): save it as UTF-8."
        ) from None
    return parse(text)


def parse(text: str) -> Config:
    """TOML *text* to Config; raise ConfigError naming key, value and fix of every mistake at once."""
    import tomllib  # noqa: PLC0415  the recorder reads no TOML

    try:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"The configuration is no TOML: {error}.") from None
        except ValueError:
            raise ConfigError("The configuration holds a number of thousands of digits: give a shorter one.") from None
        return _read(table)
    except RecursionError:
        raise ConfigError("The configuration is nested too deeply: give each setting its plain value.") from None


def _read(table: dict[str, Any]) -> Config:
    try:
        config = structure(table)
    except ConfigError:
        # Once more without the masks: if they were the only mistake the door rings on and records nothing.
        privacy = table.get("privacy")
        if not isinstance(privacy, dict) or "masks" not in privacy:
            raise
        masks = privacy.pop("masks")
        config = structure(table)
        config = evolve(config, recording_refused=_why_refused(masks))
    return _consistent(config)


def _why_refused(masks: object) -> str:
    try:
        structure({"privacy": {"masks": masks}})
    except ConfigError as error:
        return str(error)
    raise AssertionError("masks that were refused are now accepted")


def _consistent(config: Config) -> Config:
    pins = config.pins
    used = [("button", pins.button), ("pir", pins.pir), ("chime", pins.chime), ("led", pins.led)]
    taken: dict[int, str] = {}
    for name, number in used:
        if number and number in taken:
            raise ConfigError(f"pins.{name} = {number}: pins.{taken[number]} uses this pin too; give each its own.")
        taken[number] = name
    mqtt = config.mqtt
    if mqtt.tls == "pin" and not mqtt.pin_sha256:
        raise ConfigError('mqtt.tls = "pin": give mqtt.pin_sha256, the certificate\'s SHA-256 as 64 hex digits.')
    if mqtt.password and mqtt.password_file:
        raise ConfigError("mqtt.password_file: mqtt.password is set too; give one of them.")
    if mqtt.password and not mqtt.username:
        raise ConfigError("mqtt.password is set without mqtt.username: give the login's name too.")
    if config.visit.linger_s > config.visit.longest_s:
        raise ConfigError(
            f"visit.linger_s = {config.visit.linger_s:g}: longer than visit.longest_s; give at most that."
        )
    if config.motion.record_on == "motion-and-pir" and not pins.pir:
        raise ConfigError(
            'motion.record_on = "motion-and-pir": no PIR is fitted; set pins.pir to its BCM pin, or use "motion".'
        )
    return config


def _strict(kind: type) -> Callable[[object, type], Any]:
    """TOML already has types: the text "5" where a number belongs is a mistake, not a number."""
    words = {int: "a whole number", float: "a number", str: "text in quotes", bool: "true or false"}[kind]

    def structure(value: object, _: type) -> Any:  # noqa: ANN401
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not kind or (kind is float and not math.isfinite(value)):  # type: ignore[arg-type]
            raise _Unfit("", value, f"give {words}")
        return value

    return structure


def _choice(value: object, kind: Any) -> Any:  # noqa: ANN401
    if value not in get_args(kind):
        *others, last = (f'"{choice}"' for choice in get_args(kind))
        raise _Unfit("", value, f"give {', '.join(others)} or {last}")
    return value


def _recipients(value: object, _: type) -> tuple[Recipient, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or len(value) > 16:
        raise _Unfit("", "", 'give a list of at most 16 texts that begin with "age1"')
    found = []
    for one in value:
        try:
            found.append(Recipient.parse(one))
        except Mistake as mistake:
            # The value may be a private key pasted by mistake: it is never repeated.
            raise _Unfit("", "", str(mistake).removesuffix(".")) from None
    if len(set(found)) != len(found):
        raise _Unfit("", "", "each recipient may stand in the list once")
    return tuple(found)


def _polygons(value: object, _: type) -> tuple[Polygon, ...]:
    try:
        return parse_polygons(value)
    except Mistake as mistake:
        raise _Unfit("", "", str(mistake).removesuffix(".")) from None


def _schedule(value: object, _: type) -> tuple[str, ...]:
    try:
        return schedule.checked(value)
    except Mistake as mistake:
        raise _Unfit("", "", str(mistake)) from None


def _converter() -> cattrs.Converter:
    import cattrs  # noqa: PLC0415  1.6 MB that the recorder does without
    from cattrs.gen import make_dict_structure_fn  # noqa: PLC0415

    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for kind in (int, float, str, bool):
        converter.register_structure_hook(kind, _strict(kind))
    converter.register_structure_hook(Path, lambda value, _: Path(_strict(str)(value, str)))
    for choice in (RecordOn, Sensitivity, PinKind, Tls):
        converter.register_structure_hook_func(partial(eq, choice), _choice)
    converter.register_structure_hook_func(partial(eq, tuple[Recipient, ...]), _recipients)
    converter.register_structure_hook_func(partial(eq, tuple[Polygon, ...]), _polygons)
    converter.register_structure_hook_func(partial(eq, tuple[str, ...]), _schedule)
    converter.register_structure_hook(
        Config,
        make_dict_structure_fn(
            Config, converter, _cattrs_forbid_extra_keys=True, recording_refused=cattrs.override(omit=True)
        ),
    )
    return converter


def structure(table: Mapping[str, Any]) -> Config:
    """Tables of settings to Config; raises ConfigError. What stands between two settings is ``parse``'s to check."""
    import cattrs  # noqa: PLC0415  as in _converter

    try:
        return _converter().structure(table, Config)
    except cattrs.BaseValidationError as error:
        raise ConfigError("\n".join(_sentences(error, ()))) from None


def with_changes(config: Config, changes: Mapping[str, Mapping[str, Any]]) -> Config:
    """*config* with the settings of *changes* in place of its own; raises ConfigError."""
    merged = tables(config)
    for section, table in changes.items():
        merged[section] |= table
    return _consistent(evolve(structure(merged), recording_refused=config.recording_refused))


def tables(config: Config) -> dict[str, dict[str, Any]]:
    """The settings as ``structure`` takes them and JSON or TOML can hold them, every default included."""
    plain = asdict(config, value_serializer=_plain, filter=lambda one, _: one.metadata.get("setting", True))
    return json.loads(json.dumps(plain))  # type: ignore[no-any-return]


def for_recorder(config: Config) -> dict[str, Any]:
    """The settings the recorder needs: no broker and no login."""
    wanted = ("door", "keys", "camera", "privacy", "motion", "visit")
    return {name: table for name, table in tables(config).items() if name in wanted}


def from_doorman(table: Mapping[str, Any]) -> Config:
    """What ``for_recorder`` gave, after its way as JSON: a Config again. Raises ConfigError or ValueError."""
    try:
        door, privacy, motion = table["door"], table["privacy"], table["motion"]
        return Config(
            door=Door(**door | {"state": Path(door["state"]), "runtime": Path(door["runtime"])}),
            keys=Keys(_recipients(table["keys"]["recipients"], tuple)),
            camera=Camera(**table["camera"]),
            privacy=Privacy(**privacy | {"masks": parse_polygons(privacy["masks"])}),
            motion=Motion(**motion | {"zones": parse_polygons(motion["zones"]), "schedule": tuple(motion["schedule"])}),
            visit=Visit(**table["visit"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("no part of a configuration") from error


def _plain(_: object, __: object, value: object) -> object:
    if isinstance(value, tuple) and value and isinstance(value[0], Recipient):
        return [str(recipient) for recipient in value]
    return str(value) if isinstance(value, Path) else value


def _sentences(error: BaseException, path: tuple[str, ...]) -> Iterator[str]:
    import cattrs  # noqa: PLC0415  as in _converter

    if isinstance(error, cattrs.ClassValidationError):
        noted, bare = error.group_exceptions()
        for one, note in noted:
            yield from _sentences(one, (*path, note.name))
        for other in bare:
            yield from _sentences(other, path)
    elif isinstance(error, cattrs.ForbiddenExtraKeysError):
        known = sorted(one.name for one in attrs_fields(error.cl) if one.metadata.get("setting", True))
        for key in sorted(error.extra_fields):
            yield f"{'.'.join((*path, str(key)))[:80]}: no such setting; known here: {', '.join(known)}."
    elif isinstance(error, _Unfit):
        key = ".".join((*path, error.name) if error.name else path)
        secret = key in ("mqtt.password", "push.ntfy_token") or error.value == ""
        yield f"{key}{'' if secret else ' = ' + _shown(error.value)}: {error.fix}."
    else:
        yield f"{'.'.join(path)}: give a table of settings."


def _shown(value: object) -> str:
    try:
        shown = "true" if value is True else "false" if value is False else repr(value)
    except ValueError:
        return "a number of thousands of digits"
    shown = re.sub(r"//[^/@]*@", "//…@", shown)  # a login pasted with an address is not repeated
    return shown if len(shown) <= 60 else shown[:57] + "..."
