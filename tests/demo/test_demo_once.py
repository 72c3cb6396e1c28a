"""The whole door on one computer, as a person starts it."""

import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ENDS_WITHIN_S = 110


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "demo"


@pytest.fixture
def started(place: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo in a process group of its own, as a terminal starts it."""
    process = _start(place, tmp_path)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(place: Path, tmp: Path, *flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "doorbell", "demo", "--folder", str(place), *flags],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, env=os.environ | {"TMPDIR": str(tmp)},
    )  # fmt: skip


@pytest.mark.timeout(150)
def test_played_through_once_every_check_holds(place: Path, tmp_path: Path) -> None:
    process = _start(place, tmp_path, "--once", "--picture", str(tmp_path / "screen.svg"))
    said = process.communicate(timeout=ENDS_WITHIN_S)[0]
    assert process.returncode == 0, said
    assert said.count("\ngood ") == 9
    assert "BAD" not in said
    assert "http" not in (tmp_path / "screen.svg").read_text().replace("http://www.w3.org/2000/svg", "")
    _is_gone(process.pid, place, tmp_path)
    if (age := shutil.which("age")) is None:
        pytest.skip("stock age is not installed here: apt install age")
    opened = subprocess.run(
        [age, "-d", "-i", place / "owner-key.txt", place / "visit-1.mp4.age"], capture_output=True, check=True
    ).stdout
    assert opened[4:8] == b"ftyp"


@pytest.mark.timeout(150)
def test_ctrl_c_leaves_nothing_running(started: subprocess.Popen[str], place: Path, tmp_path: Path) -> None:
    assert started.stdout is not None
    until = time.monotonic() + 60
    for line in started.stdout:
        if "a visitor comes" in line or time.monotonic() > until:
            break
    os.killpg(started.pid, signal.SIGINT)
    said = started.communicate(timeout=ENDS_WITHIN_S)[0]
    assert started.returncode == 0, said
    assert "Everything is in" in said
    _is_gone(started.pid, place, tmp_path)


@pytest.mark.timeout(150)
def test_a_door_that_dies_is_told_with_its_last_lines(started: subprocess.Popen[str], tmp_path: Path) -> None:
    assert started.stdout is not None
    for line in started.stdout:
        if "a visitor comes" in line:
            break
    door = next(pid for pid, args in _group(started.pid) if " run " in args)
    os.kill(door, signal.SIGKILL)
    said = started.communicate(timeout=ENDS_WITHIN_S)[0]
    assert started.returncode == 1
    assert "The door ended by itself" in said
    assert "at the door demo" in said
    assert "Traceback" not in said


def _is_gone(group: int, place: Path, tmp: Path) -> None:
    until = time.monotonic() + 10
    while _group(group) and time.monotonic() < until:
        threading.Event().wait(0.05)
    assert _group(group) == []
    assert list(tmp.glob("doorbell-demo-*")) == []
    port = re.search(r"^port = (\d+)", (place / "doorbell.toml").read_text(), re.MULTILINE)
    assert port is not None
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(port[1])), 5)


def _group(group: int) -> list[tuple[int, str]]:
    """The living processes of a group and their words, from /proc: not every Debian has ps."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state, _, of = (place / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it ended while we looked
        if int(of) == group and state != "Z":
            found.append((int(place.name), words))
    return found


@pytest.mark.timeout(150)
def test_q_quits_and_the_terminal_is_as_it_was(place: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "doorbell", "demo", "--folder", str(place)]
    process, terminal = pty.fork()
    if process == 0:
        os.environ |= {"TMPDIR": str(tmp_path), "TERM": "xterm"}
        os.execv(program[0], program)
    before = termios.tcgetattr(terminal)
    said = _read_until(terminal, b"q quits")
    raw = termios.tcgetattr(terminal)
    os.write(terminal, b"q")
    said += _read_until(terminal, b"Everything is in")
    after = termios.tcgetattr(terminal)
    _read_until(terminal, b"no such words")
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, said
    os.close(terminal)
    assert not raw[3] & (termios.ICANON | termios.ECHO)
    assert after == before
    assert b"\x1b[?1049l" in said  # the screen from before the demo is back
    _is_gone(process, place, tmp_path)


def _read_until(terminal: int, words: bytes) -> bytes:
    """What the demo draws up to these words, or up to its end."""
    said, until = b"", time.monotonic() + 60
    while words not in said and time.monotonic() < until:
        if select.select([terminal], [], [], 1)[0]:
            try:
                said += os.read(terminal, 65_536)
            except OSError:  # the demo has ended
                break
    return said
