"""rclone, which speaks to some seventy kinds of storage: what is missing there is sent, and all is compared by hash.

It is given names in a file and its settings as arguments, never a shell. What it prints may name hosts and logins, so
it goes to a file that only the door's user reads, and no sentence here repeats it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import define, frozen

from doorbell.errors import DeviceError, Mistake

MOST_LOG: Final = 256 * 1024
GRACE_S: Final = 15.0
"""Between asking rclone to end, so that it can take back what it began there, and ending it."""
_PATIENCE: Final = (
    "--retries=2", "--low-level-retries=5", "--retries-sleep=2s", "--timeout=60s", "--contimeout=15s",
    "--transfers=1", "--checkers=2", "--buffer-size=1M", "--use-mmap", "--log-level=INFO", "--stats=0",
)  # fmt: skip
_SAME, _DIFFERS, _MISSING = "=", "*", "+"


@frozen
class Outcome:
    """Of one batch, by name: what is there as it is here; what was there already and is another file (evidence, left
    as it lies); what did not arrive."""

    arrived: frozenset[str]
    differ: frozenset[str]
    refused: frozenset[str]


@define
class Rclone:
    """``remote`` is ``NAME:PATH`` as rclone.conf knows it; ``bytes_s`` caps the way there, 0 does not."""

    config: Path
    remote: str
    bytes_s: int
    workplace: Path
    """A private folder for the list of names and rclone's own words."""
    _knows_hashes: bool | None = None
    """Whether the storage can tell a file's hash; asked once, it does not change."""

    def copy(
        self, source: Path, sizes: Mapping[str, int], longest_s: float, distrusted: Collection[str] = ()
    ) -> Outcome:
        """See that the names of *sizes* (their bytes) below *source* are there as they are here.

        Only what is shorter there than here is overwritten: an upload that was broken off leaves that, and whoever put
        it there otherwise loses nothing by it. *distrusted* were there with other bytes before: as long as their size
        is ours they count so unread. Raises DeviceError where the storage cannot be reached or is slower than
        *longest_s* a step, Mistake where rclone is missing.
        """
        there = self._compare(source, sizes, longest_s, "--size-only")
        of_other_size = [name for name, mark in there.items() if mark == _DIFFERS]
        short = [name for name, size in self._sizes(of_other_size, longest_s).items() if 0 <= size < sizes[name]]
        for names, how in ((short, "--ignore-times"), (_of(there, _MISSING), "--ignore-existing")):
            # Where one file is refused the others of the batch arrive all the same; what did is seen below.
            with suppress(_RefusedError):
                if names:
                    self._run("copy", [how, *self._listed(names), str(source), self.remote], longest_s)
        doubted = {name for name in distrusted if there.get(name) == _SAME}
        alien = doubted.union(of_other_size).difference(short)
        rest = [name for name in sizes if name not in alien]
        # A storage that knows no hash is asked for the bytes themselves: slower, and the only way to know.
        by = () if self._hashes() else ("--download",)
        now = self._compare(source, rest, longest_s, *by) if rest else {}
        arrived = frozenset(_of(now, _SAME))
        alien |= {name for name in _of(now, _DIFFERS) if there.get(name) == _SAME}
        return Outcome(arrived, frozenset(alien), frozenset(sizes) - arrived - alien)

    def _compare(self, source: Path, names: Iterable[str], longest_s: float, *how: str) -> dict[str, str]:
        """rclone's mark for each name it could compare."""
        command = ["--one-way", "--combined=-", *how, *self._listed(names), str(source), self.remote]
        marks = {line[2:]: line[:1] for line in self._run("check", command, longest_s, fine=(0, 1)).splitlines()}
        if not marks:
            raise _refused("compare", 1, self._log)
        return marks

    def _sizes(self, names: Sequence[str], longest_s: float) -> dict[str, int]:
        """What is there has this many bytes; a storage that does not say so has -1."""
        if not names:
            return {}
        command = ["--files-only", "--no-modtime", "--no-mimetype", "--recursive", *self._listed(names), self.remote]
        try:
            found = json.loads(self._run("lsjson", command, longest_s))
            return {one["Path"]: int(one["Size"]) for one in found if one["Path"] in names}
        except (ValueError, TypeError, KeyError):
            raise DeviceError("rclone's list of sizes cannot be read: install Debian's own rclone.") from None

    def _listed(self, names: Iterable[str]) -> list[str]:
        file = self.workplace / "names.txt"
        file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        return [f"--files-from-raw={file}", "--no-traverse", f"--bwlimit={self.bytes_s}B"]

    def _hashes(self) -> bool:
        if self._knows_hashes is None:
            try:
                features = json.loads(self._run("backend", ["features", self.remote], 60.0))
                self._knows_hashes = bool(features.get("Hashes"))
            except (ValueError, AttributeError):
                self._knows_hashes = False
        return self._knows_hashes

    @property
    def _log(self) -> Path:
        return self.workplace / "rclone.log"

    def _run(self, verb: str, arguments: Sequence[str], longest_s: float, fine: Collection[int] = (0,)) -> str:
        if self._log.exists() and self._log.stat().st_size > MOST_LOG:
            self._log.unlink()
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        command = ["rclone", verb, *arguments, f"--config={self.config}", f"--cache-dir={self.workplace}", *_PATIENCE]
        # Not the service's whole environment: rclone takes any setting from variables of its own.
        environment = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
        environment["HOME"] = str(self.workplace)
        try:
            with os.fdopen(descriptor, "wb") as words:
                child = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, env=environment
                )
        except FileNotFoundError:
            raise Mistake("rclone is missing: sudo apt-get install rclone") from None
        with child:
            try:
                said, _ = child.communicate(timeout=longest_s)
            except subprocess.TimeoutExpired:
                raise DeviceError(
                    f"rclone did not {verb} within {longest_s / 60:.0f} minutes: the line is too slow, or "
                    "offsite.kbit_s too low."
                ) from None
            finally:
                _end(child)
        if child.returncode not in fine:
            raise _refused(verb, child.returncode, self._log)
        return said.decode("utf-8", "replace")


class _RefusedError(DeviceError):
    """rclone ended with an error of its own."""


def _refused(verb: str, status: int, log: Path) -> _RefusedError:
    return _RefusedError(
        f"rclone could not {verb} (status {status}): {log} says why; "
        "`rclone lsd` with the same remote tells whether it can be reached at all."
    )


def _of(marks: Mapping[str, str], mark: str) -> list[str]:
    return [name for name, found in marks.items() if found == mark]


def _end(child: subprocess.Popen[bytes]) -> None:
    """Nothing of what we began stays behind; a child that has ended is left alone."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
