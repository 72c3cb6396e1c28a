"""The real thread on a real clock, and the process killed while it writes."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from doorbell.check import check
from doorbell.clips.leftovers import ASIDE
from doorbell.clips.store import FOLDER, prepare
from doorbell.doorkeys import DoorKeys
from doorbell.events import JournalReady, Kept
from doorbell.journal.opening import open_to_read
from doorbell.journal.thread import JournalThread
from tests.rigs.journal import Door, stamp

KEYS = DoorKeys(bytes(range(32)), bytes(32))


def thread(state: Path, inbox: queue.SimpleQueue[Any], seal: Any = bytes) -> JournalThread:
    return JournalThread(
        state, verify_key=KEYS.verify_key, seal=seal, sign_entry=KEYS.sign_entry, put=inbox.put, started=stamp()
    )


def test_requests_are_answered_in_the_inbox_and_stop_writes_what_waits(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    journal = thread(tmp_path, inbox)
    journal.start()
    assert isinstance(inbox.get(timeout=20), JournalReady)
    journal.write("started", {}, stamp(), "first")
    assert inbox.get(timeout=20) == Kept(1, "started", "first")
    for number in range(500):
        journal.write("ring", {"n": number}, stamp(), str(number))
    assert journal.stop(20)
    tokens = [inbox.get(timeout=20).token for _ in range(500)]
    assert tokens == [str(number) for number in range(500)]
    book = open_to_read(tmp_path)
    assert book.head().index == 501
    book.close()


def test_acknowledged_entries_are_not_due_after_an_orderly_end(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    journal = thread(tmp_path, inbox)
    journal.start()
    inbox.get(timeout=20)
    journal.write("started", {}, stamp())
    inbox.get(timeout=20)
    journal.acked(1)
    assert journal.stop(20)
    book = open_to_read(tmp_path)
    assert book.due(0, 10) == []
    book.close()


def test_a_thread_stuck_on_the_card_makes_no_turns_and_nobody_waits_for_it(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stuck, go_on = threading.Event(), threading.Event()

    def seal(plain: bytes) -> bytes:
        stuck.set()
        go_on.wait(20)
        return plain

    journal = thread(tmp_path, inbox, seal)
    journal.start()
    inbox.get(timeout=20)
    journal.write("ring", {}, stamp())
    assert stuck.wait(20)
    turn = journal.last_turn
    begun = time.monotonic()
    assert all(journal.write("ring", {}, stamp()) for _ in range(900))
    assert not journal.stop(0.0)
    assert time.monotonic() - begun < 15
    assert journal.last_turn == turn
    go_on.set()
    assert journal.stop(20)
    assert journal.last_turn > turn


def test_a_card_that_is_gone_does_not_hold_up_the_end(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    journal = thread(tmp_path / "state", inbox)
    journal.start()
    assert inbox.get(timeout=20).why
    journal.write("ring", {}, stamp())
    assert not journal.stop(20)
    assert not journal._thread.is_alive()


def test_an_error_that_is_ours_ends_the_thread_loudly(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    died: queue.SimpleQueue[Any] = queue.SimpleQueue()
    before, threading.excepthook = threading.excepthook, died.put
    try:
        journal = thread(tmp_path, inbox)
        journal.start()
        journal.write("knock", {}, stamp())
        assert died.get(timeout=20).exc_type is ValueError
        assert journal.stop(20) is False
    finally:
        threading.excepthook = before


CHILD = """
import sys
import threading
from pathlib import Path
from doorbell.clips.seal import seal
from doorbell.events import JournalReady
from doorbell.clips.store import Part
from doorbell.doorkeys import DoorKeys
from doorbell.journal import writer
from doorbell.journal.entry import Stamp
from doorbell.journal.thread import JournalThread
from doorbell.owner.identity import Identity

writer.COMMIT_EVERY = 0.0  # as many commits as the card takes: more places to be killed at
keys, owner = DoorKeys(bytes(range(32)), bytes(32)), Identity(bytes(range(32)))
state, first = Path(sys.argv[1]), int(sys.argv[2])
stamp = Stamp("2026-03-01T07:30:00Z", "synced", 1.0)
letters = "abcdefghijklmnopqrstuvwxyz234567"

ready = threading.Event()

def put(value):
    print(repr(value), flush=True)
    if isinstance(value, JournalReady):
        ready.set()

journal = JournalThread(state, verify_key=keys.verify_key, seal=lambda b: seal([owner.recipient], b),
                        sign_entry=keys.sign_entry, put=put, started=stamp)
journal.start()
ready.wait()  # as the doorman does: what lies there before is being put in order
for number in range(first, first + 10_000):
    clip = "".join(letters[(number >> (5 * place)) % 32] for place in range(26))
    journal.clip_started(clip, {}, stamp)
    part = Part(state / "clips", clip, lambda: float(number))
    part.write(seal([owner.recipient], bytes(100_000)))
    size, sha256 = part.keep()
    fields = {"bytes": size, "sha256": sha256, "seconds": 1.0, "trigger": "press", "poster_sha256": ""}
    while not journal.clip_kept(clip, fields, stamp, size):
        pass
    while not journal.write("ring", {"n": number}, stamp, f"ring{number}"):
        pass
"""


@pytest.mark.parametrize("enough", [1, 4, 9, 23, 60])
def test_killed_while_it_writes_the_door_has_kept_all_that_it_told(tmp_path: Path, enough: int) -> None:
    state = tmp_path / "state"
    child = subprocess.Popen([sys.executable, "-c", CHILD, state, "0"], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = []
    for line in child.stdout:
        lines.append(line)
        if sum(each.startswith("Kept") for each in lines) >= enough:
            child.send_signal(signal.SIGKILL)
            break
    lines += child.stdout.readlines()
    assert child.wait(20) == -signal.SIGKILL
    told = [line for line in lines if line.startswith("Kept") and line.endswith(")\n")]
    door = Door(state, keys=KEYS)
    door.owner = type(door.owner)(bytes(range(32)))
    door.settle()
    assert check(state, thorough=True, identities=[door.owner]).findings == ()
    history = door.history()
    for line in told:
        kept = eval(line, {"Kept": Kept})
        body = history[kept.index - 1].body
        assert body is not None
        assert body["kind"] == kept.kind
        assert kept.token in (body.get("id"), f"ring{body.get('n')}")
    door.writer.close()
    if enough > 3:  # before that the first clip may not be there yet
        assert any((state / "clips").iterdir())


def test_a_file_whose_name_is_no_text_is_put_aside_and_the_journal_opens(tmp_path: Path) -> None:
    strange = os.fsdecode(b"caf\xe9.jpg")
    (prepare(tmp_path) / strange).touch()
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    journal = thread(tmp_path, inbox)
    journal.start()
    assert isinstance(inbox.get(timeout=20), JournalReady)
    assert journal.stop(20)
    assert [path.name for path in (tmp_path / FOLDER / ASIDE).iterdir()] == [strange]
