"""From the door to the screen: what the app in a real Chromium makes of a ring, a poster, live view and a clip.

The door is the real one in its two processes and films the synthetic scene; the broker is a real mosquitto, which the
page reaches over WebSockets; the app is the built one. Each reference is a bare library in the app's own page. Clocks:
the door's is CLOCK_MONOTONIC, and `Page.clock` says what the page's lacks to it, to half a millisecond or so.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from attrs import frozen

from doorbell.bench import transfer
from doorbell.bench.browser import BUILT, Page, bundle, missing, page, site
from doorbell.bench.door import Door, door, free_port, mosquitto, until
from doorbell.bench.paired import DOOR, pair
from doorbell.bench.publisher import TOPIC
from doorbell.bench.rows import Row, Say
from doorbell.clips.seal import seal
from doorbell.debounce import STABLE_S
from doorbell.errors import DeviceError
from doorbell.owner.identity import Identity
from doorbell.scene.clock import DIGITS, EYES, read_levels

RING_BAR, OPEN_BAR = 3.0, 0.7
OPENED = 10_000_000
WATCHED_S = 8.0
LOST_S = 20.0
FINGER_S = 0.2
GONE_S = 0.5
"""The bare dialog is gone then."""
ALERT = 240
"""Bytes of an alert before it is sealed."""

_HARKS = """
    globalThis.seen = {};
    const note = (name) => (globalThis.seen[name] ??= performance.now());
    const painted = (name) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => note(name);
        port2.postMessage(0);
    });
    new MutationObserver((changes) => {
        const line = document.getElementById("bare");
        if (line && changes.some(({ target }) => target === line)) note("bare");
        if (document.querySelector("dialog.bare[open]")) note("bare");
        if (document.querySelector("dialog.ring[open]") && !globalThis.seen.ring) { note("ring"); painted("screen"); }
    }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["open"] });
    document.addEventListener("load", ({ target }) => target.matches?.("dialog.ring img") && note("poster"), true);
    await globalThis.bare.listen(given.url, given.topic, given.identity);
"""

_SEES = """
    const ends = performance.now() + given.within;
    while (!given.names.every((name) => globalThis.seen[name]) && performance.now() < ends)
        await new Promise((again) => setTimeout(again, 50));
    const seen = globalThis.seen;
    globalThis.seen = {};
    return seen;
"""

_WATCHES = """
    const asked = performance.now();
    location.hash = `#/live/${given.door}`;
    let video;
    while (!(video = document.querySelector(".frame.live video"))) await new Promise((go) => setTimeout(go, 5));
    const frames = [];
    const paper = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    let shown = () => undefined;
    const first = new Promise((resolve) => (shown = resolve));
    const look = (_, { expectedDisplayTime }) => {
        const [width, height] = [video.videoWidth, Math.ceil(video.videoHeight / 4)];
        if (paper.canvas.width !== width) Object.assign(paper.canvas, { width, height });
        paper.drawImage(video, 0, 0);
        const { data } = paper.getImageData(0, 0, width, height);
        const at = ([x, y]) => data[4 * (Math.floor(y * video.videoHeight) * width + Math.floor(x * width)) + 1];
        frames.push({ at: expectedDisplayTime, levels: given.eyes.map(at) });
        shown();
        video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    await Promise.race([first, new Promise((go) => setTimeout(go, given.within))]);
    await new Promise((go) => setTimeout(go, given.watched));
    location.hash = "#/";
    return { asked, frames };
"""

_OPENS = """
    const sealed = new Uint8Array(await (await fetch("bench.age")).arrayBuffer());
    const worker = new Worker(given.worker, { type: "module" });
    let id = 0;
    const room = (task) => new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => (data.failed ? reject(new Error(data.failed)) : resolve(data.gave));
        worker.postMessage({ ...task, id: id++ });
    });
    await room({ what: "identity", identity: given.identity });
    const took = async (what) => {
        const from = performance.now();
        const size = (await what()).length;
        if (size !== given.size) throw new Error("not all of it was opened");
        return performance.now() - from;
    };
    const ours = () => took(async () => (await room({ what: "clip", sealed, sha256: given.sha256 })).plain);
    const theirs = () => took(() => globalThis.bare.open(given.identity, sealed));
    const pairs = [];
    await ours();
    await theirs();
    for (let n = 0; n < given.rounds; n++)
        pairs.push(n % 2 ? [await theirs(), await ours()].reverse() : [await ours(), await theirs()]);
    worker.terminate();
    return pairs;
"""


@frozen
class _Home:
    front: Door
    page: Page
    owner: Identity
    decided: SimpleQueue[float]
    """When the daemon's debounce decided each press, monotonic seconds."""
    said: SimpleQueue[float]
    """When it gave each alert to its client library."""
    bare: subprocess.Popen[bytes]
    others: list[subprocess.Popen[bytes]]
    """As *bare*, with messages as large as an alert: one is sealed to the owner, two are known by their first byte."""


@frozen
class _Ring:
    """Milliseconds: from the alert to the open ring screen, from the bare message to the document, from the others to
    what they show; from the decision to the ring screen and to its paint; from the contact to the poster, None where
    none came."""

    ring: float
    decided: float
    painted: float
    bare: float
    others: list[float]
    poster: float | None


def measure(count: int, say: Say, camera: dict[str, Any] | None = None, size: int = OPENED) -> list[Row]:
    """So many rings; a transfer, live views and openings in proportion. Raises DeviceError."""
    rows = transfer.measure(max(3, count // 2), say, size)
    if why := missing():
        say(f"what a browser shows is not measured: {why}")
        return rows
    with TemporaryDirectory() as name, _home(Path(name), camera or {}, size) as home:
        rows += _rings([_ring(home, first=n % 2 == 0) for n in _told(count, "rings", say)])
        rows += _live([_watch(home) for _ in _told(max(1, count // 6), "live views", say)])
        say("opening a clip in the page")
        rows.append(_open(home, max(3, count // 3), size, Path(name) / "bench.age"))
    return rows


def _told(count: int, what: str, say: Say) -> Iterator[int]:
    for n in range(count):
        say(f"{n + 1} of {count} {what}")
        yield n


@contextmanager
def _home(folder: Path, camera: dict[str, Any], size: int) -> Iterator[_Home]:
    """Door, broker and a phone that has joined; `bench.age` lies beside the app."""
    owner, sockets = Identity.make(), free_port()
    file = folder / "bench.age"
    file.write_bytes(seal([owner.recipient], os.urandom(size)))
    pair(folder / "door/state", owner)
    tables: dict[str, dict[str, Any]] = {
        "keys": {"recipients": [str(owner.recipient)]},
        "camera": {"source": "scene", **camera},
        "visit": {"linger_s": 1, "longest_s": 20, "preroll_s": 1},
        "motion": {"record_on": "press"},
    }
    with ExitStack() as stack:
        port = stack.enter_context(mosquitto(folder, f"listener {sockets} 127.0.0.1\nprotocol websockets"))
        tables["mqtt"] = {"host": "127.0.0.1", "port": port, "tls": "off"}
        front = stack.enter_context(door(folder / "door", tables, "doorbell.bench.clocked", (), subprocess.PIPE))
        url = stack.enter_context(site({"bench.age": file}))
        phone = stack.enter_context(page())
        phone.join(url, sockets, owner)
        phone.inside(bundle())
        given = {"url": f"ws://127.0.0.1:{sockets}", "topic": TOPIC, "identity": owner.line()}
        phone.inside(_HARKS, given)
        letter = seal([owner.recipient], b"x" * ALERT)
        command = [sys.executable, "-m", "doorbell.bench.publisher", str(port)]
        bare = stack.enter_context(_told_by_line(command))
        others = []
        for number, first in enumerate((letter[:1], b"o", b"d")):
            file = folder / f"letter{number}"
            file.write_bytes(first + letter[1:])
            others.append(stack.enter_context(_told_by_line([*command, str(file)])))
        front.sees()
        home = _Home(front, phone, owner, SimpleQueue(), SimpleQueue(), bare, others)
        Thread(target=_decisions, args=(home,), daemon=True).start()
        yield home


@contextmanager
def _told_by_line(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def _decisions(home: _Home) -> None:
    assert home.front.process.stdout is not None
    for line in home.front.process.stdout:
        *alert, at = line.split()
        (home.said if alert else home.decided).put(float(at))


# ---- the ring and its picture


def _ring(home: _Home, *, first: bool) -> _Ring:
    """One visit's ring and a bare message, whichever *first*; a press of the scene's own visitor is waited out."""
    while True:
        until(lambda: not home.front.status().get("recording"), "The last visit did not end")
        took = _bares(home) if first else None
        for told in (home.decided, home.said):
            while not told.empty():
                told.get()
        lack = home.page.clock()
        home.front.finger(b"button down")
        time.sleep(FINGER_S)
        home.front.finger(b"button up")
        seen = home.page.inside(_SEES, {"names": ["screen", "poster"], "within": 5000})
        home.page.do(
            "await page.keyboard.press('Escape'); await page.locator('dialog.ring').waitFor({state: 'hidden'})"
        )
        if (home.decided.qsize(), home.said.qsize()) != (1, 1) or "screen" not in seen:
            continue
        took = _bares(home) if took is None else took
        decided = home.decided.get() * 1e3 - lack
        poster = seen["poster"] - decided + STABLE_S * 1e3 if "poster" in seen else None
        alert = home.said.get() * 1e3 - lack
        return _Ring(seen["ring"] - alert, seen["ring"] - decided, seen["screen"] - decided, *took, poster)


def _bares(home: _Home) -> tuple[float, list[float]]:
    return _bare(home, home.bare), [_bare(home, one) for one in home.others]


def _bare(home: _Home, publisher: subprocess.Popen[bytes]) -> float:
    assert publisher.stdin is not None
    assert publisher.stdout is not None
    lack = home.page.clock()
    publisher.stdin.write(b"\n")
    publisher.stdin.flush()
    at = float(publisher.stdout.readline()) * 1e3 - lack
    time.sleep(FINGER_S)
    seen = home.page.inside(_SEES, {"names": ["bare"], "within": LOST_S * 1e3})
    time.sleep(GONE_S)
    if "bare" not in seen:
        raise DeviceError("A bare message was lost on the way to the page.")
    return float(seen["bare"]) - at


def _rings(rings: list[_Ring]) -> list[Row]:
    ours, theirs = statistics.median(one.ring for one in rings), statistics.median(one.bare for one in rings)
    sealed, operations, dialog = (statistics.median(took) for took in zip(*(one.others for one in rings), strict=True))
    painted = sorted(one.painted + STABLE_S * 1e3 for one in rings)
    posters = [one.poster for one in rings if one.poster is not None]
    rows = [
        Row(f"alert to ring screen in the page's document, {len(rings)} rings: median",
            round(ours, 2), round(theirs, 2), round(ours / theirs, 2), RING_BAR, "ms"),
        Row("  beside a message opened by bare age-encryption and shown in a bare dialog: median",
            round(ours, 2), round(sealed, 2), round(ours / sealed, 2), None, "ms"),
        Row("  the operations no ring can do without, then the bare message: median",
            round(operations, 2), round(theirs, 2), round(operations / theirs, 2), None, "ms"),
        Row("  the same operations, then a bare dialog that is there already: median",
            round(dialog, 2), round(theirs, 2), round(dialog / theirs, 2), None, "ms"),
        Row("  from the press, sealing and probe included: median",
            round(statistics.median(one.decided for one in rings), 2), None, None, None, "ms"),
        Row("  the button's contact to the painted screen (aim 300): median", round(statistics.median(painted), 1),
            None, None, None, "ms"),
        Row("  the same: longest", round(painted[-1], 1), None, None, None, "ms"),
    ]  # fmt: skip
    if posters:
        what = f"the button's contact to the poster's picture, {len(posters)} of {len(rings)} (aim 1500)"
        rows.append(Row(f"{what}: median", round(statistics.median(posters), 1), None, None, None, "ms"))
        rows.append(Row("  the same: longest", round(max(posters), 1), None, None, None, "ms"))
    return rows


# ---- live view


@frozen
class _View:
    """Milliseconds: to the first picture, and how old each picture was when it was shown."""

    first: float
    ages: list[float]
    unread: int


def _watch(home: _Home) -> _View:
    until(lambda: not home.front.status().get("recording"), "The last visit did not end")
    lack = home.page.clock()
    given = {"door": DOOR, "eyes": EYES, "within": LOST_S * 1e3, "watched": WATCHED_S * 1e3}
    seen = home.page.inside(_WATCHES, given)
    if not seen["frames"]:
        raise DeviceError(f"The live view showed nothing for {LOST_S:.0f} s.")
    read = [(one["at"] + lack, read_levels(one["levels"])) for one in seen["frames"]]
    ages = [(at - drawn) % 10**DIGITS for at, drawn in read if drawn is not None]
    return _View(seen["frames"][0]["at"] - seen["asked"], ages, len(read) - len(ages))


def _live(views: list[_View]) -> list[Row]:
    ages = sorted(age for one in views for age in one.ages)
    if not ages:
        raise DeviceError("No clock could be read in the live view.")
    firsts = sorted(one.first for one in views)
    unread = sum(one.unread for one in views)
    what = f"live view, glass to glass, {len(ages)} pictures ({unread} unread)"
    return [
        Row(f"{what} (aim 1000): median", round(statistics.median(ages), 1), None, None, None, "ms"),
        Row("  the same: p99", round(ages[round(0.99 * (len(ages) - 1))], 1), None, None, None, "ms"),
        Row(f"live view, from the finger to the first picture, {len(views)} times (aim 2000): median",
            round(statistics.median(firsts), 1), None, None, None, "ms"),
        Row("  the same: longest", round(firsts[-1], 1), None, None, None, "ms"),
    ]  # fmt: skip


# ---- opening a clip


def _open(home: _Home, rounds: int, size: int, file: Path) -> Row:
    worker = next(BUILT.glob("assets/worker-*.js")).relative_to(BUILT)
    given = {
        "worker": str(worker), "identity": home.owner.line(), "size": size, "rounds": rounds,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }  # fmt: skip
    pairs = home.page.inside(_OPENS, given)
    ours, theirs = (size / 1e3 / statistics.median(one) for one in zip(*pairs, strict=True))
    ratio = statistics.median(bare / mine for mine, bare in pairs)
    what = f"opening a clip of {size / 1e6:g} MB in the app's worker, {rounds} rounds: median"
    return Row(what, round(ours, 1), round(theirs, 1), round(ratio, 2), OPEN_BAR, "MB/s", at_least=True)
