"""What `make` says to a newcomer, and what it says where something is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROMISED = {"demo", "test", "check", "bench", "test-ha", "clean"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone's files that set-up reads, without any virtual environment."""
    copy = tmp_path / "clone"
    copy.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements", "tools"):
        source = REPOSITORY / name
        shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy(source, copy / name)
    return copy


def make(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env={**clean, **more}, capture_output=True, text=True, check=False
    )


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_make_alone_prints_every_target_with_what_it_does(checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0
    printed = dict(re.findall(r"(?m)^make ([a-z-]+) +(\S.*)$", done.stdout))
    assert set(printed) >= PROMISED
    assert len(printed) == len(done.stdout.splitlines())


@pytest.mark.parametrize("target", ["test", "demo"])
def test_a_python_without_venv_is_told_the_apt_line_and_nothing_is_begun(checkout: Path, target: str) -> None:
    # Debian's python3 without python3-venv: it runs, but has no ensurepip.
    python = script(checkout / "python", 'case "$2" in *ensurepip*) exit 1;; *) exec python3 "$@";; esac')
    done = make(checkout, target, f"PYTHON={python}")
    assert done.returncode != 0
    assert "sudo apt-get install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_no_python_at_all_is_told_the_apt_line(checkout: Path) -> None:
    done = make(checkout, "test", "PYTHON=python-that-is-not-there")
    assert done.returncode != 0
    assert "sudo apt-get install python3 python3-venv" in done.stderr


def test_a_missing_debian_package_is_named_where_it_cannot_be_installed(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "apt-get", "exit 1")
    script(folder / "id", "echo 1000")  # no root, and no sudo on this PATH
    done = subprocess.run(
        ["/bin/sh", str(REPOSITORY / "tools" / "install-packages"), "age"],
        env={"PATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "apt-get install --no-install-recommends age" in done.stderr


def test_nothing_is_installed_where_everything_is_there(checkout: Path) -> None:
    programs = checkout / "bin"
    programs.mkdir()
    for name in ("mosquitto", "age", "ffmpeg", "openssl", "strace", "systemd-analyze"):
        script(programs / name, "exit 0")
    script(checkout / "tools" / "install-packages", "echo installing; exit 1")
    done = make(checkout, "packages", PATH=f"{programs}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout) == (0, "")
