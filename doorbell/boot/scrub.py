"""Takes the Wi-Fi key out of every copy that cloud-init keeps once the network stands.

cloud-init leaves what it read in /var/lib/cloud (as it came, merged, and pickled), in /run/cloud-init and in its log.
Rather than trust a list of today's places, every file there is searched for the secret itself. What must stay is the
network's own file, readable by root alone: the door needs it to connect.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from doorbell.boot import files
from doorbell.boot.places import Places
from doorbell.card import seed

SEARCHED: Final = ("var/lib/cloud", "run/cloud-init", "var/log")
_LOGS: Final = "cloud-init*"
_MOST_FILES: Final = 5000
_MOST_BYTES: Final = 16 * 1024 * 1024
_LEFT: Final = seed.NETWORK_LEFT.encode()
_SECRET: Final = re.compile(rb'"password": ("(?:[^"\\]|\\.)*")')


def scrub(places: Places) -> list[str]:
    """Wipe the key from the boot volume and from cloud-init's copies; the files that were wiped. Raises OSError.

    Only when this card's first boot is over: before that cloud-init has not read it yet.
    """
    if not _is_over(places):
        return []
    boot = places.boot / seed.NETWORK
    secrets = _secrets(files.read(boot) or b"")
    if not secrets:
        return []
    wiped = []
    for path in _files(places):
        if any(secret in data for data in [_data(path)] for secret in secrets):
            files.wipe(path)
            wiped.append(str(path))
    # Last: as long as the key stands here, a scrub that was cut short by the power is begun again.
    files.wipe_then_put(boot, _LEFT)
    return [*wiped, str(boot)]


def _is_over(places: Places) -> bool:
    """Whether cloud-init has ended, and what it carried out was the meta-data that lies on the boot volume now."""
    wanted = seed.instance_of(files.read(places.boot / seed.META) or b"")
    done = (files.read(places.root / "var/lib/cloud/data/instance-id") or b"").decode("utf-8", "replace").strip()
    return bool(wanted) and wanted == done and (places.root / "run/cloud-init/result.json").exists()


def _secrets(network: bytes) -> list[bytes]:
    """The passwords in our network-config, as every copy of them may be spelt."""
    found: list[bytes] = []
    for quoted in _SECRET.findall(network):
        plain = json.loads(quoted).encode()
        found += [plain, quoted.strip(b'"')]
    return [one for one in found if one]


def _files(places: Places) -> list[Path]:
    found: list[Path] = []
    for top in SEARCHED:
        folder = places.root / top
        some = folder.glob(_LOGS) if top == "var/log" else folder.rglob("*")
        for path in some:
            if path.is_file() and not path.is_symlink():
                found.append(path)
            if len(found) >= _MOST_FILES:
                return found
    return found


def _data(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)
