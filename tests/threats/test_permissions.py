"""Nobody but the door reads what the door keeps, whatever the umask was; a folder left open is closed at the start."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.endure.rows import show
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener

pytestmark = pytest.mark.endure
CARELESS = ["sh", "-c", 'umask 0; exec "$@"', "sh"]


def others_may(state: Path) -> list[str]:
    """What of the state folder has any right for group or others."""
    return [str(path) for path in (state, *state.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077]


@pytest.mark.threat("wrong permissions")
def test_with_no_umask_at_all_everything_the_door_keeps_is_its_own(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    door = Door(tmp_path / "door", broker.port, {"camera": {"source": "scene"}}, wrapper=CARELESS)
    door.state.mkdir(parents=True)
    door.state.chmod(0o755)
    with door:
        door.until(lambda: door.status().get("camera") == "sees", 60)
        door.press()
        door.until(lambda: list((door.state / "clips").glob("*.part")))
        during = others_may(door.state)
        door.until(lambda: door.clips, 60)
        door.stop()
        said = door.log()
    assert during == []
    assert others_may(door.state) == []
    kept = sum(path.is_file() for path in door.state.rglob("*"))
    assert kept > 6
    assert "could look into" in said
    show("wrong permissions", f"umask 0: {kept} files 0600, folders 0700; a state folder of 0755 is closed and told")


def test_a_key_that_others_could_read_is_not_used_and_the_door_rings(
    tmp_path: Path, broker: Mosquitto, listener: Listener
) -> None:
    door = Door(tmp_path / "door", broker.port)
    with door:
        door.until(lambda: door.status().get("entries"))
        door.stop()
    (key, *_) = sorted((door.state / "keys").iterdir())
    key.chmod(0o644)
    with door:
        door.until(lambda: door.status().get("problems"))
        rang = len(listener.of("/ring"))
        door.press()
        listener.wait("/ring", rang + 1)
        assert any("chmod" in sentence for sentence in door.status()["problems"])
