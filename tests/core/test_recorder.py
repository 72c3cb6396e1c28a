"""The recorder's loop, with a camera that stands at its seam and a doorman that is a socket; and the real child."""

from __future__ import annotations

import fcntl
import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from doorbell import child, health, pipe, recorder
from doorbell.child import Child
from doorbell.clips import preroll, store, writer
from doorbell.clips.recipient import Recipient
from doorbell.clips.writer import CardWriter
from doorbell.config import Camera, Config, Door, Keys, Visit
from doorbell.configfile import for_recorder
from doorbell.errors import DeviceError
from doorbell.events import (
    CameraEnded,
    ClipKept,
    ClipLost,
    Died,
    PosterMade,
    RecorderAlive,
    RecorderGone,
    RecorderReady,
    RecorderTrouble,
    Said,
    Saw,
)
from doorbell.hkdf import hkdf
from doorbell.parent import MOST_UNSENT, Closed, Parent
from doorbell.recorder import Recorder
from doorbell.senses.camera import Luma, Packet, Settings, Sink
from doorbell.senses.encoder import Encoder
from doorbell.senses.software import av

CLIP, NEXT, VISIT = "c" * 26, "d" * 26, "v" * 26
SOMEBODY = Recipient(hkdf(b"test", info=b"any point that is not of low order"))
FPS = 10


class Standing:
    """A camera that gives what the test puts into the sink, and nothing else."""

    width, height, dropped = 64, 48, 0

    def __init__(self) -> None:
        self.started = threading.Event()

    def start(self, sink: Sink) -> None:
        self.sink = sink
        self.started.set()

    def want_still(self) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def config(tmp_path: Path) -> Config:
    store.prepare(tmp_path)
    return Config(
        door=Door(state=tmp_path, runtime=tmp_path), keys=Keys((SOMEBODY,)), visit=Visit(longest_s=10, linger_s=1)
    )


class Running:
    """A recorder's loop in a thread; ``heard`` is what its doorman has been told so far."""

    def __init__(self, config: Config, *, once: bool = False) -> None:
        self.camera, self.error, self.heard = Standing(), None, []
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.settimeout(20)
        inbox: SimpleQueue[object] = SimpleQueue()
        parent = Parent(theirs, inbox.put)
        parent.listen()
        self._recorder = Recorder(config, parent, inbox, self.camera, once=once)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self.camera.started.wait(10)

    def _run(self) -> None:
        try:
            self._recorder.run()
        except DeviceError as error:
            self.error = error

    def order(self, message: object) -> None:
        self._ours.send(pipe.encode(message))

    def until(self, kind: type) -> Any:
        """The next *kind* that is heard."""
        while True:
            self.heard.append(pipe.decode(self._ours.recv(pipe.LARGEST), pipe.UP))
            if type(self.heard[-1]) is kind:
                return self.heard[-1]

    def end(self) -> None:
        if self._ours.fileno() < 0:
            return
        self._ours.shutdown(socket.SHUT_WR)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._ours.setblocking(False)
        while True:
            try:
                data = self._ours.recv(pipe.LARGEST)
            except BlockingIOError:
                break
            if not data:
                break
            self.heard.append(pipe.decode(data, pipe.UP))
        self._ours.close()

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.heard if type(one) is kind]


@pytest.fixture
def running(config: Config) -> Iterator[Running]:
    one = Running(config)
    yield one
    one.end()


@pytest.fixture(scope="module")
def packets() -> list[Packet]:
    """A second of coded pictures, again and again for a minute."""
    frame = av.VideoFrame(64, 48, "yuv420p")
    encoder = Encoder(64, 48, Settings("", 64, 48, FPS, 100))
    coded = [one for n in range(FPS) for one in encoder.encode(frame, n / FPS)]
    return [Packet(100 + n / FPS, *coded[n % FPS]) for n in range(60 * FPS)]


def descriptors() -> int:
    gc.collect()  # what an earlier test left behind is not closed between two counts
    return len(list(Path("/proc/self/fd").iterdir()))


def luma(at: float) -> Luma:
    return Luma(at, np.zeros((240, 320), np.uint8))


def silent(running: Running, feed: Callable[[float], None]) -> bool:
    """Whether nothing is heard of the recorder's life while *feed* goes on for a few of its seconds."""
    running._ours.settimeout(0.1)
    for n in range(25):
        feed(200 + n / 10)
        try:
            running.heard.append(pipe.decode(running._ours.recv(pipe.LARGEST), pipe.UP))
        except TimeoutError:
            continue
        if running.of(RecorderAlive):
            return False
    return True


def test_a_camera_whose_pictures_are_looked_at_and_coded_is_alive(running: Running, packets: list[Packet]) -> None:
    def feed(at: float) -> None:
        running.camera.sink.luma(luma(at))
        running.camera.sink.packet(packets[0])

    assert not silent(running, feed)


def test_a_camera_whose_pictures_are_no_longer_coded_is_not_alive(running: Running) -> None:
    assert silent(running, lambda at: running.camera.sink.luma(luma(at)))
    assert running.of(RecorderReady)


def test_a_camera_whose_pictures_are_no_longer_looked_at_is_not_alive(running: Running, packets: list[Packet]) -> None:
    assert silent(running, lambda _: running.camera.sink.packet(packets[0]))


def test_the_end_of_a_camera_is_a_trouble(running: Running) -> None:
    running.camera.sink.ended()
    running._thread.join(20)
    assert str(running.error).startswith("The camera ended")
    running.end()
    assert not running.of(CameraEnded)


def test_a_film_that_is_shown_once_ends_the_door(config: Config) -> None:
    running = Running(config, once=True)
    running.camera.sink.ended()
    assert running.until(CameraEnded)
    running.end()
    assert running.error is None


def test_a_clip_without_a_picture_is_told_lost_after_its_file_was_closed(running: Running, config: Config) -> None:
    before = descriptors()
    for letter in "abcdefghijklmnopqrst":
        running.order(pipe.Begin(letter * 26, VISIT, "press"))
        running.order(pipe.End(letter * 26))
        assert running.until(ClipLost).clip == letter * 26
        assert (config.door.state / f"clips/{letter * 26}.part").exists()
    assert descriptors() <= before


def test_a_clip_that_nobody_ends_ends_by_itself_and_is_kept(
    running: Running, packets: list[Packet], config: Config
) -> None:
    running.order(pipe.Begin(CLIP, VISIT, "press"))
    most = 1 + config.visit.longest_s + 30
    running._ours.settimeout(0.05)
    for number, packet in enumerate(packets):
        running.camera.sink.packet(packet)
        if number % 50:
            continue
        if running.of(ClipKept):
            break
        try:
            running.heard.append(pipe.decode(running._ours.recv(pipe.LARGEST), pipe.UP))
        except TimeoutError:
            continue
        assert not running.of(ClipLost)
    assert most - 2 <= running.of(ClipKept)[0].seconds <= most


def test_a_whole_preroll_fits_what_may_wait_for_the_card() -> None:
    assert writer.MOST_WAITING >= preroll.MOST_BYTES + 16 * 1024 * 1024


def test_a_clip_that_begins_before_the_last_one_ended_loses_that_one_and_no_descriptor(config: Config) -> None:
    heard: SimpleQueue[Any] = SimpleQueue()
    card = CardWriter(config.door.state / "clips", heard.put)
    before = descriptors()
    card.begin(CLIP)
    card.begin(NEXT)
    assert heard.get(timeout=10).clip == CLIP
    card.lose(CLIP, "twice")
    card.write(b"sealed")
    card.keep(1.0)
    assert isinstance(kept := heard.get(timeout=10), ClipKept) and kept.clip == NEXT
    assert descriptors() == before
    assert card.stop(10)
    with pytest.raises(Empty):
        heard.get_nowait()


def test_a_card_that_never_returns_does_not_hold_up_the_end(config: Config) -> None:
    card = CardWriter(config.door.state / "clips", print)
    assert card._thread.daemon
    assert card.stop(10)


# ---- what the doorman does not read


def test_a_doorman_that_does_not_read_loses_signs_of_life_first_and_no_clips_fate() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        parent = Parent(theirs, print)
        while not parent._unsent:
            parent.tell(PosterMade(1.0, CLIP, bytes(20_000), kept=True))  # until the kernel takes no more
        sent = [ClipKept(1.0, CLIP, 1, "00" * 32, 1.0), Saw(1.0, True, 1.0, (0, 0, 1, 1), 1.0)]
        for message in sent:
            parent.tell(message)
        for n in range(3 * MOST_UNSENT):
            parent.tell(RecorderAlive(float(n), n, 0))
        assert len(parent._unsent) == MOST_UNSENT
        assert [kind for kind, _ in parent._unsent][:4] == [PosterMade, ClipKept, Saw, RecorderAlive]
        for _ in range(MOST_UNSENT):
            parent.tell(ClipLost(2.0, NEXT, "The card is full."))
        kinds = [kind for kind, _ in parent._unsent]
        assert kinds.count(ClipKept) == 1 and kinds.count(ClipLost) == MOST_UNSENT
        assert parent.given_up == 3 * MOST_UNSENT + 2


def test_a_doorman_who_is_gone_however_is_the_end_and_no_error() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    heard: SimpleQueue[Any] = SimpleQueue()
    parent = Parent(theirs, heard.put)
    parent.tell(RecorderAlive(1.0, 1, 0))
    ours.close()  # with something unread: the other end's next look is a reset connection
    parent.listen()
    assert isinstance(heard.get(timeout=10), Closed)
    theirs.close()
    parent = Parent(theirs, heard.put)
    with pytest.raises(Closed):
        parent.setup()


# ---- one recorder a card


def test_a_recorder_waits_for_the_one_before_it_and_then_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not store.recorder_is_writing(tmp_path)
    before = store.lock_recorder(tmp_path)
    assert before is not None
    assert store.recorder_is_writing(tmp_path)
    monkeypatch.setattr(recorder, "LOCK_S", 0.2)
    with pytest.raises(DeviceError, match="still finishes its clip"):
        recorder.hold_the_card(tmp_path)
    os.close(before)
    assert not store.recorder_is_writing(tmp_path)
    monkeypatch.setattr(recorder, "LOCK_S", 10.0)
    recorder.hold_the_card(tmp_path)
    assert store.recorder_is_writing(tmp_path)
    with (tmp_path / store.LOCK).open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_card_that_takes_no_lock_leaves_the_camera_its_eyes(tmp_path: Path) -> None:
    recorder.hold_the_card(tmp_path / "gone")


# ---- the child


def unwrapped(heard: SimpleQueue[Any]) -> Callable[[object], None]:
    return lambda value: heard.put(value.message if isinstance(value, Said) else value)


def until_gone(heard: SimpleQueue[Any], limit: float = 60.0) -> list[Any]:
    found = [heard.get(timeout=limit)]
    while not isinstance(found[-1], RecorderGone):
        found.append(heard.get(timeout=limit))
    return found


def test_a_real_recorder_holds_its_card_and_lets_go_when_the_pipe_closes(config: Config) -> None:
    small = evolve(config, camera=Camera(source="scene", width=160, height=120, fps=5, bitrate_kbps=100))
    heard: SimpleQueue[Any] = SimpleQueue()
    one = Child(pipe.Setup(for_recorder(small)), 7, unwrapped(heard), [])
    assert isinstance(heard.get(timeout=60), RecorderReady)
    assert store.recorder_is_writing(config.door.state)
    assert os.getpgid(one.pid) == one.pid
    one.close()
    gone = until_gone(heard)[-1]
    assert (gone.generation, gone.status) == (7, 0)
    assert not store.recorder_is_writing(config.door.state)


def test_a_recorder_whose_camera_is_missing_says_a_sentence(config: Config, tmp_path: Path) -> None:
    missing = evolve(config, camera=Camera(source=f"file:{tmp_path}/{'x' * 200}.mp4"))
    heard: SimpleQueue[Any] = SimpleQueue()
    one = Child(pipe.Setup(for_recorder(missing)), 1, unwrapped(heard), [])
    said = until_gone(heard)
    assert isinstance(said[0], RecorderTrouble) and "no such file" in said[0].why
    assert said[-1].status == 1
    one.close()


@pytest.mark.parametrize("fails", ["socketpair", "Popen", "Thread"])
def test_a_machine_without_room_for_a_recorder_is_a_sentence_and_leaves_nothing_open(
    fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seam is the system's own refusal, which a test cannot bring about without harming its neighbours."""
    pids = []
    start = subprocess.Popen

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread") if fails == "Thread" else OSError(11, "Resource unavailable")

    def note(*args: Any, **more: Any) -> Any:
        pids.append(start(*args, **more))
        return pids[-1]

    monkeypatch.setattr(child.subprocess, "Popen", note)
    monkeypatch.setattr(
        {"socketpair": child.socket, "Popen": child.subprocess, "Thread": child.threading}[fails], fails, refuse
    )
    before = descriptors()
    with pytest.raises(DeviceError, match="cannot be started"):
        Child(pipe.Setup({}), 1, print, [])
    assert descriptors() == before
    assert [one.returncode for one in pids] == ([-9] if fails == "Thread" else [])


def test_the_recorder_inherits_nothing_that_systemd_gave_the_doorman(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY", "LISTEN_FDS"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert "secret" not in child.environment().values()
    assert child.environment()["LANG"] == "C.UTF-8"


def test_the_recorder_imports_nothing_that_lies_in_the_working_directory(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doorbell.py").write_text("raise SystemExit(77)")
    (tmp_path / "json.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    heard: SimpleQueue[Any] = SimpleQueue()
    Child(pipe.Setup(for_recorder(config)), 1, unwrapped(heard), []).close()
    assert until_gone(heard)[-1].status != 77


def test_a_recorder_without_a_word_from_its_doorman_ends_quietly() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.close()
    with theirs:
        done = subprocess.run(
            [sys.executable, "-m", "doorbell.recorder"], stdin=theirs.fileno(), capture_output=True, text=True,
            check=False, env=child.environment(),
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_death_is_told_by_its_type_and_place_and_never_by_its_text() -> None:
    told: SimpleQueue[Died] = SimpleQueue()

    def run() -> None:
        try:
            int("secret")
        except ValueError as error:
            kind = type(error)
            told.put(
                health.died(threading.ExceptHookArgs((kind, error, error.__traceback__, threading.current_thread())))
            )

    thread = threading.Thread(target=run, name="card")
    thread.start()
    death = told.get(timeout=10)
    assert death.thread == "card"
    assert death.error.startswith("ValueError at test_recorder.py:")
    assert "secret" not in death.error
