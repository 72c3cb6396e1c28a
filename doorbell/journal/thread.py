"""The only thread that touches the journal, so that a slow card delays no ring.

The doorman puts requests and goes on; what became of them arrives in its inbox: Kept for each entry, after the commit;
DueEntries; JournalTrouble once when the card refuses and once, empty, when it takes again; JournalReady.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from doorbell.journal.entry import Field, Stamp
from doorbell.journal.requests import AskDue, AskPage, ClipKept, ClipLost, ClipStarted, Delete, ForgetOld, Line, Write
from doorbell.journal.writer import LONGEST_IDLE, Writer


class JournalThread:
    """Opens the journal in ``state`` in its own thread and writes what it is asked to.

    ``seal`` makes an age message to the roster in force, ``sign_entry`` 64 bytes over an entry's hash; both are called
    in this thread only. ``put`` is the doorman's inbox. ``started`` stamps what is found at the start. No request waits
    for the card; each returns whether it was taken (see requests.Line for what is given up first when 1,000 wait).
    """

    def __init__(
        self,
        state: Path,
        *,
        verify_key: bytes,
        seal: Callable[[bytes], bytes],
        sign_entry: Callable[[bytes], bytes],
        put: Callable[[object], None],
        started: Stamp,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._line = Line()
        self._writer = Writer(
            state,
            verify_key=verify_key,
            seal=seal,
            sign_entry=sign_entry,
            put=put,
            started=started,
            clock=clock,
            line=self._line,
        )
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self.last_turn = clock()
        """Monotonic seconds of the last turn that came to its end; at most 5 s ago unless the card holds it up."""

    def start(self) -> None:
        self._thread.start()

    def write(self, kind: str, fields: Mapping[str, Field], stamp: Stamp, token: str = "") -> bool:
        return self._line.put(Write(kind, fields, stamp, token))

    def clip_started(self, clip: str, fields: Mapping[str, Field], stamp: Stamp) -> bool:
        """Put this before the recorder is told to record, else the file could be taken for a leftover."""
        return self._line.put(ClipStarted(clip, fields, stamp))

    def clip_kept(self, clip: str, fields: Mapping[str, Field], stamp: Stamp, size: int) -> bool:
        """``size``: bytes of the sealed clip and its sealed poster. ``fields``: bytes, sha256, seconds, trigger, …"""
        return self._line.put(ClipKept(clip, fields, stamp, size))

    def clip_lost(self, clip: str, why: str, stamp: Stamp) -> bool:
        """The recorder gave the clip up: what is whole of it is kept as clip_cut, here and now."""
        return self._line.put(ClipLost(clip, why, stamp))

    def delete(self, clip: str, why: str, stamp: Stamp) -> bool:
        """A person wants a clip gone: the entry first, then the files."""
        return self._line.put(Delete(clip, why, stamp))

    def forget(self, stamp: Stamp, *, today: int, days: int, quota: int) -> bool:
        """Run retention; ``today`` is the UTC day since 1970, 0 while the clock is not trusted; ``quota`` in bytes."""
        return self._line.put(ForgetOld(stamp, today, days, quota))

    def acked(self, index: int) -> None:
        """The broker has entry ``index``: it is no longer due."""
        self._line.acknowledge(index)

    def ask_due(self, after_index: int, question: int) -> None:
        """Puts DueEntries with *question*: up to 16 entries behind ``after_index``, each at most 96 KiB. Of several
        questions that wait only the newest is answered.
        """
        self._line.ask(AskDue(after_index, question))

    def ask_page(self, after_index: int, room: int, token: str) -> bool:
        """Puts JournalPage with *token*; False where 16 pages are asked for already."""
        return self._line.ask_page(AskPage(after_index, room, token))

    def stop(self, timeout: float) -> bool:
        """Write what waits and end; whether all of it was written within ``timeout`` seconds."""
        self._line.stop()
        self._thread.join(timeout)
        return not self._thread.is_alive() and not self._writer.unwritten

    def _run(self) -> None:
        while True:
            last = self._line.stopping
            wait = self._writer.turn()
            self.last_turn = self._clock()
            if last and (wait.refused or not self._writer.unwritten):
                break
            # A commit waits its second, a question does not: it only reads.
            self._line.wait(min(wait.seconds, LONGEST_IDLE), for_questions=not wait.refused, for_requests=wait.for_more)
        self._writer.close()
