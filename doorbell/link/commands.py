"""The closed list of commands: who may give each, what it takes, what it answers.

The tables of docs/formats/commands.md are made from it; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from attrs import frozen

from doorbell import closed
from doorbell.closed import Kind
from doorbell.push.book import WAYS, read_subscription

MOST_COMMAND: Final = 8 * 1024
"""Bytes of a sealed command."""
MOST_REPLY: Final = 96 * 1024
"""Bytes of a sealed reply, and of one chunk of a clip."""
MOST_PAGE: Final = 88 * 1024
"""Bytes of one reply's journal entries. One entry alone has at most 87.6 KB: even the largest fits."""
LONGEST_S: Final = 60.0
"""How far in the door's uptime a command may expire."""
CLIP_ID: Final = "[a-z2-7]{26}"
MOST_WINDOW: Final = 64
MOST_DELETED: Final = 64
MOST_AFTER_S: Final = 60
"""How long a test ring may wait for its phone to be locked."""


@frozen
class Arg:
    """One key of ``args``: how it is read, and what it is in words."""

    kind: Kind
    says: str
    needed: bool = True


@frozen
class Command:
    name: str
    role: Literal["admin", "member"]
    """The least role that may give it: an admin may do whatever a member may."""
    args: Mapping[str, Arg]
    does: str
    result: str


def _window(value: object) -> int:
    if not 1 <= (found := closed.count(value)) <= MOST_WINDOW:
        raise ValueError(f"no window of 1 to {MOST_WINDOW}")
    return found


def _after(value: object) -> int:
    if (found := closed.count(value)) > MOST_AFTER_S:
        raise ValueError("longer than a minute")
    return found


_clip = closed.matching(CLIP_ID)

LIST: Final = (
    Command(
        "hello", "member", {},
        "Exempt from epoch, expiry and counter; changes nothing; one reply a second and member.",
        "`software`, `roster` (the signed document in force), `role`, `recording`, `health` (the keys of the topic "
        "`health`)",
    ),
    Command(
        "journal", "member", {"since": Arg(closed.count, "the last index the phone has, 0 for none")},
        "The entries behind it, oldest first, as many as fit.",
        "`entries` (as on `journal/<index>`; a forgotten body is null), `more` (ask again, behind the last)",
    ),
    Command(
        "poster", "member", {"clip": Arg(_clip, "clip id")}, "The sealed poster of a kept clip.",
        "`poster` (base64 of the age file)",
    ),
    Command(
        "clip", "member",
        {
            "clip": Arg(_clip, "clip id"), "from": Arg(closed.count, "the first chunk wanted, 0 is the first of all"),
            "window": Arg(_window, f"how many chunks, 1 to {MOST_WINDOW}"),
        },
        "Sends chunks `from` to `from + window - 1` of the sealed clip, 98,304 bytes each, the last one shorter.",
        "`bytes` (of the whole clip), `chunks` (of the whole clip), `request` (the level in the chunks' topic)",
    ),
    Command(
        "still", "member", {}, "What the camera sees now, for the asker alone; the journal tells that they looked.",
        "`still` (base64 of an age file, a JPEG)",
    ),
    Command(
        "live", "member",
        {
            "do": Arg(closed.matching("start|renew|stop"), "`start`, `renew` or `stop`"),
            "session": Arg(closed.base64_of(16), "with `renew` and `stop`: whose", needed=False),
        },
        "Live view (docs/formats/live.md), for 60 s from its start or last renewal; at most 4 at a time.",
        "`session` (base64, 16 bytes), `seconds`; after `start` also `secret` (base64, 32 bytes)",
    ),
    Command(
        "settings", "admin",
        {
            "set": Arg(lambda value: value, "tables as in the configuration, of the settings below",
                       needed=False),
        },
        "Shows the settings that a command may change, or changes some: `privacy.masks`, `motion.zones`, "
        "`motion.sensitivity`, `motion.record_on`, `motion.schedule`, `visit.linger_s`, `storage.days`, `push.web`, "
        "`push.ntfy`. They are kept over restarts and win over the configuration's file. Answered when the recorder "
        "films by them.",
        "`settings` (all of them, as they are now in force), `local` (the door's time, `sun 21:14`; null while it does "
        "not know)",
    ),
    Command(
        "recording", "admin", {"on": Arg(closed.flag, "whether to record")},
        "Off ends the recorder: the sensor is off, a press still rings. Kept over restarts.", "`recording`",
    ),
    Command(
        "delete", "admin",
        {"clips": Arg(closed.list_of(_clip, 1, MOST_DELETED), f"1 to {MOST_DELETED} clip ids")},
        "Deletes kept clips; answered when the entries are on the card.",
        "`deleted`, `unknown` (lists of clip ids)",
    ),
    Command(
        "roster", "admin", {"document": Arg(lambda value: value, 'the next revision, signed: `{"json", "sig"}`')},
        "Puts it in force if it follows the one there is (docs/formats/roster.md); answered when it is on the card.",
        "`revision`",
    ),
    Command(
        "pairing", "admin", {"open": Arg(closed.flag, "open, or look at what is open; false: withdraw")},
        "Invites another phone for 5 minutes (docs/formats/pairing.md).",
        "`secret` (base64, 16 bytes; null: none is open), `seconds` (left), `joining` (who asked: `member`, `mac`)",
    ),
    Command(
        "ring_test", "member",
        {
            "everywhere": Arg(
                closed.flag, "whether the clear `ring` goes out too, and every phone is pushed, as for a press"
            ),
            "after": Arg(_after, "seconds until it rings, 0 to 60: time to lock the phone", needed=False),
        },
        "An `alert` of kind `test`, and a push to the asker's phone, to see that it rings. The chime stays silent; no "
        "entry is written.",
        "`visit` (the id in the alert)",
    ),
    Command(
        "push", "member",
        {
            "do": Arg(closed.matching("show|choose|confirm"), "`show`, `choose` or `confirm`"),
            "way": Arg(closed.matching("|".join(WAYS)), "with `choose`: `web`, `ntfy`, `homeassistant` or `none`",
                       needed=False),
            "subscription": Arg(read_subscription, "with way `web`: `endpoint`, `p256dh` (65 bytes) and `auth` (16) in "
                                "base64url, as the browser gives them", needed=False),
            "visit": Arg(_clip, "with `confirm`: of the test ring that a person heard", needed=False),
        },
        "How this phone is woken (docs/formats/push.md); kept over restarts, and gone with the member.",
        "`web` (turned on), `key` (base64, 65 bytes, or null), `ntfy` (`server` and `topic`, or null), "
        "`homeassistant` (it hears rings: `privacy.clear_events`), `way` (null: not chosen), `confirmed` (when, or "
        "null), `ended` (the push service let go of it)",
    ),
)  # fmt: skip

COMMANDS: Final = {one.name: one for one in LIST}

RESERVED: Final = ("talk", "say")

REASONS: Final = {
    "door": "the command is for another door",
    "member": "the sender was removed from the roster",
    "id": "this id was used for another command",
    "epoch": "the door has started afresh since: say hello",
    "expired": "it came too late, or the phone counts another uptime: say hello",
    "too_far": f"it expires more than {LONGEST_S:.0f} s from now",
    "counter": "a later command was heard before it",
    "roster": "it names a newer roster than the door has: an older card was put back",
    "unknown": "no such command at this door",
    "role": "an admin may, this member may not",
    "args": "the arguments are not those of the command",
    "busy": "too much is under way: try again",
    "gone": "no such clip, or it was deleted meanwhile; no such session, or it has ended",
    "storage": "the card refuses",
    "camera": "the camera is off, or gives no picture; of `settings`: kept, but the recorder has not confirmed them",
    "off": "push: this way is not turned on at the door",
    "host": "push: the subscription names no push service that the door knows",
    "schema": "roster: its shape",
    "nobody": "roster: no member is left",
    "owner": "roster: the owner is not the first, or no admin, or changed",
    "revision": "roster: not the next revision",
    "prev": "roster: it continues another one",
    "signer": "roster: not signed by an admin of the one in force",
    "signature": "roster: the signature is wrong",
}
"""Every word that a refusal may say."""


def read_args(command: Command, value: object) -> dict[str, Any]:
    """Exactly what *command* takes; raises ValueError."""
    needed = {name: one.kind for name, one in command.args.items() if one.needed}
    also = {name: one.kind for name, one in command.args.items() if not one.needed}
    return closed.fields(value, needed, also)


def reference() -> str:
    """The list as Markdown, which docs/formats/commands.md holds verbatim."""
    lines = ["| command | who | args | what it does | result |", "|---|---|---|---|---|"]
    for one in LIST:
        optional = {name: "" if arg.needed else ", may be left out" for name, arg in one.args.items()}
        args = "; ".join(f"`{name}`: {arg.says}{optional[name]}" for name, arg in one.args.items()) or "-"
        lines.append(f"| `{one.name}` | {one.role} | {args} | {one.does} | {one.result} |")
    reserved = ", ".join(f"`{name}`" for name in RESERVED)
    lines += ["", f"Reserved, and refused as `unknown` in this version: {reserved}.", "", "| refused | because |"]
    lines += ["|---|---|", *(f"| `{word}` | {why} |" for word, why in REASONS.items())]
    return "\n".join(lines) + "\n"
