"""What a door says and does before its program is installed: a text on the boot volume, and a bell.

The first boot needs a network, and one that has none would be a dead thing on the wall otherwise.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from doorbell import configfile
from doorbell.boot import readme
from doorbell.card.wishes import Wishes
from doorbell.debounce import STABLE_S
from doorbell.senses.pins import BLINKS, LED_TROUBLE

FOLDER: Final = "/usr/local/lib/doorbell"
BELL: Final = f"{FOLDER}/first-bell.py"
BELL_UNIT: Final = "doorbell-first-bell.service"

_CANNOT: Final = "The door cannot install its program yet:"
_UNTIL: Final = (
    "It tries again by itself every minute or two. Until then the LED flashes briefly every two seconds, and no phone "
    "rings."
)
_CHANGE: Final = "put this card into your computer and run `doorbell card --boot` once more."
NO_WIFI: Final = (
    f"{_CANNOT} it is not in its Wi-Fi. Is the router on, and in reach of the door? Are the name of the network, the "
    f"password and the country right? To change them, {_CHANGE} {_UNTIL}"
)
NO_CABLE: Final = (
    f"{_CANNOT} it has no network. The cable is loose, or the router gives it no address. It knows of no Wi-Fi; for "
    f"one, {_CHANGE} {_UNTIL}"
)
NO_SERVER: Final = (
    f"{_CANNOT} it has a network, but what it needs could not be fetched and installed. Does the router reach the "
    "internet? The system's package servers may be away for a while; or the card has less than 8 GB and is full. "
    f"{_UNTIL}"
)
NO_PACKAGE: Final = (
    f"{_CANNOT} doorbell_VERSION_all.deb in the folder doorbell on this card is missing or damaged. To mend it, "
    f"{_CHANGE} {_UNTIL}"
)


def texts(wishes: Wishes) -> dict[str, str]:
    """What first-boot.sh leaves on the boot volume, by the name under which it knows them."""
    network = NO_CABLE if wishes.wifi is None else NO_WIFI
    told = {"no-network": network, "no-server": NO_SERVER, "no-package": NO_PACKAGE}
    return {f"{FOLDER}/{name}.txt": readme.text(readme.Seen(wrong=(said,))) for name, said in told.items()}


def bell(wishes: Wishes) -> dict[str, str]:
    """The bell's script and unit, path to text; nothing where this door has no button on a pin."""
    pins = configfile.structure({"pins": wishes.settings.get("pins", {})}).pins
    if pins.kind != "gpio" or not pins.button:
        return {}
    lit, dark = BLINKS[LED_TROUBLE]
    numbers = (
        f"--button {pins.button} --chime {pins.chime} --led {pins.led} --chime-s {pins.chime_ms / 1000:g} "
        f"--stable {STABLE_S:g} --flash {lit:g} {dark:g}"
    )
    script = files("doorbell.card").joinpath("first_bell.py").read_text(encoding="utf-8")
    return {
        BELL: script,
        f"/etc/systemd/system/{BELL_UNIT}": _UNIT.format(command=f"/usr/bin/python3 {BELL} {numbers}"),
    }


_UNIT: Final = """\
[Unit]
Description=The doorbell's bell, until its program is installed
# The pins are one program's: the start of the door ends this first.
Conflicts=doorbell.service
Before=doorbell.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
Restart=on-failure
RestartSec=10
# lgpio makes a pipe file in its working directory.
RuntimeDirectory=doorbell-first-bell
WorkingDirectory=%t/doorbell-first-bell
Environment=GPIOZERO_PIN_FACTORY=lgpio PYTHONDONTWRITEBYTECODE=1
# Root, for the door's user is not there yet; of what root may do it needs nothing.
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateNetwork=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
DevicePolicy=closed
DeviceAllow=char-gpiochip rw
"""
