"""Builds the daemon from its configuration, in the order in which it must work: pins and chime, journal, link.

What cannot be had is left out and told; the ring is never among it. Bell-only mode is this same daemon with nothing but
its pins: after a configuration that cannot be read, and after three deaths within five minutes.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import evolve

from doorbell import configfile, durable, household, login, overlay, salvage
from doorbell.alone import alone
from doorbell.answers import Answers
from doorbell.bell import Bell
from doorbell.clips import store
from doorbell.clips.seal import seal
from doorbell.clock import WallClock
from doorbell.config import Config, Keys
from doorbell.doorkeys import FOLDER, DoorKeys, load_or_make
from doorbell.doorman import Doorman
from doorbell.errands import Errands
from doorbell.errors import ConfigError, DeviceError, DoorbellError, Mistake
from doorbell.events import Stop
from doorbell.glance import LAST_GOOD, Glances
from doorbell.health import Systemd, died, forbid_core_dumps, start_log
from doorbell.household import Household
from doorbell.inbox import Inbox
from doorbell.journal.thread import JournalThread
from doorbell.leaving import Leaving
from doorbell.ledger import Ledger
from doorbell.light import kept
from doorbell.light.lookout import Lookout
from doorbell.link import messages, topics
from doorbell.link.acceptance import Acceptance
from doorbell.link.delivery import Delivery
from doorbell.link.mqtt import Link
from doorbell.orders import Orders
from doorbell.porch import Porch
from doorbell.problems import Problems
from doorbell.push.pocket import Pocket
from doorbell.recording import Recording, new_id
from doorbell.senses.pins import NoPins, Pins
from doorbell.switch import Switch
from doorbell.upkeep import Upkeep
from doorbell.viewing import Viewing
from doorbell.voice import Voice

log = logging.getLogger("doorman")

DEATHS = 3
WITHIN_S = 300.0
BELL_ONLY_S = 600.0
"""After so many deaths the door stays bell-only this long, and then tries to be whole again."""
LOOK_S = 10.0
"""How often a door with an unreadable configuration looks whether the file was changed."""
SWITCH_S = 0.0001
"""How long one thread may keep the interpreter from another that wants it. Python's own 5 ms is how late a ring would
leave: the link's thread, woken to send it, waits for the loop to seal the alert and to write the log line."""


def main(path: Path, *, once: bool = False, fast: bool = False) -> int:
    """Be the door until told to stop; the exit status."""
    start_log()
    forbid_core_dumps()
    sys.setswitchinterval(SWITCH_S)
    inbox = Inbox()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: inbox.put(Stop(time.monotonic())))
    threading.excepthook = lambda end: inbox.put(died(end))
    problems = Problems()
    before = _look(path)
    try:
        config = configfile.load(path)
    except ConfigError as error:
        problems.tell("configuration", str(error))
        return _bell_only(_last_good(path), inbox, problems, until_changed=(path, before))
    if fast and not config.camera.source.startswith(("file:", "scene")):
        raise Mistake(f"camera.source = {config.camera.source}: only a file or the scene can run faster than time.")
    _make_folders(config)
    state = config.door.state
    with alone(
        state, f"Another doorbell already runs with {state}: stop it first, or give this one its own door.state."
    ):
        return _be_the_door(path, config, inbox, problems, once=once, fast=fast)


def _be_the_door(path: Path, config: Config, inbox: Inbox, problems: Problems, *, once: bool, fast: bool) -> int:
    if _deaths(config.door.runtime) >= DEATHS:
        problems.tell("deaths", f"The daemon died {DEATHS} times in {WITHIN_S / 60:.0f} minutes; its log says why.")
        return _bell_only(config, inbox, problems)
    doorman = build(config, inbox, problems, ["--once"] * once + ["--fast"] * fast)
    if doorman.switch.errands is not None:
        doorman.switch.errands.send("last good", lambda: _remember_good(path, config))
    status = doorman.run()
    if status == 0:
        _forget_deaths(config.door.runtime)
    if doorman.again:
        # The same process, afresh: systemd sees one service that goes on, and a door without systemd goes on too.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
    return status


def build(config: Config, inbox: Inbox, problems: Problems, flags: list[str]) -> Doorman:
    """The whole door. What cannot be had is in *problems*."""
    bell = _bell(config, inbox, problems)
    clock, errands = WallClock(), Errands(inbox.put)
    keys = _keys(config, problems)
    by_hand = config
    config, why = kept.load(config)
    problems.tell("broker", why)
    home = household.load(config.door.id, config.door.state, config.keys.recipients)
    problems.tell("roster", home.damaged)
    config = overlay.load(evolve(config, keys=Keys(home.recipients)))
    journal = _journal(config, home, keys, inbox, clock)
    ledger = Ledger(journal, clock, config.storage.days, config.storage.quota_mb)
    recording = Recording(config, ledger, problems, inbox.put, flags)
    systemd = Systemd()
    upkeep = Upkeep(config, systemd, inbox, ledger, problems, recording, bell_only=False)
    upkeep.glances = Glances(config.door.state, errands)
    doorman = Doorman(
        config, inbox, bell, systemd, ledger, problems, recording, upkeep, Switch(config.door.state, errands),
        Leaving(recording, ledger), fast="--fast" in flags,
    )  # fmt: skip
    doorman.switch.read()
    if config.mqtt.host:
        doorman.voice = upkeep.voice = _voice(doorman, home, keys)
    if doorman.voice is not None and keys is not None:
        doorman.pocket = _pocket(doorman, doorman.voice, errands)
        doorman.pocket.start(home.roster, time.monotonic())
        upkeep.phones = lambda: doorman.pocket.summary if doorman.pocket else ""
        doorman.answers = _answers(doorman, doorman.voice, home, keys, errands=errands, pocket=doorman.pocket)
    if keys is not None:
        doorman.lookout = Lookout(by_hand, home, problems, errands, recording.send, doorman.film, doorman.begin_again)
    return doorman


def _bell(config: Config, inbox: Inbox, problems: Problems) -> Bell:
    chime_s = config.pins.chime_ms / 1000
    if config.pins.kind == "none":
        return Bell(NoPins(), problems, chime_s)

    def arm() -> Pins:
        return Pins(config.pins, inbox.put, runtime=config.door.runtime)

    try:
        return Bell(arm(), problems, chime_s)
    except DeviceError as error:
        problems.tell("pins", str(error))
        return Bell(NoPins(), problems, chime_s, arm)


def _keys(config: Config, problems: Problems) -> DoorKeys | None:
    try:
        return load_or_make(config.door.state / FOLDER)
    except DoorbellError as error:
        problems.tell("storage", str(error))
        return None


def _journal(
    config: Config, home: Household, keys: DoorKeys | None, inbox: Inbox, clock: WallClock
) -> JournalThread | None:
    if keys is None or not home.recipients:
        return None
    journal = JournalThread(
        config.door.state, verify_key=keys.verify_key, sign_entry=keys.sign_entry,
        seal=lambda plain: seal(home.recipients, plain), put=inbox.put, started=clock.stamp(time.monotonic()),
    )  # fmt: skip
    journal.start()
    return journal


def _voice(doorman: Doorman, home: Household, keys: DoorKeys | None) -> Voice | None:
    config = doorman.config
    heard = topics.subscriptions(
        config.door.id,
        may_switch_recording=config.homeassistant.may_switch_recording,
        discovery=config.homeassistant.discovery and config.privacy.clear_events,
    )
    try:
        link = Link(login.settings(config), config.door.id, doorman.inbox.put, heard)
    except DoorbellError as error:
        doorman.problems.tell("broker", str(error))
        return None
    delivery = Delivery(messages.availability(config.door.id, online=True), random.random)
    return Voice(
        config, link, delivery, doorman.ledger.clock, doorman.problems, os.urandom(16), keys, doorman.ledger.journal,
        seal=lambda plain: seal(home.recipients, plain), recording=doorman.is_recording_on,
    )  # fmt: skip


def _pocket(doorman: Doorman, voice: Voice, errands: Errands) -> Pocket:
    config = doorman.config
    return Pocket(
        config.door.state, config.push, errands, doorman.problems, doorman.ledger.clock.wall, voice.letter,
        doorman.test_ring, new_id, put=doorman.inbox.put, clear_events=config.privacy.clear_events,
    )  # fmt: skip


def _answers(
    doorman: Doorman, voice: Voice, home: Household, keys: DoorKeys, *, errands: Errands, pocket: Pocket
) -> Answers:
    door = doorman.config.door
    orders = Orders(
        doorman, home, doorman.ledger, errands, door.state / store.FOLDER,
        Viewing(doorman.recording.send, doorman.ledger.write, doorman.show_led), pocket, voice.wellbeing,
    )  # fmt: skip
    orders.porch = Porch(
        door.id, door.state, keys, home, errands, doorman.ledger.clock, doorman.ledger.write, voice.pairing,
        orders.in_force,
    )  # fmt: skip
    orders.porch.start(time.monotonic())
    return Answers(door.id, keys, Acceptance(door.id, voice.epoch, home, keys.open_box), orders, doorman.say)


def _make_folders(config: Config) -> None:
    for folder, mode in ((config.door.state, 0o700), (config.door.runtime, 0o750)):
        try:
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
        except OSError as error:
            log.error("%s cannot be made (%s): nothing is kept in it", folder, error.strerror)  # noqa: TRY400
    state = config.door.state
    try:
        if durable.close_to_others(state):
            log.warning("others could look into %s: it is closed to them now", state)
    except OSError as error:
        log.error("others may look into %s (%s): run `chmod 700` on it", state, error.strerror)  # noqa: TRY400


# ---- bell-only


def _bell_only(config: Config, inbox: Inbox, problems: Problems, until_changed: tuple[Path, Any] | None = None) -> int:
    _make_folders(config)
    bell = _bell(config, inbox, problems)
    ledger = Ledger(None, WallClock(), config.storage.days, config.storage.quota_mb)
    recording = Recording(config, ledger, problems, inbox.put)
    threading.Thread(target=_end_bell_only, args=(inbox, until_changed), name="bell only", daemon=True).start()
    systemd = Systemd()
    upkeep = Upkeep(config, systemd, inbox, ledger, problems, recording, bell_only=True)
    Doorman(
        config, inbox, bell, systemd, ledger, problems, recording, upkeep, Switch(config.door.state),
        Leaving(recording, ledger), bell_only=True,
    ).run()  # fmt: skip
    _forget_deaths(config.door.runtime)
    return 0


def _end_bell_only(inbox: Inbox, changed: tuple[Path, Any] | None) -> None:
    """Stop the daemon when there is hope that the next start is whole; systemd starts it again (Restart=always)."""
    wait = threading.Event()
    if changed is None:
        wait.wait(BELL_ONLY_S)
    else:
        path, before = changed
        while _look(path) == before:
            wait.wait(LOOK_S)
        log.info("the configuration was changed: starting afresh")
    inbox.put(Stop(time.monotonic()))


def _look(path: Path) -> Any:  # noqa: ANN401  whatever identifies a file's content for now
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_size, now.st_ino


def _kept_copy(state: Path) -> Path:
    return state / LAST_GOOD


def _last_good(path: Path) -> Config:
    """The configuration that last worked; of a door that never had one, what can be read of *path*, and else the pins
    as hardware/pins.toml has them: a bell needs its button, its chime and its LED."""
    try:
        with path.open("rb") as file:
            broken = salvage.for_the_bell(file.read(configfile.LARGEST))
    except OSError:
        broken = salvage.for_the_bell(b"")
    state = Path(os.environ.get("STATE_DIRECTORY") or broken.door.state)
    try:
        return configfile.load(_kept_copy(state))
    except ConfigError:
        return broken


def _remember_good(path: Path, config: Config) -> None:
    copy = _kept_copy(config.door.state)
    try:
        text = path.read_bytes()
        if not copy.exists() or copy.read_bytes() != text:
            durable.replace(copy, text)
    except OSError as error:
        log.warning("the last good configuration cannot be kept (%s)", error.strerror)


def _forget_deaths(runtime: Path) -> None:
    with suppress(OSError):  # what could not be written is not there either
        (runtime / "starts").unlink()


def _deaths(runtime: Path) -> int:
    """How often the daemon died within the last minutes, this start not counted; each start writes its moment."""
    starts, now = runtime / "starts", time.monotonic()
    try:
        before = [float(line) for line in starts.read_text(encoding="ascii").split()][-10:]
    except (OSError, ValueError):
        before = []
    recent = [at for at in before if 0 <= now - at < WITHIN_S]
    try:
        starts.write_text("\n".join(str(at) for at in [*recent, now]), encoding="ascii")
    except OSError as error:
        log.warning("%s cannot be written (%s)", starts, error.strerror)
    return len(recent)
