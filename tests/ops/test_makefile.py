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


# ---- make demo, with its app


PYTHON = r"""
case "$*" in
  *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"sys.version_info[:2]"*) echo 3.13 ;;
  *"-m doorbell demo"*) echo "the demo runs" ;;
  *requirements/node.txt*) echo "pip $*" ;;
esac
"""
NPM = r"""
case "$1" in
  ci) mkdir -p node_modules && echo "npm ci" ;;
  run) mkdir -p dist/assets && echo page >dist/index.html && echo code >dist/assets/a.js && echo "npm builds" ;;
esac
"""


@pytest.fixture
def clone(checkout: Path) -> Path:
    """A fresh clone, a Python that installs nothing, and an npm that builds a page at once."""
    for file in ("phone/package.json", "phone/package-lock.json", "phone/src/main.tsx", "doorbell/__init__.py"):
        (checkout / file).parent.mkdir(parents=True, exist_ok=True)
        (checkout / file).touch()
    (checkout / "bin").mkdir()
    script(checkout / "bin/npm", NPM)
    script(checkout / "bin/node", "exit 0")
    script(checkout / "python", PYTHON)
    return checkout


def demo(clone: Path, *more: str) -> str:
    """What `make demo` prints there; it ends well, whatever becomes of the app."""
    path = f"{clone}/bin:{os.environ['PATH']}"
    done = make(clone, "demo", f"PYTHON={clone}/python", *more, PATH=path)
    assert done.returncode == 0, done.stderr
    assert "the demo runs" in done.stdout
    return done.stdout + done.stderr


def test_the_first_demo_builds_the_app_and_the_next_one_only_a_changed_one(clone: Path) -> None:
    said = demo(clone)
    assert said.index("npm ci") < said.index("npm builds") < said.index("the demo runs")
    assert "pip" not in said
    assert (clone / "doorbell/app/index.html").read_text() == "page\n"
    assert (clone / "doorbell/app/assets/a.js").is_file()
    assert "npm" not in demo(clone)
    later = (clone / "doorbell/app/index.html").stat().st_mtime + 5
    os.utime(clone / "phone/src/main.tsx", (later, later))
    said = demo(clone)
    assert "npm builds" in said
    assert "npm ci" not in said


def test_a_demo_that_plays_through_by_itself_builds_no_app(clone: Path) -> None:
    assert "npm" not in demo(clone, "DEMO=--once")


def test_where_node_is_missing_or_old_the_pinned_one_is_installed(clone: Path) -> None:
    script(clone / "bin/node", "exit 1")
    said = demo(clone)
    assert "install --quiet --require-hashes -r requirements/node.txt" in said
    assert "npm builds" in said


@pytest.mark.parametrize("fails", ["ci", "run"])
def test_a_demo_goes_on_without_an_app_that_cannot_be_built(clone: Path, fails: str) -> None:
    script(clone / "bin/npm", f'[ "$1" = {fails} ] && {{ echo "no network" >&2; exit 1; }}{NPM}')
    said = demo(clone)
    assert "no network" in said
    assert "The phone app cannot be built here, as the lines above say: the demo goes on without it." in said
    assert not (clone / "doorbell/app").exists()


def test_every_file_that_pip_installs_from_has_hashes() -> None:
    installs = re.findall(r"pip install[^\n]*", (REPOSITORY / "Makefile").read_text())
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-index" in line, line
