"""What the door loads to seal cannot open, and knows no clock, file or network."""

import ast
import subprocess
import sys
from pathlib import Path

import doorbell
from doorbell.clips import seal

ROOM = Path(doorbell.__file__).parent
PURE = ["clips/seal.py", "clips/recipient.py", "clips/bech32.py", "hkdf.py"]
ALLOWED = {
    "attrs", "base64", "collections", "doorbell", "hashlib", "hmac", "nacl", "os", "typing",
}  # fmt: skip


def test_sealing_loads_nothing_that_opens() -> None:
    program = "import sys, doorbell.clips.seal, doorbell.doorkeys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert not [name for name in done.stdout.split() if name.startswith(("doorbell.owner", "mnemonic", "av"))]


def test_sealing_knows_no_word_for_opening() -> None:
    for file in PURE:
        source = (ROOM / file).read_text(encoding="utf-8")
        assert "decrypt" not in source
        assert "crypto_sign" not in source
    assert not hasattr(seal, "unseal")


def test_sealing_is_pure_but_for_its_random_bytes() -> None:
    for file in PURE:
        tree = ast.parse((ROOM / file).read_text(encoding="utf-8"))
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        assert {module.split(".")[0] for module in modules} <= ALLOWED
        uses = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "os"
        }
        assert uses <= {"urandom"}


def test_a_finished_sealer_has_forgotten_its_key() -> None:
    from doorbell.owner.identity import Identity

    sealer = seal.Sealer([Identity(bytes(32)).recipient])
    sealer.update(b"somebody")
    assert "key" not in repr(sealer).lower().replace("seal.sealer", "")
    sealer.finish()
    assert sealer._key == b""
    assert not sealer._held


def test_the_seal_bench_gives_comparable_rows() -> None:
    from doorbell.bench.seal import measure

    rows = measure()
    assert [set(row) for row in rows] == [{"what", "ours", "reference", "ratio", "bar", "unit"}] * 2
    assert all(isinstance(row["ratio"], float) and row["ratio"] > 0 for row in rows)
