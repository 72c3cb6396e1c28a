"""The journal's turns: requests into entries, many in one commit, and what is told only after it.

Why a failed commit means a new connection. When an fsync fails the kernel may mark the pages clean although they are
not on the card, and the next fsync reports success; SQLite's own cache and the WAL's index then believe in frames that
may be gone. So the connection is given up. On the next one the batch in hand is either found (the frames were there:
they are written once more, into the database, before anybody is told) or written anew. It is never both.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell.clips import leftovers, store
from doorbell.clips.files import Files
from doorbell.clips.retention import share, to_forget
from doorbell.errors import DeviceError, Mistake
from doorbell.events import DueEntries, JournalPage, JournalReady, JournalTrouble, Kept, NoSuchClip
from doorbell.journal import restored
from doorbell.journal.book import Book
from doorbell.journal.entry import Head, Stamp, document
from doorbell.journal.opening import UnreadableError, open_to_write
from doorbell.journal.pages import Pages
from doorbell.journal.requests import (
    AskPage,
    ClipKept,
    ClipLost,
    ClipStarted,
    CutFound,
    Delete,
    ForgetOld,
    Line,
    Request,
    Vanished,
    Write,
)

COMMIT_EVERY: Final = 1.0
"""Seconds between two commits. A ring waits for it too: the household was told before the journal is."""
ACKNOWLEDGE_EVERY: Final = 30.0
"""Seconds that acknowledgements alone may wait; a crash before means that an entry is sent again."""
BATCH: Final = 200
"""Requests in one commit."""
LONGEST_IDLE: Final = 5.0
SHORTEST_BACK_OFF: Final = 1.0
LONGEST_BACK_OFF: Final = 60.0
MOST_UNREADABLE: Final = 2
"""Openings in a row that find it damaged; the next one believes it."""
MOST_DUE: Final = 16
MOST_DELETED: Final = 32
"""Clips forgotten in one commit; the rest in the next."""
MOST_VANISHED: Final = 200
"""Clip ids named in one entry."""


@frozen
class Wait:
    """For how many seconds nothing is due; ``for_more``: unless a request comes; ``refused``: the card refuses."""

    seconds: float
    for_more: bool = False
    refused: bool = False


@frozen
class _Done:
    """A batch as it was handed to the card: its last entry, and what to tell when it is known to be there."""

    head: Head
    kept: tuple[Kept, ...]
    acknowledged: frozenset[int]
    dropped: tuple[str, ...]
    unknown: tuple[str, ...]


class Writer:
    """One thread calls ``turn`` again and again; see JournalThread for what the arguments are."""

    def __init__(
        self,
        state: Path,
        *,
        verify_key: bytes,
        seal: Callable[[bytes], bytes],
        sign_entry: Callable[[bytes], bytes],
        put: Callable[[object], None],
        started: Stamp,
        clock: Callable[[], float],
        line: Line,
        files: Files | None = None,
    ) -> None:
        self._state, self._clips = state, state / store.FOLDER
        self._verify_key, self._seal, self._sign, self._put = verify_key, seal, sign_entry, put
        self._started, self._clock, self._line, self._files = started, clock, line, files or Files()
        self._book: Book | None = None
        self._journal_id = b""
        self._unreadable = 0
        self._said: list[str] = []
        self._batch: list[Request] = []
        self._uncertain: _Done | None = None
        self._unlinked: set[str] = set()
        self._more_to_forget: ForgetOld | None = None
        self._unsealable = ""
        self._trouble = ""
        self._back_off = 0.0
        self._next_try = self._next_commit = clock()
        self._next_acknowledge = clock() + ACKNOWLEDGE_EVERY
        self._last_stamp = started
        self._lost = 0

    def turn(self) -> Wait:
        """Do what is due."""
        try:
            if self._book is None:
                if self._clock() < self._next_try and not self._line.stopping:
                    return Wait(self._next_try - self._clock(), refused=True)
                self._open()
            self._answer()
            return self._commit_when_due()
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # what the schema or SQLite's interface refuses is our mistake, and no better the next time
        except (sqlite3.Error, OSError, DeviceError) as error:
            self._fail(error)
            return Wait(self._back_off, refused=True)

    @property
    def unwritten(self) -> int:
        return len(self._line)

    def close(self) -> None:
        """Give up the connection; SQLite folds the WAL into the database."""
        if self._book is not None:
            book, self._book = self._book, None
            with contextlib.suppress(sqlite3.Error):
                book.close()

    # ---- the card refuses

    def _fail(self, error: Exception) -> None:
        self.close()
        self._unreadable += isinstance(error, UnreadableError)
        self._say(_sentence(error))
        self._back_off = min(LONGEST_BACK_OFF, max(SHORTEST_BACK_OFF, 2 * self._back_off))
        self._next_try = self._clock() + self._back_off

    def _say(self, why: str) -> None:
        if why != self._trouble:
            self._trouble = why
            self._put(JournalTrouble(why))

    # ---- opening

    def _open(self) -> None:
        if not self._journal_id and store.recorder_is_writing(self._state):
            raise DeviceError("The recorder of the last run still finishes its clip.")
        patient = self._unreadable < MOST_UNREADABLE
        opened = open_to_write(self._state, self._verify_key, new_boot=not self._journal_id, patient=patient)
        self._unreadable = 0
        self._book = book = opened.book
        if self._uncertain is not None and book.holds(self._uncertain.head):
            book.fold()
            self._succeeded(self._uncertain)
        self._uncertain = None
        if opened.aside is not None:
            self._said += [opened.sentence, *self._set_clips_aside(opened.aside)]
        if book.journal_id != self._journal_id:
            self._line.acknowledgements_kept(self._line.acknowledged())  # of another journal's entries
            self._put_in_order(book)
            self._journal_id = book.journal_id
            head, said, self._said = book.head(), tuple(self._said), []
            newest, last = (head.index, head.hash), book.newest_day()
            self._put(JournalReady(book.journal_id, book.boot, head.index == 0, said, newest, last))

    def _set_clips_aside(self, aside: Path) -> list[str]:
        """The clips of a journal that is put aside go with it: together they can still be read."""
        if not self._clips.exists():
            return []
        target = aside.with_name(aside.name + ".clips")
        self._files.rename(self._clips, target)
        self._files.sync_folder(self._state)
        return [f"Its clips lie in {target.name}, outside retention: delete them when you have what you need."]

    def _put_in_order(self, book: Book) -> None:
        """Once a start: finish what an end in the middle left in clips/."""
        store.prepare(self._state, self._files)
        self._delete_files(book)
        running = self._line.starting() | {r.clip for r in self._batch if isinstance(r, ClipStarted)}
        found = leftovers.recover(
            self._clips, started=book.started(), kept=book.held_ids(), running=running, files=self._files
        )
        requests: list[Request] = []
        if book.head().index == 0 and (before := restored.fields(self._state)) is not None:
            requests.append(Write("storage", before, self._started))
        requests += [CutFound(cut, self._started) for cut in found.cut]
        lists = range(0, len(found.vanished), MOST_VANISHED)
        requests += [Vanished(found.vanished[first : first + MOST_VANISHED], self._started) for first in lists]
        self._line.put_first(requests)
        self._said += found.said

    # ---- the outbox

    def _answer(self) -> None:
        if self._book is None:
            return
        for page in self._line.pages():
            self._put(_page(self._book, page))
            self._line.page_answered(page)
        if (ask := self._line.asked()) is None:
            return
        acknowledged = self._line.acknowledged()
        behind = sum(index > ask.after for index in acknowledged)
        due = self._book.due(ask.after, MOST_DUE + behind)
        entries = [(entry.index, document(entry)) for entry in due if entry.index not in acknowledged]
        self._put(DueEntries(tuple(entries[:MOST_DUE]), ask.question))
        self._line.answered(ask)

    # ---- commits

    def _commit_when_due(self) -> Wait:
        now, stopping = self._clock(), self._line.stopping
        acknowledged = self._line.acknowledged() and (now >= self._next_acknowledge or stopping)
        if not len(self._line) and not acknowledged:
            return Wait(LONGEST_IDLE, for_more=True)
        if now < self._next_commit and not stopping:
            return Wait(self._next_commit - now)
        self._commit()
        return Wait(0.0)

    def _commit(self) -> None:
        if self._book is None:
            return
        self._batch = self._batch or self._line.take(BATCH)
        self._lost += self._line.dropped()
        pages = Pages(self._book, self._seal, self._sign)
        acknowledged, gone = self._line.acknowledged(), tuple(self._unlinked)
        self._more_to_forget, self._unsealable = None, ""
        self._book.begin()
        for request in self._batch:
            self._carry_out(request, pages)
        if self._lost:
            pages.add("storage", {"what": "dropped", "requests": self._lost}, self._last_stamp)
        self._book.acknowledged(acknowledged)
        for clip in gone:
            self._book.drop_clip(clip)
        done = _Done(pages.head, tuple(pages.kept), acknowledged, gone, tuple(pages.unknown))
        self._uncertain = done if pages.kept else None
        self._book.commit()
        self._uncertain = None
        self._succeeded(done)
        self._delete_files(self._book)

    def _succeeded(self, done: _Done) -> None:
        self._batch = []
        self._line.done()
        self._line.acknowledgements_kept(done.acknowledged)
        self._unlinked -= set(done.dropped)
        self._lost = 0
        self._back_off = 0.0
        self._next_commit = self._clock() + COMMIT_EVERY
        self._next_acknowledge = self._clock() + ACKNOWLEDGE_EVERY
        for kept in done.kept:
            self._put(kept)
        for clip in done.unknown:
            self._put(NoSuchClip(clip))
        if self._more_to_forget is not None:
            self._line.put(self._more_to_forget)
        self._say(self._unsealable)

    def _carry_out(self, request: Request, pages: Pages) -> None:
        """Add to the batch what one request asks for. What no recipient can read is not written, and said."""
        self._last_stamp = request.stamp
        try:
            match request:
                case Write(kind, fields, stamp, token):
                    pages.add(kind, fields, stamp, token)
                case ClipStarted(clip, fields, stamp):
                    index = pages.add("clip_started", {"id": clip} | dict(fields), stamp, clip)
                    pages.book.clip_started(clip, index, stamp.day)
                case ClipKept(clip, fields, stamp, size):
                    pages.book.clip_kept(clip, pages.add("clip", {"id": clip} | dict(fields), stamp, clip), size)
                case ClipLost(clip, why, stamp):
                    self._cut(clip, why, stamp, pages)
                case Delete(clip, why, stamp):
                    pages.delete(clip, why, stamp)
                case ForgetOld():
                    self._forget(request, pages)
                case CutFound() | Vanished():
                    _tell_what_was_found(request, pages)
        except Mistake as error:
            self._unsealable = str(error)

    def _cut(self, clip: str, why: str, stamp: Stamp, pages: Pages) -> None:
        if clip not in pages.book.started():
            return
        try:
            found = leftovers.settle(self._clips, clip, self._files)
        except OSError:
            return  # the card refuses this file: the next start tries again, the journal does not wait for it
        pages.cut(found, why, stamp)

    def _forget(self, request: ForgetOld, pages: Pages) -> None:
        parts = (self._files.size(self._clips / (clip + store.PART)) or 0 for clip in pages.book.started())
        used, free = sum(parts) + pages.book.held_bytes(), self._files.free(self._clips)
        chosen = to_forget(
            pages.book.held(), used=used, today=request.today, days=request.days,
            quota=request.quota or share(free, used), free=free, most=MOST_DELETED,
            before=pages.book.day_before_held(request.today),
        )  # fmt: skip
        for forget in chosen:
            pages.delete(forget.clip, forget.why, request.stamp)
        self._more_to_forget = request if len(chosen) == MOST_DELETED else None
        if request.today and (before := pages.book.older_than(request.today - request.days, request.today)):
            pages.forget_older(before, request.stamp)
        pages.forget_for_room(request.stamp)

    def _delete_files(self, book: Book) -> None:
        """Remove from the card what durable entries call deleted; the rows go with the next commit."""
        if clips := book.deleted() - self._unlinked:
            try:
                leftovers.delete(self._clips, clips, self._files)
            except OSError as error:
                self._say(str(store.trouble(error)))
            else:
                self._unlinked |= clips


def _page(book: Book, ask: AskPage) -> JournalPage:
    """As many entries as fit; the first one always, however large."""
    texts: list[bytes] = []
    room = ask.room
    for entry in book.entries(ask.after):
        text = document(entry)
        room -= len(text) + 1
        if texts and room < 0:
            return JournalPage(ask.token, tuple(texts), more=True)
        texts.append(text)
    return JournalPage(ask.token, tuple(texts), more=False)


def _tell_what_was_found(found: CutFound | Vanished, pages: Pages) -> None:
    if isinstance(found, CutFound):
        pages.cut(found.cut, "stopped", found.stamp)
        return
    pages.add("storage", {"what": "vanished", "clips": list(found.clips)}, found.stamp)
    for clip in found.clips:
        pages.book.drop_clip(clip)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(store.trouble(error))
    if isinstance(error, DeviceError):
        return str(error)
    name = getattr(error, "sqlite_errorname", "") or "SQLITE_ERROR"
    if name.startswith("SQLITE_FULL"):
        return "The card is full: the journal cannot be written; lower storage.quota_mb or delete something."
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return "The journal may not be written: the card is read-only or gone, or the state folder is not the door's."
    return f"The card fails to keep the journal ({name}): check it, and replace it."
