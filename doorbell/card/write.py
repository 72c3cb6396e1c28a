"""Puts a card's contents onto its boot volume, and reads every byte back."""

from __future__ import annotations

from collections.abc import Callable

from doorbell.card import manifest, seed
from doorbell.card.contents import FOLDER, Card
from doorbell.card.volume import Volume
from doorbell.errors import DeviceError

Said = Callable[[str], None]
"""Told the path of each file as it is written, and again as it is read back."""


def door_on(volume: Volume) -> str:
    """The door whose card this is already; empty where there is none, or it was in its door and is clean."""
    text = volume.read(manifest.NAME)
    return manifest.door_of(text) if text else ""


def put(volume: Volume, card: Card, said: Said) -> None:
    """Write it, over what an earlier card of ours left. Raises DeviceError.

    meta-data comes last: cloud-init begins a first boot when its instance is new, so a card that was pulled too early
    begins none with half of what it needs.
    """
    _sweep(volume, card)
    for path in sorted(card.files, key=lambda path: (path == seed.META, path)):
        said(path)
        volume.write(path, card.files[path])
    for path, data in sorted(card.files.items()):
        said(path)
        if volume.read(path) != data:
            raise DeviceError(
                f"{path} reads back other than it was written: the card is worn or was pulled, try another."
            )


def _sweep(volume: Volume, card: Card) -> None:
    """Another package, another login: what an earlier card had in our folder and this one has not."""
    for name in volume.names(FOLDER):
        path = f"{FOLDER}/{name}"
        if path not in card.files:
            volume.remove(path)
