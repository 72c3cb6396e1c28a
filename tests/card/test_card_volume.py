"""Cards that are worn, pulled too early, or full, while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import define, field

from doorbell.card import manifest, seed, write
from doorbell.card.contents import Card
from doorbell.card.volume import Folder
from doorbell.errors import DeviceError

FILES = {"user-data": b"u", "meta-data": b"m", "doorbell/doorbell.toml": b"t", manifest.NAME: b"list"}
CARD = Card(FILES, "doorbell-front-1")


@define
class Worn:
    """A volume in memory that gives *spoilt* back wrong, and is pulled after *pulled* files."""

    spoilt: str = ""
    pulled: int = 1000
    held: dict[str, bytes] = field(factory=dict)

    def names(self, folder: str) -> list[str]:
        return [path.rpartition("/")[2] for path in self.held if path.rpartition("/")[0] == folder]

    def read(self, path: str) -> bytes | None:
        found = self.held.get(path)
        return found[:-1] if found is not None and path == self.spoilt else found

    def write(self, path: str, data: bytes) -> None:
        if len(self.held) == self.pulled:
            raise DeviceError("the card was pulled")
        self.held[path] = data

    def remove(self, path: str) -> None:
        self.held.pop(path, None)


@pytest.mark.parametrize("path", FILES)
def test_a_card_that_reads_back_other_than_it_was_written_is_told(path: str) -> None:
    with pytest.raises(DeviceError, match="reads back other"):
        write.put(Worn(spoilt=path), CARD, lambda _: None)


@pytest.mark.parametrize("after", range(len(FILES)))
def test_a_card_pulled_too_early_begins_no_new_first_boot(after: int) -> None:
    worn = Worn(pulled=after)
    with pytest.raises(DeviceError):
        write.put(worn, CARD, lambda _: None)
    assert seed.META not in worn.held


def test_every_file_is_told_twice_as_it_is_written_and_read() -> None:
    said: list[str] = []
    write.put(Worn(), CARD, said.append)
    assert sorted(said) == sorted([*FILES, *FILES])


def test_a_folder_follows_no_link_where_a_file_belongs(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("untouched")
    (tmp_path / "user-data").symlink_to(target)
    volume = Folder(tmp_path)
    with pytest.raises(DeviceError):
        volume.read("user-data")
    volume.write("user-data", b"new")
    assert target.read_text() == "untouched" and (tmp_path / "user-data").read_bytes() == b"new"
