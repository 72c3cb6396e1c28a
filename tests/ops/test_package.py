"""The package's own scripts, as dpkg would call them: no way back, and no restart where nothing was installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"

pytestmark = pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not on this machine")


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
