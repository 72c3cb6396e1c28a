"""What the household changes by its phones: kept, confirmed, and undone by nobody else."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from doorbell import overlay
from doorbell.config import Config, Door, Motion, Privacy
from doorbell.errors import ConfigError
from tests.household.test_commands import SCENE, AtHome
from tests.rigs.door import Listener
from tests.rigs.phone import Phone

LEFT_HALF = [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]


def still(phone: Phone) -> Any:
    """Luma of what the camera sees now."""
    import av

    jpeg = phone.opened(base64.b64decode(phone.ask("still")["result"]["still"]))
    with av.open(io.BytesIO(jpeg)) as opened:
        return next(opened.decode(video=0)).to_ndarray(format="gray")


def test_a_new_mask_is_answered_when_it_covers_and_stays_over_restarts(at_home: AtHome, listener: Listener) -> None:
    door, anna, ben = at_home(SCENE)
    anna.within = 60
    door.until(lambda: door.status().get("camera") == "sees")
    assert still(anna)[:, :140].std() > 5
    assert ben.ask("settings", {"set": {"privacy": {"masks": LEFT_HALF}}})["refused"] == "role"
    reply = anna.ask("settings", {"set": {"privacy": {"masks": LEFT_HALF}}})
    assert reply["result"]["settings"]["privacy"]["masks"] == LEFT_HALF
    assert still(anna)[:, :140].std() < 2
    assert still(anna)[:, 180:].std() > 5
    assert anna.ask("settings")["result"]["settings"]["privacy"]["masks"] == LEFT_HALF
    assert ben.ask("settings")["refused"] == "role"
    assert door.stop() == 0
    door.start()
    epoch = anna.facts["epoch"]
    anna.until(lambda: anna.facts["epoch"] != epoch)
    anna.hello()
    door.until(lambda: door.status().get("camera") == "sees")
    assert still(anna)[:, :140].std() < 2
    assert "Traceback" not in door.log()


def test_what_needs_no_recorder_is_answered_at_once(at_home: AtHome) -> None:
    _, anna, _ = at_home()
    wanted = {"storage": {"days": 3}, "motion": {"record_on": "press"}}
    assert anna.ask("settings", {"set": wanted})["result"]["settings"]["storage"] == {"days": 3}
    said = anna.ask("settings")["result"]["settings"]
    assert (said["storage"]["days"], said["motion"]["record_on"]) == (3, "press")


def test_the_hours_are_set_and_the_door_says_what_time_it_takes_it_for(at_home: AtHome) -> None:
    _, anna, _ = at_home()
    hours = ["mon-fri 22:00-06:30", "sat,sun 00:00-24:00"]
    said = anna.ask("settings", {"set": {"motion": {"schedule": hours}, "visit": {"linger_s": 20}}})["result"]
    assert (said["settings"]["motion"]["schedule"], said["settings"]["visit"]) == (hours, {"linger_s": 20.0})
    assert said["local"] is None or re.fullmatch("(mon|tue|wed|thu|fri|sat|sun) [0-2][0-9]:[0-5][0-9]", said["local"])
    assert anna.ask("settings", {"set": {"motion": {"schedule": ["noon"]}}})["refused"] == "args"


@pytest.mark.parametrize(
    "wanted",
    [
        {}, [], None, {"mqtt": {"host": "evil"}}, {"privacy": {"clear_events": True}},
        {"privacy": {"clear_snapshot": True}}, {"privacy": {"clear_snapshot": False}}, {"storage": {"days": 0}},
        {"motion": {"sensitivity": "most"}}, {"privacy": {"masks": [[[0, 0], [2, 0], [0, 2]]]}}, {"privacy": 1},
        {"keys": {"recipients": []}}, {"door": {"state": "/"}}, {"storage": {"days": 3, "quota_mb": 64}},
    ],
)  # fmt: skip
def test_nothing_else_is_changed_by_a_command(wanted: Any) -> None:
    with pytest.raises((ConfigError, ValueError)):
        overlay.changed(Config(), wanted)


def test_settings_that_cannot_be_read_stop_the_recording_and_say_so(tmp_path: Path) -> None:
    mine = Config(door=Door(state=tmp_path), privacy=Privacy(masks=()))
    (tmp_path / "settings.json").write_text("{")
    assert "cannot be used" in overlay.load(mine).recording_refused
    overlay.keep(tmp_path, {"privacy": {"masks": LEFT_HALF}})
    found = overlay.load(mine)
    assert found.recording_refused == ""
    assert json.loads(json.dumps(found.privacy.masks)) == LEFT_HALF
    (tmp_path / "settings.json").unlink()
    assert overlay.load(mine) == mine


def test_only_what_is_filmed_needs_another_recorder() -> None:
    before = Config()
    assert overlay.needs_recorder(before, Config(motion=Motion(sensitivity="high")))
    assert not overlay.needs_recorder(before, Config(motion=Motion(record_on="press")))
