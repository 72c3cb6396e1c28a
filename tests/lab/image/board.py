"""qemu's boards with a card in them: switched on, listened to at their serial ports, until they are off again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

OFF_WITHIN_S = 90.0
"""From the last line of the report; a board that does not know how to switch itself off is switched off."""


@frozen
class Board:
    """``machine`` are qemu's words for it, ``consoles`` the kernel's names of its serial ports.

    ``kernel`` are more words on the kernel's command line.
    """

    name: str
    machine: Sequence[str]
    consoles: Sequence[str]
    within_s: float
    kernel: str = ""


VIRT = Board(
    "virt",
    ["-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "1024",
     "-drive", "file={card},format=raw,if=none,id=card", "-device", "virtio-blk-pci,drive=card",
     "-device", "virtio-rng-pci", "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"],
    ["ttyAMA0"], 2400,
)  # fmt: skip
"""Its network reaches this computer's loopback as 10.0.2.2."""
PI = Board(
    "raspi3b",
    ["-M", "raspi3b", "-dtb", "{build}/pi.dtb", "-drive", "file={card},format=raw,if=sd"],
    ["ttyAMA0,115200", "ttyS1,115200"], 3000,
    "modprobe.blacklist=bcm2835_wdt",
)  # fmt: skip
"""The card at the BCM2835's own SD controller; no network.

qemu resets this board as soon as its watchdog is armed, so the driver stays out.
"""


def told(board: Board, card: Path, build: Path, folder: Path) -> dict[str, str]:
    """Boot from *card* (a raw image, written to) until the report's end: its lines, name to value.

    A boot that ends without a report, because the machine wanted to be started again, is followed by another, once.
    """
    for number in range(2):
        found = _booted(board, card, build, folder / f"{board.name}-{number}")
        if "end" in found:
            return found | {"boots": str(number + 1)}
    raise AssertionError(f"no report of {board.name}; its console: {folder}")


def _booted(board: Board, card: Path, build: Path, ports: Path) -> dict[str, str]:
    words = ["qemu-system-aarch64", *(word.format(card=card, build=build) for word in board.machine)]
    command_line = _command_line(card) + "".join(f" console={one}" for one in board.consoles) + f" {board.kernel}"
    files = [ports.with_suffix(f".{number}") for number in range(len(board.consoles))]
    words += ["-kernel", str(build / "vmlinuz"), "-initrd", str(build / "initrd.gz"), "-append", command_line]
    words += ["-display", "none", "-monitor", "none", "-no-reboot"]
    for file in files:
        words += ["-serial", f"file:{file}"]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)
    ends = time.monotonic() + board.within_s
    try:
        while process.poll() is None and time.monotonic() < ends and not _is_halted(files):
            if "end" in _lines(files):
                ends = min(ends, time.monotonic() + OFF_WITHIN_S)
            threading.Event().wait(1)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return _lines(files)


def _is_halted(files: Sequence[Path]) -> bool:
    """A board that cannot start itself again says so and stands still: it is switched off and on."""
    return any(b"Reboot failed -- System halted" in file.read_bytes() for file in files if file.exists())


def _command_line(card: Path) -> str:
    """What the firmware hands to the kernel: the card's own, but for the consoles; eth0 is named as on a Pi."""
    text = read_boot(card, "cmdline.txt").decode()
    return " ".join(word for word in text.split() if not word.startswith("console=")) + " panic=-1 net.ifnames=0"


def read_boot(card: Path, name: str) -> bytes:
    """A file of the boot volume, which begins at the first megabyte; empty where there is none."""
    words = ["mcopy", "-n", "-i", f"{card}@@1M", f"::/{name}", "-"]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout


def _lines(files: Sequence[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in files:
        text = file.read_text(errors="replace") if file.exists() else ""
        for line in text.splitlines():
            mark, _, rest = line.strip().partition("LAB ")
            if not mark and rest:
                name, _, value = rest.partition(" ")
                found[name] = f"{found[name]}\n{value}" if name == "log" and name in found else value
    return found
