"""Everything that can happen to the door, as frozen values put into one inbox.

``at`` is always monotonic seconds (CLOCK_MONOTONIC, the door's uptime on Linux), never wall time: a Pi wakes up
in the past. Who puts a value may do nothing else in its callback: it can neither raise nor wait.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a place in the picture, each 0 to 1."""


# ---- the front of the door


@frozen
class ButtonEdge:
    """The button's contact closed (``down``) or opened; raw, bounces included; ``at`` from the kernel's stamp."""

    at: float
    down: bool


@frozen
class Held:
    """The contact has been closed for five seconds without a break."""

    at: float


@frozen
class Pressed:
    """A press by the debounce's decision: the contact stayed closed for 15 ms."""

    at: float


@frozen
class Pir:
    """The PIR's output rose (``active``) or fell."""

    at: float
    active: bool


# ---- the recorder (the child process); ``clip`` is a clip id


@frozen
class Said:
    """One message of the child of this *generation*: what a child that was let go still says counts only for clips."""

    generation: int
    message: object


@frozen
class RecorderReady:
    """The child has its configuration and the camera has given its first frame."""

    at: float


@frozen
class RecorderAlive:
    """New frames since the last one, the newest of *at*; sent once a second. ``dropped`` counts frames given up since
    the start."""

    at: float
    frames: int
    dropped: int


@frozen
class Saw:
    """Motion in the watched zone began (``active``) or ended; ``strength`` is 0 to 1; ``began`` may precede ``at``."""

    at: float
    active: bool
    began: float
    box: Box
    strength: float


@frozen
class Tampered:
    """The lens was covered or the camera turned away (``active``), or it sees again."""

    at: float
    active: bool


@frozen
class HeldBack:
    """What the motion core held back since the last report, by the name of the gate that held it."""

    at: float
    gates: dict[str, int]


@frozen
class PosterMade:
    """A sealed poster: the age file, at most 24 KiB. ``kept`` says whether it lies on the card: a dead card is no
    reason to keep the picture of who is ringing from the household."""

    at: float
    clip: str
    sealed: bytes
    kept: bool


@frozen
class LiveMade:
    """A sealed message of a live view, at most 96 KiB; ``session`` in hex. Dropped where the doorman is behind."""

    session: str
    sealed: bytes


@frozen
class StillMade:
    """What the camera sees, as one asked for it: a JPEG sealed to them; ``token`` as in pipe.Look."""

    token: str
    sealed: bytes


@frozen
class TicketShown:
    """The camera saw a QR code that may be a ticket: the text in it, base45, 270 to 525 characters."""

    at: float
    text: bytes = field(repr=False)


@frozen
class ClipKept:
    """The clip is whole, synced and renamed; ``sha256`` is of the sealed file, ``seconds`` of video in it."""

    at: float
    clip: str
    bytes: int
    sha256: str
    seconds: float


@frozen
class ClipLost:
    """A clip could not be kept (card full, read-only, failing); ``why`` is a sentence for the owner."""

    at: float
    clip: str
    why: str


@frozen
class RecorderTrouble:
    """What the recorder cannot do just now: ``part`` is camera, storage or light, ``why`` a sentence, or empty."""

    at: float
    part: str
    why: str


@frozen
class CameraEnded:
    """The file camera came to its end under ``--once``; everything it showed is kept."""

    at: float


@frozen
class RecorderGone:
    """The child ended, or its pipe closed. ``generation`` says which child: an old one's end changes nothing."""

    at: float
    generation: int
    status: int


# ---- the journal thread


@frozen
class Kept:
    """A journal entry is on the card. ``token`` is whatever the writer of the request gave to know it again."""

    index: int
    kind: str
    token: str
    hash: bytes = field(default=b"", eq=False)
    """The entry's hash: with its index, the head of the journal that is safe now."""


@frozen
class DueEntries:
    """Entries not yet acknowledged by the broker, oldest first, as the exact JSON bytes of ``journal/<index>``; the
    answer to ``question``."""

    entries: tuple[tuple[int, bytes], ...]
    question: int


@frozen
class JournalReady:
    """The journal is open and the clips of the last time are in order: a new one may begin.

    ``journal_id`` has 16 bytes. ``said`` are sentences about what was found and moved. ``anew``: it has just begun.
    ``newest_day`` is the newest UTC day of an entry, 0 where none has one.
    """

    journal_id: bytes
    boot: int
    anew: bool
    said: tuple[str, ...]
    head: tuple[int, bytes] = (0, b"")
    """Index and hash of the last entry."""
    newest_day: int = 0


@frozen
class JournalTrouble:
    """The card refuses what the journal writes; ``why`` is a sentence, empty when it writes again."""

    why: str


@frozen
class JournalPage:
    """Entries behind what was asked for, oldest first, as the JSON bytes of ``journal/<index>``; ``more`` follow."""

    token: str
    entries: tuple[bytes, ...]
    more: bool


@frozen
class NoSuchClip:
    """A clip that was to be deleted is none of those that are kept."""

    clip: str


# ---- errands to the card


@frozen
class ErrandDone:
    """What the card gave, or ``why`` it did not: ``gone`` (no such file), ``storage`` (it refuses)."""

    token: str
    value: Any
    why: str


# ---- the link to the broker; ``generation`` counts connections: what an old one still says is ignored


@frozen
class Online:
    at: float
    generation: int
    protocol: int
    """4 for MQTT 3.1.1, 5 for MQTT 5."""
    largest: int
    """Bytes of one message that the broker takes; ``sys.maxsize`` where it names no limit."""


@frozen
class Offline:
    """The connection ended, or could not be made; ``why`` is a sentence with the fix where a person can mend it."""

    at: float
    generation: int
    why: str


@frozen
class Acked:
    """The broker acknowledged message ``mid`` of this connection."""

    at: float
    generation: int
    mid: int


@frozen
class Refused:
    """The broker answered message ``mid`` with a refusal (MQTT 5 only; 3.1.1 cannot say it)."""

    at: float
    generation: int
    mid: int
    full: bool
    """For want of room, not of rights."""


@frozen
class Heard:
    """A message on a topic the door listens to; at most 128 KiB, else it was dropped and counted."""

    at: float
    generation: int
    topic: str
    payload: bytes
    retained: bool


# ---- the postman (the process that wakes phones by push); ``generation`` as for the recorder


@frozen
class PostmanSaid:
    generation: int
    message: object


@frozen
class PostmanGone:
    at: float
    generation: int
    status: int


# ---- the process


@frozen
class Stop:
    """SIGTERM or SIGINT: finish the running clip, say goodbye, leave."""

    at: float


@frozen
class Died:
    """A thread ended by an exception: the daemon ends with a failure and systemd starts it afresh."""

    thread: str
    error: str


Event = (
    ButtonEdge | Held | Pressed | Pir
    | Said
    | RecorderReady | RecorderAlive | Saw | Tampered | HeldBack | PosterMade | ClipKept | ClipLost | RecorderTrouble
    | LiveMade | StillMade | TicketShown | CameraEnded | RecorderGone
    | Kept | DueEntries | JournalReady | JournalTrouble | JournalPage | NoSuchClip | ErrandDone
    | Online | Offline | Acked | Refused | Heard
    | PostmanSaid | PostmanGone
    | Stop | Died
)  # fmt: skip
