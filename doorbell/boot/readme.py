"""The plain text that the door leaves on its boot volume: what is wrong and what to do, for a person with a computer.

Pure. It is made of sentences of ours alone: no password, no key, no name of a network, nothing that came from outside
but the owner's own settings' names. It holds no time of day, so it is written only when something changed.
"""

from __future__ import annotations

from textwrap import fill
from typing import Final

from attrs import frozen

NAME: Final = "DOORBELL-READ-ME.txt"
WIDTH: Final = 76

ASLEEP: Final = (
    "The door's program has not started, or has stopped. Give it power for 20 minutes: the first start installs "
    "it, and needs internet. If this stays, write the card again with `doorbell card`."
)
DIED: Final = (
    "The door's program died three times in five minutes, so it only rings its own chime for ten minutes, and then "
    "tries again. If this stays, look at its log: journalctl -u doorbell."
)
NO_WIFI: Final = (
    "The door has had no Wi-Fi for ten minutes. Is the router on, and in reach of the door? Is the name of the network "
    "right, and the password, and the country? To change them, put this card into your computer and run "
    "`doorbell card --boot` once more: it keeps clips and pairing."
)
NO_NETWORK: Final = (
    "The door has had no network for ten minutes: the cable is loose, or the router gives it no address. It has no "
    "Wi-Fi; for one, put this card into your computer and run `doorbell card --boot` once more."
)
NO_BROKER: Final = (
    "The door has not reached its broker for ten minutes, though it has a network. Does the broker run? Are mqtt.host "
    "and mqtt.port in doorbell/doorbell.toml right, its certificate, the door's login and password? Mend the file here "
    "and put the card back; for a new password run `doorbell card --boot` once more. At the door `doorbell doctor` "
    "looks closer."
)
WELL: Final = "All is well."
_HEAD: Final = "This is your doorbell speaking. It writes this file when something changes; you may delete it."
_RINGS: Final = (
    "Whatever stands above: the button rings the door's own chime. While the settings cannot be read the LED flashes "
    "briefly every two seconds (bell-only), and no phone rings."
)


@frozen
class Seen:
    """What is known now. ``wrong`` and ``notes`` are sentences; what is away has been so long enough to be told."""

    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    runs: bool = True
    died: bool = False
    no_network: bool = False
    has_wifi: bool = False
    no_broker: bool = False


def text(seen: Seen) -> str:
    """The whole file, with the line ends that every system's editor shows."""
    parts = [_HEAD, *(_found(one) for one in seen.wrong)]
    if not seen.runs:
        parts.append(ASLEEP)
    elif seen.died:
        parts.append(DIED)
    if seen.no_network:
        parts.append(NO_WIFI if seen.has_wifi else NO_NETWORK)
    elif seen.no_broker:
        parts.append(NO_BROKER)
    if len(parts) == 1:
        parts.append(WELL)
    else:
        parts.append(_RINGS)
    parts.extend(seen.notes)
    wrapped = (
        fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in parts
        for line in [*part.splitlines(), ""]
    )
    return "\r\n".join("\n".join(wrapped).rstrip("\n").split("\n")) + "\r\n"


def _found(sentence: str) -> str:
    return f"TO MEND: {sentence}"
