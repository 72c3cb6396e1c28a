"""The door's own package: the file that was given, the one that lies beside the checkout, or one made from it now."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import doorbell
from doorbell.errors import DeviceError, Mistake

LARGEST: Final = 64 * 1024 * 1024
_MAGIC: Final = b"!<arch>\ndebian-binary"


def package(given: Path | None) -> tuple[str, bytes]:
    """Its name on the card, and its bytes. Raises Mistake, DeviceError."""
    file = given or _made()
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        raise Mistake(f"The package {file} cannot be read ({error.strerror}): make one with `make deb`.") from None
    if not data.startswith(_MAGIC) or len(data) > LARGEST:
        raise Mistake(f"{file.name} is no Debian package: give the doorbell_…_all.deb that `make deb` makes.")
    return f"doorbell_{doorbell.__version__}_all.deb" if given is None else _name(file), data


def _name(file: Path) -> str:
    if not (file.name.startswith("doorbell_") and file.name.endswith("_all.deb") and file.name.isascii()):
        raise Mistake(f"{file.name} is not this door's package: its name is doorbell_VERSION_all.deb.")
    return file.name


def _made() -> Path:
    top = Path(doorbell.__file__).resolve().parents[1]
    recipe = top / "packaging" / "build-deb"
    if not recipe.exists():
        raise Mistake("The door's package is not here: give it with --deb (from a checkout, `make deb` makes it).")
    try:
        done = subprocess.run([recipe], capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired):
        raise DeviceError("packaging/build-deb does not run: give the package with --deb.") from None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise DeviceError(f"The package cannot be made here ({why[:120]}): give one with --deb, or install dpkg.")
    return Path(done.stdout.strip().splitlines()[-1])
