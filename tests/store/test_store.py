"""A clip on its way to the card, with the card failing at every call."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import stat
from pathlib import Path

import pytest
from card import Card

from doorbell.clips.store import MOST_POSTER, SYNC_EVERY, Part, keep_poster, prepare
from doorbell.errors import DeviceError

CLIP = "a" * 26


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return prepare(tmp_path / "state")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_kept_clip_is_whole_named_and_private(folder: Path) -> None:
    part = Part(folder, CLIP, Clock())
    part.write(b"one")
    assert names(folder) == [CLIP + ".part"]
    part.write(b"two")
    assert part.keep() == (6, hashlib.sha256(b"onetwo").hexdigest())
    assert names(folder) == [CLIP + ".mp4.age"]
    path = folder / (CLIP + ".mp4.age")
    assert path.read_bytes() == b"onetwo"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_name_comes_after_the_bytes_are_safe_and_is_made_safe_itself(folder: Path) -> None:
    card = Card()
    part = Part(folder, CLIP, Clock(), card)
    part.write(b"x")
    part.keep()
    assert card.calls == ["create", "write", "fsync", "close", "rename", "sync_folder"]


def test_a_running_clip_is_synced_every_two_seconds_and_no_more_often(folder: Path) -> None:
    card, clock = Card(), Clock()
    part = Part(folder, CLIP, clock, card)
    for tenth in range(101):
        clock.now = tenth / 10
        part.write(b"x")
    assert card.calls.count("fsync") == 10 / SYNC_EVERY
    part.abandon()


def test_a_clip_is_never_written_over_another(folder: Path) -> None:
    Part(folder, CLIP, Clock()).abandon()
    with pytest.raises(DeviceError, match="already"):
        Part(folder, CLIP, Clock())


def test_nothing_follows_a_link_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    (folder / (CLIP + ".part")).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeviceError):
        Part(folder, CLIP, Clock())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["", "../" + "a" * 23, "A" * 26, "a" * 27, "a" * 25 + "1"])
def test_only_a_clip_id_becomes_a_file(folder: Path, name: str) -> None:
    with pytest.raises(ValueError):
        Part(folder, name, Clock())
    with pytest.raises(ValueError):
        keep_poster(folder, name, b"")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EMFILE])
@pytest.mark.parametrize("at", range(1, 9))
def test_whatever_call_fails_the_file_is_given_up_with_a_sentence_and_never_tried_again(
    folder: Path, at: int, code: int
) -> None:
    clock = Clock()
    card = Card(at, code, tear=True)
    parts: list[Part] = []

    def record() -> None:
        parts.append(Part(folder, CLIP, clock, card))
        parts[0].write(b"first")
        clock.now += SYNC_EVERY
        parts[0].write(b"second")
        parts[0].keep()

    with pytest.raises(DeviceError) as told:
        record()
    assert str(told.value).endswith((".", "?"))
    assert len(card.calls) <= at + 1  # at most its close
    assert card.calls[at:] in ([], ["close"])
    for part in parts:
        with pytest.raises(ValueError, match="abandoned"):
            part.write(b"more")
        with pytest.raises(ValueError, match="abandoned"):
            part.keep()


def test_no_descriptor_is_left_open(folder: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for at in range(1, 8):
        with contextlib.suppress(DeviceError):
            part = Part(folder, CLIP, Clock(), Card(at))
            part.write(b"x")
            part.keep()
        for path in folder.iterdir():
            path.unlink()
        with contextlib.suppress(DeviceError):
            keep_poster(folder, CLIP, b"x", Card(at))
        for path in folder.iterdir():
            path.unlink()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("at", range(1, 7))
def test_a_poster_is_there_whole_or_not_at_all(folder: Path, at: int) -> None:
    with pytest.raises(DeviceError):
        keep_poster(folder, CLIP, b"picture", Card(at, tear=True))
    final = folder / (CLIP + ".jpg.age")
    assert not final.exists() or final.read_bytes() == b"picture"


def test_a_poster_has_its_bound(folder: Path) -> None:
    assert keep_poster(folder, CLIP, bytes(MOST_POSTER)) == hashlib.sha256(bytes(MOST_POSTER)).hexdigest()
    with pytest.raises(ValueError):
        keep_poster(folder, "b" * 26, bytes(MOST_POSTER + 1))
