"""A long life in a short time: the daemon with its camera at many times its speed, events without end, and faults.

``make soak`` runs an hour of it (SOAK_MINUTES=10 for less, SOAK_SEED=7 for another life): visitors and rings all the
time, and every few seconds a fault that the seed chooses. Nothing is asserted while it runs; a ``Report`` is what it
found.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from attrs import define, field

from doorbell.check import check
from doorbell.journal.entry import read_document
from doorbell.journal.opening import open_to_read
from doorbell.link.delivery import Limits
from tests.endure.lifetime import Report
from tests.endure.vitals import look, sectors_written
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener, pause
from tests.rigs.ext4 import Card
from tests.rigs.proxy import Proxy
from tests.rigs.reading import opened

if TYPE_CHECKING:
    import paho.mqtt.client as paho

    from doorbell.journal.entry import Entry

FILM_S, FPS = 30, 12
"""So many that two cores play the film about 100 times as fast as the world."""
SETTINGS = {
    "camera": {"width": 160, "height": 120, "fps": FPS, "bitrate_kbps": 100},
    "storage": {"quota_mb": 64},
}
LOOK_S = 2.0
CARD_MB = 160
FAULTS = ("kill_recorder", "stop_recorder", "kill_doorman", "lose_broker", "stall", "cut")
STALE_S = Limits().live_s + Limits().ack_s + 0.5
"""The door hands a ring over within ten seconds or never; what the broker has not acknowledged five seconds later ends
with its connection, but may pass a stalled link until then."""
MARK = "soak/mark"
LOG = Path("build/soak/door.log")
GAP_S = 0.2
"""Two edges that a busy machine stamps within 15 ms of each other are a bounce to the door."""
PATIENCE_S = 10.0
"""A door under such a flood decides about a press within a second of it; a shared machine is slower."""


def film(path: Path) -> Path:
    """A bright figure crosses a street of many colours: FILM_S seconds at FPS pictures a second."""
    street = str(path.with_suffix(".png"))
    walk = "color=white:size=30x80:rate=5[one];[0][one]overlay=x=-30+t*25:y=30:enable=lt(t\\,10):shortest=1"
    for words in (
        ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=1:duration=1", "-frames:v", "1", street],
        ["-loop", "1", "-r", str(FPS), "-t", str(FILM_S), "-i", street, "-filter_complex", walk,
         "-pix_fmt", "yuv420p", "-bf", "0", "-preset", "veryfast", str(path)],
    ):  # fmt: skip
        subprocess.run(["ffmpeg", "-v", "error", "-y", *words], check=True)
    return path


class Patient(Listener):
    """A listener that can tell when it hears a broker again, and when it has heard all that one has."""

    def __init__(self, port: int) -> None:
        self._heard_all = threading.Event()
        super().__init__(port)

    def gone(self) -> None:
        self._here.clear()

    def back(self) -> None:
        assert self._here.wait(30)

    def catch_up(self) -> None:
        """Hear everything that the broker has taken so far: it hands on in order, so a word of our own comes last."""
        self._heard_all.clear()
        self._client.publish(MARK, b"", qos=1)
        assert self._heard_all.wait(60), "the broker does not hand on what it has"

    def _note(self, client: object, told: object, message: paho.MQTTMessage) -> None:
        if message.topic == MARK:
            self._heard_all.set()
        else:
            super()._note(client, told, message)


@define
class Soak:
    """One life. ``faults`` are methods of this class by name; none gives an undisturbed one."""

    folder: Path
    seed: int
    faults: tuple[str, ...] = FAULTS
    wrapper: list[str] = field(factory=list)
    small_card: bool = False
    """A card of its own that can be full; root only."""
    fault_s: float = 8.0
    """About how long after one fault the next comes."""
    say: Callable[[str], None] = print
    report: Report = field(init=False)
    broker: Mosquitto = field(init=False)
    proxy: Proxy = field(init=False)
    listener: Patient = field(init=False)
    door: Door = field(init=False)
    chance: random.Random = field(init=False)
    _next_look: float = 0.0
    _later: list[tuple[float, Callable[[], None]]] = field(factory=list)
    _log_read: int = 0

    def run(self, seconds: float, events: int = 0) -> Report:
        """For so long, or until so many events were handled."""
        self.report, self.chance = Report(self.seed), random.Random(self.seed)
        self.broker = Mosquitto(self.folder)
        place = film(self.folder / "street.mp4")
        with (
            ExitStack() as stack,
            self.broker,
            Proxy(self.broker.port) as self.proxy,
            Patient(self.broker.port) as self.listener,
        ):
            card = stack.enter_context(Card(self.folder / "small", CARD_MB)) if self.small_card else None
            settings = SETTINGS | {"camera": SETTINGS["camera"] | {"source": f"file:{place}"}}
            self.door = Door(self.folder / "door", self.proxy.port, settings, self.wrapper, ["--fast"])
            self._put_in(card)
            before = sectors_written(card.place) if card is not None else 0  # of its loop device, earlier lives too
            self._start()
            began = time.monotonic()
            self.door.until(lambda: self.door.status().get("camera") == "sees", 60)
            self._live(began, seconds, events, place.stat().st_size)
            self.report.seconds = time.monotonic() - began
            if card is not None:
                subprocess.run(["sync", "-f", card.place], check=True)
                self.report.written = (sectors_written(card.place) - before) * 512
            self._end()
        return self.report

    def _put_in(self, card: Card | None) -> None:
        if card is not None:
            (card.place / "state").mkdir(mode=0o700)
            self.door.folder.mkdir()
            self.door.state.symlink_to(card.place / "state")

    def _live(self, began: float, seconds: float, events: int, film_bytes: int) -> None:
        fault_at = began + self.fault_s
        while (at := time.monotonic()) < began + seconds and not (events and self.report.events >= events):
            if self.faults and at >= fault_at and not self._later:
                name = self.chance.choice(self.faults)
                self.report.faults[name] += 1
                self.say(f"{at - began:6.0f} s: {name}")
                getattr(self, name)()
                fault_at = at + self.chance.uniform(0.5, 1.5) * self.fault_s
            self._ring_and_flutter()
            if at >= self._next_look:
                self._next_look = at + LOOK_S
                self._look(at, film_bytes)
        for _, what in self._later:
            what()
        self._look(time.monotonic(), film_bytes)

    def _do_what_is_due(self) -> None:
        for due, what in [one for one in self._later if time.monotonic() >= one[0]]:
            self._later.remove((due, what))
            what()

    # ---- what happens at a door

    def _ring_and_flutter(self) -> None:
        """A finger that stays until the door rings: simulated pins stamp an edge when their thread gets to run."""
        self._new_rings()
        self._finger(b"button down")
        self.report.presses += 1
        ends, number, rung = time.monotonic() + PATIENCE_S, 0, 0
        while not rung and time.monotonic() < ends:
            self._finger(b"pir up" if number % 2 else b"pir down")
            self._do_what_is_due()  # a door that does not ring makes no stall longer
            pause(0.01)
            number, rung = number + 1, self._new_rings()
        self.report.rang += bool(rung)
        self._finger(b"button up")
        pause(GAP_S)

    def _new_rings(self) -> int:
        """How often the door's log says since the last look that somebody rings."""
        with (self.door.folder / "log").open("rb") as log:
            log.seek(self._log_read)
            new = log.read()
        self._log_read += new.rfind(b"\n") + 1
        return new[: new.rfind(b"\n") + 1].count(b"somebody rings")

    def _finger(self, what: bytes) -> None:
        try:
            self.door.finger(what)
        except OSError:
            return  # nobody is at the door just now
        self.report.events += 1

    # ---- faults

    def kill_recorder(self) -> None:
        self._signal(self._recorder(), signal.SIGKILL)

    def stop_recorder(self) -> None:
        self._signal(self._recorder(), signal.SIGSTOP)

    def kill_doorman(self) -> None:
        """systemd starts it again."""
        process = self.door.process
        assert process
        recorder = self._recorder()
        self._signal(self._doorman(), signal.SIGKILL)
        process.wait(30)
        self.door.until(lambda: not recorder or not Path(f"/proc/{recorder}").exists(), 60)
        for name in ("starts", "status.json", "pins.sock"):  # its five minutes are hours here
            (self.door.folder / "run" / name).unlink(missing_ok=True)
        self._do_as_the_door_says()
        self._start()

    def _do_as_the_door_says(self) -> None:
        """Look at clips/aside/, then delete what is there: clips that began in the second before a death, whose first
        entry was not written yet. A hundred times as many begin in a second here.
        """
        for stranger in (self.door.state / "clips/aside").glob("*"):
            self.report.aside += 1
            stranger.unlink()

    def lose_broker(self) -> None:
        """What it had taken reaches the listener first, or it would be the broker that lost it."""
        self.proxy.stall()
        self.listener.catch_up()
        self.listener.gone()
        self.broker.kill()
        self._in(self.chance.uniform(1, 5), self._find_broker)

    def _find_broker(self) -> None:
        self.broker.start()
        self.listener.back()
        self.proxy.cut()
        self.proxy.flow()

    def stall(self) -> None:
        self.proxy.stall()
        self._in(self.chance.uniform(1, 8), self.proxy.flow)

    def cut(self) -> None:
        self.proxy.cut()

    def fill_card(self) -> None:
        """Somebody else's file takes what is free, where the card is small enough to be filled."""
        card = os.statvfs(self.door.state)
        strangers = self.door.state.resolve().parent / "strangers"
        with strangers.open("ab") as grows:
            os.posix_fallocate(
                grows.fileno(), 0, max(1, card.f_bavail * card.f_frsize - self.chance.randrange(400) * 1024)
            )
        self._in(self.chance.uniform(2, 6), lambda: strangers.unlink(missing_ok=True))

    def _in(self, seconds: float, what: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, what))

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        try:
            if pid:
                os.kill(pid, number)
        except ProcessLookupError:
            return

    # ---- what is seen of it

    def _start(self) -> None:
        self.door.start()
        self.report.doormen += 1
        self.door.until((self.door.folder / "run/pins.sock").exists, 60)

    def _doorman(self) -> int:
        return self.door.process.pid if self.door.process else 0

    def _recorder(self) -> int:
        return self.door.recorder()

    def _look(self, at: float, film_bytes: int) -> None:
        self.report.doorman_pids.add(self._doorman())
        for pid in (self._doorman(), self._recorder()):
            if not pid or (seen := look(pid, at)) is None:
                continue
            if pid not in self.report.lives:
                self.report.recorders += pid not in self.report.doorman_pids
            before = self.report.lives.setdefault(pid, [])
            if pid not in self.report.doorman_pids and before:
                played = (seen.read - before[-1].read) / film_bytes * FILM_S
                self.report.film_s += played
                self.report.events += round(played * FPS)  # each look at a picture is told to the doorman
            self.report.written += seen.written - (before[-1].written if before else 0)
            before.append(seen)

    def _end(self) -> None:
        """Let everything be delivered, stop, and look at what lies on the card and at the broker."""
        report, over = self.report, time.monotonic()
        while time.monotonic() < over + 60 and not self._is_delivered(over):
            pause(0.2)
        self.door.stop()
        book = open_to_read(self.door.state)
        there = {entry.index: entry for entry in book.entries()}
        due = {entry.index for entry in book.due(0, len(there))}
        book.close()
        counts: Counter[int] = Counter()
        for note in self.listener.of("journal"):
            entry = read_document(note.payload)
            counts[entry.index] += 1
            if report.heard.setdefault(entry.index, entry.hash) != entry.hash:
                report.heard[entry.index] = b"sent with two contents"
        report.twice = sum(count - 1 for count in counts.values())
        report.gone = sorted(
            index for index, sha in report.heard.items() if index not in there or there[index].hash != sha
        )
        report.unheard = {index: self._told(there[index], due) for index in sorted(set(there) - set(report.heard))}
        report.clips = len(self.door.clips)
        report.findings = tuple(
            one.sentence for one in check(self.door.state, thorough=True, identities=[self.door.owner]).findings
        )
        ages = [note.at - self._pressed(note.payload) for note in self.listener.of("/alert")]
        report.stale = [age for age in ages if age > STALE_S]

    def _is_delivered(self, since: float) -> bool:
        """Whether the door, by a page of later than *since*, is at the broker, and its newest entry arrived; what it
        writes afterwards it hands over before it stops."""
        page = self.door.status()
        heard = {read_document(note.payload).index for note in self.listener.of("journal")[-50:]}
        return page.get("uptime", 0.0) > since + 0.5 and page["broker"] and page["entries"] in heard

    def leave(self, folder: Path) -> None:
        """What the door said, what was never heard, and every look at a process, for whoever wants to know why."""
        folder.mkdir(parents=True, exist_ok=True)
        looks = (f"{pid} {one}\n" for pid, looks in self.report.lives.items() for one in looks)
        (folder / "looks").write_text("".join(looks))
        (folder / "lost").write_text("".join(f"{index} {told}\n" for index, told in self.report.unheard.items()))
        if hasattr(self, "door"):  # else it ended before there was one
            (folder / LOG.name).write_text(self.door.log())

    def _told(self, entry: Entry, due: set[int]) -> str:
        """What an entry says, and what the door believes to have become of it."""
        what = f"{'due' if entry.index in due else 'taken by the broker'}, "
        return what + (opened(self.door.owner, entry.body).decode() if entry.body else "its body is forgotten")

    def _pressed(self, alert: bytes) -> float:
        """When the button was pressed, on this machine's monotonic clock."""
        return float(json.loads(opened(self.door.owner, alert)[64:])["uptime"])


def main() -> int:
    minutes, seed = float(os.environ.get("SOAK_MINUTES", "60")), int(os.environ.get("SOAK_SEED", "1"))
    with TemporaryDirectory() as made:
        own = os.geteuid() == 0
        faults = (*FAULTS, "fill_card") if own else FAULTS
        print(
            f"seed {seed}, {minutes:g} minutes: SOAK_SEED={seed} SOAK_MINUTES={minutes:g} make soak does it again",
            flush=True,
        )
        soak = Soak(Path(made), seed, faults, small_card=own)
        try:
            report = soak.run(minutes * 60)
        finally:
            soak.leave(LOG.parent)
    print("\n".join(report.lines()))
    print("\n".join(f"failed: {sentence}" for sentence in report.wrong()) or "all of it holds")
    print(f"What the door said: {LOG}")
    return int(bool(report.wrong()))


if __name__ == "__main__":
    sys.exit(main())
