"""The socket of simulated pins: what a finger does is felt, what the chime does is told, and nothing piles up."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from doorbell import config
from doorbell.events import ButtonEdge
from doorbell.senses.pins import Pins
from doorbell.senses.simulated import factory

FITTED = config.Pins(kind="simulated", button=17, pir=27, chime=22, led=23)


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / "hand"))
        one.settimeout(10)
        yield one


def asked(hand: socket.socket, folder: Path) -> tuple[int, float]:
    hand.sendto(b"chime", str(folder / "pins.sock"))
    struck, at = hand.recv(64).split()
    return int(struck), float(at)


def test_whoever_asks_is_told_how_often_and_when_the_chime_was_struck(tmp_path: Path, hand: socket.socket) -> None:
    pins = Pins(FITTED, SimpleQueue[object]().put, runtime=tmp_path)
    assert asked(hand, tmp_path) == (0, 0.0)
    for count in (1, 2):
        before = time.monotonic()
        pins.chime(True)
        pins.chime(True)  # it sounds already
        struck, at = asked(hand, tmp_path)
        assert struck == count
        assert before - 0.001 <= at <= time.monotonic() + 0.001
        pins.chime(False)
    pins.close()


def test_a_question_without_a_name_or_of_nonsense_ends_nothing(tmp_path: Path, hand: socket.socket) -> None:
    inbox: SimpleQueue[object] = SimpleQueue()
    pins = Pins(FITTED, inbox.put, runtime=tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
        for message in (b"chime", b"nonsense", b"", b"button down"):
            nameless.sendto(message, str(tmp_path / "pins.sock"))
    edge = inbox.get(timeout=10)
    assert isinstance(edge, ButtonEdge)
    assert edge.down
    assert asked(hand, tmp_path) == (0, 0.0)
    pins.close()


def test_a_simulated_pin_keeps_no_edge_however_many_there_were(tmp_path: Path) -> None:
    chip = factory()
    pins = Pins(FITTED, SimpleQueue[object]().put, chip)
    for _ in range(100):
        chip.pin(17).drive_low()
        chip.pin(17).drive_high()
        pins.chime(True)
        pins.chime(False)
    assert [len(chip.pin(number).states) for number in (17, 22)] == [0, 0]
    assert chip.pin(22).rises == 100
    pins.close()
