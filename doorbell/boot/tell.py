"""Leaves on the boot volume what is wrong, when it changed: for an owner whose only tool is to pull the card.

Every few minutes, as root. What the daemon says of itself is read from its page in memory, of which only yes-or-no
answers are believed: it could be of anybody who broke into the daemon, and the boot volume is root's to write.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from attrs import evolve, frozen

from doorbell import configfile, statuspage
from doorbell.boot import adopt, files, lacking, readme
from doorbell.boot.places import TELLING, Places
from doorbell.config import Config
from doorbell.errors import ConfigError, Mistake

PATIENCE_S: Final = 600.0
"""How long the program, a network or a broker may be away before the owner is told."""
BETWEEN_S: Final = 600.0
"""Seconds between two writes: what comes and goes wears no card."""
_MOST_PAGE: Final = 64 * 1024


@frozen
class Memory:
    """Since when (seconds of uptime) what is away has been away; None: it is there. ``wrote``: the last write."""

    program_gone: float | None = None
    network_gone: float | None = None
    broker_gone: float | None = None
    wrote: float | None = None


@frozen
class Facts:
    """One look. ``broker`` None: this door has none."""

    runs: bool
    died: bool
    network: bool
    has_wifi: bool
    broker: bool | None


def step(before: Memory, now: Facts, at: float) -> tuple[Memory, readme.Seen]:
    """What lasted from look to look becomes something to tell. Pure; *at* in seconds of uptime."""
    after = evolve(
        before,
        program_gone=_since(before.program_gone, not now.runs, at),
        network_gone=_since(before.network_gone, not now.network, at),
        broker_gone=_since(before.broker_gone, now.broker is False and now.network and now.runs, at),
    )
    seen = readme.Seen(
        runs=not _lasts(after.program_gone, at),
        died=now.died,
        no_network=_lasts(after.network_gone, at),
        has_wifi=now.has_wifi,
        no_broker=_lasts(after.broker_gone, at),
    )
    return after, seen


def _since(before: float | None, gone: bool, at: float) -> float | None:
    if not gone:
        return None
    return at if before is None or before > at else before


def _lasts(since: float | None, at: float) -> bool:
    return since is not None and at - since >= PATIENCE_S


def tell(places: Places, at: float, *, at_once: bool = False) -> bool:
    """Look, and write the file where its text changed: whether it was written. *at_once* at a start. Raises OSError."""
    before = _remembered(places)
    after, seen = step(before, look(places), at)
    told = adopt.outcome(places)
    told_of_settings = any(one.startswith(adopt.SETTINGS) for one in told.wrong)
    wrong = (*told.wrong, *lacking.sentences(places, told=told_of_settings))
    text = readme.text(evolve(seen, wrong=wrong, notes=told.notes)).encode()
    path = places.boot / readme.NAME
    wrote = False
    may = at_once or before.wrote is None or at - before.wrote >= BETWEEN_S
    if may and places.boot.is_dir() and _there(path) != text:
        files.put(path, text, 0o644, None)
        after, wrote = evolve(after, wrote=at), True
    files.put(
        places.run / TELLING,
        json.dumps([after.program_gone, after.network_gone, after.broker_gone, after.wrote]).encode(),
        0o600,
        None,
    )
    return wrote


def _there(path: Any) -> bytes | None:  # noqa: ANN401
    try:
        return files.read(path)
    except (Mistake, OSError):  # a link, a folder: what is no file of ours is replaced, or tells so itself
        return None


def _remembered(places: Places) -> Memory:
    try:
        program, network, broker, wrote = json.loads(files.read(places.run / TELLING) or b"null")
        return Memory(*(None if one is None else float(one) for one in (program, network, broker, wrote)))
    except (OSError, ValueError, TypeError, Mistake):
        return Memory()


def look(places: Places, alive: Callable[[dict[str, Any]], bool] = statuspage.is_running) -> Facts:
    """What there is to see now."""
    page = _page(places)
    runs = bool(page) and alive(page)
    settings = _settings(places)
    wanted = settings is not None and bool(settings.mqtt.host)
    return Facts(
        runs=runs,
        died=runs and page.get("bell_only") is True and settings is not None,
        network=_has_route(places),
        has_wifi=any((places.root / "sys/class/net").glob("*/wireless")),
        broker=None if not wanted or page.get("bell_only") is True else page.get("broker") is True,
    )


def _page(places: Places) -> dict[str, Any]:
    try:
        page = json.loads(files.read(places.page, _MOST_PAGE) or b"{}")
    except (OSError, ValueError, RecursionError, Mistake):
        return {}
    fit = isinstance(page, dict) and isinstance(page.get("pid"), int) and isinstance(page.get("uptime"), int | float)
    return page if fit else {}


def _settings(places: Places) -> Config | None:
    try:
        return configfile.load(places.settings / adopt.SETTINGS)
    except ConfigError:
        return None


def _has_route(places: Places) -> bool:
    """A default route, of IPv4 or IPv6: flags 0x0001 (up), destination all zeros (proc(5))."""
    try:
        four = (places.root / "proc/net/route").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        four = []
    if any(len(row) > 3 and row[1] == "00000000" and int(row[3], 16) & 1 for row in map(str.split, four)):
        return True
    try:
        six = (places.root / "proc/net/ipv6_route").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return any(row[0] == "0" * 32 and row[1] == "00" and row[-1] != "lo" for row in map(str.split, six) if len(row) > 9)
