"""Where the built app travels: in the wheel, for the demo; not in the repository, and not in a door's package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from doorbell.demo.site import BUILT, is_built

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a build reads of a clone, with the app as it is built here, or an invented one where it is not."""
    copy = tmp_path / "clone"
    copy.mkdir()
    rubbish = shutil.ignore_patterns("__pycache__", "app")
    for name in ("doorbell", "packaging", "requirements", "systemd", "tools"):
        shutil.copytree(REPOSITORY / name, copy / name, ignore=rubbish)
    (copy / "phone").mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "doorbell.example.toml", "phone/package-lock.json"):
        shutil.copy(REPOSITORY / name, copy / name)
    app = copy / "doorbell/app"
    if is_built():
        shutil.copytree(BUILT, app)
    else:
        for name in ("index.html", "sw.js", "manifest.webmanifest", "icon.svg", "icon-192.png", "assets/index.js"):
            (app / name).parent.mkdir(exist_ok=True, parents=True)
            (app / name).write_text(name)
    return copy


def test_the_wheel_carries_every_file_of_the_app(checkout: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
         "--wheel-dir", str(tmp_path), str(checkout)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("doorbell-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        carried = {name for name in opened.namelist() if name.startswith("doorbell/app/")}
        page = opened.read("doorbell/app/index.html")
    app = checkout / "doorbell/app"
    assert carried == {str(one.relative_to(checkout)) for one in app.rglob("*") if one.is_file()}
    assert page == (app / "index.html").read_bytes()


def test_the_repository_does_not_carry_it() -> None:
    assert "doorbell/app/" in (REPOSITORY / ".gitignore").read_text().split()
    if (REPOSITORY / ".git").exists():
        kept = subprocess.run(
            ["git", "ls-files", "doorbell/app", "phone/dist"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        assert kept.stdout == ""


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not on this machine")
def test_a_doors_package_does_not_carry_it_either(checkout: Path, tmp_path: Path) -> None:
    """A door serves no page; and the same checkout gives the same package, whether or not the app was built in it."""
    subprocess.run([checkout / "packaging/build-deb", tmp_path], check=True, capture_output=True)
    (deb,) = tmp_path.glob("*.deb")
    listed = subprocess.run(["dpkg-deb", "--contents", deb], capture_output=True, text=True, check=True).stdout
    assert "doorbell/demo/site.py" in listed
    assert "doorbell/app/" not in listed
