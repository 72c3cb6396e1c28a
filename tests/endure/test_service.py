"""Rows 15, 17 and 18, looked at from outside the running daemon: its writes, its sockets, its ring on a slow card."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tests.endure.rows import FULL, count, tell
from tests.endure.vitals import children
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause

pytestmark = [pytest.mark.endure, pytest.mark.timeout(1800)]
UNAFFECTED_S = 2.0
"""What a press may take on the slowest machine (row 14); one sync of row 18 takes 5 s."""
SCENE = {"camera": {"source": "scene"}, "visit": {"linger_s": 8, "longest_s": 20, "preroll_s": 5}}


@pytest.fixture
def strace() -> str:
    """strace, if it may trace here."""
    program = shutil.which("strace")
    if not program or subprocess.run([program, "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("strace is missing (apt install strace), or may not trace here")
    return program


def seen(door: Door) -> None:
    door.until(lambda: door.status().get("camera") == "sees", 60)


def times(trace: Path, calls: str, place: str) -> list[float]:
    """When each of these calls on files whose name holds *place* began, in seconds."""
    found = re.compile(rf"^\d+ +(\d+\.\d+) ({calls})\(\d+<[^>]*{place}[^>]*>")
    return [float(match[1]) for line in trace.read_text().splitlines() if (match := found.match(line))]


def within_a_clip(trace: Path) -> list[tuple[float, float, bool]]:
    """Neighbouring syncs of the same running clip, and whether the later one is the last, by which it is kept."""
    found = re.compile(r"^\d+ +(\d+\.\d+) f(?:data)?sync\(\d+<[^>]*/(\w{26})\.part>")
    clips: dict[str, list[float]] = {}
    for line in trace.read_text().splitlines():
        if match := found.match(line):
            clips.setdefault(match[2], []).append(float(match[1]))
    return [(one, other, other == moments[-1]) for moments in clips.values() for one, other in pairwise(moments)]


@pytest.mark.row(15)
@pytest.mark.skipif(not FULL, reason="it takes half a minute; tests/journal counts commits in no time")
def test_the_card_is_written_seldom_and_synced_in_measure(
    tmp_path: Path, broker: Mosquitto, listener: Listener, strace: str
) -> None:
    trace, street = tmp_path / "trace", tmp_path / "street.mp4"
    picture = "color=gray:size=320x240:rate=10:duration=20"  # a street in which nothing happens
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, str(street)], check=True)
    calm = SCENE | {"camera": {"source": f"file:{street}"}, "motion": {"record_on": "press"}}
    seeing = [strace, "-f", "-ttt", "-y", "-s", "0", "-qq", "-e", "trace=fsync,fdatasync,write,pwrite64", "-o"]
    idle = count(3, 120)
    with Door(tmp_path / "calm", broker.port, calm, wrapper=[*seeing, str(trace)]) as door:
        seen(door)
        pause(6)  # the entry of the start, and the acknowledgements of the broker wait 30 s
        began = trace.stat().st_size
        pause(idle)
        quiet = trace.read_text()[began:]
    trace = tmp_path / "busy"
    lively = {"camera": {"source": "scene", "bitrate_kbps": 4000}, "motion": {"record_on": "press"}}
    with Door(tmp_path / "door", broker.port, SCENE | lively, wrapper=[*seeing, str(trace)]) as door:
        seen(door)
        opened = time.time()
        for _ in range(count(1, 5)):
            clips = len(door.clips)
            door.press()
            door.until(lambda clips=clips: len(door.clips) > clips, 60)
    writes = len(
        [line for line in quiet.splitlines() if "/state/" in line and "write" in line and ", 24, " not in line]
    )
    syncs = times(trace, "fsync|fdatasync", r"\.part")
    close = [later - earlier for earlier, later, keeps in within_a_clip(trace) if not keeps]
    commits = [at for at in times(trace, "fdatasync|fsync", "journal.sqlite3-wal") if at > opened]
    gaps = [later - earlier for earlier, later in pairwise(commits)]
    assert writes <= 6, quiet  # one commit at most: the acknowledgement of what was sent, after 30 s
    assert min(gaps, default=9) > 0.9, gaps
    assert len(close) >= count(1, 5)
    assert min(close, default=9) > 1.95, close
    apart = f"two of a clip at least {min(close, default=9):.2f} s apart, but for the one that keeps it"
    figure = f"idle for {idle} s: {writes} pages, of the one acknowledgement; "
    figure += f"{count(1, 5)} clips of 13 s: {len(syncs)} syncs, {apart}; "
    figure += f"two commits at least {min(gaps, default=9):.2f} s apart"
    tell(15, "`strace` of the daemon with the scene and a broker", figure)


def sockets(pid: int) -> list[tuple[str, str, str, str]]:
    """Protocol, local and remote address and state (0A: listening) of a process's internet sockets."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(descriptor.readlink().as_posix())
        except OSError:
            continue
    found = []
    for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        table = Path(f"/proc/{pid}/net/{protocol}")
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            columns = line.split()
            if f"socket:[{columns[9]}]" in inodes:
                found.append((protocol, columns[1], columns[2], columns[3]))
    return found


@pytest.mark.row(17)
def test_the_door_listens_nowhere_and_speaks_to_its_broker_alone(
    tmp_path: Path, broker: Mosquitto, listener: Listener, strace: str
) -> None:
    trace = tmp_path / "trace"
    wrapper = [strace, "-f", "-qq", "-o", str(trace), "-e", "trace=connect,bind,listen,sendto,sendmsg,sendmmsg"]
    with Door(tmp_path / "door", broker.port, SCENE, wrapper=wrapper) as door:
        seen(door)
        door.press()
        listener.wait("/alert")
        doorman = next(pid for pid in children(door.process.pid if door.process else 0))
        of_doorman, of_recorder = sockets(doorman), [found for pid in children(doorman) for found in sockets(pid)]
        door.until(lambda: door.clips, 60)
    there = f"{broker.port:04X}"
    assert of_recorder == []
    assert [(protocol, remote.endswith(there), state) for protocol, _, remote, state in of_doorman] == [
        ("tcp", True, "01")
    ]
    inet = [line for line in trace.read_text().splitlines() if "AF_INET" in line]
    said = [line for line in inet if re.search(r" (connect|send\w*)\(", line)]
    assert said
    assert [line for line in said if f"htons({broker.port})" not in line or 'inet_addr("127.0.0.1")' not in line] == []
    assert [line for line in inet if " bind(" in line] == []
    assert not [line for line in trace.read_text().splitlines() if " listen(" in line]
    tell(17, "`/proc` and `strace` of the running daemon, in a visit", "0 listening, 1 host; the recorder: no socket")


@pytest.mark.row(18)
@pytest.mark.skipif(not FULL, reason="the short form is tests/door's, with five presses")
def test_a_card_that_takes_five_seconds_for_each_sync_delays_no_ring(
    tmp_path: Path, broker: Mosquitto, listener: Listener, strace: str
) -> None:
    slow = [strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]
    slow += ["-e", "inject=fsync,fdatasync:delay_enter=5000000"]
    presses = 100
    with Door(tmp_path / "door", broker.port, wrapper=slow) as door:
        listener.wait("availability", within=60)
        waits, chimes = [], []
        for number in range(1, presses + 1):
            pause(0.1)  # the button is let go of
            at = door.press()
            chimes.append(door.chimed(number) - at)
            waits += [max(listener.wait(topic, number)[-1].at - at for topic in ("/alert", "/ring"))]
        door.until(lambda: door.status().get("rings") == presses)
    assert max(waits) < UNAFFECTED_S, waits
    assert max(chimes) < UNAFFECTED_S, chimes
    figure = f"{presses} of {presses} rang and were told: chime after {median(chimes):.2f} s (median), "
    figure += f"{max(chimes):.2f} s (longest); alert and ring after {median(waits):.2f} s, {max(waits):.2f} s"
    tell(18, "`strace -e inject` delays every sync by 5 s", figure)
