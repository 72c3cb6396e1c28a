"""The demo's folder: an owner key, the door's configuration, the door's card, and what the owner opens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from doorbell.errors import DeviceError, Mistake
from doorbell.owner.identity import Identity, write_identity
from doorbell.scene import DEFAULT_ZONE

DOOR = "demo"
LINGER_S = 4.0
"""Shorter than at a real door, so that the clip is kept soon after the visitor has gone."""


@frozen
class Folder:
    """Where everything of one demo lies; ``path`` was made by ``make`` and stays."""

    path: Path

    @property
    def key(self) -> Path:
        return self.path / "owner-key.txt"

    @property
    def config(self) -> Path:
        return self.path / "doorbell.toml"

    @property
    def log(self) -> Path:
        return self.path / "door.log"

    @property
    def clips(self) -> Path:
        """The sealed clips on the door's card."""
        return self.path / "door" / "clips"

    def sealed(self, number: int) -> Path:
        return self.path / f"visit-{number}.mp4.age"

    def opened(self, number: int) -> Path:
        return self.path / f"visit-{number}.mp4"

    def still(self, number: int) -> Path:
        return self.path / f"visit-{number}.jpg"

    def poster(self, number: int) -> Path:
        return self.path / f"poster-{number}.jpg"


def make(path: Path | None, now: datetime) -> tuple[Folder, Identity]:
    """A new folder (0700) with a new owner key in it; raises Mistake where there is one or none can be made."""
    chosen = path or Path(f"demo-{now:%Y%m%d-%H%M%S}")
    try:
        chosen.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise Mistake(f"{chosen} exists: name a new folder with --folder, or move that one away.") from None
    except OSError as error:
        raise Mistake(f"{chosen} cannot be made ({error.strerror}): name another place with --folder.") from None
    folder = Folder(chosen.absolute())
    identity = Identity.make()
    write_identity(folder.key, identity, now.astimezone(UTC))
    return folder, identity


def write_config(folder: Folder, identity: Identity, runtime: Path, port: int) -> None:
    """The configuration of a door with simulated pins that films the invented street and watches its own path."""
    tables: dict[str, dict[str, Any]] = {
        "door": {
            "id": DOOR,
            "name": "Demo door",
            "state": str(folder.path / "door"),
            "runtime": str(runtime),
        },
        "keys": {"recipients": [str(identity.recipient)]},
        "pins": {"kind": "simulated"},
        "camera": {"source": "scene"},
        "motion": {"zones": [[list(corner) for corner in DEFAULT_ZONE]]},
        "visit": {"linger_s": LINGER_S},
        "storage": {"quota_mb": 256},
        "mqtt": {"host": "127.0.0.1", "port": port, "tls": "off"},
    }
    # A JSON string, number or list is TOML as well, but for the code point that only JSON leaves bare.
    lines = [
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    ]
    try:
        folder.config.touch(0o600)
        folder.config.write_text("\n".join(lines).replace("\x7f", "\\u007f"), encoding="utf-8")
    except OSError as error:
        raise DeviceError(f"{folder.config} cannot be written ({error.strerror}): free some space.") from None
