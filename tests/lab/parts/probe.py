"""Run in the unit's sandbox (`probe.py BROKER_PORT GPIOCHIP MOUNTS`): tries what the door needs, then what nobody may;
looks at its bounds. MOUNTS is the machine's own mount namespace.

WATCHED names, for every line of the unit that restricts something, what shows here that it is in force; a test on the
developer's computer (tests/ops/test_unit.py) holds the two together.
"""

import ctypes
import json
import mmap
import os
import pwd
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
OPEN_TO_ALL = "/dev/open-to-all"
"""Made by installed.py, mode 0666: only the list of devices keeps a service from it."""
MEGABYTE = 1 << 20


def call(name: str, *words: object) -> None:
    if getattr(LIBC, name)(*words) == -1:
        raise OSError(ctypes.get_errno(), name)


def touch(path: str) -> None:
    Path(path).write_text("x")
    Path(path).unlink()


def device(path: str) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_NOCTTY))


def open_many(number: int) -> None:
    here: list[int] = []
    try:
        here.extend(os.dup(0) for _ in range(number))
    finally:
        for one in here:
            os.close(one)


def run_many(number: int) -> None:
    """Threads count as tasks; each waits until all are there."""
    over, here = threading.Event(), []
    try:
        for _ in range(number):
            one = threading.Thread(target=over.wait)
            one.start()
            here.append(one)
    finally:
        over.set()
        for one in here:
            one.join()


def be_another_machine() -> None:
    """Run the smallest program of 32-bit x86: exit(0), by int 0x80. Where it may make no system call that ends it."""
    path = Path(os.environ.get("STATE_DIRECTORY", "/tmp")) / "another"
    code = bytes.fromhex("b80100000031dbcd80")  # mov eax, 1 (exit); xor ebx, ebx; int 0x80
    base, size = 0x08048000, 52 + 32 + len(code)
    head = struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<8I", 1, 0, base, base, size, size, 5, 4096)
    path.write_bytes(b"\x7fELF\1\1\1" + bytes(9) + head + segment + code)
    path.chmod(0o700)
    try:
        ended = subprocess.run([path], check=False).returncode
    finally:
        path.unlink()
    if ended:
        raise PermissionError(f"it ended by {signal.Signals(-ended).name}" if ended < 0 else f"it ended with {ended}")


def see_temporary_files() -> None:
    if not list(Path("/tmp").iterdir()):
        raise PermissionError("nobody's files lie in /tmp")


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


def is_(found: object, wanted: object) -> None:
    assert found == wanted, f"{found}, not {wanted}"


def limit(kind: int, most: int) -> None:
    is_(resource.getrlimit(kind), (most, most))


def group(name: str, value: str) -> None:
    """What the service's own control group says in the file *name*."""
    own = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2]
    is_(Path(f"/sys/fs/cgroup{own}/{name}").read_text().strip(), value)


def status(name: str) -> str:
    lines = (line.partition(":") for line in Path("/proc/self/status").read_text().splitlines())
    return next(value.strip() for key, _, value in lines if key == name)


def read_only(*paths: str) -> None:
    is_([path for path in paths if not os.statvfs(path).f_flag & os.ST_RDONLY], [])


def made_for_nobody_else() -> None:
    path = Path(os.environ["STATE_DIRECTORY"]) / "mode"
    path.touch(0o666)
    try:
        is_(oct(path.stat().st_mode & 0o777), oct(0o600))
    finally:
        path.unlink()


def apart(space: str, outside: str) -> None:
    assert str(Path(f"/proc/self/ns/{space}").readlink()) != outside, "it is the machine's own"


NEEDED: dict[str, Callable[[], object]] = {
    "write its state": lambda: touch(os.environ["STATE_DIRECTORY"] + "/probe"),
    "write its runtime folder": lambda: touch(os.environ["RUNTIME_DIRECTORY"] + "/probe"),
    "read its settings": lambda: Path("/etc/doorbell/doorbell.toml").read_text(),
    "speak to the broker": lambda: connect(int(sys.argv[1])),
    "use the pins": pins,
    "allocate camera buffers": lambda: device("/dev/dma_heap/linux,cma"),
    "load numpy, PyAV and PyNaCl": decode,
    "make sockets between its processes": pair,
    "write temporary files": lambda: touch("/tmp/probe"),
}
FORBIDDEN: dict[str, Callable[[], object]] = {
    "write /etc": lambda: touch("/etc/probe"),
    "write /usr": lambda: touch("/usr/probe"),
    "write its own settings": lambda: touch("/etc/doorbell/probe"),
    "read passwords": lambda: Path("/etc/shadow").read_text(),
    "see homes": lambda: list(Path("/home").iterdir()),
    "see the home of root": lambda: list(Path("/root").iterdir()),
    "see the temporary files of others": see_temporary_files,
    "see other processes": see_others,
    "open the disk": lambda: device("/dev/vda"),
    "open memory": lambda: device("/dev/mem"),
    "open a terminal": lambda: device("/dev/ttyS0"),
    "open a device that anybody might": lambda: device(OPEN_TO_ALL),
    "open more files than it has use for": lambda: open_many(600),
    "run more tasks than it has use for": lambda: run_many(80),
    "listen on a port": listen,
    "open a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "open a socket of a family that it does not need": lambda: socket.socket(
        socket.AF_ALG, socket.SOCK_SEQPACKET
    ).close(),
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
    "change its priority": lambda: os.nice(1),
    "see the kernel's modules": lambda: list(Path("/usr/lib/modules").iterdir()),
    "load a module": lambda: call("syscall", 175, ctypes.create_string_buffer(10), 10, b""),
    "run a program of another machine": be_another_machine,
}
BOUNDS: dict[str, Callable[[], object]] = {
    "its user is the door's": lambda: is_(pwd.getpwuid(os.getuid()).pw_name, "doorbell"),
    "it has no capability, and can gain none": lambda: is_(
        {name: status(name).lstrip("0") for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs")},
        {"CapEff": "", "CapPrm": "", "CapBnd": "", "CapAmb": "", "NoNewPrivs": "1"},
    ),
    "no core file": lambda: limit(resource.RLIMIT_CORE, 0),
    "512 open files": lambda: limit(resource.RLIMIT_NOFILE, 512),
    "64 tasks": lambda: group("pids.max", "64"),
    "no swap": lambda: group("memory.swap.max", "0"),
    "memory is slowed down at 280M": lambda: group("memory.high", str(280 * MEGABYTE)),
    "memory ends at 340M": lambda: group("memory.max", str(340 * MEGABYTE)),
    "its files are its own": made_for_nobody_else,
    "the system is read-only": lambda: read_only("/", "/etc", "/usr", "/var", "/boot"),
    "the kernel's settings are read-only": lambda: read_only("/proc/sys"),
    "control groups are read-only": lambda: read_only("/sys/fs/cgroup"),
    "its mounts are its own": lambda: apart("mnt", sys.argv[3]),
    "other users are unknown": lambda: is_("4294967295" in Path("/proc/self/uid_map").read_text(), False),
}
WATCHED: dict[str, tuple[str, ...]] = {
    "User": ("its user is the door's", "become root"),
    "Group": ("its user is the door's", "read its settings"),
    "SupplementaryGroups": ("use the pins", "allocate camera buffers"),
    "UMask": ("its files are its own",),
    "MemorySwapMax": ("no swap",),
    "LimitCORE": ("no core file",),
    "MemoryHigh": ("memory is slowed down at 280M",),
    "MemoryMax": ("memory ends at 340M",),
    "TasksMax": ("64 tasks", "run more tasks than it has use for"),
    "LimitNOFILE": ("512 open files", "open more files than it has use for"),
    "DevicePolicy": ("open a device that anybody might", "open the disk", "open memory", "open a terminal"),
    "DeviceAllow": ("use the pins", "allocate camera buffers"),
    "ProtectSystem": ("the system is read-only", "write /etc", "write /usr", "write its own settings"),
    "ProtectHome": ("see homes", "see the home of root"),
    "PrivateTmp": ("see the temporary files of others", "write temporary files"),
    "PrivateMounts": ("its mounts are its own", "mount"),
    "ProtectProc": ("see other processes",),
    "ProtectKernelTunables": ("the kernel's settings are read-only", "change the kernel"),
    "ProtectKernelModules": ("see the kernel's modules", "load a module"),
    "ProtectKernelLogs": ("read the kernel's log",),
    "ProtectControlGroups": ("control groups are read-only",),
    "ProtectClock": ("set the clock",),
    "ProtectHostname": ("name the host",),
    "NoNewPrivileges": ("it has no capability, and can gain none",),
    "CapabilityBoundingSet": ("it has no capability, and can gain none",),
    "AmbientCapabilities": ("it has no capability, and can gain none",),
    "RestrictSUIDSGID": ("become another user",),
    "RestrictNamespaces": ("make a namespace",),
    "RestrictRealtime": ("run in real time",),
    "LockPersonality": ("change its personality",),
    "KeyringMode": ("use the kernel's keys",),
    "PrivateUsers": ("other users are unknown",),
    "MemoryDenyWriteExecute": ("write code",),
    "RestrictAddressFamilies": ("open a socket of a family that it does not need", "open a raw socket"),
    "SocketBindDeny": ("listen on a port",),
    "SystemCallArchitectures": ("run a program of another machine",),
    "SystemCallFilter": ("change its priority", "watch another process"),
    "SystemCallErrorNumber": ("change its priority",),
}


def tried(what: Callable[[], object]) -> str:
    try:
        what()
    except Exception as error:  # noqa: BLE001  how it fails is the answer
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    print(json.dumps({name: tried(what) for name, what in (NEEDED | FORBIDDEN | BOUNDS).items()}))
