"""What a card may hold after a power cut, from a trace of the calls that wrote to it.

A write is safe once its file was synced, a name once its folder was; until then each of them may have reached the card
whole, torn at a sector of 512 bytes, as mere length, or not at all, in any combination: POSIX promises no order. ext4
is kinder than that.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import define, field, frozen

T = TypeVar("T")
SECTOR = 512
CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,rename,unlink,mkdir,close"
_LINE = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_NUMBER = re.compile(r"-?\d+")


@frozen
class Call:
    name: str
    texts: tuple[bytes, ...]
    words: str
    numbers: tuple[int, ...]
    result: int


def calls(trace: Path) -> Iterator[Call]:
    """The calls that succeeded, in their order, of a ``strace -xx`` of one thread."""
    for line in trace.read_text().splitlines():
        if (found := _LINE.match(line)) and int(found[3]) >= 0:
            texts = tuple(bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(found[2]))
            words = _TEXT.sub("", found[2])
            yield Call(found[1], texts, words, tuple(map(int, _NUMBER.findall(words))), int(found[3]))


@frozen
class Change:
    """To a file: ``data`` at ``at``, or (None) its length set to ``at``."""

    at: int
    data: bytes | None


@define(eq=False)
class File:
    safe: bytes = b""
    pending: list[Change] = field(factory=list)

    def synced(self) -> None:
        self.safe = after(self.safe, self.pending)
        self.pending = []


@frozen
class Naming:
    """In a folder: ``sets`` these names (None: takes them away). A rename is one of these, so it is never half."""

    sets: tuple[tuple[str, File | None], ...]


@define(eq=False)
class Folder:
    safe: dict[str, File] = field(factory=dict)
    pending: list[Naming] = field(factory=list)

    def now(self) -> dict[str, File]:
        return named(self.safe, self.pending)

    def synced(self) -> None:
        self.safe = self.now()
        self.pending = []


def after(data: bytes, changes: Iterable[Change]) -> bytes:
    held = bytearray(data)
    for change in changes:
        if change.data is None:
            held[:] = held[: change.at].ljust(change.at, b"\0")
        else:
            held[:] = held.ljust(change.at, b"\0")
            held[change.at : change.at + len(change.data)] = change.data
    return bytes(held)


def named(names: dict[str, File], changes: Iterable[Naming]) -> dict[str, File]:
    held = dict(names)
    for change in changes:
        for name, file in change.sets:
            held.pop(name, None)
            if file is not None:
                held[name] = file
    return held


@define
class Card:
    """Follows the calls below ``root``. Folders are there from the moment they are made: an empty one says nothing."""

    root: str
    marks: str
    folders: dict[str, Folder] = field(factory=dict)
    open: dict[int, tuple[str, File | Folder | None, int]] = field(factory=dict)
    said: list[str] = field(factory=list)

    def follow(self, call: Call) -> bool:
        """Take one call; True where it changed what a crash may leave, or what somebody was told."""
        match call.name:
            case "openat":
                return self._open(call)
            case "close":
                self.open.pop(call.numbers[0], None)
            case "mkdir":
                self.folders.setdefault(call.texts[0].decode(), Folder())
            case "rename":
                return self._rename(*(text.decode() for text in call.texts))
            case "unlink":
                folder, name = self._place(call.texts[0].decode())
                if folder is not None:
                    folder.pending.append(Naming(((name, None),)))
                    return True
            case _:
                return self._on_descriptor(call)
        return False

    def _on_descriptor(self, call: Call) -> bool:
        path, thing, at = self.open.get(call.numbers[0], ("", None, 0))
        if path == self.marks and call.name == "write":
            self.said.append(call.texts[0].decode().strip())
            return True
        if isinstance(thing, Folder) and call.name in ("fsync", "fdatasync"):
            thing.synced()
        if isinstance(thing, File):
            if call.name in ("fsync", "fdatasync"):
                thing.synced()
            elif call.name == "ftruncate":
                thing.pending.append(Change(call.numbers[1], None))
            elif call.name == "pwrite64":
                thing.pending.append(Change(call.numbers[-1], call.texts[0][: call.result]))
            else:
                thing.pending.append(Change(at, call.texts[0][: call.result]))
                self.open[call.numbers[0]] = (path, thing, at + call.result)
        return thing is not None

    def _open(self, call: Call) -> bool:
        path = call.texts[0].decode()
        folder, name = self._place(path)
        thing: File | Folder | None = self.folders.get(path)
        made = False
        if thing is None and folder is not None:
            thing = folder.now().get(name)
            if thing is None and "O_CREAT" in call.words:
                thing, made = File(), True
                folder.pending.append(Naming(((name, thing),)))
        self.open[call.result] = (path, thing, 0)
        return made

    def _rename(self, old: str, new: str) -> bool:
        folder, was = self._place(old)
        target, name = self._place(new)
        if folder is None or target is None:
            return False
        file = folder.now()[was]
        if folder is target:
            folder.pending.append(Naming(((was, None), (name, file))))
        else:
            target.pending.append(Naming(((name, file),)))
            folder.pending.append(Naming(((was, None),)))
        return True

    def _place(self, path: str) -> tuple[Folder | None, str]:
        above, _, name = path.rpartition("/")
        inside = above.startswith(self.root) and not name.endswith("-shm")  # SQLite makes that one anew
        return self.folders.get(above) if inside else None, name

    @classmethod
    def of(cls, root: Path, marks: Path) -> Card:
        """The card as it lies in *root* now, all of it safe."""
        card = cls(str(root), str(marks))
        for place in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            files = {path.name: File(path.read_bytes()) for path in place.iterdir() if path.is_file()}
            card.folders[str(place)] = Folder({name: file for name, file in files.items() if not name.endswith("-shm")})
        return card


State = dict[str, dict[str, bytes]]
"""Folder to name to content."""


def states(card: Card, chance: random.Random, most: int) -> Iterator[State]:
    """Up to *most* cards that a power cut at this moment may leave, beginning with the telling ones."""
    files = [file for folder in card.folders.values() for file in _all(folder) if file.pending]
    files = list(dict.fromkeys(files))
    folders = [folder for folder in card.folders.values() if folder.pending]
    for number in range(most):
        kept_names = {id(folder): _some(folder.pending, chance, number) for folder in folders}
        held = {
            id(file): after(file.safe, _reached(_some(file.pending, chance, number), chance, number)) for file in files
        }
        yield {
            path: {
                name: held.get(id(file), file.safe)
                for name, file in named(folder.safe, kept_names.get(id(folder), ())).items()
            }
            for path, folder in card.folders.items()
        }


def _all(folder: Folder) -> Iterator[File]:
    yield from folder.safe.values()
    for change in folder.pending:
        yield from (file for _, file in change.sets if file is not None)


def _some(changes: Sequence[T], chance: random.Random, number: int) -> list[T]:
    """Which of the unsynced changes are there: none, all, a beginning, all but one, one alone, any."""
    count = len(changes)
    match number if number < 2 else chance.randrange(2, 6):
        case 0:
            return []
        case 1:
            return list(changes)
        case 2:
            return list(changes[: chance.randint(0, count)])
        case 3:
            gone = chance.randrange(count)
            return [change for place, change in enumerate(changes) if place != gone]
        case 4:
            return [chance.choice(changes)]
        case _:
            return [change for change in changes if chance.random() < 0.5]


def _reached(changes: Iterable[Change], chance: random.Random, number: int) -> Iterator[Change]:
    """Each change whole, torn at sectors, or as mere length."""
    for change in changes:
        how = chance.choice(("whole", "whole", "torn", "sectors", "length")) if number > 1 else "whole"
        if change.data is None or how == "whole":
            yield change
        elif how == "torn":
            yield Change(change.at, change.data[: chance.randrange(0, len(change.data) + 1, SECTOR)])
        elif how == "length":
            yield Change(change.at, bytes(len(change.data)))
        else:
            for start in range(0, len(change.data), SECTOR):
                if chance.random() < 0.5:
                    yield Change(change.at + start, change.data[start : start + SECTOR])


def digest(state: State) -> bytes:
    """Equal for equal cards."""
    total = hashlib.sha256()
    for path in sorted(state):
        for name, data in sorted(state[path].items()):
            total.update(f"{path}/{name} {len(data)}\n".encode() + data)
    return total.digest()


def lay(state: State, root: str, place: Path) -> None:
    """Make *place* the card."""
    for path in sorted(state):
        folder = place / path.removeprefix(root).lstrip("/")
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, data in state[path].items():
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o600)
