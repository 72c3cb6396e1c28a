"""The hand of an invented visitor on the simulated button."""

import socket
import threading
from pathlib import Path

from doorbell.senses.stage import FELT_S, Stage


def test_a_scene_that_leaps_ahead_still_holds_the_button_long_enough(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as pins:
        pins.bind(str(tmp_path / "pins.sock"))
        pins.settimeout(5)
        stage = Stage(tmp_path)
        stage.press()
        for t in (1.0, 9.0, 10.0):
            stage.let_go(t)
        assert pins.recv(64) == b"button down"
        threading.Event().wait(FELT_S)  # the world's time, which no scene can hurry
        stage.let_go(11.0)
        assert pins.recv(64) == b"button up"
        stage.close()
