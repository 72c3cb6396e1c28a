"""The bill of materials names all that is pinned, and the same checkout gives the same one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def made(**environment: str) -> bytes:
    command = [sys.executable, REPOSITORY / "tools" / "sbom"]
    return subprocess.run(
        command, check=True, capture_output=True, env={"PATH": os.environ["PATH"], **environment}
    ).stdout


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    found = json.loads(made())
    assert isinstance(found, dict)
    return found


def by_purl(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["purl"]: one for one in bill["components"]}


def test_it_is_cyclonedx_and_says_of_what(bill: dict[str, Any]) -> None:
    from doorbell import __version__

    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"]) == (
        "doorbell",
        __version__,
    )
    references = [one["bom-ref"] for one in bill["components"]]
    assert references == sorted(set(references))
    for one in bill["components"]:
        assert (one["type"], one["scope"] in ("required", "optional", "excluded")) == ("library", True)
        assert set(one) <= {
            "type", "bom-ref", "name", "group", "version", "scope", "purl", "properties", "hashes", "licenses",
        }  # fmt: skip


def test_every_pinned_package_is_in_it_with_every_hash(bill: dict[str, Any]) -> None:
    found = by_purl(bill)
    for lock in (REPOSITORY / "requirements").glob("*.txt"):
        text = lock.read_text()
        pinned = re.findall(r"(?m)^([\w.-]+)(?:\[.*\])?==([\w.+!-]+)", text)
        assert pinned
        for name, version in pinned:
            component = found[f"pkg:pypi/{name.lower()}@{version}"]
            assert {"name": "doorbell:from", "value": f"requirements/{lock.name}"} in component["properties"]
            assert component["scope"] == "required" or lock.name != "door.txt"
        hashes = {one["content"] for component in found.values() for one in component.get("hashes", ())}
        assert set(re.findall(r"sha256:([0-9a-f]{64})", text)) <= hashes


def test_everything_that_apt_brings_is_in_it(bill: dict[str, Any]) -> None:
    control = (REPOSITORY / "packaging" / "control").read_text()
    depends = re.search(r"(?m)^Depends: (.*)$", control)
    assert depends
    found = by_purl(bill)
    for name in re.findall(r"(?:^|[,|]) *([a-z0-9-]+)", depends[1]):
        assert found[f"pkg:deb/debian/{name}"]["scope"] == "required"
    assert {"name": "doorbell:versions", "value": ">= 1:1.26"} in found["pkg:deb/debian/python3-numpy"]["properties"]


def test_everything_in_the_app_is_in_it(bill: dict[str, Any]) -> None:
    packages = json.loads((REPOSITORY / "phone" / "package-lock.json").read_text())["packages"]
    scopes = {}
    for one in bill["components"]:
        if one["purl"].startswith("pkg:npm/"):
            scopes["/".join(filter(None, (one.get("group"), one["name"]))), one["version"]] = one["scope"]
    for place, one in packages.items():
        if place:
            assert (place.rpartition("node_modules/")[2], one["version"]) in scopes, place
    for name, version in packages[""]["dependencies"].items():
        assert scopes[name, version] == "required"
    for name in ("typescript", "vite", "vitest"):
        assert scopes[name, packages[""]["devDependencies"][name]] == "excluded"


def test_the_same_checkout_gives_the_same_bytes() -> None:
    dated = made(SOURCE_DATE_EPOCH="1700000000", PYTHONHASHSEED="1")
    assert dated == made(SOURCE_DATE_EPOCH="1700000000", PYTHONHASHSEED="2", TZ="Asia/Tokyo", LC_ALL="C")
    assert json.loads(dated)["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert b"timestamp" not in made()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not on this machine")
def test_the_package_brings_it(tmp_path: Path) -> None:
    # Of the checkout: the build writes beside itself.
    for name in ("doorbell", "packaging", "phone/package-lock.json", "requirements", "systemd", "tools",
                 "doorbell.example.toml", "pyproject.toml"):  # fmt: skip
        source, target = REPOSITORY / name, tmp_path / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "app"))
        else:
            shutil.copy(source, target)
    environment = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1700000000"}
    built = subprocess.run(
        [tmp_path / "packaging" / "build-deb"], check=True, capture_output=True, text=True, env=environment
    ).stdout.strip()
    subprocess.run(["dpkg-deb", "--extract", built, tmp_path / "tree"], check=True)
    brought = (tmp_path / "tree" / "usr/share/doc/doorbell/doorbell.cdx.json").read_bytes()
    assert brought == made(SOURCE_DATE_EPOCH="1700000000")
