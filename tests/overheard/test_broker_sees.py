"""The whole tool at a real broker, with the real door and its phones: what its owner reads and guesses, and no more."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.household.conftest import enrol
from tests.household.test_commands import SCENE, AtHome, a_clip
from tests.rigs.broker import Mosquitto
from tests.rigs.door import Door, Listener
from tests.rigs.phone import Phone

CLEAR = {"availability", "hello", "ring", "motion", "health", "state", "config", "set", "status"}

NO_SEALING = """
import doorbell.clips.seal as room

class Identity:
    def __init__(self, recipients, *_, **__): self.header = b""
    def update(self, data): return bytes(data)
    def finish(self): return b""

room.Sealer, room.seal = Identity, lambda recipients, plain, *_: bytes(plain)
"""


class Owner:
    """The broker's owner with the tool; ``report`` once they have heard enough."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def report(self) -> tuple[int, dict[str, Any]]:
        self._process.send_signal(signal.SIGINT)
        out, err = self._process.communicate(timeout=30)
        assert "Traceback" not in err, err
        return self._process.returncode, json.loads(out)


@contextmanager
def owner(port: int, *words: str) -> Iterator[Owner]:
    command = [sys.executable, "-m", "doorbell", "what-the-broker-sees", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--tls", "off", "--for", "5m", "--json", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr and "Listening" in process.stderr.readline()
        yield Owner(process)
    finally:
        process.kill()
        process.wait()


def rows(report: dict[str, Any], meant: str) -> dict[str, dict[str, Any]]:
    return {row["topic"].rpartition("<door>/")[2]: row for row in report["rows"] if row["meant"] == meant}


def test_nothing_but_the_clear_topics_is_readable(
    at_home: AtHome,
    listener: Listener,
    broker: Mosquitto,
    tmp_path: Path,
) -> None:
    kept = tmp_path / "session"
    with owner(broker.port, "--record", str(kept)) as eyes:
        door, anna, ben = at_home(SCENE)
        clip = a_clip(door, listener)
        assert anna.ask("clip", {"clip": clip, "from": 0, "window": 8})["result"]["bytes"]
        assert ben.ask("poster", {"clip": clip})["result"]
        live = anna.ask("live", {"do": "start"})["result"]
        anna.until(lambda: len(anna.of("live/")) > 5)
        anna.ask("live", {"do": "stop", "session": live["session"]})
        anna.ask("recording", {"on": False})
        door.until(lambda: 'recording/state", "payload": "T0ZG"' in kept.read_text())  # OFF, which follows the reply
        status, report = eyes.report()
    assert (status, report["tight"], report["leaks"]) == (0, True, [])
    clear, sealed = rows(report, "clear"), rows(report, "sealed")
    assert {name.rpartition("/")[2] for name in clear} <= CLEAR
    assert set(sealed) >= {"alert", "journal/<index>", "poster/<visit>", "from/<phone>", "to/<phone>"}
    assert all(row["readable"] == row["bytes"] for row in clear.values())
    # Of what is large; of a short reply the lines that name nobody, one for each key, are more than half.
    large = [row for row in sealed.values() if row["bytes"] > 5000 * row["messages"]]
    assert large and all(row["readable"] < row["bytes"] / 2 for row in large)
    assert sealed["from/<phone>"]["readable"] == 0
    # Nothing that the household alone knows is in the report: names, the clip's id, what happened.
    text = json.dumps(report)
    assert not any(word in text for word in ("Anna", "Ben", clip, "clip_started"))
    guessed = {one["what"]: one["says"] for one in report["guesses"]["front"]}
    assert guessed["rings, tests included"].startswith("1: ")
    assert guessed["phones in use"] == "2"
    assert guessed["keys that open the door's messages"].startswith("3 ")
    size = (door.state / f"clips/{clip}.mp4.age").stat().st_size
    assert f"{size:,} bytes" in guessed["a clip was fetched"]
    assert "OFF" in guessed["recording"]
    assert {"the door online", "things that happened", "visits with a picture", "somebody watched live"} <= set(guessed)
    again = subprocess.run(
        [sys.executable, "-m", "doorbell", "what-the-broker-sees", "--from", str(kept)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0
    assert "Nothing but the clear topics could be read" in again.stdout
    assert "somebody watched live" in again.stdout


def test_with_sealing_replaced_the_tool_finds_it(tmp_path: Path, broker: Mosquitto, listener: Listener) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/sitecustomize.py").write_text(NO_SEALING)
    environment = {"PYTHONPATH": f"{tmp_path / 'code'}:{Path(__file__).parents[2]}"}
    door = Door(tmp_path / "door", broker.port, SCENE, environment=environment)
    anna = Phone(broker.port, "Anna")
    enrol(door, (anna, "admin"))
    with owner(broker.port) as eyes:
        with door:
            listener.wait("hello")
            door.until(lambda: door.status().get("camera") == "sees")
            door.press()
            listener.wait("poster")
            listener.wait("alert")
            listener.wait("journal", 3)
        status, report = eyes.report()
    assert (status, report["tight"]) == (2, False)
    found = {one["topic"].split("/")[2]: one["why"] for one in report["leaks"]}
    assert found["poster"] == "a JPEG picture"
    assert set(found) >= {"alert", "journal", "poster"}


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (["--from", "/nonexistent"], "cannot be read"),
        (["--for", "10"], "give a time"),
        (["--for", "99d"], "give a time"),
        (["--tls", "off", "--port", "1"], "cannot be reached"),
        (["--ca-file", "/nonexistent"], "cannot be read"),
        (["--password-file", "/nonexistent"], "holds the password alone"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(words: list[str], fix: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "doorbell", "what-the-broker-sees", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2) and fix in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("text", [b"{}\n", b"nothing\n", b'{"at":1,"topic":2,"payload":"","retained":true}\n', b"\xff"])
def test_a_file_that_is_no_session_is_named(tmp_path: Path, text: bytes) -> None:
    from doorbell.errors import Mistake
    from doorbell.overheard.session import read

    (tmp_path / "session").write_bytes(text)
    with pytest.raises(Mistake, match="line 1"):
        list(read(tmp_path / "session"))


def test_a_login_that_may_not_listen_is_told_so(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, logins={"nobody": "x"}) as broker:
        done = subprocess.run(
            [sys.executable, "-m", "doorbell", "what-the-broker-sees", "--host", "127.0.0.1", "--port",
             str(broker.port), "--tls", "off"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1 and "refuses the login" in done.stderr
