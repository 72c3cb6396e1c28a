"""Where a clip's key is found: never on the disk, in swap or in a core file; in memory after its end it is counted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from doorbell.clips.seal import payload_key
from doorbell.owner import unseal as reader
from doorbell.owner.identity import Identity
from tests.endure.rows import count, show
from tests.rigs.door import Door, pause
from tests.rigs.ext4 import Card

pytestmark = [
    pytest.mark.endure,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root reads another process's memory, and raw cards"),
]
SCENE = {"camera": {"source": "scene"}, "motion": {"record_on": "press"}}


def keys_of(owner: Identity, clip: Path) -> tuple[bytes, bytes]:
    """A kept clip's file key, and the key of its chunks."""
    with clip.open("rb") as source:
        lines = reader._Lines(source)
        stanzas, _ = reader._read_header(lines)
        file_key = reader._unwrap([owner], stanzas)
        return file_key, payload_key(file_key, source.read(16))


def in_memory(pid: int, needles: list[bytes]) -> list[int]:
    """How often each is found in what the process may write to."""
    found = [0] * len(needles)
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            if not (match := re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)):
                continue
            start, end = int(match[1], 16), int(match[2], 16)
            try:
                memory.seek(start)
                data = memory.read(end - start) or b""
            except (OSError, ValueError, OverflowError):
                continue  # what the kernel maps in there for itself
            found = [number + data.count(needle) for number, needle in zip(found, needles, strict=True)]
    return found


def swapped_kb(pid: int) -> int:
    found = re.search(r"^VmSwap:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


@pytest.mark.threat("keys")
def test_no_key_of_a_clip_reaches_the_disk_and_what_memory_keeps_of_it_is_counted(tmp_path: Path) -> None:
    clips = count(1, 10)
    with Card(tmp_path / "small") as card:
        home = card.place / "door"
        with Door(home, settings=SCENE) as door:
            door.until(lambda: door.status().get("camera") == "sees", 60)
            for number in range(1, clips + 1):
                door.press()
                door.until(lambda number=number: len(door.clips) >= number, 60)
                pause(0.2)
            keys = [keys_of(door.owner, clip) for clip in door.clips]
            doorman, recorder = door.process.pid if door.process else 0, door.recorder()
            ended = [in_memory(pid, [key for pair in keys for key in pair]) for pid in (doorman, recorder)]
            owners = in_memory(doorman, [door.owner.secret]) + in_memory(recorder, [door.owner.secret])
            control = in_memory(recorder, [door.owner.recipient.key])
            swapped = swapped_kb(doorman) + swapped_kb(recorder)
            door.stop()
        card.unmount()
        raw = card.raw()
    on_disk = sum(raw.count(key) for pair in keys for key in pair)
    assert on_disk == 0
    assert raw.count(door.owner.secret) == 0
    assert owners == [0, 0]
    assert swapped == 0
    assert control[0] > 0, "the control: what the recorder does know is found"
    assert sum(ended[0]) == 0, "the doorman never has a clip's key"
    file_keys, chunk_keys = sum(ended[1][0::2]), sum(ended[1][1::2])
    figure = f"{clips} clips: 0 on the raw card, 0 kB swapped; after their end the recorder's memory holds "
    show(
        "keys",
        figure + f"{file_keys} of {clips} file keys and {chunk_keys} of {clips} chunk keys (measured, not promised)",
    )


def cores(*places: Path) -> list[Path]:
    found = [path for place in places for path in place.glob("**/core*") if path.is_file()]
    return [path for path in found if path.read_bytes()[:4] == b"\x7fELF"]


@pytest.mark.threat("core files")
def test_a_doorman_and_a_recorder_that_crash_leave_no_core_file(tmp_path: Path) -> None:
    if Path("/proc/sys/kernel/core_pattern").read_text().startswith("|"):
        pytest.skip("this machine gives core files to a program, not to the folder")
    (tmp_path / "door").mkdir()
    unlimited = f'cd {tmp_path / "door"}; ulimit -c unlimited; export PYTHONPATH={Path.cwd()}; exec "$@"'
    words = ["sh", "-c", unlimited, "sh"]
    with Door(tmp_path / "door", settings=SCENE, wrapper=words) as door:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        recorder = door.recorder()
        os.kill(recorder, signal.SIGSEGV)
        door.said("the recorder ended, status -11")
        assert door.process
        door.process.send_signal(signal.SIGSEGV)
        assert door.process.wait(30) == -signal.SIGSEGV
    assert cores(tmp_path) == []
    control = subprocess.Popen([*words, "sleep", "60"])
    while b"sleep" not in Path(f"/proc/{control.pid}/cmdline").read_bytes().split(b"\0")[0]:
        pause(0.01)
    control.send_signal(signal.SIGSEGV)
    control.wait(20)
    assert len(cores(tmp_path)) == 1, "the control: another program leaves one here"
    show(
        "core files",
        "doorman and recorder ended by SIGSEGV, `ulimit -c unlimited`: 0 core files; the control leaves one",
    )
