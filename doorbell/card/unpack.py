"""An image, packed by xz or not, to a new file of our own: the original is only read."""

from __future__ import annotations

import lzma
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from doorbell.errors import DeviceError, Mistake

LARGEST: Final = 64 * 1000**3
"""Bytes of an image; Raspberry Pi OS Lite has 3 GB."""
PIECE: Final = 1024 * 1024
_XZ: Final = b"\xfd7zXZ\x00"

Progress = Callable[[int, int], None]
"""Told the bytes read of the original, and how many it has."""


@contextmanager
def unpacked(image: Path, out: Path, progress: Progress) -> Iterator[Path]:
    """The image's contents in a file beside *out*, which takes *out*'s name when the block ends well, else goes away.

    Raises Mistake for an original that is no file, cut short or damaged; DeviceError where the disk does not take it.
    """
    part = out.with_name(out.name + ".part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise DeviceError(f"{part} cannot be made ({error.strerror}): choose another --out.") from None
    try:
        with os.fdopen(descriptor, "wb") as target:
            _copy(image, target, progress)
            target.flush()
            os.fsync(target.fileno())
        yield part
        with part.open("rb+") as whole:
            os.fsync(whole.fileno())
        part.replace(out)
    except OSError as error:
        raise DeviceError(f"{part} cannot be written ({error.strerror}): free some space, or another --out.") from None
    finally:
        part.unlink(missing_ok=True)


def beginning(image: Path, most: int) -> bytes:
    """The first bytes of what is in the image: enough to refuse it before anybody waits. Raises Mistake."""
    try:
        with image.open("rb") as source:
            packed = source.read(len(_XZ)) == _XZ
            source.seek(0)
            reader = _reader(source, packed=packed)
            return reader.read(most)
    except FileNotFoundError:
        raise Mistake(f"There is no image {image}: give the .img.xz that you downloaded.") from None
    except EOFError:
        raise Mistake(f"{image.name} is cut short: download it again.") from None
    except lzma.LZMAError:
        raise Mistake(f"{image.name} is damaged: download it again.") from None
    except OSError as error:
        raise Mistake(f"{image} cannot be read ({error.strerror}): give the .img.xz that you downloaded.") from None


def _reader(source: IO[bytes], *, packed: bool) -> IO[bytes] | lzma.LZMAFile:
    # What it holds is closed with the source.
    return lzma.LZMAFile(source) if packed else source


def _copy(image: Path, target: IO[bytes], progress: Progress) -> None:
    beginning(image, 1)
    with image.open("rb") as source:
        length = os.fstat(source.fileno()).st_size
        packed = source.read(len(_XZ)) == _XZ
        source.seek(0)
        reader = _reader(source, packed=packed)
        written = 0
        try:
            while piece := reader.read(PIECE):
                written += len(piece)
                if written > LARGEST:
                    raise Mistake(f"{image.name} holds more than {LARGEST // 1000**3} GB: that is no card's image.")
                _put(target, piece, whole=written)
                progress(source.tell(), length)
        except EOFError:
            raise Mistake(f"{image.name} is cut short: download it again.") from None
        except lzma.LZMAError:
            raise Mistake(f"{image.name} is damaged, or is not packed by xz: download it again.") from None


def _put(target: IO[bytes], piece: bytes, *, whole: int) -> None:
    """Zeros are left out: an image is half empty, and its file then takes half the room."""
    if piece.count(0) == len(piece):
        target.truncate(whole)
        target.seek(whole)
    else:
        target.write(piece)
