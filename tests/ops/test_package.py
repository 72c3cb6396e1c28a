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


def test_every_script_is_in_the_package_with_its_version_filled_in() -> None:
    build = (PACKAGING / "build-deb").read_text()
    assert "for script in preinst postinst prerm postrm; do" in build
    assert 's/@VERSION@/$version/g" "$tree/DEBIAN/preinst"' in build
