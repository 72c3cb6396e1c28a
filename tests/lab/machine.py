"""One run of the lab's computer: boots it with a shared folder, waits until it has switched itself off."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LAB_BUILD", REPOSITORY / "build" / "lab")).resolve()

KERNEL = (
    "console=ttyS0 quiet panic=-1 loglevel=3 systemd.show_status=0 net.ifnames=0 "
    "ia32_emulation=on"  # or Debian's runs no program of another machine, and the sandbox has nothing to forbid
)
BEGIN = """\
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis
ip link set lo up
mkdir -p /tmp/source
tar -xf /lab/source.tar -C /tmp/source
cd /tmp/source
"""


def built() -> bool:
    return (BUILD / "built").exists()


@frozen
class Outcome:
    """``status`` is the guest script's exit status, None if it never got so far; ``output`` all that it printed."""

    status: int | None
    output: str
    seconds: float


@frozen
class Machine:
    """``folder`` is shared with the guest as /lab; ``plain``: without systemd; ``disks``: more words for qemu.

    The root disk is never changed: what the guest writes there is gone when it ends.
    """

    folder: Path
    plain: bool = True
    memory_mb: int = 1536
    disks: Sequence[str] = ()

    def prepare(self, script: str) -> None:
        """Empty the folder; put the checkout (what git knows or would add) and the guest's *script* there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "guest.sh").write_text(BEGIN + script)
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "doorbell", "tests", "systemd",
             "pyproject.toml", "doorbell.example.toml", "README.md", "docs"],
            cwd=REPOSITORY, stdout=subprocess.PIPE, check=True,
        ).stdout  # fmt: skip
        subprocess.run(
            ["tar", "-cf", str(self.folder / "source.tar"), "--null", "--ignore-failed-read", "-T", "-"],
            cwd=REPOSITORY, input=names, check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def words(self) -> list[str]:
        """The command line. TCG always: where /dev/kvm exists in a virtual machine it may not work.

        Without AVX2, which qemu 7.2 (Debian 12) emulates wrongly: numpy ends in a segmentation fault.
        """
        plain = " lab.plain" if self.plain else ""
        return [
            "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,-avx2",
            "-smp", "2", "-m", str(self.memory_mb), "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
            "-kernel", str(BUILD / "vmlinux"), "-initrd", str(BUILD / "initrd.gz"),
            "-append", f"{KERNEL}{plain}",
            "-drive", f"file={BUILD / 'root.img'},format=raw,if=none,id=root,snapshot=on",
            "-device", "virtio-blk-pci,drive=root", "-device", "virtio-rng-pci",
            "-virtfs", f"local,path={self.folder},mount_tag=lab,security_model=none,id=lab",
            *self.disks,
        ]  # fmt: skip

    def run(self, within_s: float) -> Outcome:
        """Boot, let the script run to its end or for *within_s* seconds, and say what came of it."""
        began = time.monotonic()
        with (self.folder / "console").open("wb") as console:
            process = subprocess.Popen(
                self.words(), stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
            try:
                process.wait(within_s)
            except subprocess.TimeoutExpired:
                pass
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        return Outcome(self._status(), self._text("output") or self._text("console"), time.monotonic() - began)

    def _status(self) -> int | None:
        text = self._text("status").strip()
        return int(text) if text else None

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(errors="replace")
        except FileNotFoundError:
            return ""
