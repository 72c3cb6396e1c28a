"""What a damaged card may call a file keeps no journal shut."""

from __future__ import annotations

import os
from pathlib import Path
from queue import SimpleQueue

from doorbell.clips import store
from doorbell.clips.leftovers import ASIDE
from doorbell.events import JournalReady
from doorbell.journal.thread import JournalThread
from tests.rigs.journal import Door, stamp


def test_a_file_whose_name_is_no_text_is_put_aside_and_the_journal_opens(tmp_path: Path) -> None:
    door = Door(tmp_path / "state")
    door.settle(1)
    door.record(1)
    door.writer.close()
    name = b"caf\xe9.jpg"
    clips = os.fsencode(door.state / store.FOLDER)
    Path(os.fsdecode(clips + b"/" + name)).touch()
    said: SimpleQueue[object] = SimpleQueue()
    journal = JournalThread(
        door.state, verify_key=door.keys.verify_key, seal=door.seal, sign_entry=door.keys.sign_entry, put=said.put,
        started=stamp(),
    )  # fmt: skip
    journal.start()
    while not isinstance(said.get(timeout=20), JournalReady):
        pass
    assert journal.stop(20)
    aside = door.state / store.FOLDER / ASIDE
    assert [os.fsencode(one.name) for one in aside.iterdir()] == [name]
