"""The package as it is built, and its scripts as dpkg calls them: no way back, no restart of what was not there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from doorbell.doctor import software
from tests.lab import run

PACKAGING = Path(__file__).parents[2] / "packaging"

pytestmark = pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not on this machine")


LIBRARIES = Path("usr/lib/python3/dist-packages")
DEBIAN = {
    "attrs": "python3-attr", "av": "python3-av", "cattrs": "python3-cattr", "click": "python3-click",
    "gpiozero": "python3-gpiozero", "numpy": "python3-numpy", "paho-mqtt": "python3-paho-mqtt",
    "pynacl": "python3-nacl", "sdnotify": "python3-sdnotify", "zxing-cpp": "python3-zxing-cpp",
}  # fmt: skip
"""Each library by its Python name and by Debian's."""


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = subprocess.run(
        [PACKAGING / "build-deb", tmp_path_factory.mktemp("deb")], capture_output=True, text=True, check=True
    )
    return Path(built.stdout.strip())


@pytest.fixture(scope="module")
def unpacked(deb: Path) -> Path:
    folder = deb.parent / "unpacked"
    subprocess.run(["dpkg-deb", "--extract", deb, folder], check=True)
    return folder


def test_the_package_tells_python_what_it_needs_and_debian_the_same(deb: Path, unpacked: Path) -> None:
    (metadata,) = (unpacked / LIBRARIES).glob("doorbell-*.dist-info/METADATA")
    asked = re.findall(r"(?m)^Requires-Dist: ([\w-]+)\S*(; extra.*)?$", metadata.read_text())
    project = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text())["project"]
    assert [name for name, _ in asked] == [re.split("[<>=]", line)[0] for line in project["dependencies"]]
    assert {name for name, extra in asked if not extra} == set(DEBIAN)
    depends = subprocess.run(["dpkg-deb", "--field", deb, "Depends"], capture_output=True, text=True, check=True).stdout
    assert set(DEBIAN.values()) <= set(re.findall(r"python3-[\w-]+", depends))


def test_the_doctor_finds_its_libraries_from_the_installed_package(unpacked: Path) -> None:
    """It said "runs from a folder, not installed" on every Pi."""
    says = (
        "import json; from importlib.metadata import distribution; from doorbell.doctor.software import packages; "
        "print(json.dumps([str(distribution('doorbell').locate_file('')), packages(None).state, "
        "packages(None).sentence]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(unpacked / LIBRARIES)}
    done = subprocess.run(
        [sys.executable, "-c", says], cwd=unpacked, env=environment, capture_output=True, text=True, check=True
    )
    where, state, sentence = json.loads(done.stdout)
    assert Path(where) == unpacked / LIBRARIES
    assert (state, sentence) == ("good", f"All {len(DEBIAN)} packages are there and new enough.")


def test_a_library_that_debian_builds_without_metadata_is_looked_for_by_its_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(name: str) -> str:
        raise software.PackageNotFoundError(name)

    monkeypatch.setattr(software, "version", version)
    monkeypatch.setattr(software, "requires", lambda _: ["zxing-cpp>=2.2", 'mnemonic>=0.20; extra == "words"'])
    assert software.packages(None).state == "good"  # type: ignore[arg-type]
    monkeypatch.setattr(software, "requires", lambda _: ["attrs>=23"])
    assert "missing: attrs" in software.packages(None).sentence  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian is missing: apt-get install lintian")
def test_lintian_has_nothing_to_say(deb: Path) -> None:
    done = subprocess.run(["lintian", "--allow-root", deb], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_same_checkout_gives_the_same_bytes(deb: Path, tmp_path: Path) -> None:
    again = subprocess.run([PACKAGING / "build-deb", tmp_path], capture_output=True, text=True, check=True)
    assert Path(again.stdout.strip()).read_bytes() == deb.read_bytes()


def test_the_version_that_the_lab_upgrades_to_is_higher_and_refuses_the_way_back(deb: Path, tmp_path: Path) -> None:
    def version(path: Path | str) -> str:
        told = subprocess.run(["dpkg-deb", "--field", path, "Version"], capture_output=True, text=True, check=True)
        return told.stdout.strip()

    now, later = version(deb), version(run.package(run.next_version(tmp_path / "next")))
    assert subprocess.run(["dpkg", "--compare-versions", later, "gt", now], check=False).returncode == 0
    subprocess.run(["dpkg-deb", "--control", deb, tmp_path / "control"], check=True)
    done = subprocess.run([tmp_path / "control/preinst", "upgrade", later], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"version {later} is installed, and {now} may not read" in done.stderr


def script(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    text = (PACKAGING / name).read_text().replace("@VERSION@", "0.2.0")
    return subprocess.run(["sh", "-s", *words], input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("before", ["0.2.1", "0.2.0+1", "1:0.1.0", "10.0"])
def test_a_downgrade_is_refused_in_words(before: str) -> None:
    done = script("preinst", "upgrade", before)
    assert done.returncode == 1
    assert before in done.stderr
    assert "Nothing was changed" in done.stderr


@pytest.mark.parametrize("words", [("install",), ("upgrade", "0.1.9"), ("upgrade", "0.2.0"), ("upgrade", "0.2.0~rc1"),
                                   ("install", "0.3.0"), ("abort-upgrade", "0.3.0")])  # fmt: skip
def test_everything_else_may_be_installed(words: tuple[str, ...]) -> None:
    done = script("preinst", *words)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_put_back_before_the_doors_user_was_made_becomes_its_to_read(tmp_path: Path) -> None:
    programs, etc = tmp_path / "bin", tmp_path / "doorbell"
    for folder in (programs, etc):
        folder.mkdir()
    for name in ("systemd-sysusers", "py3compile", "deb-systemd-helper", "deb-systemd-invoke", "systemctl", "chown"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/log\n')
        (programs / name).chmod(0o755)
    names = ["doorbell.toml", "doorbell.toml.good", "broker-password", "broker-ca.pem"]
    for name in names:
        (etc / name).touch(0o600)
    text = (PACKAGING / "postinst").read_text().replace("/etc/doorbell", str(etc))
    subprocess.run(["sh", "-s", "configure", ""], input=text, text=True, check=True, env={"PATH": f"{programs}:/bin"})
    log = (tmp_path / "log").read_text().splitlines()
    assert log[0].startswith("systemd-sysusers"), "first there is a user"
    assert [f"chown root:doorbell {etc / name}" in log for name in names] == [True] * 4
    assert [(etc / name).stat().st_mode & 0o777 for name in names] == [0o640] * 4


def test_every_script_is_in_the_package_with_its_version_filled_in() -> None:
    build = (PACKAGING / "build-deb").read_text()
    assert "for script in preinst postinst prerm postrm; do" in build
    assert 's/@VERSION@/$version/g" "$tree/DEBIAN/preinst"' in build
