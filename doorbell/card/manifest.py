"""The list of what was written onto a card, with checksums, as ``sha256sum --check`` reads it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

NAME: Final = "doorbell/MANIFEST"
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]{1,200})")
_HEAD: Final = (
    "# What `doorbell card` wrote here, with SHA-256. Check it from this volume's top folder:\n"
    "#     sha256sum --check doorbell/MANIFEST\n"
    "# It goes away with the secrets at the first boot: the checksum of a short password gives the password away.\n"
)


def written(files: Mapping[str, bytes], door: str, instance: str) -> bytes:
    """Of *files* by their paths on the volume; the manifest itself is not among them."""
    lines = [f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())]
    return (_HEAD + f"# door {door}, instance {instance}\n" + "".join(lines)).encode()


def read(text: bytes) -> dict[str, str]:
    """Path to SHA-256; lines of another shape are skipped."""
    found = (_LINE.fullmatch(line) for line in text.decode("utf-8", "replace").splitlines())
    return {one[2]: one[1] for one in found if one}


def door_of(text: bytes) -> str:
    """Which door a manifest is for; empty where it does not say."""
    found = re.search(rb"(?m)^# door ([a-z0-9-]{1,32}), instance ", text)
    return found[1].decode() if found else ""
