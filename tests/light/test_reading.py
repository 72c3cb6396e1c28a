"""The process that reads QR codes: it reads them, and can do nothing else."""

from __future__ import annotations

import queue
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from doorbell import ticket
from doorbell.events import RecorderTrouble, TicketShown
from doorbell.light import reader
from doorbell.light.looking import Looking
from tests.light.pictures import LOOKS, Look, a_ticket, seen

WAIT_S = 30.0


def looking(said: queue.Queue[object], program: Path) -> Looking:
    return Looking(said.put, str(program), patience=0.3, most_failures=3)


@pytest.mark.parametrize("look", [*LOOKS["by hand"], LOOKS["tilted"][-1], LOOKS["half as large"][-1]], ids=str)
def test_a_phone_that_is_held_by_hand_is_read(look: Look) -> None:
    text = ticket.to_qr(a_ticket(1))
    assert reader.text_in(1280, 720, seen(text, 1280, 720, look).tobytes()) == text.encode()


def test_the_largest_ticket_is_read() -> None:
    one = a_ticket(2, password=132)
    assert len(ticket.written(one)) == ticket.MOST_BYTES
    text = ticket.to_qr(one)
    assert reader.text_in(1280, 720, seen(text, 1280, 720, Look(wide=0.6)).tobytes()) == text.encode()


def test_a_code_that_can_be_no_ticket_is_none() -> None:
    assert reader.text_in(1280, 720, seen("HTTPS://EXAMPLE.ORG", 1280, 720, Look()).tobytes()) == b""


def test_what_it_reads_is_told_once_and_the_next_one_too() -> None:
    said: queue.Queue[object] = queue.Queue()
    one = Looking(said.put)
    for seed in (1, 2):
        text = ticket.to_qr(a_ticket(seed))
        picture = seen(text, 1280, 720, Look())
        found = None
        while found is None:  # a picture that comes while one is read is dropped
            one.show(picture)
            try:
                found = said.get(timeout=0.2)
            except queue.Empty:
                continue
        assert isinstance(found, TicketShown)
        assert found.text == text.encode()
        assert text not in repr(found)
    one.show(picture)
    with pytest.raises(queue.Empty):
        said.get(timeout=0.3)
    one.end()


TRIES = """
import os, resource, socket, sys
sys.path.insert(0, {folder!r})
import reader
reader.lock()
def fails(what):
    try:
        what()
    except (OSError, ValueError):
        return True
    return False
tries = [
    lambda: os.open("/etc/hostname", os.O_RDONLY), lambda: os.open("/tmp/x", os.O_WRONLY | os.O_CREAT),
    lambda: socket.socket(), lambda: socket.socket(socket.AF_UNIX), lambda: os.fork(),
    lambda: os.execv("/bin/true", ["true"]), lambda: os.kill(os.getppid(), 0), lambda: os.stat("/"),
    lambda: os.listdir("/"), lambda: os.dup(0), lambda: os.setuid(1), lambda: resource.setrlimit(7, (9, 9)),
]
os.write(1, bytes(fails(one) for one in tries))
os._exit(0)
"""


def test_it_can_open_nothing_start_nothing_and_reach_nobody() -> None:
    program = TRIES.format(folder=str(Path(reader.__file__).parent))
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=False)
    assert done.stdout == bytes([1] * 12), done.stderr


@pytest.mark.parametrize("head", [b"\x00\x00\x00\x05", b"\xff\xff\xff\xff", b"\x00\x10\x00\x10" + bytes(5), b"\x01"])
def test_what_is_no_picture_ends_it(head: bytes) -> None:
    done = subprocess.run([sys.executable, "-I", reader.__file__], input=head, capture_output=True, check=False)
    assert done.stdout == reader.READY
    assert done.returncode in (0, 1)


@pytest.mark.parametrize(
    "does",
    [
        "os._exit(1)",
        "os.kill(os.getpid(), 11)",
        "os.write(1, b'R'); time.sleep(60)",
        "time.sleep(60)",
        "os.write(1, b'R'); os.read(0, 9); os.write(1, b'\\xff\\xff' + b'A' * 65535); time.sleep(60)",
        "os.write(1, b'R'); os.read(0, 9); os.write(1, b'\\0\\3abc'); time.sleep(60)",
        "os.write(1, b'x'); time.sleep(60)",
    ],
)
def test_a_reader_that_crashes_hangs_or_lies_is_told_in_a_sentence(
    tmp_path: Path, does: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorbell.light.looking.START_S", 0.5)
    program = tmp_path / "reader.py"
    program.write_text(f"import os, time\n{does}\n")
    said: queue.Queue[object] = queue.Queue()
    one = looking(said, program)
    picture = np.zeros((720, 1280), np.uint8)
    found = None
    while found is None:
        one.show(picture)
        try:
            found = said.get(timeout=0.05)
        except queue.Empty:
            continue
    assert isinstance(found, RecorderTrouble)
    assert found.part == "light"
    assert "again and again" in found.why
    one.end()


def test_a_machine_without_the_library_is_told_what_to_install(tmp_path: Path) -> None:
    program = tmp_path / "reader.py"
    program.write_text("import os\nos._exit(2)\n")
    said: queue.Queue[object] = queue.Queue()
    one = looking(said, program)
    one.show(np.zeros((64, 64), np.uint8))
    found = said.get(timeout=WAIT_S)
    assert isinstance(found, RecorderTrouble)
    assert "python3-zxing-cpp" in found.why
    one.end()
