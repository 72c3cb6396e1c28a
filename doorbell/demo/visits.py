"""A kept clip, fetched from the door's card and opened into the demo's folder as its owner would."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import av
from attrs import frozen

from doorbell.demo import pictures
from doorbell.demo.folder import DOOR, Folder
from doorbell.demo.household import Ring
from doorbell.errors import DamagedError, DeviceError
from doorbell.owner.identity import Identity
from doorbell.owner.remux import remux
from doorbell.owner.unseal import unseal


@frozen
class Visit:
    """One opened clip, with what the checks need of it; ``created`` is its own creation time, seconds since 1970."""

    number: int
    film: pictures.Film
    created: float
    seconds: float
    journalled_s: float
    journalled_sha256: str
    found_sha256: str


def fetch(folder: Folder, identity: Identity, number: int, entry: Mapping[str, Any], rings: Sequence[Ring]) -> Visit:
    """The clip that a journal *entry* of kind clip names, as visit-*number*: sealed, opened, and a still.

    The still is the picture at the first of *rings* that falls into the clip, else the middle one. Raises DamagedError
    for a clip that does not open or decode, DeviceError for one that cannot be read or written.
    """
    sealed, opened = folder.sealed(number), folder.opened(number)
    draft = opened.with_suffix(".draft")
    try:
        shutil.copyfile(folder.clips / f"{entry['id']}.mp4.age", sealed)
        with sealed.open("rb") as source, draft.open("wb") as out:
            out.writelines(unseal([identity], source))
        seconds = remux(draft, opened)
        found = hashlib.sha256(sealed.read_bytes()).hexdigest()
    except OSError as error:
        raise DeviceError(f"Visit {number} cannot be written to the demo's folder ({error.strerror}).") from None
    finally:
        draft.unlink(missing_ok=True)
    created = created_at(opened)
    within = [ring.wall - created for ring in rings if 0 <= ring.wall - created <= seconds + 1]
    film = pictures.watch(opened, within[0] if within else seconds / 2, folder.still(number))
    return Visit(number, film, created, seconds, float(entry["seconds"]), str(entry["sha256"]), found)


def created_at(clip: Path) -> float:
    """When the clip says that it was begun, in seconds since 1970; raises DamagedError for one that does not say."""
    with av.open(str(clip)) as video:
        when, about = video.metadata.get("creation_time", ""), video.metadata.get("comment", "")
    try:
        door, created = json.loads(about)["door"], datetime.fromisoformat(when).timestamp()
    except (ValueError, KeyError, TypeError):
        raise DamagedError(f"{clip.name} does not say when it was made, and by which door.") from None
    if door != DOOR:
        raise DamagedError(f"{clip.name} says that another door made it.")
    return created
