"""Every reader opens or refuses the vectors alike: ours, and stock age wherever age can say it."""

import base64
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorbell.clips.recipient import Recipient
from doorbell.clips.seal import seal
from doorbell.owner.identity import Identity
from doorbell.owner.unseal import PayloadError, UnsealError, unseal

VECTORS = Path(__file__).parent.parent / "vectors"


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((VECTORS / "clip" / name).read_text(encoding="utf-8"))
    return content


def refusals() -> list[Any]:
    files = [load("header.json"), load("stream.json")]
    return [pytest.param(file, vector, id=vector["name"]) for file in files for vector in file["vectors"]]


def sealed_bytes(file: dict[str, Any], vector: dict[str, Any]) -> bytes:
    sealed = bytearray(b"".join(base64.b64decode(file["pieces"][name]) for name in vector["sealed"]))
    if "flip" in vector:
        sealed[vector["flip"]] ^= 1
    return bytes(sealed[: vector.get("take", len(sealed))])


def opened(identity: Identity, sealed: bytes) -> tuple[str, bytes, int | None]:
    """The word for the result, all that was given away, and how much the error says is good, where it does."""
    shown = b""
    try:
        for chunk in unseal([identity], io.BytesIO(sealed)):
            shown += chunk
    except PayloadError as error:
        return error.word, shown, error.opened
    except UnsealError as error:
        return error.word, shown, None
    return "opens", shown, None


@pytest.mark.parametrize(("file", "vector"), refusals())
def test_the_reader_opens_or_refuses_as_the_vector_says(file: dict[str, Any], vector: dict[str, Any]) -> None:
    word, shown, told = opened(Identity.parse(file["identity"]), sealed_bytes(file, vector))
    assert told in (None, len(shown))
    assert word == vector["expect"]
    assert {"bytes": len(shown), "sha256": hashlib.sha256(shown).hexdigest()} == vector["opened"]


@pytest.mark.parametrize(("file", "vector"), refusals())
def test_stock_age_agrees_with_the_vector(file: dict[str, Any], vector: dict[str, Any], tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    key.write_text(file["identity"] + "\n", encoding="ascii")
    done = subprocess.run(
        ["age", "-d", "-i", key], input=sealed_bytes(file, vector), capture_output=True, timeout=30, check=False
    )
    if vector.get("some_open_it"):
        return  # age 1.1 stops at the first stanza that fits and does not look at the others
    assert (done.returncode == 0) == (vector["expect"] == "opens")
    if vector["expect"] == "opens":
        assert hashlib.sha256(done.stdout).hexdigest() == vector["opened"]["sha256"]


@pytest.mark.parametrize("vector", load("sealing.json")["vectors"], ids=lambda vector: vector["name"])
def test_the_same_random_bytes_seal_to_the_same_clip(vector: dict[str, Any]) -> None:
    random = io.BytesIO(bytes.fromhex(vector["random"]))
    recipients = [Recipient.parse(text) for text in vector["recipients"]]
    assert seal(recipients, base64.b64decode(vector["plaintext"]), random.read) == base64.b64decode(vector["sealed"])
    assert random.read() == b""


def test_the_vectors_are_what_their_script_makes() -> None:
    script = VECTORS / "make_clip_vectors.py"
    assert subprocess.run([sys.executable, script, "--check"], timeout=60, check=False).returncode == 0
