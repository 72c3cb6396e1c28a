"""Run in the unit's sandbox (`probe.py BROKER_PORT GPIOCHIP`): tries what the door needs, then what nobody may."""

import ctypes
import json
import mmap
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *words: object) -> None:
    if getattr(LIBC, name)(*words) == -1:
        raise OSError(ctypes.get_errno(), name)


def touch(path: str) -> None:
    Path(path).write_text("x")
    Path(path).unlink()


def device(path: str) -> None:
    os.close(os.open(path, os.O_RDWR))


def listen() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))


def be_another_user() -> None:
    path = Path(os.environ["STATE_DIRECTORY"]) / "setuid"
    path.write_text("x")
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


def see_others() -> None:
    others = [one for one in Path("/proc").glob("[0-9]*") if int(one.name) != os.getpid()]
    if not others:
        raise PermissionError("no other process is to be seen")


def connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), 5).close()


def pair() -> None:
    for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET):
        end.close()


def decode() -> None:
    import av
    import numpy as np
    from nacl.bindings import crypto_scalarmult_base

    crypto_scalarmult_base(bytes(range(32)))
    np.zeros(3) + av.CodecContext.create("h264", "r").thread_count


def pins() -> None:
    os.chdir(os.environ["RUNTIME_DIRECTORY"])
    import lgpio

    lgpio.gpiochip_close(lgpio.gpiochip_open(int(sys.argv[2])))


NEEDED: dict[str, Callable[[], object]] = {
    "write its state": lambda: touch(os.environ["STATE_DIRECTORY"] + "/probe"),
    "write its runtime folder": lambda: touch(os.environ["RUNTIME_DIRECTORY"] + "/probe"),
    "read its settings": lambda: Path("/etc/doorbell/doorbell.toml").read_text(),
    "speak to the broker": lambda: connect(int(sys.argv[1])),
    "use the pins": pins,
    "allocate camera buffers": lambda: device("/dev/dma_heap/linux,cma"),
    "load numpy, PyAV and PyNaCl": decode,
    "make sockets between its processes": pair,
}
FORBIDDEN: dict[str, Callable[[], object]] = {
    "write /etc": lambda: touch("/etc/probe"),
    "write /usr": lambda: touch("/usr/probe"),
    "write its own settings": lambda: touch("/etc/doorbell/probe"),
    "read passwords": lambda: Path("/etc/shadow").read_text(),
    "see homes": lambda: list(Path("/root").iterdir()),
    "see other processes": see_others,
    "open the disk": lambda: device("/dev/vda"),
    "open memory": lambda: device("/dev/mem"),
    "open a terminal": lambda: device("/dev/ttyS0"),
    "listen on a port": listen,
    "open a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "write code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close(),
    "make a namespace": lambda: call("unshare", 0x10000000),
    "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "name the host": lambda: socket.sethostname("probe"),
    "run in real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "become another user": be_another_user,
    "become root": lambda: os.setuid(0),
    "change the kernel": lambda: Path("/proc/sys/kernel/panic").write_text("1"),
    "read the kernel's log": lambda: call("klogctl", 3, ctypes.create_string_buffer(10), 10),
    "watch another process": lambda: call("ptrace", 16, 1, None, None),
    "use the kernel's keys": lambda: call("syscall", 250, 0, -3, 1),
    "change its personality": lambda: call("personality", 0x0008),
}


def tried(what: Callable[[], object]) -> str:
    try:
        what()
    except Exception as error:  # noqa: BLE001  how it fails is the answer
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    print(json.dumps({name: tried(what) for name, what in (NEEDED | FORBIDDEN).items()}))
