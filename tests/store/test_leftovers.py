"""After an end in the middle: every place of it, and what a stranger put on the card."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest
from card import Card, PowerCut, put
from hypothesis import given, settings
from hypothesis import strategies as st

from doorbell.clips.files import Files
from doorbell.clips.leftovers import MOST_ASIDE, Cut, delete, recover, settle
from doorbell.clips.seal import SEALED_CHUNK, seal, whole_chunks
from doorbell.clips.store import Part, keep_poster, prepare
from doorbell.errors import DeviceError
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import CutError, unseal

OWNER = Identity(bytes(range(32)))
CLIP, OTHER = "a" * 26, "b" * 26
SEALED = seal([OWNER.recipient], bytes(range(256)) * 800)  # three chunks and a rest
HEADER = whole_chunks(SEALED[:4096], 4096)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return prepare(tmp_path / "state")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_part_is_cut_to_what_opens_and_named(folder: Path) -> None:
    put(folder, CLIP + ".part", SEALED[: HEADER + 2 * SEALED_CHUNK + 777])
    found = recover(folder, started=[CLIP], kept=[])
    left = SEALED[: HEADER + 2 * SEALED_CHUNK]
    assert found.cut == (Cut(CLIP, len(left), hashlib.sha256(left).hexdigest(), "", len(left)),)
    assert names(folder) == [CLIP + ".mp4.age"]
    assert (folder / (CLIP + ".mp4.age")).read_bytes() == left
    assert found.said == ()


@settings(max_examples=30, deadline=None)
@given(length=st.integers(0, len(SEALED)))
def test_wherever_a_clip_was_cut_what_is_left_is_a_true_prefix_and_known_as_cut(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    folder = prepare(tmp_path_factory.mktemp("card"))
    put(folder, CLIP + ".part", SEALED[:length])
    (cut,) = recover(folder, started=[CLIP], kept=[]).cut
    if length < HEADER + SEALED_CHUNK:
        assert (cut.bytes, names(folder)) == (0, [])
        return
    chunks: list[bytes] = []
    with (folder / (CLIP + ".mp4.age")).open("rb") as file, pytest.raises(CutError):
        chunks.extend(unseal([OWNER], file))
    opened = b"".join(chunks)
    assert (bytes(range(256)) * 800).startswith(opened)
    assert len(opened) == (length - HEADER) // SEALED_CHUNK * 65536


def test_what_is_cut_is_synced_before_it_is_named_and_the_name_before_it_is_told(folder: Path) -> None:
    put(folder, CLIP + ".part", SEALED[: HEADER + SEALED_CHUNK + 1])
    card = Card()
    settle(folder, CLIP, card)
    changing = [call for call in card.calls if call not in ("unlink", "open_existing", "close")]
    assert changing == ["truncate", "fsync", "rename", "sync_folder"]


def test_a_clip_that_was_named_but_not_journalled_is_kept_as_it_is(folder: Path) -> None:
    put(folder, CLIP + ".mp4.age", SEALED)
    put(folder, CLIP + ".jpg.age", b"poster")
    (cut,) = recover(folder, started=[CLIP], kept=[]).cut
    assert cut == Cut(
        CLIP, len(SEALED), hashlib.sha256(SEALED).hexdigest(), hashlib.sha256(b"poster").hexdigest(), len(SEALED) + 6
    )
    assert names(folder) == [CLIP + ".jpg.age", CLIP + ".mp4.age"]


def test_a_clip_of_which_nothing_was_written_leaves_nothing(folder: Path) -> None:
    put(folder, CLIP + ".jpg.age", b"poster")
    put(folder, OTHER + ".part", SEALED[:100])
    found = recover(folder, started=[CLIP, OTHER], kept=[])
    assert [cut.bytes for cut in found.cut] == [0, 0]
    assert names(folder) == []


def test_what_is_being_recorded_is_left_alone(folder: Path) -> None:
    put(folder, CLIP + ".part", SEALED[:100])
    put(folder, CLIP + ".jpg.part", b"half")
    assert recover(folder, started=[], kept=[], running=[CLIP]).cut == ()
    assert recover(folder, started=[CLIP], kept=[], running=[CLIP]).cut == ()
    assert names(folder) == [CLIP + ".jpg.part", CLIP + ".part"]


def test_what_no_entry_speaks_of_is_moved_aside_and_said(folder: Path, tmp_path: Path) -> None:
    put(folder, OTHER + ".mp4.age", SEALED)
    put(folder, OTHER + ".part", SEALED)
    put(folder, CLIP + ".part", SEALED)  # of a kept clip there is no part
    put(folder, CLIP + ".mp4.age", SEALED)
    put(folder, "holiday.mp4", b"")
    (folder / "a folder").mkdir()
    (folder / (CLIP + ".jpg.age")).symlink_to(tmp_path)
    found = recover(folder, started=[], kept=[CLIP])
    assert found.cut == ()
    assert len(found.said) == 1
    assert "6 files" in found.said[0]
    assert names(folder) == [CLIP + ".mp4.age", "aside"]
    assert len(names(folder / "aside")) == 6
    put(folder, "holiday.mp4", b"again")
    recover(folder, started=[], kept=[CLIP])
    assert (folder / "aside" / "holiday.mp4.1").read_bytes() == b"again"
    assert recover(folder, started=[], kept=[CLIP]).said == ()


def test_aside_has_its_bound_and_nothing_strange_is_ever_deleted(folder: Path) -> None:
    for number in range(MOST_ASIDE + 5):
        put(folder, f"strange{number}", b"")
    found = recover(folder, started=[], kept=[])
    assert len(names(folder / "aside")) == MOST_ASIDE
    assert len(names(folder)) == 6
    assert "full" in found.said[1]


def test_a_part_never_replaces_a_finished_clip(folder: Path) -> None:
    put(folder, CLIP + ".mp4.age", SEALED)
    put(folder, CLIP + ".part", SEALED[: HEADER + SEALED_CHUNK])
    (cut,) = recover(folder, started=[CLIP], kept=[]).cut
    assert cut.bytes == len(SEALED)


def test_a_clip_that_vanished_is_told(folder: Path) -> None:
    put(folder, OTHER + ".mp4.age", SEALED)
    found = recover(folder, started=[], kept=[CLIP, OTHER])
    assert found.vanished == (CLIP,)
    assert len(found.said) == 1


def test_deleting_takes_everything_of_a_clip_and_can_be_done_again(folder: Path) -> None:
    for end in (".mp4.age", ".jpg.age", ".part", ".jpg.part"):
        put(folder, CLIP + end, b"")
    put(folder, OTHER + ".mp4.age", b"")
    delete(folder, [CLIP])
    delete(folder, [CLIP])
    assert names(folder) == [OTHER + ".mp4.age"]


def record(folder: Path, card: Card) -> None:
    now = iter(range(1000))
    part = Part(folder, CLIP, lambda: float(next(now)), card)
    for start in range(0, len(SEALED), 40_000):
        part.write(SEALED[start : start + 40_000])
        if start == 40_000:
            keep_poster(folder, CLIP, b"poster", card)
    part.keep()


def calls_of_a_recording(folder: Path) -> int:
    card = Card()
    record(folder, card)
    delete(folder, [CLIP])
    return len(card.calls)


@pytest.mark.parametrize("tear", [False, True])
def test_power_cut_before_any_call_of_a_recording_leaves_what_the_next_start_puts_in_order(
    folder: Path, tear: bool
) -> None:
    for at in range(1, calls_of_a_recording(folder) + 1):
        with pytest.raises(PowerCut):
            record(folder, Card(at, 0, tear=tear))
        (cut,) = recover(folder, started=[CLIP], kept=[]).cut
        in_order(folder, cut)
        delete(folder, [CLIP])


def test_power_cut_before_any_call_of_putting_in_order_is_put_in_order_by_the_next(folder: Path) -> None:
    at = 0
    while True:
        at += 1
        put(folder, CLIP + ".part", SEALED[: HEADER + 2 * SEALED_CHUNK + 5])
        put(folder, CLIP + ".jpg.part", b"half")
        put(folder, "strange", b"")
        card = Card(at, 0)
        try:
            recover(folder, started=[CLIP], kept=[], files=card)
        except PowerCut:
            (cut,) = recover(folder, started=[CLIP], kept=[]).cut
            assert cut.bytes == HEADER + 2 * SEALED_CHUNK
            in_order(folder, cut)
            delete(folder, [CLIP])
        else:
            break
    assert at > 8


def test_an_error_in_one_clip_does_not_stop_the_others(folder: Path) -> None:
    put(folder, CLIP + ".part", SEALED[: HEADER + SEALED_CHUNK])
    put(folder, OTHER + ".part", SEALED[: HEADER + SEALED_CHUNK])
    found = recover(folder, started=[CLIP, OTHER], kept=[], files=Card(2))
    assert [cut.clip for cut in found.cut] == [OTHER]
    assert len(found.said) == 1


def test_a_clip_the_card_refused_is_cut_at_once(folder: Path) -> None:
    with pytest.raises(DeviceError):
        record(folder, Card(9))
    in_order(folder, settle(folder, CLIP))


def in_order(folder: Path, cut: Cut) -> None:
    left = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "aside"}
    assert set(left) <= {CLIP + ".mp4.age", CLIP + ".jpg.age"}
    assert sum(map(len, left.values())) == cut.size
    if cut.bytes:
        assert SEALED.startswith(left[CLIP + ".mp4.age"])
        assert hashlib.sha256(left[CLIP + ".mp4.age"]).hexdigest() == cut.sha256
        assert left.get(CLIP + ".jpg.age", b"poster") == b"poster"
    else:
        assert left == {}


class OneBadPlace(Files):
    """A card that will not let one clip go."""

    def unlink(self, path: Path) -> None:
        if path.name.startswith(CLIP):
            raise OSError(errno.EUCLEAN, "structure needs cleaning", str(path))
        super().unlink(path)


@pytest.mark.parametrize("order", [[CLIP, OTHER], [OTHER, CLIP]])
def test_a_clip_that_cannot_be_deleted_keeps_no_other_there(folder: Path, order: list[str]) -> None:
    for clip in order:
        put(folder, clip + ".mp4.age", SEALED)
    with pytest.raises(OSError, match="cleaning"):
        delete(folder, order, OneBadPlace())
    assert names(folder) == [CLIP + ".mp4.age"]


class NoRoomAside(Files):
    """A card so full that no folder can be made."""

    def make_folder(self, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_strange_files_that_cannot_be_put_aside_are_told_and_stop_nothing(folder: Path) -> None:
    put(folder, "odd.bin", b"?")
    put(folder, CLIP + ".part", SEALED)
    found = recover(folder, started=[CLIP], kept=[], files=NoRoomAside())
    assert [one.clip for one in found.cut] == [CLIP]
    assert "cannot be put aside" in found.said[0]
    assert names(folder) == [CLIP + ".mp4.age", "odd.bin"]
