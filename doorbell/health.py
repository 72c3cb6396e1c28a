"""The process's own health: the log, systemd's notifications, no core dumps, and what the machine says of itself."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any

from attrs import frozen

from doorbell.events import Died

_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
_PR_SET_DUMPABLE = 4
_PR_SET_THP_DISABLE = 41
_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8
HOT_C = 80.0
"""From here on the firmware slows a Pi's processor down."""
SHORT_MB = 32
"""With less memory than this to be had the kernel soon ends a program, and its choice is the largest: the recorder."""


class _Lines(logging.Formatter):
    """One line a person can read: for journald with its priority, for a terminal with the time."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.name}: {record.getMessage()}".replace("\n", " | ")
        if record.exc_info:
            text += " | " + self.formatException(record.exc_info).replace("\n", " | ")
        if os.environ.get("JOURNAL_STREAM"):
            return f"<{_PRIORITY.get(record.levelno, 6)}>{text}"
        return f"{self.formatTime(record, '%H:%M:%S')} {text}"


def start_log(level: int = logging.INFO) -> None:
    """Log lines go to standard error, for journald or whoever started the process."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_Lines())
    logging.basicConfig(level=level, handlers=[lines], force=True)


def forbid_core_dumps() -> None:
    """No memory of this process is ever written to the card: no core file, and no other process may read it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def died(end: threading.ExceptHookArgs) -> Died:
    """For ``threading.excepthook``: the thread's name, and of what it died where: type, file and line, never a text.

    The text of an exception may hold a path, a payload or a name; the place it came from holds none of them.
    """
    place, frame = "", end.exc_traceback
    while frame is not None:
        place = f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
        frame = frame.tb_next
    return Died(end.thread.name if end.thread else "?", getattr(end.exc_type, "__name__", "?") + place)


def spare_memory() -> None:
    """Have the C library give back what it does not need: for a process of many pictures and few threads.

    One arena for all threads, or each thread keeps what it once used; a fixed threshold for giving back, or glibc
    raises it with the largest picture it has freed; no huge pages, or x264 rounds each of its pictures up to 2 MB.
    At 1280x720 the recorder takes 54 MB so, and 65 MB without.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_TRIM_THRESHOLD, 128 * 1024)


class Systemd:
    """sd_notify, and nothing where no systemd started the process."""

    def __init__(self) -> None:
        from sdnotify import SystemdNotifier  # noqa: PLC0415

        self._notifier: Any = SystemdNotifier()
        usec = os.environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(usec) / 1e6 if usec.isdigit() else 0.0
        """How often systemd wants to hear of the daemon, in seconds; 0: never."""

    def ready(self) -> None:
        self._notifier.notify("READY=1")

    def alive(self) -> None:
        self._notifier.notify("WATCHDOG=1")

    def status(self, text: str) -> None:
        self._notifier.notify("STATUS=" + text.replace("\n", " ")[:500])

    def stopping(self) -> None:
        self._notifier.notify("STOPPING=1")


@frozen
class Machine:
    """What the machine says of itself; None where it does not say."""

    disk: float | None
    """Per cent of the card that holds the state which is in use."""
    temperature: float | None
    """Degrees Celsius of the processor."""
    throttled: bool | None
    """The firmware reduced the clock, now or since boot: too hot, or the power supply is too weak."""
    rssi: int | None
    """Wi-Fi signal in dBm."""


def machine(state: Path) -> Machine:
    """Read the machine's figures; never raises."""
    return Machine(_disk(state), _temperature(), _throttled(), _rssi())


def strains(sys: Path = Path("/sys"), proc: Path = Path("/proc")) -> dict[str, str]:
    """What strains the machine: for each of power, heat and memory a sentence with the fix, or an empty text.

    Never raises; where the machine does not say, all is well. The firmware's bits are those of vcgencmd get_throttled:
    0 too little voltage now, 16 since the start; 2 and 3 slowed down by heat now.
    """
    bits, degrees = _firmware(sys) or 0, _temperature(sys)
    hot = bits & 0b1100 or (degrees is not None and degrees >= HOT_C)
    spare = _available_mb(proc)
    low = "The power supply is too weak, now or since the start: use the Pi's own, with a short cable."
    heat = f"The computer slows down, it is too hot{f' ({degrees:.0f} °C)' if degrees else ''}: give it air and shade."
    short = f"Only {spare} MB of memory are left: end other programs, or restart the Pi."
    return {
        "power": low * bool(bits & 0x10001),
        "heat": heat * bool(hot),
        "memory": short * (spare is not None and spare < SHORT_MB),
    }


def model() -> str:
    """The computer's own name, as the firmware gives it; on other machines their kind of processor."""
    return _read("/proc/device-tree/model").strip("\0\n ") or f"{os.uname().machine} computer"


def _disk(state: Path) -> float | None:
    try:
        card = os.statvfs(state)
    except OSError:
        return None
    used = card.f_blocks - card.f_bfree
    return round(100 * used / max(1, used + card.f_bavail), 1)


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _temperature(sys: Path = Path("/sys")) -> float | None:
    text = _read(sys / "class/thermal/thermal_zone0/temp").strip()
    return round(int(text) / 1000, 1) if text.lstrip("-").isdigit() else None


def _throttled() -> bool | None:
    bits = _firmware(Path("/sys"))
    return None if bits is None else bits != 0


def _firmware(sys: Path) -> int | None:
    # The firmware's word, as vcgencmd get_throttled shows it, without starting a program.
    text = _read(sys / "devices/platform/soc/soc:firmware/get_throttled").strip()
    try:
        return int(text, 16) if text else None
    except ValueError:
        return None


def _available_mb(proc: Path) -> int | None:
    for line in _read(proc / "meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and rest.split():
            return int(rest.split()[0]) // 1024
    return None


def _rssi() -> int | None:
    for line in _read("/proc/net/wireless").splitlines()[2:]:
        fields = line.split()
        if len(fields) > 3:
            try:
                return int(float(fields[3]))
            except ValueError:
                return None
    return None
