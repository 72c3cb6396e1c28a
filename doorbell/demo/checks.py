"""What ``doorbell demo --once`` must find true before it says that the door works: each with the figure it rests on."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import frozen

from doorbell.clips.seal import INTRO, TAG
from doorbell.demo import pictures
from doorbell.demo.broker import Seen
from doorbell.demo.household import Household, Poster, Ring
from doorbell.demo.pictures import Film
from doorbell.errors import DamagedError
from doorbell.link.topics import TABLE
from doorbell.overheard.looks import readable
from doorbell.overheard.report import BOX_LEAST, NUMBER_BYTES

BEFORE_PRESS_S: Final = 4.0
"""Seconds of video that must lie before the press."""
VISITOR_COVERS: Final = 0.20
"""Part of the doorstep's pixels that a visitor changes at the very least."""
WALL_STAYS: Final = 0.02
"""Part of the wall's pixels that may change without anybody there: were it more, the light changed, not the people."""
AGREES_S: Final = 0.5
MARKERS: Final = (b"ftyp", b"moof", b"mdat", b"JFIF", b"\xff\xd8\xff\xfe", b'"kind"', b'"visit"', b'"door"', b'"at"')
"""What a picture, a clip, an alert or an entry in clear would show."""
LEAST: Final = {"from": BOX_LEAST, "pair": BOX_LEAST, "live": TAG, "clip": 1}
"""Bytes of the shortest cipher on the topics whose messages are no age files of their own."""


@frozen
class Check:
    """One line of the verdict."""

    name: str
    good: bool
    figure: str


def ring(rings: Sequence[Ring]) -> Check:
    name = "the ring was heard, opened and verified"
    if not rings:
        return Check(name, good=False, figure="no alert came")
    first = rings[0]
    return Check(name, good=True, figure=f"{(first.heard - first.pressed) * 1000:.0f} ms after the press")


def poster(posters: Sequence[Poster]) -> Check:
    name = "the poster opens"
    if not posters:
        return Check(name, good=False, figure="no poster came")
    try:
        width, height = pictures.size(posters[0].jpeg)
    except DamagedError as error:
        return Check(name, good=False, figure=str(error))
    return Check(name, good=True, figure=f"a JPEG of {width} x {height}, {len(posters[0].jpeg)} bytes")


def digest(journalled: str, found: str) -> Check:
    """That the sealed clip is the one the journal's signed entry names, by SHA-256 in hex."""
    return Check(
        "the clip is the one the journal names", good=journalled == found != "", figure=f"SHA-256 {found[:16]}…"
    )


def decodes(film: Film, journalled_s: float) -> Check:
    """Every packet gives a picture, and they last as long as the journal says."""
    whole = film.frames == film.packets > 0 and abs(film.seconds - journalled_s) <= AGREES_S
    return Check(
        "the opened clip decodes, to its last picture", good=whole,
        figure=f"{film.frames} of {film.packets} pictures, {film.seconds:.1f} s (journalled: {journalled_s:.1f} s)",
    )  # fmt: skip


def begins_before(created: float, pressed: float | None, film: Film) -> Check:
    """*created* is the clip's own creation time, *pressed* the alert's, both in seconds since 1970.

    The creation time is cut to the second below, so the clip may begin up to a second later than it says.
    """
    name = "the clip begins before the press"
    if pressed is None:
        return Check(name, good=False, figure="nobody pressed")
    before = pressed - created - 1.0
    return Check(
        name, good=before >= BEFORE_PRESS_S and film.reached,
        figure=f"at least {before:.1f} s before it (wanted: {BEFORE_PRESS_S:.0f} s)"
        + ("" if film.reached else "; but it ends before the press"),
    )  # fmt: skip


def visitor(film: Film) -> Check:
    """Somebody stands on the doorstep at the press who was not there at the clip's beginning, in unchanged light."""
    there = pictures.changed(film.empty, film.then, pictures.DOORSTEP)
    wall = pictures.changed(film.empty, film.then, pictures.WALL)
    return Check(
        "the visitor is in the picture at the press", good=there >= VISITOR_COVERS and wall <= WALL_STAYS,
        figure=f"{there:.0%} of the doorstep changed (wanted: {VISITOR_COVERS:.0%}), {wall:.1%} of the wall",
    )  # fmt: skip


def chain(household: Household) -> Check:
    name = "the journal's chain holds, every entry signed"
    if not household.entries:
        return Check(name, good=False, figure="no entry came")
    fault = household.chain_fault()
    count = len(household.entries)
    return Check(name, good=fault is None, figure=fault.sentence if fault else f"{count} entries, none missing")


def nothing_but_ciphertext(seen: Iterable[Seen]) -> Check:
    """On every topic that the format calls sealed the broker saw ciphertext only."""
    sealed = [one for one in seen if is_sealed(one.topic)]
    bare = [one.topic for one in sealed if ciphertext(one) is None]
    name = "the broker saw only ciphertext on sealed topics"
    if bare:
        return Check(name, good=False, figure=f"in clear: {bare[0]}" + (f" and {len(bare) - 1} more" * (len(bare) > 1)))
    count = sum(len(one.payload) for one in sealed)
    return Check(name, good=bool(sealed), figure=f"{len(sealed)} sealed messages, {count} bytes")


def is_sealed(topic: str) -> bool:
    """Whether the table of topics calls it sealed; a topic that is not in the table is held to it as well."""
    parts = topic.split("/")
    for row in TABLE:
        wanted = row.template.split("/")
        if len(wanted) == len(parts) and all(w == p or "<" in w for w, p in zip(wanted, parts, strict=True)):
            return row.open_to == "sealed"
    return True


def ciphertext(seen: Seen) -> bytes | None:
    """What of a message is cipher (behind what its format leaves open), or None if it is not sealed as its format says.

    Most are age files. A phone's commands are sealed boxes, a live picture is a number and a ciphertext, and the later
    pieces of a clip begin in its middle: of these one can only say that nothing in them can be read.
    """
    kind, *parts = seen.topic.split("/")[2:]
    if kind in LEAST and not (kind == "clip" and parts[-1] == "0"):
        bare = seen.payload[NUMBER_BYTES:] if kind == "live" else seen.payload
        return None if len(bare) < LEAST[kind] or readable(bare) else bare
    sealed: bytes | None = seen.payload
    if kind == "journal":
        sealed = _body(seen.payload)
    if sealed is None or not sealed.startswith(INTRO):
        return None
    head, mac, rest = sealed.partition(b"\n--- ")
    _, end, cipher = rest.partition(b"\n")
    if not mac or not end or b"-> X25519 " not in head or len(cipher) < 16 + TAG:
        return None
    return None if any(marker in cipher for marker in MARKERS) else cipher


def _body(document: bytes) -> bytes | None:
    """The sealed body of a journal entry, whose other fields are hashes and a signature."""
    try:
        fields: Any = json.loads(document)
        if set(fields) != {"index", "prev", "body", "sig"}:
            return None
        return base64.b64decode(fields["body"], validate=True)
    except (ValueError, TypeError, binascii.Error):
        return None
