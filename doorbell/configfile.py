"""TOML text to a frozen Config, or a ConfigError that names the key, the value and the fix.

The schema is closed: an unknown key is an error, because a misspelt privacy setting that is silently ignored is
worse than a door that says so. What each setting may be stands in config.py.

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
from functools import cache, partial
from operator import eq
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from attrs import asdict, evolve
from attrs import fields as attrs_fields

from doorbell import schedule
from doorbell.clips.recipient import Recipient
from doorbell.config import (
    Camera,
    Config,
    Door,
    Keys,
    Motion,
    PinKind,
    Privacy,
    RecordOn,
    Sensitivity,
    Tls,
    Unfit,
    Visit,
)
from doorbell.errors import ConfigError, Mistake
from doorbell.vision.polygons import Polygon, parse_polygons

if TYPE_CHECKING:
    import cattrs

LARGEST = 256 * 1024
"""A configuration file is at most this many bytes; a larger one is no configuration."""
_NAME = re.compile(r"[a-z0-9_-]{1,40}")
"""What a misspelt setting looks like; anything else in its place may be a value that slipped."""


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
            why = f"pins.{taken[number]} uses this pin too; give each its own."
            raise ConfigError(f"pins.{name} = {number}: {why}", f"pins.{name}: {why}")
        taken[number] = name
    mqtt = config.mqtt
    if mqtt.tls == "pin" and not mqtt.pin_sha256:
        raise ConfigError('mqtt.tls = "pin": give mqtt.pin_sha256, the certificate\'s SHA-256 as 64 hex digits.')
    if mqtt.password and mqtt.password_file:
        raise ConfigError("mqtt.password_file: mqtt.password is set too; give one of them.")
    if mqtt.password and not mqtt.username:
        raise ConfigError("mqtt.password is set without mqtt.username: give the login's name too.")
    if config.visit.linger_s > config.visit.longest_s:
        why = "longer than visit.longest_s; give at most that."
        raise ConfigError(f"visit.linger_s = {config.visit.linger_s:g}: {why}", f"visit.linger_s: {why}")
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
            raise Unfit("", value, f"give {words}")
        return value

    return structure


def _choice(value: object, kind: Any) -> Any:  # noqa: ANN401
    if value not in get_args(kind):
        *others, last = (f'"{choice}"' for choice in get_args(kind))
        raise Unfit("", value, f"give {', '.join(others)} or {last}")
    return value


def _recipients(value: object, _: type) -> tuple[Recipient, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or len(value) > 16:
        raise Unfit("", "", 'give a list of at most 16 texts that begin with "age1"')
    found = []
    for one in value:
        try:
            found.append(Recipient.parse(one))
        except Mistake as mistake:
            # The value may be a private key pasted by mistake: it is never repeated.
            raise Unfit("", "", str(mistake).removesuffix(".")) from None
    if len(set(found)) != len(found):
        raise Unfit("", "", "each recipient may stand in the list once")
    return tuple(found)


def _polygons(value: object, _: type) -> tuple[Polygon, ...]:
    try:
        return parse_polygons(value)
    except Mistake as mistake:
        raise Unfit("", "", str(mistake).removesuffix(".")) from None


def _schedule(value: object, _: type) -> tuple[str, ...]:
    try:
        return schedule.checked(value)
    except Mistake as mistake:
        raise Unfit("", "", str(mistake)) from None


@cache
def _converter() -> cattrs.Converter:
    # Kept (0.1 MB): making one compiles a function for each table, 30 ms here and ten times that on a Zero.
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
        with_value, bare = zip(*_sentences(error, ()), strict=True)
        raise ConfigError("\n".join(with_value), "\n".join(bare)) from None


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


def _sentences(error: BaseException, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each mistake as a sentence with its value, and without."""
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
            why = f"no such setting; known here: {', '.join(known)}."
            name = key if _NAME.fullmatch(str(key)) else "a name in quotes"
            yield f"{'.'.join((*path, str(key)))[:80]}: {why}", f"{'.'.join((*path, str(name)))}: {why}"
    elif isinstance(error, Unfit):
        key = ".".join((*path, error.name) if error.name else path)
        secret = key in ("mqtt.password", "push.ntfy_token") or error.value == ""
        without = f"{key}: {error.fix}."
        yield without if secret else f"{key} = {_shown(error.value)}: {error.fix}.", without
    else:
        without = f"{'.'.join(path)}: give a table of settings."
        yield without, without


def _shown(value: object) -> str:
    try:
        shown = "true" if value is True else "false" if value is False else repr(value)
    except ValueError:
        return "a number of thousands of digits"
    shown = re.sub(r"//[^/@]*@", "//…@", shown)  # a login pasted with an address is not repeated
    return shown if len(shown) <= 60 else shown[:57] + "..."
