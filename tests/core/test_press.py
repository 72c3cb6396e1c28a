"""A finger on a simulated button, when nobody is behind it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from doorbell.cli.press import push_button
from doorbell.errors import Mistake


def test_a_daemon_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="start it first"):
        push_button(tmp_path, 0.01)


def test_a_daemon_that_ends_while_the_button_is_held_is_a_sentence(tmp_path: Path) -> None:
    pins = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    pins.bind(str(tmp_path / "pins.sock"))

    def end_with_the_press() -> None:
        pins.recv(64)
        pins.close()

    daemon = threading.Thread(target=end_with_the_press)
    daemon.start()
    with pytest.raises(Mistake, match="ended while the button was held"):
        push_button(tmp_path, 0.5)
    daemon.join()
