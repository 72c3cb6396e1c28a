"""Somebody watches live: what they see, who is told, and when it ends."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
from typing import Any

import av
import numpy as np

from tests.household.test_commands import SCENE, AtHome
from tests.rigs.door import Door, Listener
from tests.rigs.phone import Phone
from tests.rigs.viewer import Viewer


def watch(phone: Phone) -> tuple[dict[str, Any], str]:
    """The reply to ``live start`` and the session's level in topics."""
    result = phone.ask("live", {"do": "start"})["result"]
    return result, base64.b64decode(result["session"]).hex()


def shown(phone: Phone, result: dict[str, Any]) -> Viewer:
    """Everything that came so far, as the viewer shows it."""
    session = base64.b64decode(result["session"])
    viewer = Viewer(base64.b64decode(result["secret"]), session)
    for _, message in phone.of(f"live/{phone.id}/{session.hex()}"):
        viewer.hear(message)
    return viewer


def pictures(viewer: Viewer) -> list[np.ndarray]:
    if not viewer.shown:
        return []
    film = viewer.shown[0][1] + b"".join(data for kind, data in viewer.shown if kind == "video")
    with av.open(io.BytesIO(film)) as opened:
        return [frame.to_ndarray(format="gray") for frame in opened.decode(video=0)]


def home(at_home: AtHome) -> tuple[Door, Phone, Phone]:
    door, anna, ben = at_home(SCENE)
    door.until(lambda: door.status().get("camera") == "sees")
    return door, anna, ben


def told(phone: Phone, kind: str) -> list[dict[str, Any]]:
    entries = {note[0]: json.loads(note[1]) for note in phone.of("journal/")}
    bodies = [json.loads(phone.opened(base64.b64decode(one["body"]))) for one in entries.values()]
    return [body for body in bodies if body["kind"] == kind]


def test_a_member_watches_and_the_household_is_told(at_home: AtHome, listener: Listener) -> None:
    _, anna, ben = home(at_home)
    result, session = watch(ben)
    assert result["seconds"] == 60
    ben.until(lambda: len(ben.of(f"live/{ben.id}/{session}")) > 20)
    found = pictures(shown(ben, result))
    assert len(found) > 15
    assert found[0].shape == (240, 320)
    assert all(np.abs(one.astype(int)).mean() > 20 for one in found)
    assert ben.ask("live", {"do": "renew", "session": result["session"]})["result"]["seconds"] == 60
    assert anna.ask("live", {"do": "renew", "session": result["session"]})["refused"] == "gone"
    assert anna.ask("live", {"do": "stop", "session": result["session"]})["refused"] == "gone"
    ben.ask("live", {"do": "stop", "session": result["session"]})
    ben.until(lambda: shown(ben, result).shown[-1][0] == "end")
    assert ben.ask("live", {"do": "renew", "session": result["session"]})["refused"] == "gone"
    began, ended = anna.until(lambda: told(anna, "live")[1:] and told(anna, "live"))
    assert (began["who"], began["what"], ended["what"]) == (ben.id, "began", "ended")
    assert ended["seconds"] > 0
    secret = base64.b64decode(result["secret"])
    assert all(secret not in note.payload for note in listener.notes)


def test_four_watch_at_once_and_a_fifth_is_told_to_wait(at_home: AtHome) -> None:
    _, anna, ben = home(at_home)
    sessions = [watch(one)[1] for one in (anna, anna, ben, ben)]
    assert len(set(sessions)) == 4
    assert anna.ask("live", {"do": "start"})["refused"] == "busy"
    for phone, session in ((anna, sessions[0]), (ben, sessions[3])):
        phone.until(lambda phone=phone, session=session: len(phone.of(f"live/{phone.id}/{session}")) > 5)


def test_a_recorder_that_dies_ends_every_session(at_home: AtHome) -> None:
    door, anna, _ = home(at_home)
    result, session = watch(anna)
    anna.until(lambda: anna.of(f"live/{anna.id}/{session}"))
    os.kill(door.recorder(), signal.SIGKILL)
    anna.until(lambda: [one for one in told(anna, "live") if one["what"] == "ended"])
    assert anna.ask("live", {"do": "renew", "session": result["session"]})["refused"] == "gone"


def test_without_a_camera_there_is_nothing_to_watch(at_home: AtHome) -> None:
    _, anna, _ = at_home()
    assert anna.ask("live", {"do": "start"})["refused"] == "camera"
    assert anna.ask("still")["refused"] == "camera"
    assert anna.ask("live", {"do": "renew"})["refused"] == "args"
    assert anna.ask("live", {"do": "start", "session": base64.b64encode(bytes(16)).decode()})["refused"] == "args"


def test_who_is_removed_watches_no_longer(at_home: AtHome) -> None:
    _, anna, ben = home(at_home)
    _, session = watch(ben)
    ben.until(lambda: ben.of(f"live/{ben.id}/{session}"))
    now = anna.hello()["result"]["roster"]
    anna.ask("roster", {"document": anna.roster(now, json.loads(now["json"])["members"][:2])})
    seen = len(ben.of(f"live/{ben.id}/{session}"))
    watch(anna)
    anna.until(lambda: len(anna.of("live/")) > 20)
    assert len(ben.of(f"live/{ben.id}/{session}")) <= seen + 3


def test_a_still_is_for_the_asker_alone_and_is_told(at_home: AtHome) -> None:
    _, anna, ben = home(at_home)
    sealed = base64.b64decode(ben.ask("still")["result"]["still"])
    assert ben.opened(sealed).startswith(b"\xff\xd8\xff")
    assert not anna.can_open(sealed)
    assert anna.until(lambda: told(anna, "live"))[0]["what"] == "still"
