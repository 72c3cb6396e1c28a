"""What system a boot volume starts: only a Raspberry Pi OS that sets itself up by cloud-init can become a door."""

from __future__ import annotations

import re
from typing import Final

from doorbell.card import seed
from doorbell.card.volume import Volume
from doorbell.errors import Mistake

_NEEDED: Final = ("config.txt", "cmdline.txt")
CMDLINE: Final = "cmdline.txt"
_TAKE: Final = "Take Raspberry Pi OS Lite (64-bit) of October 2025 or later, which is Debian 13 (Trixie)."


def recognised(volume: Volume) -> str:
    """What was found, and what of it is best effort. Raises Mistake with the reason, DeviceError."""
    names = {name.lower() for name in volume.names("")}
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise Mistake(f"This is not a Raspberry Pi's boot volume: {', '.join(missing)} is not there. {_TAKE}")
    issue = (volume.read("issue.txt") or b"").decode("utf-8", "replace")
    if "Raspberry Pi reference" not in issue:
        raise Mistake(f"This starts another system than Raspberry Pi OS (its issue.txt does not say so). {_TAKE}")
    dated = re.search(r"\d{4}-\d{2}-\d{2}", issue)
    found = f"Raspberry Pi OS of {dated[0]}" if dated else "Raspberry Pi OS"
    if not {seed.USER, seed.META} <= names:
        raise Mistake(f"This {found} has no cloud-init, so it cannot set itself up: it is too old. {_TAKE}")
    if not any(name.startswith(("kernel", "vmlinuz")) for name in names):
        raise Mistake("This boot volume has no kernel: it is damaged. Write the image to the card anew.")
    if "kernel8.img" not in names:
        return f"{found}, for the 32-bit Pi Zero W: best effort, it films smaller"
    return found


def command_line(text: bytes, instance: str, country: str) -> bytes:
    """cmdline.txt with our instance in place of the one that Raspberry Pi Imager may have put there.

    cloud-init believes the kernel's command line before meta-data, so an ``i=`` of before would keep the new first boot
    from happening. The radio's country stands here too, where the kernel reads it before anything is installed.
    """
    line = " ".join(text.decode("utf-8", "replace").split())
    line = re.sub(r"(?<=;)i=[^\s;]+", f"i={instance}", line)
    if country:
        line = re.sub(r"\s?cfg80211\.ieee80211_regdom=\S*", "", line) + f" cfg80211.ieee80211_regdom={country}"
    return line.strip().encode() + b"\n"
