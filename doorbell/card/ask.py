"""Asks the owner for what the options did not say. Passwords come from a prompt or a file, never from the command line:
there every user of the computer could read them, and the shell's history keeps them."""

from __future__ import annotations

import os
import re
import secrets as randomness
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click
from attrs import frozen

from doorbell.card import proof
from doorbell.card.wishes import ZONE, Broker, Wifi, Wishes, broker
from doorbell.errors import Mistake
from doorbell.owner.identity import Identity
from doorbell.salvage import WIRED

_SECRETS: Final = ("wifi_password", "broker_password")
_MOST_FILE: Final = 256 * 1024
CHOSEN: Final = 4
"""Words that are asked for where the whole list is not."""


@frozen
class Told:
    """The options as they were given; None or empty: not given."""

    door: str | None
    name: str | None
    wifi: str | None
    country: str | None
    wpa3: bool
    hidden: bool
    ethernet: bool
    broker: str | None
    no_broker: bool
    login: str | None
    ca: Path | None
    pin: str | None
    timezone: str | None
    ssh_key: Path | None
    secrets: Path | None
    settings: Path | None
    no_updates: bool
    may_ask: bool


def wishes(told: Told) -> Wishes:
    """Options, then questions; raises Mistake for what is wrong or, where nobody may be asked, missing."""
    secrets = _secrets(told.secrets)
    door = _text(told, told.door, "--door", "The door's id, part of every topic", "front")
    name = _text(told, told.name, "--name", "Its name, for people", "Front door")
    wifi = _wifi(told, secrets)
    found = _broker(told, secrets, door)
    if left := sorted(set(secrets) - _used(wifi, found)):
        raise Mistake(f"{left[0]} stands in the secrets, but there is no use for it: check --wifi and --login.")
    return Wishes(
        door, name, wifi, found, _zone(told.timezone) or _zone_here(), _public_key(told.ssh_key), not told.no_updates,
        _toml(told.settings) if told.settings else {},
    )  # fmt: skip


FITTED: Final = {
    "chime": (WIRED["chime"], "Is a chime wired (a relay or a buzzer, GPIO22, pin 15)?"),
    "led": (WIRED["led"], "An LED, or the button's ring (GPIO23, pin 16)?"),
    "pir": (27, "A motion sensor, PIR (GPIO27, pin 13)?"),
}
"""The parts beside the button, as BCM numbers where the pin map has them (hardware/pins.toml), and the question."""


def parts(settings: dict[str, dict[str, Any]], fitted: set[str], *, given: bool, may_ask: bool) -> dict[str, Any]:
    """*settings* with the pins of what is *fitted*, by option or by answer: a part that nobody names stays silent.

    Of a part whose pin they name already nothing is asked. *given*: they are the owner's file, which no option may
    contradict; else those of a card of before. Raises Mistake.
    """
    if not isinstance(settings.get("pins", {}), dict):
        return settings  # refused with the other settings
    pins = dict(settings.get("pins", {}))
    may_ask = may_ask and pins.get("kind", "gpio") == "gpio"
    for part, (bcm, question) in FITTED.items():
        if part in fitted and given and part in pins:
            raise Mistake(f"--{part}, and pins.{part} in --settings: give one of them.")
        if part in fitted:
            pins[part] = pins.get(part) or bcm
        elif part not in pins and may_ask:
            pins[part] = bcm if click.confirm(question, default=False) else 0
    return {**settings, "pins": pins} if pins else settings


def _used(wifi: Wifi | None, found: Broker | None) -> set[str]:
    used = {"wifi_password"} if wifi is not None else set()
    return used | {"broker_password"} if found is not None and found.login else used


def _wifi(told: Told, secrets: dict[str, str]) -> Wifi | None:
    if told.ethernet:
        if told.wifi:
            raise Mistake("Give --wifi or --ethernet, not both: a cable is used whenever one is plugged in.")
        return None
    ssid = told.wifi
    if ssid is None and told.may_ask:
        ssid = click.prompt("Wi-Fi name (empty: the door has a cable)", default="", show_default=False)
        if not ssid:
            return None
    if not ssid:
        raise Mistake("Give --wifi NAME, or --ethernet for a door with a cable.")
    country = _text(told, told.country, "--country", "Country of the Wi-Fi, two letters", "")
    password = _secret(told, secrets, "wifi_password", "Wi-Fi password")
    return Wifi(ssid, password, _country(country.upper()), told.wpa3, told.hidden)


def _broker(told: Told, secrets: dict[str, str], door: str) -> Broker | None:
    url = told.broker
    if told.no_broker:
        if url:
            raise Mistake("Give --broker or --no-broker, not both.")
        return None
    if url is None and told.may_ask:
        url = click.prompt("Broker, mqtts://HOST (empty: the door rings no phone)", default="", show_default=False)
        if not url:
            return None
    if not url:
        raise Mistake("Give --broker mqtts://HOST, or --no-broker for a door that rings nothing but its chime.")
    login = told.login if told.login is not None else door
    password = _secret(told, secrets, "broker_password", f"Password of the login {login} there") if login else ""
    ca = _read(told.ca).decode("utf-8", "replace") if told.ca else ""
    return broker(url, login, password, ca=ca, pin=told.pin or "")


def _text(told: Told, given: str | None, option: str, question: str, default: str) -> str:
    if given is not None:
        return given
    if told.may_ask:
        answer: str = click.prompt(question, default=default or None)
        return answer
    if default:
        return default
    raise Mistake(f"{option} is missing: {question[0].lower()}{question[1:]}.")


def _secret(told: Told, secrets: dict[str, str], key: str, question: str) -> str:
    if key in secrets:
        return secrets[key]
    if told.may_ask:
        answer: str = click.prompt(question, hide_input=True)
        return answer
    raise Mistake(f'{question}: put a line {key} = "…" into a file that only you may read, and give it with --secrets.')


def _secrets(file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    try:
        status = file.stat()
    except OSError:
        status = None
    if status is not None and stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
        raise Mistake(f"Others may read {file}, and it holds passwords: run `chmod 600 {file}`.")
    table = _toml(file)
    wrong = sorted(key for key, value in table.items() if key not in _SECRETS or not isinstance(value, str))
    if wrong:
        raise Mistake(f"{file} may hold the lines {' and '.join(_SECRETS)}, each with a text in quotes, nothing else.")
    return table


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(file).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Mistake(f"{file} is no UTF-8 text: save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        # TOML's own words name line and column, and at most one sign of the text.
        raise Mistake(f"{file} is no TOML ({str(error)[:80]}): mend that line.") from None


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_FILE + 1)
    except OSError as error:
        raise Mistake(f"{file} cannot be read ({error.strerror}): check its name and rights.") from None
    if len(data) > _MOST_FILE:
        raise Mistake(f"{file} is larger than {_MOST_FILE // 1024} KiB: that is another file.")
    return data


def _public_key(file: Path | None) -> str:
    if file is None:
        return ""
    text = _read(file).decode("utf-8", "replace").strip()
    if "PRIVATE KEY" in text:
        raise Mistake(f"{file} is a private key: give the file beside it that ends in .pub.")
    return text


ZONES: Final = Path("/usr/share/zoneinfo")
"""What Debian's tzdata knows; where it is not installed, the shape of a name alone is looked at."""


def _zone(given: str | None) -> str | None:
    """A name that is none would stop the card's first start half-way. Raises Mistake."""
    if given and ZONE.fullmatch(given) and ZONES.is_dir() and not (ZONES / given).is_file():
        raise Mistake(f"There is no time zone {given}: give one such as Europe/Berlin, `timedatectl list-timezones`.")
    return given


def _country(given: str) -> str:
    """A country that is none leaves the radio off, at a door without a screen. Raises Mistake."""
    with suppress(OSError):
        known = (ZONES / "iso3166.tab").read_text(encoding="utf-8").splitlines()
        if re.fullmatch("[A-Z]{2}", given) and not any(line.startswith(f"{given}\t") for line in known):
            raise Mistake(f"There is no country {given}: --country is where the Wi-Fi stands, as DE, GB or US.")
    return given


def _zone_here() -> str:
    """This computer's time zone, as its /etc/localtime names it."""
    found = re.search(r"zoneinfo/(?:posix/|right/)?(.+)$", os.path.realpath("/etc/localtime"))
    return found[1] if found else "Etc/UTC"


# ---- the proof


def prove(test: proof.Test, identity: Identity, how: str) -> None:
    """Have the test clip opened: with all ``words`` typed, with ``some`` of them, or with the ``file`` alone.

    Asked again after a mistake; Ctrl-C ends it, and nothing was written then.
    """
    while how != "file":
        try:
            if how == "words":
                proof.opens_with_words(test, click.prompt("The 24 words, from your paper, in one line"))
            else:
                places = sorted(randomness.SystemRandom().sample(range(1, 25), CHOSEN))
                proof.opens_with_some(test, identity, places, [click.prompt(f"Word {place}") for place in places])
        except Mistake as mistake:
            click.echo(f"  {mistake}")
        else:
            return
    proof.opens(test, identity)
